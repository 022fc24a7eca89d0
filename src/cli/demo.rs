use std::process::ExitCode;

use clap::Args;

use super::{Common, Trouble};
use crate::demo::{self, Options};

/// The demonstration.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  passerelle demo           keeps serving until Ctrl-C\n  passerelle demo --once    tells the story, checks each step, ends"
)]
pub(super) struct Demo {
    /// End after the story; exit 0 only if every step was verified.
    #[arg(long)]
    once: bool,
    /// Language in which the story is told.
    #[arg(long, value_name = "LANG", default_value = "en", value_parser = ["fr", "en"])]
    lang: String,
}

impl Demo {
    pub(super) async fn run(self, common: &Common) -> Result<ExitCode, Trouble> {
        let options = Options { once: self.once, json: common.json, lang: Some(self.lang) };
        Ok(demo::run(options).await?)
    }
}
