use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};
use tokio::signal::unix::Signal;

use super::{Common, Trouble, preview};
use crate::app::{self, Gateway};
use crate::config::Platform;
use crate::domain::Clock;
use crate::domain::time::SystemClock;
use crate::store::RunOutcome;
use crate::sync::{Options, Progress, RunSummary};

/// Reading a platform.
#[derive(Debug, Subcommand)]
pub(super) enum PlatformCommand {
    /// Asks an installation what it can do; reads no content.
    #[command(after_help = "Example:\n  passerelle platform probe lyon")]
    Probe {
        /// The platform's name in the configuration.
        name: String,
    },
    /// Reads everything and shows what would be published; publishes nothing.
    ///
    /// Exit code 1 when a field is not understood or an item is held back.
    #[command(after_help = "Example:\n  passerelle platform preview lyon")]
    Preview {
        /// The platform's name in the configuration.
        name: String,
    },
    /// Reads everything and publishes what changed.
    ///
    /// Exit code 1 for a partial scan, or when more items vanished than a
    /// machine may delete by itself.
    #[command(after_help = "Example:\n  passerelle platform sync lyon")]
    Sync {
        /// The platform's name in the configuration.
        name: String,
        /// You looked: the items that are missing in large numbers are gone.
        #[arg(long)]
        confirm_deletions: bool,
    },
}

impl PlatformCommand {
    pub(super) async fn run(self, common: &Common) -> Result<ExitCode, Trouble> {
        let config = common.load()?;
        let mut stop = super::listen()?;
        match self {
            Self::Probe { name } => {
                let platform = config.platform(&name)?;
                let clock = std::sync::Arc::new(SystemClock) as std::sync::Arc<dyn Clock>;
                let connector = app::connector(&config, platform, &app::client(&config)?, &clock)?;
                preview::probe(common, &config, platform, &connector).await
            }
            Self::Preview { name } => {
                let platform = config.platform(&name)?.clone();
                let gateway = Gateway::open(config).await?;
                let done = preview::preview(common, &gateway, &platform).await;
                gateway.close().await;
                done
            }
            Self::Sync { name, confirm_deletions } => {
                let platform = config.platform(&name)?.clone();
                let gateway = Gateway::open(config).await?;
                let done = sync(common, &gateway, &platform, confirm_deletions, &mut stop).await;
                gateway.close().await;
                done
            }
        }
    }
}

async fn sync(
    common: &Common,
    gateway: &Gateway,
    platform: &Platform,
    confirm_deletions: bool,
    stop: &mut Signal,
) -> Result<ExitCode, Trouble> {
    if !platform.publish {
        return Err(Trouble::failed("platform.not-published", format!("platform `{}` has publish = false", platform.name))
            .help(format!("look at `passerelle platform preview {}`, then set publish = true", platform.name)));
    }
    let output = common.output();
    let mut bar = output.progress(platform.name.as_str());
    let options = Options { confirm_deletions };
    let sync = gateway.sync(platform)?;
    let mut rng = app::chance()?;
    let mut report = |now: &Progress| bar.at(now.done, &format!("{}: {}", now.entity, now.doing));
    let ended = tokio::select! {
        ended = sync.run(options, &mut rng, &mut report) => Some(ended),
        // The transaction under way is forgotten; everything before it stays.
        _ = stop.recv() => None,
    };
    bar.finish();
    let Some(ended) = ended else {
        sync.give_back().await.map_err(anyhow::Error::from)?;
        return Err(Trouble::interrupted(format!("the reading of {} was stopped by Ctrl-C", platform.name)).help(format!(
            "what was written stays, and nothing is concluded from the rest; `passerelle platform sync {}` reads again",
            platform.name
        )));
    };
    let summary = ended.map_err(anyhow::Error::from)?;
    output.data(|| table(&summary), || json!({"schema": "passerelle.sync/1", "summary": document(&summary)}));
    match summary.outcome {
        RunOutcome::Complete => Ok(ExitCode::SUCCESS),
        RunOutcome::Failed => Err(Trouble::failed(
            "platform.unreadable",
            summary.message.unwrap_or_else(|| "the platform cannot be read".to_owned()),
        )
        .help("nothing was changed; the last reading stays on the pages")),
        RunOutcome::Running | RunOutcome::Partial | RunOutcome::Held => Ok(ExitCode::from(1)),
    }
}

/// One line an entity, numbers in columns.
fn table(summary: &RunSummary) -> String {
    let mut text = format!("{} {}, run {}, {} requests\n", summary.platform, summary.outcome, summary.run, summary.requests);
    let width = summary.entities.keys().map(String::len).max().unwrap_or(0);
    text.push_str(&format!(
        "{:width$}  {:>6} {:>6} {:>7} {:>9} {:>6} {:>6} {:>7} {:>8}\n",
        "", "read", "new", "revised", "unchanged", "held", "hidden", "deleted", "withheld"
    ));
    for (name, entity) in &summary.entities {
        text.push_str(&format!(
            "{name:width$}  {:>6} {:>6} {:>7} {:>9} {:>6} {:>6} {:>7} {:>8}\n",
            entity.read,
            entity.published,
            entity.revised,
            entity.unchanged,
            entity.held_back_in_all(),
            entity.hidden,
            entity.deleted,
            entity.withheld
        ));
        for (reason, count) in &entity.held_back {
            text.push_str(&format!("{:width$}  held back {count}: {reason}\n", ""));
        }
        if entity.waiting > 0 {
            text.push_str(&format!("{:width$}  missing {}: a person decides (--confirm-deletions)\n", "", entity.waiting));
        }
        if let Some(reason) = &entity.why_incomplete {
            text.push_str(&format!("{:width$}  incomplete: {reason}\n", ""));
        }
    }
    for note in summary.message.iter().chain(&summary.notes) {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}

fn document(summary: &RunSummary) -> Value {
    json!({
        "platform": summary.platform,
        "run": summary.run,
        "outcome": summary.outcome,
        "message": summary.message,
        "entities": summary.entities,
        "requests": summary.requests,
        "notes": summary.notes,
    })
}
