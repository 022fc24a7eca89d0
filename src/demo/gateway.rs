//! A real `passerelle` process beside the demo: `serve`, and the commands an operator would type.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// How long a gateway may take to put things in order before it is killed.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long an operator's command may take.
const COMMAND: Duration = Duration::from_mins(2);

/// One installation: its configuration file, and the server when it runs.
pub(super) struct Gateway {
    program: PathBuf,
    config: PathBuf,
    log: PathBuf,
    server: Option<Child>,
}

impl Gateway {
    pub(super) const fn new(program: PathBuf, config: PathBuf, log: PathBuf) -> Self {
        Self { program, config, log, server: None }
    }

    /// The environment of the demo's own user must not configure its gateways.
    fn bare(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--config").arg(&self.config).env("NO_COLOR", "1").kill_on_drop(true).stdin(Stdio::null());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PASSERELLE_")) {
            command.env_remove(name);
        }
        command
    }

    /// Runs `passerelle ARGUMENTS --config FILE` to its end and gives what it printed.
    pub(super) async fn command(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let typed = format!("passerelle {} --config {}", arguments.join(" "), self.config.display());
        let output = tokio::time::timeout(COMMAND, self.bare(arguments).output())
            .await
            .with_context(|| format!("`{typed}` did not end in {} s", COMMAND.as_secs()))?
            .with_context(|| format!("cannot run `{typed}`"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`{typed}` ended with {}: {}", code(output.status), last_lines(&said, 4));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Starts the server in a process group of its own: Ctrl-C in the terminal reaches the demo first.
    pub(super) fn serve(&mut self) -> anyhow::Result<()> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let server = self.bare(&["serve"]).process_group(0).stdout(log.try_clone()?).stderr(log).spawn();
        self.server = Some(server.with_context(|| format!("cannot start {}", self.program.display()))?);
        Ok(())
    }

    /// Why the server does not run, if it has ended.
    pub(super) fn ended(&mut self) -> Option<String> {
        let status = self.server.as_mut()?.try_wait().ok().flatten()?;
        Some(format!("`passerelle serve` ended with {}: {}", code(status), self.last_words()))
    }

    /// The end of the server's log.
    pub(super) fn last_words(&self) -> String {
        last_lines(&std::fs::read_to_string(&self.log).unwrap_or_default(), 5)
    }

    fn signal(&self, signal: Signal) {
        let id = self.server.as_ref().and_then(Child::id).and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(id) = id {
            // It may have ended in this very moment: then there is nothing to signal.
            let _ = kill_process_group(id, signal);
        }
    }

    /// Asks the server to end, and ends it when it does not.
    pub(super) async fn stop(&mut self) {
        self.signal(Signal::TERM);
        if let Some(server) = &mut self.server
            && tokio::time::timeout(PATIENCE, server.wait()).await.is_err()
        {
            self.signal(Signal::KILL);
            if let Some(server) = &mut self.server {
                let _ = server.wait().await;
            }
        }
        self.server = None;
    }

    pub(super) fn config(&self) -> &Path {
        &self.config
    }
}

impl Drop for Gateway {
    /// Whatever happened to the story, no server outlives it.
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

fn code(status: ExitStatus) -> String {
    status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"))
}

fn last_lines(text: &str, n: usize) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(n)..].join(" | ")
}
