//! What machines of the federation ask: the actor, its collections, discovery, and the inbox. The only
//! place in `web` that knows words of ActivityPub.

pub mod activities;
pub mod actor;
pub mod collections;
pub mod discovery;
pub mod doors;
pub mod held;
pub mod receipts;
pub mod tombstone;

use serde_json::value::RawValue;

use super::answer::Answer;
use super::error::WebError;
use super::html::Html;
use super::negotiate::Form;
use super::pages::notices::{Part, write};
use super::state::WebState;
use super::urls::Address;
use super::visit::Visit;

/// A document of the exchange between gateways, whose page shows it letter by letter.
fn document(web: &WebState, visit: &Visit, title: &str, lead: &str, json: &str) -> Result<Answer, WebError> {
    if visit.form == Form::Machine {
        return Ok(Answer::activity_text(json.to_owned()));
    }
    let pretty = serde_json::from_str::<serde_json::Value>(json).and_then(|value| serde_json::to_string_pretty(&value));
    let texts = web.texts(visit.language);
    let data =
        Html::link(&Address::fixed(visit.path.as_str()).with("form", "json").href(None), &Html::text("ActivityPub (JSON)"));
    let part = Part {
        lines: vec![Html::text(&texts.say(lead)), data],
        code: Some(pretty.unwrap_or_else(|_| json.to_owned())),
        ..Part::default()
    };
    write(web, visit, &visit.path, title, vec![part])
}

/// Sealed bytes as they stand inside another document.
fn raw(sealed: &[u8]) -> Result<Box<RawValue>, WebError> {
    let text = String::from_utf8(sealed.to_vec()).map_err(|error| WebError::internal("sealed bytes are not text", &error))?;
    RawValue::from_string(text).map_err(|error| WebError::internal("sealed bytes are not JSON", &error))
}
