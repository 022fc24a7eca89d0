//! The one place where a failure becomes an answer: the reader learns what happened and what to do
//! next, the log learns the cause (style 16). The page itself is written in [`super::deliver`], which
//! knows the reader's language.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::store::StoreError;

/// Why a request was not answered with what it asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebError {
    /// There is nothing at this address.
    #[error("nothing at this address")]
    NotFound,
    /// The address knows other methods only.
    #[error("the method is not known at this address")]
    MethodNotAllowed,
    /// The body is larger than this address takes.
    #[error("the body is too large")]
    TooLarge,
    /// It took too long.
    #[error("it took too long")]
    TimedOut,
    /// A fault of ours; the number finds it in the log.
    #[error("a fault of ours, number {number}")]
    Internal {
        /// What a reader quotes.
        number: String,
    },
}

impl WebError {
    /// A fault of ours: writes it to the log under a new number.
    #[must_use]
    pub fn internal(what: &str, cause: &dyn fmt::Display) -> Self {
        let number = next_number();
        tracing::error!(number, %cause, "Page not answered: {what}");
        Self::Internal { number }
    }

    /// The status code.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The error that an answer without a body stands for, when a layer below made it.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Option<Self> {
        match status {
            StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => Some(Self::NotFound),
            StatusCode::METHOD_NOT_ALLOWED => Some(Self::MethodNotAllowed),
            StatusCode::PAYLOAD_TOO_LARGE => Some(Self::TooLarge),
            StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE => Some(Self::TimedOut),
            _ => None,
        }
    }
}

/// A number that this process has not given before.
fn next_number() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

impl From<StoreError> for WebError {
    fn from(error: StoreError) -> Self {
        Self::internal("the database did not answer", &error)
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
