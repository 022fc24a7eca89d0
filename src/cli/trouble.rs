use std::fmt;
use std::io::Write;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::app::Refused;
use crate::config::{ConfigError, Place};
use crate::connectors::ConnectorError;
use crate::federation::keyring::KeyringError;
use crate::federation::pairing::PairingError;
use crate::mapping::ProfileError;
use crate::outbound::OutboundError;
use crate::store::StoreError;
use crate::sync::SyncError;

/// The exit code of what a person ended with Ctrl-C.
pub(super) const INTERRUPTED: u8 = 130;

/// What a person reads when a command does not do what was asked: what, where, what to do next.
#[derive(Debug)]
pub struct Trouble {
    code: String,
    message: String,
    help: Option<String>,
    place: Option<Box<Place>>,
    exit: u8,
}

impl Trouble {
    /// The command failed, or found something that needs a person (exit 1).
    #[must_use]
    pub fn failed(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), help: None, place: None, exit: 1 }
    }

    /// The command was called or configured wrongly (exit 2).
    #[must_use]
    pub fn call(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { exit: 2, ..Self::failed(code, message) }
    }

    /// A person ended it with Ctrl-C (exit 130).
    #[must_use]
    pub fn interrupted(message: impl Into<String>) -> Self {
        Self { exit: INTERRUPTED, ..Self::failed("interrupted", message) }
    }

    /// What to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into()).filter(|help| !help.is_empty());
        self
    }

    /// Writes it to stderr, as text or as problem+json, and gives the exit code.
    #[must_use]
    pub fn report(&self, json: bool) -> ExitCode {
        let mut stderr = std::io::stderr().lock();
        drop(if json { writeln!(stderr, "{}", self.problem()) } else { writeln!(stderr, "{self}") });
        ExitCode::from(self.exit)
    }

    /// The problem document (RFC 9457).
    fn problem(&self) -> Value {
        let mut problem = Map::new();
        problem.insert("type".to_owned(), json!(format!("urn:passerelle:{}", self.code)));
        problem.insert("title".to_owned(), json!(self.message));
        problem.insert("detail".to_owned(), json!(self.help));
        problem.insert("code".to_owned(), json!(self.code));
        problem.insert("exit".to_owned(), json!(self.exit));
        if let Some(place) = &self.place {
            problem.insert("file".to_owned(), json!(place.file));
            problem.insert("line".to_owned(), json!(place.line));
            problem.insert("column".to_owned(), json!(place.column));
        }
        Value::Object(problem)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: {}", self.code, self.message)?;
        if let Some(place) = &self.place {
            write!(f, "\n{place}")?;
        }
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "\nhelp: {help}"))
    }
}

impl From<ConfigError> for Trouble {
    fn from(error: ConfigError) -> Self {
        Self { place: error.place, ..Self::call(error.code, error.message).help(error.help) }
    }
}

impl From<Refused> for Trouble {
    fn from(error: Refused) -> Self {
        Self { place: error.place, ..Self::failed(error.code, error.message).help(error.help) }
    }
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        let error = match error.downcast::<ConfigError>() {
            Ok(config) => return config.into(),
            Err(error) => error,
        };
        let error = match error.downcast::<Refused>() {
            Ok(refused) => return refused.into(),
            Err(error) => error,
        };
        let (code, exit) = error.chain().find_map(known).unwrap_or(("failed", 1));
        // A cause that its parent already quotes is not said twice.
        let mut message = error.to_string();
        for cause in error.chain().skip(1).map(ToString::to_string) {
            if !message.contains(&cause) {
                message.push_str(": ");
                message.push_str(&cause);
            }
        }
        Self { exit, ..Self::failed(code, message) }
    }
}

