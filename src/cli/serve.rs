use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use super::trouble::INTERRUPTED;
use super::{Common, Trouble};
use crate::app::{self, Gateway};

/// `passerelle serve`: runs until Ctrl-C (exit 130) or SIGTERM (exit 0); both let what is under way end.
pub(super) async fn run(common: &Common) -> Result<ExitCode, Trouble> {
    let config = common.load()?;
    let output = common.output();
    let public = config.server.public_url.clone();
    let mut by_hand = super::listen()?;
    let mut by_the_system = signal(SignalKind::terminate())
        .map_err(|error| Trouble::failed("runtime", format!("cannot listen for SIGTERM: {error}")))?;
    let gateway = Arc::new(Gateway::open(config).await?);
    let interrupted = AtomicBool::new(false);
    let stopped = async {
        tokio::select! {
            _ = by_hand.recv() => interrupted.store(true, Ordering::SeqCst),
            _ = by_the_system.recv() => {}
        }
    };
    app::serve(gateway, stopped, |address| output.remark(&format!("{public} is answered on {address}; Ctrl-C stops"))).await?;
    Ok(if interrupted.load(Ordering::SeqCst) { ExitCode::from(INTERRUPTED) } else { ExitCode::SUCCESS })
}
