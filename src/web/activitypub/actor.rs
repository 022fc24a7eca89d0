//! `/actor`: the public authority as the Fediverse knows it; signed once by this process and kept.

use axum::extract::State;
use axum::http::StatusCode;
use bytes::Bytes;

use crate::federation::{actor, context};
use crate::web::answer::{Answer, Sharing};
use crate::web::error::WebError;
use crate::web::negotiate::Form;
use crate::web::state::WebState;
use crate::web::urls::Address;
use crate::web::visit::Visit;

/// `GET /actor`; people are led to the home page.
pub async fn actor(State(web): State<WebState>, visit: Visit) -> Result<Answer, WebError> {
    if visit.form == Form::Page {
        return Ok(Answer::see_other(Address::home().href(visit.carried)));
    }
    let signed = web.signed_actor(|federation, site| {
        let language = site.language().content_tag();
        actor::signed(&federation.authority, &federation.keys, &federation.public_url, &language, federation.now())
            .map(|signed| (signed.bytes, signed.digest))
    });
    let (bytes, digest) = signed.map_err(|error| WebError::internal("the actor could not be signed", &error))?;
    Ok(Answer::sealed(StatusCode::OK, bytes, &digest))
}

/// `GET /ns/v1`: the context, the same bytes at every city.
pub async fn context() -> Answer {
    let mut answer = Answer::bytes(StatusCode::OK, context::CONTEXT_TYPE, Bytes::from_static(context::CONTEXT.as_bytes()));
    answer.sharing = Sharing::Forever;
    answer
}
