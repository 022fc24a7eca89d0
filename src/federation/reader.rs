//! What an account of a reader server may ask for: to follow, to take that back, and to be forgotten.
//!
//! Everything else that servers of the Fediverse send to whomever they know (replies, likes, boosts,
//! profiles, deletions of posts) is taken and ignored: it is neither read nor judged here, so that no
//! shape of another software is an error.

use serde_json::Value;

use crate::domain::id::Class;
use crate::domain::{ActorId, Key, RecordId};

use super::incoming::{Asked, Followed, Unfollowed};
use super::refusal::{Code, Refusal};
use super::verify::one_id;

/// Reads what `actor`, an account of a reader server, asks of the gateway whose actor is `own`.
///
/// # Errors
/// 400, 403 or 404 with the reason.
pub(super) fn asked(kind: &str, activity: &Value, actor: &ActorId, own: &ActorId) -> Result<Asked, Refusal> {
    let object = activity.get("object").unwrap_or(&Value::Null);
    match kind {
        "Follow" => follow(object, own).map(Asked::Follow),
        "Undo" => undo(object, actor, own),
        "Delete" if one_id(object).is_some_and(|id| names(id, actor)) => Ok(Asked::Leave),
        _ => Ok(Asked::Nothing),
    }
}

/// The authority, or one of its consultations: by its own address or that of its followers (FEP-efda).
fn follow(object: &Value, own: &ActorId) -> Result<Followed, Refusal> {
    let id = one_id(object).ok_or_else(|| Refusal::new(Code::InvalidId, "the activity does not name exactly one object"))?;
    let process = if names(id, own) { None } else { Some(consultation(id, own)?) };
    Ok(Followed { process, object: id.to_owned() })
}

fn undo(object: &Value, actor: &ActorId, own: &ActorId) -> Result<Asked, Refusal> {
    // Some name only what they take back; which Follow had this address is known to the store.
    let by_id = |id: &str| Asked::Unfollow(Unfollowed::Activity(id.to_owned()));
    let undone = match object {
        Value::Object(undone) => undone,
        Value::String(id) => return Ok(by_id(id)),
        Value::Array(items) => match items.as_slice() {
            [Value::Object(undone)] => undone,
            [Value::String(id)] => return Ok(by_id(id)),
            _ => return Err(Refusal::new(Code::InvalidId, "the activity does not name exactly one object")),
        },
        _ => return Err(Refusal::new(Code::InvalidId, "the activity does not name exactly one object")),
    };
    if let Some(whose) = undone.get("actor")
        && !one_id(whose).is_some_and(|whose| names(whose, actor))
    {
        return Err(Refusal::new(Code::NotOwner, "only its actor can undo an activity"));
    }
    let id = undone.get("id").and_then(Value::as_str);
    match undone.get("type").and_then(Value::as_str) {
        Some("Follow") => {}
        None => return Ok(id.map_or(Asked::Nothing, by_id)),
        Some(_) => return Ok(Asked::Nothing),
    }
    // What it followed counts, not how it called that: ids of old Follows are often made up anew.
    match undone.get("object").and_then(one_id).map(|followed| follow(&Value::from(followed), own)) {
        Some(Ok(followed)) => Ok(Asked::Unfollow(Unfollowed::Object(followed.process))),
        Some(Err(_)) | None => Ok(id.map_or(Asked::Nothing, by_id)),
    }
}

fn names(id: &str, actor: &ActorId) -> bool {
    id.parse::<ActorId>().is_ok_and(|id| id == *actor)
}

/// The consultation of ours that an address names; whether there is one, the store says.
fn consultation(id: &str, own: &ActorId) -> Result<RecordId, Refusal> {
    let not_ours = || Refusal::new(Code::NotFound, format_args!("only {own} and its consultations can be followed here"));
    let id: RecordId = id.parse().map_err(|_| not_ours())?;
    if !own.owns(&id) || id.url().query().is_some() || id.url().fragment().is_some() {
        return Err(not_ours());
    }
    let mut steps = id.path().trim_start_matches('/').split('/');
    let key = match (steps.next(), steps.next(), steps.next(), steps.next()) {
        (Some(segment), Some(key), None | Some("followers"), None) if segment == Class::Consultation.segment() => key,
        _ => return Err(not_ours()),
    };
    let key: Key = key.parse().map_err(|_| not_ours())?;
    RecordId::ours(own.url(), Class::Consultation, &key).map_err(|_| not_ours())
}

