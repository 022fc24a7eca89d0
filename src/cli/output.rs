use std::io::{IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

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

    /// A progress line on stderr: drawn on a terminal, else one plain line every ten seconds.
    #[must_use]
    pub fn progress(&self, what: &str) -> Progress {
        let drawn = !self.quiet && !self.json && std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let bar = if drawn { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{spinner} {prefix} {pos} {msg} [{elapsed}]");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        let plain = !drawn && !self.quiet && !self.json;
        Progress { bar, plain: plain.then(|| Plain::start(what, Plain::EVERY, std::io::stderr())) }
    }
}

/// How far a long run has come.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    plain: Option<Plain>,
}

impl Progress {
    /// Shows that `done` items are read; `now` says which kind.
    pub fn at(&mut self, done: u64, now: &str) {
        self.bar.set_position(done);
        self.bar.set_message(now.to_owned());
        if let Some(plain) = &self.plain {
            plain.at(format!("{done} {now}"));
        }
    }

    /// Ends the line.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// A plain line now and then for a pipe or a file, also while nothing is heard: a platform may let us wait for
/// minutes, and a command that says nothing looks dead.
#[derive(Debug)]
struct Plain {
    now: Arc<Mutex<String>>,
    /// Dropped to stop.
    stop: Option<mpsc::Sender<()>>,
    speaker: Option<JoinHandle<()>>,
}

impl Plain {
    /// How often a line is written.
    const EVERY: Duration = Duration::from_secs(10);

    fn start(what: &str, every: Duration, mut out: impl Write + Send + 'static) -> Self {
        let (now, what) = (Arc::new(Mutex::new("begins".to_owned())), what.to_owned());
        let shown = Arc::clone(&now);
        let (stop, stopped) = mpsc::channel::<()>();
        let speaker = std::thread::spawn(move || {
            let mut spent = Duration::ZERO;
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                spent += every;
                let now = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
                drop(writeln!(out, "{what} {now} ({} s)", spent.as_secs()));
            }
        });
        Self { now, stop: Some(stop), speaker: Some(speaker) }
    }

    fn at(&self, now: String) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(speaker) = self.speaker.take() {
            drop(speaker.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<u8>>>);

    impl Write for Heard {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reading_that_hears_nothing_goes_on_saying_that_it_reads() {
        let heard = Heard::default();
        let plain = Plain::start("lyon", Duration::from_millis(20), heard.clone());
        let said = || String::from_utf8_lossy(&heard.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
        while said().lines().count() < 2 {
            std::thread::sleep(Duration::from_millis(5));
        }
        plain.at("120 proposal: rues / component 2".to_owned());
        while !said().contains("lyon 120 proposal: rues / component 2 (") {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(said().starts_with("lyon begins (0 s)\nlyon begins"), "{}", said());
        drop(plain);
        let lines = said().lines().count();
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(said().lines().count(), lines, "it ends with what it tells of");
    }
}
