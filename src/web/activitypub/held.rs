//! `/from/{domain}`: what we hold of a partner. A page for people; for machines a collection of the
//! origin's ids, and for that partner itself the revision and digest of each (the status query).

use std::str::FromStr;

use axum::extract::State;

use crate::domain::id::PartnerDomain;
use crate::federation::held::{HeldError, collection};
use crate::web::answer::Answer;
use crate::web::error::WebError;
use crate::web::negotiate::Form;
use crate::web::pages::copies;
use crate::web::state::WebState;
use crate::web::visit::{InPath, Visit};

/// `GET /from/{domain}`.
pub async fn held(State(web): State<WebState>, InPath(domain): InPath<String>, visit: Visit) -> Result<Answer, WebError> {
    let domain = PartnerDomain::from_str(&domain).map_err(|_| WebError::NotFound)?;
    match visit.form {
        Form::Page => copies::held(&web, &domain, &visit).await,
        Form::Machine => {
            let known = web.store().read().await?.lookup_partner(&domain).await?.is_some();
            let json = collection(web.federation(), &domain, None, visit.after_text()).await.map_err(|error| match error {
                HeldError::Cursor => WebError::NotFound,
                HeldError::Store(error) => error.into(),
            })?;
            let empty = json.get("totalItems").and_then(serde_json::Value::as_u64) == Some(0);
            if !known && empty { Err(WebError::NotFound) } else { Ok(Answer::activity(&json)) }
        }
    }
}