/// The code and the exit of an error that we know; what the configuration has to put right is exit 2.
fn known(error: &(dyn std::error::Error + 'static)) -> Option<(&'static str, u8)> {
    if let Some(error) = error.downcast_ref::<SyncError>() {
        return match error {
            SyncError::Busy { .. } => Some(("platform.busy", 1)),
            SyncError::TakenOver(_) => Some(("platform.taken-over", 1)),
            SyncError::Unwritten => Some(("platform.unwritten", 1)),
            SyncError::PublicUrl(_) => Some(("config.public-url", 2)),
            SyncError::Seal(_) => Some(("platform.seal", 1)),
            SyncError::Connector(error) => Some(connector(error)),
            SyncError::Store(error) => Some(store(error)),
        };
    }
    if let Some(error) = error.downcast_ref::<StoreError>() {
        return Some(store(error));
    }
    if let Some(error) = error.downcast_ref::<ConnectorError>() {
        return Some(connector(error));
    }
    if let Some(error) = error.downcast_ref::<PairingError>() {
        return match error {
            PairingError::Store(error) => Some(store(error)),
            PairingError::Ourselves(_) => Some(("partner.ourselves", 2)),
            PairingError::Fingerprint { .. } => Some(("partner.fingerprint", 1)),
            _ => Some(("partner.not-accepted", 1)),
        };
    }
    if let Some(error) = error.downcast_ref::<KeyringError>() {
        return match error {
            KeyringError::Store(error) => Some(store(error)),
            KeyringError::FileMissing(_)
            | KeyringError::File { .. }
            | KeyringError::NotAKey(_)
            | KeyringError::WrongKey { .. } => Some(("keys.file", 2)),
            KeyringError::Incomplete(_) | KeyringError::Library | KeyringError::Key(_) => Some(("keys.unusable", 1)),
        };
    }
    if error.is::<ProfileError>() {
        return Some(("config.profile", 2));
    }
    match error.downcast_ref::<OutboundError>() {
        Some(OutboundError::Setup(_)) => Some(("config.outbound", 2)),
        Some(_) => Some(("outbound", 1)),
        None => None,
    }
}

const fn store(error: &StoreError) -> (&'static str, u8) {
    match error {
        StoreError::NotAnAddress { .. } => ("config.database-url", 2),
        StoreError::Unused { .. } => ("config.no-database", 2),
        StoreError::Foreign { .. } => ("config.foreign-database", 2),
        StoreError::Unreachable { .. } => ("database.unreachable", 1),
        StoreError::Corrupt { .. } => ("database.damaged", 1),
        StoreError::NewerSchema { .. } => ("database.newer-schema", 1),
        StoreError::Migration { .. } => ("database.migration", 1),
        StoreError::Unsafe { .. } => ("database.unsafe", 1),
        StoreError::Busy(_) => ("database.busy", 1),
        _ => ("database.failed", 1),
    }
}

const fn connector(error: &ConnectorError) -> (&'static str, u8) {
    match error {
        ConnectorError::UnknownKind { .. } => ("config.kind", 2),
        ConnectorError::Unreachable { .. } => ("platform.unreachable", 1),
        ConnectorError::LoginWanted { .. } => ("platform.login", 1),
        ConnectorError::Moved { .. } => ("platform.moved", 1),
        ConnectorError::NotThisPlatform { .. } => ("platform.other-system", 1),
        ConnectorError::Failing { .. } => ("platform.failing", 1),
        ConnectorError::Broken { .. } => ("platform.unreadable", 1),
        ConnectorError::Refused { .. } => ("platform.refuses", 1),
        ConnectorError::Stopped => ("platform.stopped", 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_know_has_a_code_however_deep_it_lies() {
        let busy = StoreError::Busy("locked".to_owned());
        let wrapped = anyhow::Error::from(busy).context("cannot list the partners");
        let trouble = Trouble::from(wrapped);
        assert_eq!((trouble.code.as_str(), trouble.exit), ("database.busy", 1));
        let moved =
            SyncError::from(ConnectorError::Moved { url: "https://a.example/".to_owned(), to: "https://b.example".to_owned() });
        assert_eq!(Trouble::from(anyhow::Error::from(moved)).code, "platform.moved");
        let key = KeyringError::NotAKey("kek".into());
        assert_eq!(Trouble::from(anyhow::Error::from(key)).exit, 2, "a file that the configuration names");
    }

    #[test]
    fn a_problem_is_complete_and_the_same_as_the_text() {
        let trouble = Trouble::call("config.none", "no file").help("use --config FILE");
        let problem = trouble.problem();
        assert_eq!(
            (&problem["code"], &problem["exit"], &problem["detail"]),
            (&json!("config.none"), &json!(2), &json!("use --config FILE"))
        );
        assert_eq!(trouble.to_string(), "error[config.none]: no file\nhelp: use --config FILE");
        assert_eq!(Trouble::interrupted("stopped").exit, INTERRUPTED);
    }
}
