//! `/from/{domain}`: what we hold of a partner. A page for people; for machines a collection of the
//! origin's ids, and for that partner itself the revision and digest of each (the status query).

use std::str::FromStr;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use crate::domain::id::PartnerDomain;
use crate::federation::held::{HeldError, collection};
use crate::web::activitypub::doors;
use crate::web::answer::{Answer, Sharing};
use crate::web::error::WebError;
use crate::web::negotiate::Form;
use crate::web::pages::copies;
use crate::web::state::WebState;
use crate::web::visit::{InPath, Visit};

/// `GET /from/{domain}`. A signature entitles the partner itself to revisions and digests.
pub async fn held(State(web): State<WebState>, InPath(domain): InPath<String>, visit: Visit, parts: Parts) -> Response {
    if visit.form == Form::Machine && doors::is_signed(&parts.headers) {
        return match web.inbox().verifier().get(&parts).await {
            Ok(reader) => machine(&web, &domain, Some(&reader.partner().domain), &visit).await.into_response(),
            Err(refusal) => doors::refused(&refusal),
        };
    }
    match visit.form {
        Form::Page => page(&web, &domain, &visit).await.into_response(),
        Form::Machine => machine(&web, &domain, None, &visit).await.into_response(),
    }
}

async fn page(web: &WebState, domain: &str, visit: &Visit) -> Result<Answer, WebError> {
    let domain = PartnerDomain::from_str(domain).map_err(|_| WebError::NotFound)?;
    copies::held(web, &domain, visit).await
}

async fn machine(web: &WebState, domain: &str, reader: Option<&PartnerDomain>, visit: &Visit) -> Result<Answer, WebError> {
    let domain = PartnerDomain::from_str(domain).map_err(|_| WebError::NotFound)?;
    let json = collection(web.federation(), &domain, reader, visit.after_text()).await.map_err(|error| match error {
        HeldError::Cursor | HeldError::Nothing => WebError::NotFound,
        HeldError::Store(error) => error.into(),
    })?;
    let sharing = if reader.is_some() { Sharing::OneReader } else { Sharing::ByQuery };
    Ok(Answer { sharing, ..Answer::activity(&json) })
}
