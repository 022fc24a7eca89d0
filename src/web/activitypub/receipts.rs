//! `/receipts/{key}`: what we confirmed to partners, for whoever wants to check it again.

use axum::extract::State;

use super::document;
use crate::domain::id::Key;
use crate::web::answer::Answer;
use crate::web::error::WebError;
use crate::web::state::WebState;
use crate::web::urls::Address;
use crate::web::visit::{InPath, Visit};

/// `GET /receipts/{key}`.
pub async fn receipt(State(web): State<WebState>, InPath(key): InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    let id = Address::fixed(format!("/receipts/{key}")).absolute(web.public_url(), None);
    let receipt = web.store().read().await?.find_receipt(&id).await?.ok_or(WebError::NotFound)?;
    document(&web, &visit, "receipt-title", "receipt-lead", &receipt)
}
