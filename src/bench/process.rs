//! Other processes: this program again in a hidden role, or as `serve`; and what they cost.
//!
//! A role is told its job in one line of JSON, says that it is ready in another, and then answers each
//! line with a line. It ends when its standard input does, so none outlives the measurement.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How long a role may take to get ready (keys, signed requests).
const READY: Duration = Duration::from_mins(15);
/// How long a gateway may take to answer its first request.
const START: Duration = Duration::from_mins(5);
/// How long a gateway may take until it rests, and what it may spend in a second then.
const REST: Duration = Duration::from_mins(30);
const IDLE: Duration = Duration::from_millis(50);
/// For so many seconds in a row.
const QUIET: u32 = 3;
/// How long a gateway may take to put things in order.
const STOP: Duration = Duration::from_secs(40);

/// What `/proc` counts processor time in, in milliseconds (USER_HZ is 100 on every Linux).
const TICK: u64 = 10;

/// This program's own file.
pub(super) fn program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("cannot find this program's own file")
}

/// The environment of whoever measures must not configure what is measured.
pub(super) fn command(arguments: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new(program()?);
    command.args(arguments).env("NO_COLOR", "1").kill_on_drop(true);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PASSERELLE_")) {
        command.env_remove(name);
    }
    Ok(command)
}

/// A running role.
pub(super) struct Helper {
    child: Child,
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
    /// Its process.
    pub(super) pid: u32,
}

impl Helper {
    /// Starts a role with its job; returns what it says when it is ready.
    pub(super) async fn start<R: DeserializeOwned>(role: &str, job: &impl Serialize) -> anyhow::Result<(Self, R)> {
        let mut command = command(&["bench", "--role", role])?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().with_context(|| format!("cannot start the role {role}"))?;
        let to = child.stdin.take().context("a pipe to the role")?;
        let from = BufReader::new(child.stdout.take().context("a pipe from the role")?).lines();
        let pid = child.id().context("the role has ended")?;
        let mut helper = Self { child, to, from, pid };
        let ready = helper.ask(job).await.with_context(|| format!("the role {role}"))?;
        Ok((helper, ready))
    }

    /// Sends a line and reads the answer.
    pub(super) async fn ask<R: DeserializeOwned>(&mut self, question: &impl Serialize) -> anyhow::Result<R> {
        let mut line = serde_json::to_string(question)?;
        line.push('\n');
        self.to.write_all(line.as_bytes()).await?;
        let answer = tokio::time::timeout(READY, self.from.next_line()).await.context("no answer in time")??;
        let Some(answer) = answer else { bail!("it ended: {:?}", self.child.try_wait()?) };
        serde_json::from_str(&answer).with_context(|| format!("it answered `{answer}`"))
    }

    /// What it has cost so far.
    pub(super) fn cpu(&self) -> anyhow::Result<Duration> {
        cpu(self.pid)
    }
}

/// A gateway as it is run in production: `passerelle serve`.
pub(super) struct Served {
    child: Child,
    log: PathBuf,
    /// Its process.
    pub(super) pid: u32,
    /// How long it took until a stranger was answered.
    pub(super) took: Duration,
}

impl Served {
    /// Starts `serve` and waits until `port` answers.
    pub(super) async fn start(config: &Path, port: u16) -> anyhow::Result<Self> {
        let log = config.with_extension(format!("{port}.log"));
        let file = std::fs::File::options().create(true).append(true).open(&log)?;
        let mut command = command(&["serve"])?;
        command.arg("--config").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        let began = Instant::now();
        let child = command.spawn().context("cannot start `serve`")?;
        let pid = child.id().context("`serve` has ended")?;
        let mut served = Self { child, log, pid, took: Duration::ZERO };
        let health = format!("http://bench.localhost:{port}/healthz").parse()?;
        let client = super::load::client()?;
        while !client.send(crate::outbound::Request::get(url::Url::clone(&health))).await.is_ok_and(|answer| answer.status == 200)
        {
            if let Some(status) = served.child.try_wait()? {
                bail!("`serve` ended with {status}: {}", served.last_words());
            }
            ensure!(began.elapsed() < START, "`serve` does not answer: {}", served.last_words());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        served.took = began.elapsed();
        Ok(served)
    }

    /// What it has cost so far.
    pub(super) fn cpu(&self) -> anyhow::Result<Duration> {
        cpu(self.pid)
    }

    /// Waits until it has nothing to do for some seconds: at its start it reads a large database to its end, and may
    /// wait for the disk meanwhile.
    pub(super) async fn rest(&self) -> anyhow::Result<()> {
        let (began, mut before, mut quiet) = (Instant::now(), self.cpu()?, 0);
        while quiet < QUIET {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let now = self.cpu()?;
            quiet = if now.saturating_sub(before) < IDLE { quiet + 1 } else { 0 };
            ensure!(began.elapsed() < REST, "`serve` is not at rest after {} s", REST.as_secs());
            before = now;
        }
        Ok(())
    }

    /// Asks it to end, and waits.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.pid).ok().and_then(rustix::process::Pid::from_raw).context("a process number")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        if tokio::time::timeout(STOP, self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(5)..].join(" | ")
    }
}

