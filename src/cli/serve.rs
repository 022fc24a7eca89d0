use std::process::ExitCode;
use std::sync::Arc;

use super::{Common, Trouble};
use crate::app::{self, Gateway};

/// `passerelle serve`: runs until Ctrl-C or SIGTERM.
pub(super) async fn run(common: &Common) -> Result<ExitCode, Trouble> {
    let config = common.load()?;
    let output = common.output();
    let public = config.server.public_url.clone();
    let gateway = Arc::new(Gateway::open(config).await?);
    app::serve(gateway, asked_to_stop(), |address| output.remark(&format!("{public} is answered on {address}; Ctrl-C stops")))
        .await?;
    Ok(ExitCode::SUCCESS)
}

/// Ends with the first Ctrl-C or SIGTERM.
async fn asked_to_stop() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
