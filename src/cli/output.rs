use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

/// Where a command's data and talk go.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
    quiet: bool,
}

impl Output {
    pub(super) const fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// Whether data is wanted as JSON.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Data: the JSON document when `--json` was given, else the text.
    pub fn data(&self, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) {
        let mut stdout = std::io::stdout().lock();
        // A reader that went away (`| head`) is no failure of ours.
        drop(if self.json { writeln!(stdout, "{}", json()) } else { writeln!(stdout, "{}", text().trim_end()) });
    }

    /// A remark beside the data.
    pub fn remark(&self, text: &str) {
        if !self.quiet && !self.json {
            drop(writeln!(std::io::stderr().lock(), "{text}"));
        }
    }

    /// A progress line on stderr: drawn on a terminal, else one plain line now and then.
    #[must_use]
    pub fn progress(&self, what: &str) -> Progress {
        let drawn = !self.quiet && !self.json && std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let bar = if drawn { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{spinner} {prefix} {pos} {msg} [{elapsed}]");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Progress { bar, plain: !drawn && !self.quiet && !self.json, said: 0, what: what.to_owned() }
    }
}

/// How far a long run has come.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    plain: bool,
    said: u64,
    what: String,
}

impl Progress {
    /// How many plain lines a pipe gets: one per this many items.
    const EVERY: u64 = 500;

    /// Shows that `done` items are read; `now` says which kind.
    pub fn at(&mut self, done: u64, now: &str) {
        self.bar.set_position(done);
        self.bar.set_message(now.to_owned());
        if self.plain && done >= self.said + Self::EVERY {
            self.said = done;
            drop(writeln!(std::io::stderr().lock(), "{} {done} {now}", self.what));
        }
    }

    /// Ends the line.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}
