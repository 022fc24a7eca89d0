use std::fmt;
use std::io::Write;
use std::process::ExitCode;

use serde_json::json;

use crate::config::ConfigError;

/// What a person reads when a command does not do what was asked: what, where, what to do next.
#[derive(Debug)]
pub struct Trouble {
    code: String,
    message: String,
    help: Option<String>,
    exit: u8,
    /// Text that already has its final form (a configuration error with its line).
    rendered: Option<String>,
}

impl Trouble {
    /// The command failed, or found something that needs a person (exit 1).
    #[must_use]
    pub fn failed(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), help: None, exit: 1, rendered: None }
    }

    /// The command was called or configured wrongly (exit 2).
    #[must_use]
    pub fn call(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { exit: 2, ..Self::failed(code, message) }
    }

    /// What to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Writes it to stderr, as text or as problem+json, and gives the exit code.
    #[must_use]
    pub fn report(&self, json: bool) -> ExitCode {
        let mut stderr = std::io::stderr().lock();
        let written = if json {
            let problem = json!({
                "type": format!("urn:passerelle:{}", self.code),
                "title": self.message,
                "detail": self.help,
                "code": self.code,
            });
            writeln!(stderr, "{problem}")
        } else {
            writeln!(stderr, "{self}")
        };
        drop(written);
        ExitCode::from(self.exit)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(rendered) = &self.rendered {
            return f.write_str(rendered);
        }
        write!(f, "error[{}]: {}", self.code, self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "\nhelp: {help}"))
    }
}

impl From<ConfigError> for Trouble {
    fn from(error: ConfigError) -> Self {
        Self { rendered: Some(error.to_string()), ..Self::call(error.code, error.message).help(error.help) }
    }
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        let error = match error.downcast::<ConfigError>() {
            Ok(config) => return config.into(),
            Err(error) => error,
        };
        // A cause that its parent already quotes is not said twice.
        let mut message = error.to_string();
        for cause in error.chain().skip(1).map(ToString::to_string) {
            if !message.contains(&cause) {
                message.push_str(": ");
                message.push_str(&cause);
            }
        }
        let (message, help) = match message.split_once("\nhelp: ") {
            Some((message, help)) => (message.to_owned(), Some(help.to_owned())),
            None => (message, None),
        };
        Self { help, ..Self::failed("failed", message) }
    }
}
