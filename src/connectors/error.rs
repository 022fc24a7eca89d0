//! Why a platform could not be read, in words that name the address and what to do.

use crate::outbound::OutboundError;

/// A platform could not be read. What was committed before stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectorError {
    /// No connector of that name.
    #[error("`{kind}` is not a kind of platform we can read; use one of: {}", super::KINDS.join(", "))]
    UnknownKind {
        /// What was configured.
        kind: String,
    },
    /// No answer.
    #[error("{url} does not answer: {source}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why there is none.
        source: OutboundError,
    },
    /// The platform wants a login.
    #[error("{url} wants a login (status {status}); only what everybody can read is read: open the API to anonymous readers")]
    LoginWanted {
        /// What was asked.
        url: String,
        /// The status of the answer.
        status: u16,
    },
    /// The platform lives elsewhere.
    #[error("{url} has moved to {to}; configure that address")]
    Moved {
        /// What was asked.
        url: String,
        /// Where it points, without path.
        to: String,
    },
    /// An answer, but not of such a platform.
    #[error("{url} is not the API of a {system} platform ({found}); check the address of the platform")]
    NotThisPlatform {
        /// What was asked.
        url: String,
        /// What was expected.
        system: &'static str,
        /// What was found instead.
        found: String,
    },
    /// It stays overloaded or broken.
    #[error("{url} keeps answering {status}; the run stopped, try again later")]
    Failing {
        /// What was asked.
        url: String,
        /// The status of the last answer.
        status: u16,
    },
    /// The answer is not what the protocol says.
    #[error("{url} answers something unreadable ({reason}); try again, and tell the platform's operator if it stays")]
    Broken {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The platform understood the question and refused it.
    #[error("{url} refuses the question ({reason}); this version of the platform may be unknown to us")]
    Refused {
        /// What was asked.
        url: String,
        /// The code or the message of the refusal.
        reason: String,
    },
    /// Whoever asked for the scan is gone.
    #[error("the scan was stopped")]
    Stopped,
}

impl ConnectorError {
    /// Whether trying again later may help without anybody changing anything.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => source.is_transient(),
            Self::Failing { .. } | Self::Broken { .. } => true,
            Self::UnknownKind { .. }
            | Self::LoginWanted { .. }
            | Self::Moved { .. }
            | Self::NotThisPlatform { .. }
            | Self::Refused { .. }
            | Self::Stopped => false,
        }
    }
}
