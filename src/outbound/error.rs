//! Why a request brought no answer, in words that name the host and the way out.

use std::time::Duration;

/// No answer, and why. Never carries anything of a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// The address itself is not one we ask.
    #[error("{url} is not an address we send requests to: {reason}")]
    Url {
        /// Scheme and host of the address.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The host is, or resolves to, an address that is not public (egress denied).
    #[error(
        "{host} is not reachable from the public internet ({reason}); if it is meant, list its range in `outbound.allow_private`"
    )]
    Denied {
        /// The host asked for.
        host: String,
        /// Which rule refused it.
        reason: String,
    },
    /// The name has no address.
    #[error("{host} cannot be resolved ({reason}); check the name and this machine's DNS")]
    Unresolved {
        /// The host asked for.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// No connection: refused, unreachable, or no agreement on TLS.
    #[error("no connection to {host} ({reason}); check that it is running and that its certificate is valid")]
    Unreachable {
        /// The host asked for.
        host: String,
        /// What the connection said.
        reason: String,
    },
    /// The whole exchange did not end in time.
    #[error("{host} did not answer completely within {} s; try again later", .after.as_secs_f32())]
    Timeout {
        /// The host asked for.
        host: String,
        /// The deadline.
        after: Duration,
    },
    /// The connection broke, or the answer was not HTTP.
    #[error("the answer of {host} is broken ({reason}); try again later")]
    Broken {
        /// The host asked for.
        host: String,
        /// What was wrong.
        reason: String,
    },
    /// The body is longer than asked for.
    #[error("the answer of {host} is longer than {limit} bytes and was dropped")]
    TooLarge {
        /// The host asked for.
        host: String,
        /// The cap in bytes, counted after decompression.
        limit: usize,
    },
    /// The headers are longer than anybody needs.
    #[error("the answer of {host} has more headers than we accept and was dropped")]
    TooManyHeaders {
        /// The host asked for.
        host: String,
    },
    /// A redirect that is not followed: to another origin, in a circle, or without a target.
    #[error("{host} redirects {to}; configure the final address instead")]
    Redirect {
        /// The host asked for.
        host: String,
        /// Where to, or how.
        to: String,
    },
    /// The client could not be set up.
    #[error("the outgoing client cannot be set up: {0}")]
    Setup(String),
}

impl OutboundError {
    /// Whether the same request may succeed later without anybody changing anything.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Unresolved { .. } | Self::Unreachable { .. } | Self::Timeout { .. } | Self::Broken { .. } => true,
            Self::Url { .. }
            | Self::Denied { .. }
            | Self::TooLarge { .. }
            | Self::TooManyHeaders { .. }
            | Self::Redirect { .. }
            | Self::Setup(_) => false,
        }
    }
}
