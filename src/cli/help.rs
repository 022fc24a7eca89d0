use std::process::ExitCode;

use clap::CommandFactory;
use serde_json::json;

use super::{Cli, Output, Trouble};

const CONFIG: &str = include_str!("help/config.txt");
const EXIT_CODES: &str = "0    done
1    failed, or found something that needs a person (a partial scan, a held
     disappearance, fields not understood)
2    wrong call or configuration; nothing was started
130  ended by Ctrl-C";

/// Topics and their texts.
const TOPICS: &[(&str, &str)] = &[("config", CONFIG), ("exit-codes", EXIT_CODES)];

pub(super) fn run(topic: Option<&str>, output: &Output) -> Result<ExitCode, Trouble> {
    let text = match topic {
        None => Cli::command().render_long_help().to_string(),
        Some(name) => explain(name)?,
    };
    output.data(|| text.clone(), || json!({"schema": "passerelle.help/1", "topic": topic, "text": text}));
    Ok(ExitCode::SUCCESS)
}

/// The text of a topic, or the help of a command of that name.
fn explain(name: &str) -> Result<String, Trouble> {
    if let Some((_, text)) = TOPICS.iter().find(|(topic, _)| *topic == name) {
        return Ok((*text).to_owned());
    }
    if let Some(command) = Cli::command().find_subcommand_mut(name) {
        return Ok(command.render_long_help().to_string());
    }
    let known: Vec<_> = TOPICS.iter().map(|(topic, _)| *topic).collect();
    Err(Trouble::call("help.unknown-topic", format!("there is no topic `{name}`"))
        .help(format!("topics: {}; or the name of a command", known.join(", "))))
}
