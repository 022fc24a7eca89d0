use std::fmt;

use crate::config::{ConfigError, Place};

/// Why a gateway does not start although its configuration is right: a stable code, what, where, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// A stable code, for example `serve.port-taken`.
    pub code: &'static str,
    /// What is in the way.
    pub message: String,
    /// The setting that leads there.
    pub place: Option<Box<Place>>,
    /// What to do next.
    pub help: String,
}

impl Refused {
    /// The same as an error about a setting, but not the setting's fault.
    #[must_use]
    pub fn at_setting(error: ConfigError) -> Self {
        Self { code: error.code, message: error.message, place: error.place, help: error.help }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refused {}
