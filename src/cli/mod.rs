//! The command line. Data on stdout, talk on stderr; every answer that a prompt would ask is a flag.
//! Exit codes: 0 done; 1 failed, or found something that needs a person; 2 wrong call or configuration;
//! 130 ended by Ctrl-C (architecture §6, interface.md §7).

#[cfg(test)]
mod advice;
mod bench;
mod demo;
mod help;
mod output;
mod partner;
mod platform;
mod preview;
mod serve;
mod trouble;
mod verify_log;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{Signal, SignalKind, signal};

pub use output::Output;
pub use trouble::Trouble;

use crate::config::Config;
use crate::telemetry::{self, LogForm};

/// Connects a city's participation platform to other cities.
#[derive(Debug, Parser)]
#[command(name = "passerelle", version, disable_help_subcommand = true, max_term_width = 80, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  passerelle demo                       two cities on this machine
  passerelle serve --config FILE        the gateway of one city
  passerelle platform preview lyon      what would be published, nothing is
  passerelle help config                every setting

Exit codes: 0 done, 1 failed or needs a person, 2 wrong call or configuration.";

/// Flags that every command knows.
#[derive(Debug, Clone, Args)]
struct Common {
    /// The configuration file (default: PASSERELLE_CONFIG, ./passerelle.toml,
    /// ~/.config/passerelle/passerelle.toml, /etc/passerelle/passerelle.toml).
    #[arg(long, global = true, value_name = "FILE", env = "PASSERELLE_CONFIG")]
    config: Option<PathBuf>,
    /// One JSON document on stdout; errors as problem+json on stderr.
    #[arg(long, global = true)]
    json: bool,
    /// Accepted for scripts: no command ever asks anything.
    #[arg(long, global = true)]
    no_input: bool,
    /// No progress, no remarks.
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Two cities on this machine exchange a consultation.
    Demo(demo::Demo),
    /// The gateway of one city, until Ctrl-C.
    #[command(after_help = "Example:\n  passerelle serve --config passerelle.toml")]
    Serve,
    /// Reads a participation platform.
    #[command(subcommand)]
    Platform(platform::PlatformCommand),
    /// Measures this program on this machine.
    Bench(bench::Bench),
    /// The gateways and servers on the allow-list.
    #[command(subcommand)]
    Partner(partner::PartnerCommand),
    /// Checks the log of what partners were sent, offline.
    VerifyLog(verify_log::VerifyLog),
    /// Explains a topic, offline: config, exit-codes.
    #[command(after_help = "Example:\n  passerelle help config")]
    Help {
        /// The topic; without it, the list of commands.
        topic: Option<String>,
    },
}

impl Command {
    /// With which Ctrl-C the program ends at once: what has something to give back ends by itself at the first.
    const fn patience(&self) -> u8 {
        match self {
            Self::Serve | Self::Demo(_) | Self::Platform(platform::PlatformCommand::Sync { .. }) => 2,
            Self::Platform(_) | Self::Partner(_) | Self::VerifyLog(_) | Self::Bench(_) | Self::Help { .. } => 1,
        }
    }
}

impl Common {
    /// Finds and reads the configuration file.
    fn load(&self) -> Result<Config, Trouble> {
        let path = match &self.config {
            Some(path) => path.clone(),
            None => places().into_iter().find(|path| path.exists()).ok_or_else(|| {
                let places: Vec<String> = places().iter().map(|place| place.display().to_string()).collect();
                Trouble::call("config.none", "no configuration file was named or found")
                    .help(format!("use --config FILE or PASSERELLE_CONFIG; looked for {}", places.join(", ")))
            })?,
        };
        let config = Config::load(&path)?;
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        Ok(config)
    }

    fn output(&self) -> Output {
        Output::new(self.json, self.quiet)
    }
}

/// Where a configuration file is looked for when none is named: here, the user's, the machine's.
fn places() -> Vec<PathBuf> {
    let home = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    let mut places = vec![PathBuf::from("passerelle.toml")];
    places.extend(home.map(|folder| folder.join("passerelle/passerelle.toml")));
    places.push(PathBuf::from("/etc/passerelle/passerelle.toml"));
    places
}

/// Runs the program with the process's arguments.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misunderstood(&error),
    };
    let form = if cli.common.json { LogForm::Json } else { LogForm::Text };
    telemetry::start(form);
    let json = cli.common.json;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Trouble::failed("runtime", format!("cannot start worker threads: {error}")).report(json),
    };
    let patience = cli.command.patience();
    let ended = runtime.block_on(async {
        tokio::select! {
            ended = dispatch(cli) => ended,
            () = interrupted(patience) => Err(Trouble::interrupted("stopped by Ctrl-C; whatever was written before is whole and stays")),
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    ended.unwrap_or_else(|trouble| trouble.report(json))
}

async fn dispatch(cli: Cli) -> Result<ExitCode, Trouble> {
    match cli.command {
        Command::Demo(demo) => demo.run(&cli.common).await,
        Command::Serve => serve::run(&cli.common).await,
        Command::Bench(bench) => bench.run(&cli.common).await,
        Command::Platform(command) => command.run(&cli.common).await,
        Command::Partner(command) => command.run(&cli.common).await,
        Command::VerifyLog(verify) => verify.run(&cli.common).await,
        Command::Help { topic } => help::run(topic.as_deref(), &cli.common.output()),
    }
}

/// A call that cannot be understood: as text, or as problem+json where `--json` was asked for. Help and version
/// are no errors.
fn misunderstood(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        drop(error.print());
        return ExitCode::SUCCESS;
    }
    if !std::env::args_os().any(|argument| argument == "--json") {
        drop(error.print());
        return ExitCode::from(2);
    }
    let code = match error.kind() {
        ErrorKind::InvalidSubcommand => "call.unknown-command",
        ErrorKind::UnknownArgument => "call.unknown-flag",
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::InvalidUtf8 => "call.value",
        ErrorKind::MissingRequiredArgument => "call.missing",
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "call.no-command",
        ErrorKind::ArgumentConflict => "call.conflict",
        _ => "call.wrong",
    };
    let text = error.render().to_string();
    let mut parts = text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let message = parts.next().unwrap_or_default();
    let rest = parts.collect::<Vec<_>>().join("; ");
    Trouble::call(code, message.trim_start_matches("error: ")).help(rest).report(true)
}

/// Hears Ctrl-C from now on, so that none is lost while a command is still opening what it needs.
fn listen() -> Result<Signal, Trouble> {
    signal(SignalKind::interrupt()).map_err(|error| Trouble::failed("runtime", format!("cannot listen for Ctrl-C: {error}")))
}

/// Ends with the nth Ctrl-C. The first one asks a command that holds something to let go of it; the next one ends
/// the program.
async fn interrupted(nth: u8) {
    let Ok(mut signal) = listen() else { return std::future::pending().await };
    for _ in 0..nth {
        signal.recv().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_tree_is_consistent_and_its_help_fits_80_columns() {
        fn check(command: &mut clap::Command) {
            let help = command.render_long_help().to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
            }
            for sub in command.get_subcommands_mut() {
                check(sub);
            }
        }
        Cli::command().debug_assert();
        check(&mut Cli::command());
    }
}