/// The collection of those who follow a consultation of ours.
#[must_use]
pub fn followers_of(process: &RecordId) -> String {
    format!("{process}/followers")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(activity: &Value) -> Result<Asked, Code> {
        let actor = "https://social.example/users/ana".parse().expect("an address");
        let own = "https://a.example/actor".parse().expect("an address");
        let kind = activity["type"].as_str().expect("a type");
        asked(kind, activity, &actor, &own).map_err(|refusal| refusal.code())
    }

    fn process(key: &str) -> RecordId {
        format!("https://a.example/consultations/{key}").parse().expect("an address")
    }

    #[test]
    fn an_account_follows_the_authority_or_one_consultation() {
        for (object, expected) in [
            (json!("https://a.example/actor"), None),
            (json!({"id": "https://a.example/actor", "type": "Organization"}), None),
            (json!(["https://a.example/consultations/x1"]), Some(process("x1"))),
            (json!("https://a.example/consultations/x1/followers"), Some(process("x1"))),
        ] {
            let Ok(Asked::Follow(followed)) = read(&json!({"type": "Follow", "object": object})) else { panic!("{object}") };
            assert_eq!(followed.process, expected, "{object}");
        }
        for object in [
            json!("https://a.example/contributions/x1"),
            json!("https://a.example/consultations"),
            json!("https://a.example/consultations/x1/contributions"),
            json!("https://a.example/consultations/x1/followers/y"),
            json!("https://a.example/consultations/X%201"),
            json!("https://a.example/consultations/x1?y"),
            json!("https://a.example:8443/consultations/x1"),
            json!("http://a.example/consultations/x1"),
            json!("https://b.example/consultations/x1"),
            json!("https://b.example/actor"),
        ] {
            assert_eq!(read(&json!({"type": "Follow", "object": object})), Err(Code::NotFound), "{object}");
        }
        for object in [json!(null), json!([]), json!(["https://a.example/actor", "https://a.example/x"]), json!(1)] {
            assert_eq!(read(&json!({"type": "Follow", "object": object})), Err(Code::InvalidId), "{object}");
        }
    }

    #[test]
    fn a_follow_is_taken_back_whole_or_by_its_address() {
        let undo = |object: Value| read(&json!({"type": "Undo", "object": object}));
        let id = "https://social.example/follows/1";
        let by_id = Ok(Asked::Unfollow(Unfollowed::Activity(id.to_owned())));
        let whole =
            |object: &str| json!({"id": id, "type": "Follow", "actor": "https://social.example/users/ana", "object": object});
        assert_eq!(undo(whole("https://a.example/actor")), Ok(Asked::Unfollow(Unfollowed::Object(None))));
        let one = Ok(Asked::Unfollow(Unfollowed::Object(Some(process("x1")))));
        assert_eq!(undo(whole("https://a.example/consultations/x1")), one);
        assert_eq!(undo(json!([whole("https://a.example/consultations/x1/followers")])), one);
        for object in [json!(id), json!([id]), json!({"id": id}), json!({"id": id, "type": "Follow"})] {
            assert_eq!(undo(object.clone()), by_id, "{object}");
        }
        assert_eq!(undo(json!({"id": id, "type": "Like", "object": "https://a.example/x"})), Ok(Asked::Nothing));
        assert_eq!(undo(json!({"type": "Follow"})), Ok(Asked::Nothing));
        let foreign =
            json!({"id": id, "type": "Follow", "actor": "https://social.example/users/bo", "object": "https://a.example/actor"});
        assert_eq!(undo(foreign), Err(Code::NotOwner));
        for object in [json!(null), json!([]), json!([id, id]), json!(7)] {
            assert_eq!(undo(object.clone()), Err(Code::InvalidId), "{object}");
        }
    }

    #[test]
    fn an_account_deletes_itself_and_nothing_else_is_read() {
        let actor = json!("https://social.example/users/ana");
        assert_eq!(read(&json!({"type": "Delete", "object": actor})), Ok(Asked::Leave));
        assert_eq!(read(&json!({"type": "Delete", "object": {"id": actor, "type": "Person"}})), Ok(Asked::Leave));
        for activity in [
            json!({"type": "Delete", "object": "https://social.example/users/bo"}),
            json!({"type": "Delete", "object": {"id": "https://social.example/n/1", "type": "Tombstone"}}),
            json!({"type": "Create", "object": {"type": "Note", "attributedTo": ["a", {"type": "Person"}]}}),
            json!({"type": "Announce", "object": {"type": "Create"}}),
            json!({"type": "Like", "object": "https://a.example/consultations/x1"}),
            json!({"type": "Update", "object": {"id": actor, "type": "Person"}}),
            json!({"type": "EmojiReact", "object": 7}),
            json!({"type": "Wave"}),
        ] {
            assert_eq!(read(&activity), Ok(Asked::Nothing), "{activity}");
        }
    }
}
