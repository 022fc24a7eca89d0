//! What the demo says: one line a step for people, one JSON document a line for machines. French or English.

use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};

/// A sentence in both languages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Say {
    pub(super) fr: &'static str,
    pub(super) en: &'static str,
}

/// What was found, in both languages.
#[derive(Debug, Clone)]
pub(super) struct Figures {
    pub(super) fr: String,
    pub(super) en: String,
}

impl Figures {
    pub(super) fn new(fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self { fr: fr.into(), en: en.into() }
    }
}

/// Writes the story to the standard output.
pub(super) struct Narrator {
    json: bool,
    french: bool,
    total: usize,
    told: usize,
}

impl Narrator {
    /// `lang` is a language tag; anything that is not French is told in English.
    pub(super) fn new(json: bool, lang: Option<&str>, total: usize) -> Self {
        Self { json, french: lang.is_some_and(|lang| lang.to_ascii_lowercase().starts_with("fr")), total, told: 0 }
    }

    pub(super) const fn say(&self, say: Say) -> &'static str {
        if self.french { say.fr } else { say.en }
    }

    /// A line for people; machines do not get it.
    pub(super) fn line(&self, text: impl Display) {
        if !self.json {
            self.write(&text);
        }
    }

    /// One step that was verified.
    pub(super) fn done(&mut self, what: Say, figures: &Figures, took: Duration) {
        self.told += 1;
        let figures = if self.french { &figures.fr } else { &figures.en };
        self.step(what, figures, took, true);
    }

    /// The step that was not.
    pub(super) fn failed(&mut self, what: Say, why: &str, took: Duration) {
        self.told += 1;
        self.step(what, why, took, false);
        let (n, of, what) = (self.told, self.total, self.say(what));
        let said = if self.french { "étape non vérifiée" } else { "not verified: step" };
        self.line(format!("{said} {n}/{of}, {what}"));
    }

    fn step(&self, what: Say, figures: &str, took: Duration, ok: bool) {
        let (n, of, what, seconds) = (self.told, self.total, self.say(what), took.as_secs_f64());
        if self.json {
            let seconds = (seconds * 10.0).round() / 10.0;
            self.document(&json!({ "schema": "passerelle.demo/1", "step": n, "of": of, "what": what, "figures": figures,
                "seconds": seconds, "ok": ok }));
        } else {
            let mark = if ok { "ok" } else { "fail" };
            let step = format!("{n}/{of}");
            self.write(&format!("{step:>5} {what:<44} {figures:<58} {seconds:>5.1} s  {mark}"));
        }
    }

    /// A document for machines; people do not get it.
    pub(super) fn document(&self, document: &Value) {
        if self.json {
            self.write(document);
        }
    }

    /// What each city holds: a heading, then one row a line.
    pub(super) fn table(&self, heading: &[&str], rows: &[Vec<String>]) {
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain(heading.get(column).map(|cell| cell.chars().count())).max().unwrap_or(0)
        };
        let line = |cells: Vec<&str>| {
            let padded = cells.iter().enumerate().map(|(column, cell)| {
                let gap = width(column) - cell.chars().count();
                if column == 0 { format!("{cell}{}", " ".repeat(gap)) } else { format!("{}{cell}", " ".repeat(gap)) }
            });
            format!("  {}", padded.collect::<Vec<_>>().join("   "))
        };
        self.line(line(heading.to_vec()));
        for row in rows {
            self.line(line(row.iter().map(String::as_str).collect()));
        }
    }

    #[expect(clippy::unused_self, reason = "only the narrator writes")]
    fn write(&self, text: &impl Display) {
        let mut out = std::io::stdout().lock();
        // A reader that went away does not stop the story from cleaning up.
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }
}
