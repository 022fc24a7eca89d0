//! A preview as people read it in a terminal (interface.md §7), and in full.

use std::fmt::Write as _;

use serde_json::Value;

use super::{EntitySummary, Preview, Sample};
use crate::domain::Class;
use crate::mapping::Standing;

/// Width of the left column of a sample.
const COLUMN: usize = 62;

impl Preview {
    /// The summary: what was read, what would be published, what is held back and what is not understood.
    /// `at` is the address and manner of reading, for example `https://…, anonymous, 1 request/s`.
    #[must_use]
    pub fn summary_text(&self, at: &str) -> String {
        let mut text = String::new();
        let version = self.probe.version.as_deref().or(self.generation.as_deref()).unwrap_or("of unknown version");
        let _ = writeln!(text, "{} {version} at {at}", capital(&self.probe.system));
        let read = self.counts(|entity| entity.read);
        let incomplete = self.entities.iter().find(|(_, entity)| !entity.complete);
        let complete = match incomplete {
            None => "complete".to_owned(),
            Some((name, entity)) => {
                format!("incomplete: {} ({})", self.plural(name), entity.why_incomplete.as_deref().unwrap_or("unknown reason"))
            }
        };
        let _ = writeln!(text, "Read      {read}   {complete}, {} s", self.seconds);
        let published: Vec<String> =
            self.records.iter().map(|(class, count)| format!("{count} {}", class_name(*class, *count))).collect();
        let _ = writeln!(text, "Publish   {}", if published.is_empty() { "nothing".to_owned() } else { published.join("  ") });
        self.held_back(&mut text);
        let totals = self.coverage.totals();
        let _ = writeln!(
            text,
            "Fields    {} mapped  {} dropped on purpose  {} not understood",
            totals.mapped, totals.dropped, totals.not_understood
        );
        for (entity, name, field) in self.coverage.fields().filter(|(_, _, field)| field.standing == Standing::NotUnderstood) {
            let place = format!("{}.{name}", self.plural(entity));
            let example = field.example.as_ref().map(|example| format!("e.g. {example}")).unwrap_or_default();
            let _ = writeln!(text, "  {place:<40} {:<12} {example:<30} map it or drop it", times(field.count));
        }
        for (entity, property, what, count) in self.coverage.troubles() {
            let _ = writeln!(text, "  {:<40} {:<12} {what}", format!("{}.{property}", self.plural(entity)), times(count));
        }
        let states: Vec<String> = self.coverage.states().iter().map(|(word, count)| format!("{word} {count}")).collect();
        if !states.is_empty() {
            let _ = writeln!(text, "States    {}", states.join(", "));
        }
        let _ = writeln!(text, "Personal  {} kept; author names never requested", self.personal_kept);
        for note in &self.notes {
            let _ = writeln!(text, "Note      {note}");
        }
        text
    }

    /// Every source field: where it stands, how often it was met, an example.
    #[must_use]
    pub fn fields_text(&self) -> String {
        let mut text = String::new();
        for (entity, name, field) in self.coverage.fields() {
            let standing = match &field.standing {
                Standing::Mapped => "mapped".to_owned(),
                Standing::Dropped(reason) => format!("dropped: {reason}"),
                Standing::NotUnderstood => "NOT UNDERSTOOD: map it or drop it".to_owned(),
            };
            let example = field.example.as_deref().map(|example| format!("e.g. {}", one_line(example))).unwrap_or_default();
            let _ = writeln!(text, "{:<58} {:<12} {example:<64} {standing}", format!("{entity}.{name}"), times(field.count));
        }
        text
    }

    /// One item of each entity beside its record beside its page.
    #[must_use]
    pub fn samples_text(&self) -> String {
        self.samples.iter().map(sample_text).collect()
    }

    fn counts(&self, count: impl Fn(&EntitySummary) -> u64) -> String {
        let shown = self.called.iter().filter_map(|(entity, _)| Some(self.number(count(self.entities.get(entity)?), entity)));
        shown.collect::<Vec<_>>().join("  ")
    }

    /// `1 proposal`, `80 proposals`.
    fn number(&self, count: u64, entity: &str) -> String {
        let (one, several) = self.words(entity);
        format!("{count} {}", if count == 1 { one } else { several })
    }

