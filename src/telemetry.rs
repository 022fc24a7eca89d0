//! Log output and named kill points. Logs carry event names, ids and partners; never a text that a
//! citizen wrote, never a secret, never an answer's body.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogForm {
    /// One readable line per event.
    Text,
    /// One JSON object per line.
    Json,
}

/// Sends log lines to stderr; `RUST_LOG` sets the level (default: `info` of this program, `warn` of others).
pub fn start(form: LogForm) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,passerelle=info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let started = match form {
        LogForm::Text => builder.compact().try_init(),
        LogForm::Json => builder.json().try_init(),
    };
    if started.is_err() {
        tracing::debug!("log output was already set up");
    }
}

/// Where a test may kill the process (REL-001 … REL-005): between every read and its commit, and
/// between every commit and its answer.
pub const KILL_POINTS: &[&str] = &[
    "sync.after-fetch",
    "sync.after-map",
    "sync.before-commit",
    "sync.after-commit",
    "sync.before-finish",
    "inbox.before-insert",
    "inbox.before-commit",
    "inbox.after-commit",
    "effect.before-commit",
    "effect.after-commit",
    "planner.before-commit",
    "planner.after-commit",
    "delivery.before-send",
    "delivery.after-send",
    "delivery.after-commit",
    "backfill.before-commit",
    "backfill.after-commit",
];

/// Ends the own process with SIGKILL when `PASSERELLE_KILL_AT` names this point (`name` or `name:nth`,
/// counted from 1). Does nothing in a release build.
pub fn kill_point(name: &'static str) {
    static WANTED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);
    if !cfg!(debug_assertions) {
        return;
    }
    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var("PASSERELLE_KILL_AT").ok()?;
        let (name, nth) = text.split_once(':').unwrap_or((&text, "1"));
        Some((name.to_owned(), nth.parse().unwrap_or(1)))
    });
    debug_assert!(KILL_POINTS.contains(&name), "{name} is not in KILL_POINTS");
    if let Some((point, nth)) = wanted
        && point == name
        && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *nth
    {
        let killed = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        unreachable!("a process outlived its own SIGKILL: {killed:?}");
    }
}
