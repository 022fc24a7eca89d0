use std::fmt;
use std::path::{Path, PathBuf};

/// Where in a file something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The line's text.
    pub text: String,
    /// How many characters are meant.
    pub width: usize,
    /// A few words beside the mark.
    pub note: String,
}

/// A setting that cannot be used: what, where, what to do. Nothing was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// A stable code, for example `config.unknown-key`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub place: Option<Box<Place>>,
    /// What to do next.
    pub help: String,
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place: None, help: String::new() }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    pub(super) fn at(mut self, place: Option<Place>) -> Self {
        self.place = place.map(Box::new);
        self
    }

    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::new("config.unreadable", format!("cannot read {}: {error}", path.display()))
            .help("name the file with --config FILE or PASSERELLE_CONFIG")
    }

    /// A value from the environment that is none.
    pub(super) fn of_environment(replaced: &[(String, String)], error: &toml::de::Error) -> Self {
        let names: Vec<String> = replaced.iter().map(|(section, key)| variable(section, key)).collect();
        let message = format!("{} (set by {})", error.message().trim_end(), names.join(" or "));
        Self::new("config.value", message).help("correct or unset it; nothing was started. All settings: passerelle help config")
    }

    /// An error of the TOML reader or of a value's type.
    pub(super) fn of_value(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let place = error.span().map(|span| Place::of(path, text, span.start, span.len().max(1), ""));
        let message = error.message().to_owned();
        let code = if message.starts_with("missing field") { "config.missing-key" } else { "config.value" };
        Self::new(code, message).at(place).help("correct it; nothing was started. All settings: passerelle help config")
    }
}

/// The environment variable of a setting.
pub(super) fn variable(section: &str, key: &str) -> String {
    format!("PASSERELLE_{}__{}", section.to_ascii_uppercase(), key.to_ascii_uppercase())
}

impl Place {
    /// The place of the bytes from `start` in `text`.
    pub(super) fn of(file: &Path, text: &str, start: usize, width: usize, note: &str) -> Self {
        let before = text.get(..start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_text = text[line_start..].lines().next().unwrap_or_default();
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            text: line_text.to_owned(),
            width: width.min(line_text.chars().count().max(1)),
            note: note.to_owned(),
        }
    }
}

impl fmt::Display for Place {
    /// Where, the line itself, and a mark below it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gutter = " ".repeat(self.line.to_string().len());
        writeln!(f, "{gutter}--> {}:{}:{}", self.file.display(), self.line, self.column)?;
        writeln!(f, "{} | {}", self.line, self.text)?;
        let mark = format!("{}{} {}", " ".repeat(self.column - 1), "^".repeat(self.width), self.note);
        write!(f, "{gutter} | {}", mark.trim_end())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: {}", self.code, self.message)?;
        if let Some(place) = &self.place {
            write!(f, "\n{place}")?;
        }
        if !self.help.is_empty() {
            write!(f, "\nhelp: {}", self.help)?;
        }
        Ok(())
    }
}
