//! How servers find the actor: WebFinger and NodeInfo.

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use bytes::Bytes;
use url::form_urlencoded;

use crate::federation::nodeinfo::{self, Build, NODEINFO_TYPE};
use crate::federation::webfinger::{JRD_TYPE, NoResource, find};
use crate::web::answer::{Answer, Sharing};
use crate::web::error::WebError;
use crate::web::state::WebState;
use crate::web::urls::Address;

/// `GET /.well-known/webfinger?resource=…`.
pub async fn webfinger(State(web): State<WebState>, uri: Uri) -> Result<Answer, WebError> {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let resource = pairs.find(|(name, _)| name == "resource").map(|(_, value)| value.into_owned());
    match find(resource.as_deref(), web.authority(), web.public_url()) {
        Ok(found) => json(JRD_TYPE, &found),
        Err(NoResource::Malformed) => {
            let why = NoResource::Malformed.to_string();
            Ok(Answer::bytes(StatusCode::BAD_REQUEST, "text/plain; charset=utf-8", Bytes::from(why)).private())
        }
        Err(NoResource::Unknown) => Err(WebError::NotFound),
    }
}

/// `GET /.well-known/nodeinfo`.
pub async fn nodeinfo_links(State(web): State<WebState>) -> Result<Answer, WebError> {
    json("application/json", &nodeinfo::links(web.public_url()))
}

/// `GET /nodeinfo/2.1`.
pub async fn nodeinfo(State(web): State<WebState>) -> Result<Answer, WebError> {
    let source = &web.site().source;
    let page = Address::fixed("/source").absolute(web.public_url(), None);
    let repository = source.repository.parse().or_else(|_| page.parse());
    let repository = repository.map_err(|error: url::ParseError| WebError::internal("the address of the source", &error))?;
    let build = Build { version: source.version, commit: source.commit.as_deref(), repository: &repository };
    json(NODEINFO_TYPE, &nodeinfo::document(&build, &web.city(web.site().language())))
}

/// Anybody may read these from a page of their own, hence the open CORS of [`Answer::open`].
fn json(content_type: &'static str, value: &impl serde::Serialize) -> Result<Answer, WebError> {
    let text = serde_json::to_vec(value).map_err(|error| WebError::internal("a discovery document", &error))?;
    let mut answer = Answer::bytes(StatusCode::OK, content_type, Bytes::from(text));
    answer.open = true;
    answer.sharing = Sharing::ByQuery;
    Ok(answer)
}
