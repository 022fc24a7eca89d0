//! One record of ours at its permanent address: a page, or its sealed bytes untouched. 410 in both
//! forms once it is deleted; 200 in both while it is hidden or withdrawn.

use axum::extract::State;
use axum::http::StatusCode;

use super::{consultation, contribution, dossier, gone, statement};
use crate::domain::id::{Class, Key, RecordId};
use crate::domain::record::Body;
use crate::store::Standing;
use crate::web::answer::Answer;
use crate::web::error::WebError;
use crate::web::negotiate::Form;
use crate::web::reading::{Reading, Shelf};
use crate::web::state::WebState;
use crate::web::view::held::Held;
use crate::web::visit::{InPath, Visit};

/// `GET /consultations/{key}`.
pub async fn consultation(web: State<WebState>, key: InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    record(web, key, visit, Class::Consultation).await
}

/// `GET /contributions/{key}`.
pub async fn contribution(web: State<WebState>, key: InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    record(web, key, visit, Class::Contribution).await
}

/// `GET /comments/{key}`: arguments and comments.
pub async fn comment(web: State<WebState>, key: InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    record(web, key, visit, Class::Comment).await
}

/// `GET /dispositions/{key}`.
pub async fn disposition(web: State<WebState>, key: InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    record(web, key, visit, Class::Disposition).await
}

/// `GET /responses/{key}`.
pub async fn response(web: State<WebState>, key: InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    record(web, key, visit, Class::OfficialResponse).await
}

/// `GET /meetings/{key}`.
pub async fn meeting(web: State<WebState>, key: InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    record(web, key, visit, Class::Meeting).await
}

/// `GET /projects/{key}`.
pub async fn project(web: State<WebState>, key: InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    record(web, key, visit, Class::BudgetProject).await
}

/// `GET /polls/{key}`.
pub async fn poll(web: State<WebState>, key: InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    record(web, key, visit, Class::Poll).await
}

/// `GET /decisions/{key}`.
pub async fn decision(web: State<WebState>, key: InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    record(web, key, visit, Class::Decision).await
}

/// `GET /commitments/{key}`.
pub async fn commitment(web: State<WebState>, key: InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    record(web, key, visit, Class::Commitment).await
}

/// `GET /results/{key}`: results and progress updates.
pub async fn result(web: State<WebState>, key: InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    record(web, key, visit, Class::Result).await
}

/// `GET /documents/{key}`: people are sent on to the file, where the platform keeps it at the moment.
pub async fn document(web: State<WebState>, key: InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    record(web, key, visit, Class::Document).await
}

async fn record(State(web): State<WebState>, InPath(key): InPath<Key>, visit: Visit, class: Class) -> Result<Answer, WebError> {
    let id = RecordId::ours(web.public_url(), class, &key).map_err(|_| WebError::NotFound)?;
    match visit.form {
        Form::Machine => {
            let found = web.store().read().await?.lookup_sealed(&id).await?.ok_or(WebError::NotFound)?;
            let status = if found.standing == Standing::Deleted { StatusCode::GONE } else { StatusCode::OK };
            let mut answer = Answer::sealed(status, found.bytes, &found.digest);
            answer.noindex = found.standing != Standing::Live;
            Ok(answer)
        }
        Form::Page => {
            let mut reading = web.reading(&visit).await?;
            let held = reading.find(&Shelf::Own, &id).await?.ok_or(WebError::NotFound)?;
            page_of(&mut reading, &Shelf::Own, &held, &visit).await
        }
    }
}

/// Where the file of one of our documents is at the moment. Of a copy nobody but its origin knows.
fn file_of(held: &Held) -> Option<String> {
    match &held.visible()?.body {
        Body::Document(body) if !held.is_copy() => body.file.as_ref().map(ToString::to_string),
        _ => None,
    }
}

/// The page of a record, ours or copied, whatever its class and standing.
pub async fn page_of(reading: &mut Reading, shelf: &Shelf, held: &Held, visit: &Visit) -> Result<Answer, WebError> {
    if held.visible().is_none() {
        return gone::show(reading, held).await;
    }
    match held.class {
        Class::Consultation => consultation::show(reading, shelf, held).await,
        Class::Contribution => contribution::show(reading, shelf, held, visit).await,
        Class::Document if let Some(file) = file_of(held) => Ok(Answer::see_other(file)),
        Class::Argument | Class::Comment | Class::Disposition | Class::OfficialResponse => {
            statement::show(reading, shelf, held, visit).await
        }
        _ => dossier::show(reading, shelf, held, visit).await,
    }
}