/// A command that was run to its end.
pub(super) struct Ran {
    /// Wall time.
    pub(super) took: Duration,
    /// User and system time, its threads included.
    pub(super) cpu: Duration,
    /// The most memory it held, in bytes.
    pub(super) peak: u64,
    /// What it printed.
    pub(super) stdout: String,
}

/// Runs `passerelle ARGUMENTS` and watches it; exit 0 and 1 are answers, the rest is not.
pub(super) async fn run(arguments: &[&str], log: &Path) -> anyhow::Result<Ran> {
    let mut command = command(arguments)?;
    let file = std::fs::File::options().create(true).append(true).open(log)?;
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file).spawn()?;
    let pid = child.id().context("it has ended")?;
    let mut stdout = child.stdout.take().context("a pipe")?;
    let printed = tokio::spawn(async move {
        let mut text = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut stdout, &mut text).await.map(|_| text)
    });
    let (began, mut peak) = (Instant::now(), 0);
    // Its last figures stand until it is waited for, so that comes after they were read.
    while !has_ended(pid)? {
        peak = peak.max(memory(pid).map_or(0, |memory| memory.peak));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (took, cpu) = (began.elapsed(), cpu(pid)?);
    let status = child.wait().await?;
    let stdout = printed.await??;
    ensure!(
        matches!(status.code(), Some(0 | 1)),
        "`passerelle {}` ended with {status}; see {}",
        arguments.join(" "),
        log.display()
    );
    Ok(Ran { took, cpu, peak, stdout })
}

/// Fields of `/proc/PID/stat` behind the name, which may hold anything.
fn stat(pid: u32) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid} is gone"))?;
    let rest = text.rsplit_once(')').context("/proc/PID/stat has a name in brackets")?.1;
    Ok(rest.split_whitespace().map(str::to_owned).collect())
}

fn has_ended(pid: u32) -> anyhow::Result<bool> {
    Ok(stat(pid)?.first().is_some_and(|state| state == "Z"))
}

/// User and system time of a process with all its threads.
pub(super) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let fields = stat(pid)?;
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    Ok(from_ticks(ticks(11) + ticks(12)))
}

fn from_ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks * TICK)
}

/// All processes of a PostgreSQL server on this machine: the one that answered, its siblings, and those
/// that have ended.
pub(super) fn cpu_of_server(backend: u32) -> anyhow::Result<Duration> {
    let field = |fields: &[String], index: usize| fields.get(index).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let parent = field(&stat(backend)?, 1);
    let postmaster = stat(u32::try_from(parent)?)?;
    let mut ticks = [11, 12, 13, 14].map(|index| field(&postmaster, index)).iter().sum::<u64>();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may end while we look.
        let Ok(fields) = stat(pid) else { continue };
        if field(&fields, 1) == parent {
            ticks += field(&fields, 11) + field(&fields, 12);
        }
    }
    Ok(from_ticks(ticks))
}

/// Resident memory of a process, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory {
    /// Now.
    pub(super) now: u64,
    /// The most it ever was.
    pub(super) peak: u64,
}

/// What a process holds in memory.
pub(super) fn memory(pid: u32) -> anyhow::Result<Memory> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0)
    };
    Ok(Memory { now: kib("VmRSS:") * 1024, peak: kib("VmHWM:") * 1024 })
}

/// The two pipes of a role, seen from inside.
pub(super) struct Caller {
    lines: Lines<BufReader<tokio::io::Stdin>>,
}

impl Caller {
    pub(super) fn new() -> Self {
        Self { lines: BufReader::new(tokio::io::stdin()).lines() }
    }

    /// The next line; none when the caller has gone.
    pub(super) async fn next<J: DeserializeOwned>(&mut self) -> anyhow::Result<Option<J>> {
        let Some(line) = self.lines.next_line().await? else { return Ok(None) };
        Ok(Some(serde_json::from_str(&line).with_context(|| format!("not a question: {line}"))?))
    }

    /// Answers a line.
    pub(super) async fn answer(&self, answer: &impl Serialize) -> anyhow::Result<()> {
        let mut stdout = tokio::io::stdout();
        let mut line = serde_json::to_string(answer)?;
        line.push('\n');
        stdout.write_all(line.as_bytes()).await?;
        Ok(stdout.flush().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_what_it_costs() {
        let me = std::process::id();
        let before = cpu(me).unwrap();
        let began = Instant::now();
        let mut sum = 0_u64;
        while began.elapsed() < Duration::from_millis(60) {
            sum = sum.wrapping_add(1);
        }
        assert!(cpu(me).unwrap() > before, "{sum}");
        let memory = memory(me).unwrap();
        assert!(memory.now > 1 << 20 && memory.peak >= memory.now);
        assert!(!has_ended(me).unwrap());
    }
}