    fn words<'a>(&'a self, entity: &'a str) -> (&'a str, &'a str) {
        let found = self.called.iter().find(|(name, _)| name == entity);
        found.map_or((entity, entity), |(_, (one, several))| (one, several))
    }

    fn plural<'a>(&'a self, entity: &'a str) -> &'a str {
        self.words(entity).1
    }

    fn held_back(&self, text: &mut String) {
        for (name, entity) in &self.entities {
            for (reason, count) in &entity.held_back {
                let _ = writeln!(text, "Hold back {}   {reason}", self.number(*count, name));
            }
            if entity.withheld > 0 {
                let _ = writeln!(
                    text,
                    "Hold back {} {}   the platform itself does not show them",
                    entity.withheld,
                    self.plural(name)
                );
            }
            if entity.failed_reads > 0 {
                let _ = writeln!(text, "Not read  {}   the next reading tries again", self.number(entity.failed_reads, name));
            }
        }
    }
}

fn sample_text(sample: &Sample) -> String {
    let mut text = String::new();
    let page = sample.page.as_ref().map_or("no page of its own", |page| page.as_str());
    let _ = writeln!(text, "\n{} {}   {page}", sample.entity, sample.local_id);
    let left: Vec<String> = sample.source.iter().map(|(name, value)| format!("{name} = {}", one_line(value))).collect();
    let mut right = Vec::new();
    for record in &sample.records {
        right.push(format!("[{}] {}", record.class(), record.id));
        if let Ok(value) = serde_json::to_value(record) {
            flatten("", &value, &mut right);
        }
    }
    for row in 0..left.len().max(right.len()) {
        let (left, right) = (left.get(row).map_or("", String::as_str), right.get(row).map_or("", String::as_str));
        let _ = writeln!(text, "  {:<COLUMN$} | {right}", cut(left, COLUMN));
    }
    text
}

/// What a record says, a line per value; what is not stated is left out.
fn flatten(name: &str, value: &Value, lines: &mut Vec<String>) {
    let skip = ["id", "authority", "source", "mapping", "personal_data", "licence", "salt"];
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter().filter(|(key, _)| !(name.is_empty() && skip.contains(&key.as_str()))) {
                flatten(&if name.is_empty() { key.clone() } else { format!("{name}.{key}") }, value, lines);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| flatten(name, item, lines)),
        Value::Null => {}
        Value::String(text) => lines.push(format!("{name} = {}", cut(&one_line(text), COLUMN))),
        other => lines.push(format!("{name} = {other}")),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

fn times(count: u64) -> String {
    match count {
        0 => "never met".to_owned(),
        1 => "1 time".to_owned(),
        count => format!("{count} times"),
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

const fn class_name(class: Class, count: u64) -> &'static str {
    match (class, count) {
        (Class::Consultation, 1) => "consultation",
        (Class::Consultation, _) => "consultations",
        (Class::Contribution, 1) => "contribution",
        (Class::Contribution, _) => "contributions",
        (Class::Argument, 1) => "argument",
        (Class::Argument, _) => "arguments",
        (Class::Comment, 1) => "comment",
        (Class::Comment, _) => "comments",
        (Class::Disposition, 1) => "treatment",
        (Class::Disposition, _) => "treatments",
        (Class::OfficialResponse, 1) => "answer",
        (Class::OfficialResponse, _) => "answers",
        (Class::Meeting, 1) => "meeting",
        (Class::Meeting, _) => "meetings",
        (Class::BudgetProject, 1) => "budget project",
        (Class::BudgetProject, _) => "budget projects",
        (Class::Poll, 1) => "poll",
        (Class::Poll, _) => "polls",
        (Class::Decision, 1) => "decision",
        (Class::Decision, _) => "decisions",
        (Class::Commitment, 1) => "commitment",
        (Class::Commitment, _) => "commitments",
        (Class::Result, 1) => "result",
        (Class::Result, _) => "results",
        (Class::ProgressUpdate, 1) => "progress update",
        (Class::ProgressUpdate, _) => "progress updates",
        (Class::Document, 1) => "document",
        (Class::Document, _) => "documents",
    }
}
