//! What an activity asks for, and whether its sender may ask it: the part of step 8a that needs no
//! store (security.md §0.3; FEP-fe34).
//!
//! Everything that is sent to us is one of a few [`Asked`]; what we do not know is ignored, never
//! guessed. Ids are compared as parsed origins, never as text (SEC-085, SEC-088).

use serde_json::Value;
use url::Url;

use crate::domain::digest::Digest;
use crate::domain::partner::PartnerKind;
use crate::domain::{ActorId, RecordId, Revision};

use super::proof::Written;
use super::refusal::{Code, Refusal};
use super::verify::one_id;
use super::{meaning, proof, reader, wire};

/// An activity whose sender may have sent it, as far as it says itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// Its id, on the sender's own origin.
    pub id: RecordId,
    /// Its type word.
    pub kind: String,
    /// What it asks for.
    pub asked: Asked,
}

/// What an activity asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// Hold this revision of a record of the sender (`Create`, `Update`).
    Hold(Offered),
    /// Erase a record of the sender (`Delete`).
    Erase(Erasure),
    /// Forget the sender itself (`Delete` of its own actor).
    Leave,
    /// The sender's actor changed (`Update` of its own actor).
    ActorChanged,
    /// Let the sender follow us.
    Follow(Followed),
    /// The sender follows us no more.
    Unfollow(Unfollowed),
    /// The sender accepts something of ours.
    Accept(Answer),
    /// The sender refuses something of ours.
    Reject(Answer),
    /// Nothing that we do.
    Nothing,
}

/// One revision of a record, as it was embedded.
#[derive(Debug, Clone, PartialEq)]
pub struct Offered {
    /// The record.
    pub id: RecordId,
    /// Its revision; absent where the object is no record of ours to read.
    pub revision: Option<Revision>,
    /// The embedded object, and its canonical form.
    pub written: Written<Value>,
}

/// What somebody wants to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// One consultation; none for the authority.
    pub process: Option<RecordId>,
    /// How the activity names it.
    pub object: String,
}

/// What somebody follows no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfollowed {
    /// One consultation, or the authority.
    Object(Option<RecordId>),
    /// Whatever the Follow with this address asked for.
    Activity(String),
}

/// A deletion.
#[derive(Debug, Clone, PartialEq)]
pub struct Erasure {
    /// The record.
    pub id: RecordId,
    /// The embedded tombstone, when it is more than an id.
    pub tombstone: Option<Value>,
    /// Digest of the embedded tombstone.
    pub digest: Option<Digest>,
}

/// An answer to something that we sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What is answered: the id of our activity.
    pub object: String,
    /// What comes with it, for example a receipt.
    pub result: Option<Value>,
}

/// Longest type word, in bytes.
const MAX_TYPE: usize = 100;

/// Types that are never an activity.
const COLLECTIONS: [&str; 4] = ["Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage"];

/// Activities; as the object of a `Create` or `Update` they are not accepted (SEC-069).
const ACTIVITIES: [&str; 19] = [
    "Accept", "Add", "Announce", "Block", "Create", "Delete", "Dislike", "Flag", "Follow", "Ignore", "Invite", "Join", "Leave",
    "Like", "Move", "Offer", "Reject", "Undo", "Update",
];

impl Incoming {
    /// Reads an activity that `actor` signed, a partner or an account of a reader server as `speaker` says,
    /// sent to the gateway whose actor is `own`. A record or tombstone that it carries is taken out of it.
    ///
    /// # Errors
    /// 400, 403 or 404 with the reason; each is final for this activity.
    pub fn read(activity: &mut Value, actor: &ActorId, speaker: PartnerKind, own: &ActorId) -> Result<Self, Refusal> {
        meaning::one(activity)?;
        let kind = match activity.get("type") {
            Some(Value::String(kind)) if !kind.is_empty() && kind.len() <= MAX_TYPE => kind.clone(),
            _ => return Err(Refusal::new(Code::InvalidActivity, "the activity has not exactly one type")),
        };
        if COLLECTIONS.contains(&kind.as_str()) {
            return Err(Refusal::new(Code::Unsupported, "collections are not delivered; activities are, one by one"));
        }
        let id = activity.get("id").and_then(Value::as_str).ok_or_else(|| invalid_id("the activity has no id"))?;
        let id: RecordId = id.parse().map_err(|error| invalid_id(&format!("the activity's id: {error}")))?;
        if !actor.owns(&id) {
            return Err(invalid_id("the activity's id is not on its actor's origin"));
        }
        let sender = Sender { actor, own };
        let asked = match kind.as_str() {
            _ if speaker == PartnerKind::Reader => reader::asked(&kind, activity, actor, own)?,
            "Create" | "Update" => sender.hold(activity, kind == "Update")?,
            "Delete" => sender.erase(activity)?,
            "Follow" => sender.follow(activity)?,
            "Undo" => sender.undo(activity)?,
            "Accept" => sender.answer(activity)?.map_or(Asked::Nothing, Asked::Accept),
            "Reject" => sender.answer(activity)?.map_or(Asked::Nothing, Asked::Reject),
            _ => Asked::Nothing,
        };
        Ok(Self { id, kind, asked })
    }

    /// The consultation of ours that the sender wants to follow, if it names one.
    #[must_use]
    pub const fn consultation(&self) -> Option<&RecordId> {
        match &self.asked {
            Asked::Follow(Followed { process, .. }) => process.as_ref(),
            _ => None,
        }
    }

    /// The record that the activity is about, if it is about one.
    #[must_use]
    pub const fn record(&self) -> Option<&RecordId> {
        match &self.asked {
            Asked::Hold(offered) => Some(&offered.id),
            Asked::Erase(erasure) => Some(&erasure.id),
            _ => None,
        }
    }
}

/// An object that stands by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Alone {
    /// A revision of a record.
    Hold(Offered),
    /// What is left of a deleted one.
    Erase(Erasure),
}

impl Alone {
    /// The record it speaks of.
    #[must_use]
    pub fn record(&self) -> &RecordId {
        match self {
            Self::Hold(offered) => &offered.id,
            Self::Erase(erasure) => &erasure.id,
        }
    }
}

/// Reads an object that stands by itself on a page or at its origin, as if `actor` had sent it in a
/// `Create`, `Update` or `Delete`.
///
/// # Errors
/// As for an activity that carries it.
pub fn alone(mut object: Value, actor: &ActorId, own: &ActorId) -> Result<Alone, Refusal> {
    meaning::one(&object)?;
    let sender = Sender { actor, own };
    if !object.is_object() {
        return Err(Refusal::new(Code::InvalidRecord, "it is no record"));
    }
    if wire::is_tombstone(&object) {
        sender.erasure(&mut object).map(Alone::Erase)
    } else {
        sender.offered(&mut object).map(Alone::Hold)
    }
}

fn invalid_id(why: &str) -> Refusal {
    Refusal::new(Code::InvalidId, why)
}

struct Sender<'a> {
    actor: &'a ActorId,
    own: &'a ActorId,
}

impl Sender<'_> {
    fn hold(&self, activity: &mut Value, update: bool) -> Result<Asked, Refusal> {
        let Some(object @ Value::Object(_)) = activity.get_mut("object") else {
            return Err(Refusal::new(Code::InvalidActivity, "the object must be embedded, and be exactly one"));
        };
        if object.get("id").and_then(Value::as_str) == Some(self.actor.as_str()) {
            return Ok(if update { Asked::ActorChanged } else { Asked::Nothing });
        }
        self.offered(object).map(Asked::Hold)
    }

    fn offered(&self, object: &mut Value) -> Result<Offered, Refusal> {
        let kind = match object.get("type") {
            Some(Value::String(kind)) if !kind.is_empty() && kind.len() <= MAX_TYPE => kind.as_str(),
            _ => return Err(Refusal::new(Code::InvalidActivity, "the object has not exactly one type")),
        };
        if ACTIVITIES.contains(&kind) || COLLECTIONS.contains(&kind) {
            return Err(Refusal::new(Code::Unsupported, "an activity or a collection is not a record"));
        }
        let id = object.get("id").and_then(Value::as_str).ok_or_else(|| invalid_id("the object has no id"))?;
        let id = self.theirs(id)?;
        self.owned(object, true)?;
        let revision = match object.get("revision") {
            None => None,
            Some(value) => Some(
                value
                    .as_u64()
                    .filter(|revision| *revision > 0)
                    .ok_or_else(|| Refusal::new(Code::InvalidRecord, "the revision is not a positive whole number"))?,
            ),
        };
        let written = Written::read(object.take()).map_err(|error| Refusal::new(Code::InvalidRecord, error))?;
        Ok(Offered { id, revision, written })
    }

    fn erase(&self, activity: &mut Value) -> Result<Asked, Refusal> {
        let mut none = Value::Null;
        let object = activity.get_mut("object").unwrap_or(&mut none);
        if one_id(object) == Some(self.actor.as_str()) {
            return Ok(Asked::Leave);
        }
        self.erasure(object).map(Asked::Erase)
    }

    fn erasure(&self, object: &mut Value) -> Result<Erasure, Refusal> {
        let id = one_id(object).ok_or_else(|| invalid_id("the activity does not name exactly one object"))?;
        let id = self.theirs(id)?;
        let embedded = match object {
            Value::Array(items) => items.first_mut(),
            object => Some(object),
        };
        let tombstone = embedded.filter(|object| object.as_object().is_some_and(|object| object.len() > 2)).map(Value::take);
        let mut digest = None;
        if let Some(tombstone) = &tombstone {
            self.owned(tombstone, false)?;
            digest = Some(proof::digest(tombstone).map_err(|error| Refusal::new(Code::InvalidRecord, error))?);
        }
        Ok(Erasure { id, tombstone, digest })
    }

    fn follow(&self, activity: &Value) -> Result<Asked, Refusal> {
        let id = activity.get("object").and_then(one_id);
        let id = id.ok_or_else(|| invalid_id("the activity does not name exactly one object"))?;
        if id.parse::<ActorId>().is_ok_and(|actor| actor == *self.own) {
            Ok(Asked::Follow(Followed { process: None, object: id.to_owned() }))
        } else {
            Err(Refusal::new(Code::NotFound, format_args!("only {} can be followed here", self.own)))
        }
    }

    fn undo(&self, activity: &Value) -> Result<Asked, Refusal> {
        let object = activity.get("object").unwrap_or(&Value::Null);
        one_id(object).ok_or_else(|| invalid_id("the activity does not name exactly one object"))?;
        let Value::Object(undone) = object else { return Ok(Asked::Nothing) };
        if let Some(actor) = undone.get("actor")
            && one_id(actor).and_then(|actor| actor.parse::<ActorId>().ok()).as_ref() != Some(self.actor)
        {
            return Err(Refusal::new(Code::NotOwner, "only its actor can undo an activity"));
        }
        let follow = undone.get("type").and_then(Value::as_str) == Some("Follow");
        Ok(if follow { Asked::Unfollow(Unfollowed::Object(None)) } else { Asked::Nothing })
    }

    /// An answer counts only if it answers something of ours (SEC-065).
    fn answer(&self, activity: &Value) -> Result<Option<Answer>, Refusal> {
        let id = activity.get("object").and_then(one_id);
        let id = id.ok_or_else(|| invalid_id("the activity does not name exactly one object"))?;
        let ours = id.parse::<RecordId>().is_ok_and(|id| self.own.owns(&id));
        Ok(ours.then(|| Answer { object: id.to_owned(), result: activity.get("result").cloned() }))
    }

    /// An id on the sender's own origin.
    fn theirs(&self, id: &str) -> Result<RecordId, Refusal> {
        // Asked of what is no acceptable id too: `https://us./x` is no name of a record, and it means us.
        if Url::parse(id).is_ok_and(|url| same_host(self.own, &url)) {
            return Err(Refusal::new(Code::Origin, "the object is ours; nobody else changes it"));
        }
        let id: RecordId = id.parse().map_err(|error| invalid_id(&format!("the object's id: {error}")))?;
        if !self.actor.owns(&id) {
            return Err(Refusal::new(Code::Origin, "the object is not on its sender's origin; only its authority sends it"));
        }
        Ok(id)
    }

    /// The object says that the sender owns it.
    fn owned(&self, object: &Value, must: bool) -> Result<(), Refusal> {
        for (name, must) in [("attributedTo", must), ("authority", false)] {
            let Some(value) = object.get(name) else {
                if must {
                    return Err(Refusal::new(Code::InvalidActivity, "the object does not say whose it is"));
                }
                continue;
            };
            let owner = one_id(value).and_then(|owner| owner.parse::<ActorId>().ok());
            let owner = owner
                .ok_or_else(|| Refusal::new(Code::InvalidActivity, format_args!("{name} does not name exactly one actor")))?;
            if owner != *self.actor {
                return Err(Refusal::new(Code::NotOwner, format_args!("{name} is not the sender")));
            }
        }
        Ok(())
    }
}

/// Our own host in another spelling of the origin (SEC-056).
fn same_host(own: &ActorId, id: &Url) -> bool {
    let host = |url: &Url| url.host_str().map(|host| host.trim_end_matches('.').to_owned());
    host(own.url()) == host(id) && own.url().port_or_known_default() == id.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(activity: &Value) -> Result<Incoming, Code> {
        let actor = "https://b.example/actor".parse().expect("an address");
        let own = "https://a.example/actor".parse().expect("an address");
        Incoming::read(&mut activity.clone(), &actor, PartnerKind::Partner, &own).map_err(|refusal| refusal.code())
    }

    fn create() -> Value {
        json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": "https://b.example/activities/1", "type": "Create",
            "actor": "https://b.example/actor",
            "object": {"id": "https://b.example/contributions/1", "type": "Note", "attributedTo": "https://b.example/actor",
                       "authority": "https://b.example/actor", "revision": 1}
        })
    }

    fn with(pointer: &str, value: &Value) -> Value {
        let mut activity = create();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let parent = activity.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
        parent.insert(name.to_owned(), value.clone());
        activity
    }

    #[test]
    fn a_record_of_its_sender_is_taken() {
        let Asked::Hold(offered) = read(&create()).expect("it is right").asked else { panic!("a record") };
        assert_eq!((offered.id.as_str(), offered.revision), ("https://b.example/contributions/1", Some(1)));
    }

    #[test]
    fn sec_050_and_sec_055_an_activity_id_is_an_address_of_its_actor() {
        let long = format!("https://b.example/{}", "x".repeat(4096));
        for id in [
            json!("https://c.example/activities/1"),
            json!("https://b.example:8443/activities/1"),
            json!("http://b.example/activities/1"),
            json!(null),
            json!(7),
            json!(["https://b.example/activities/1"]),
            json!("/activities/1"),
            json!("#1"),
            json!("data:text/plain,x"),
            json!("javascript:1"),
            json!(long),
        ] {
            assert_eq!(read(&with("/id", &id)).map(|_| ()), Err(Code::InvalidId), "{id}");
            if id != json!("https://c.example/activities/1")
                && !id.to_string().contains("b.example:")
                && id != json!("http://b.example/activities/1")
            {
                assert_eq!(read(&with("/object/id", &id)).map(|_| ()), Err(Code::InvalidId), "{id}");
            }
        }
    }

    #[test]
    fn sec_051_sec_052_sec_053_sec_054_sec_056_a_record_is_sent_by_its_authority() {
        for (pointer, value, code) in [
            ("/object/id", json!("https://c.example/contributions/1"), Code::Origin),
            ("/object/id", json!("https://b.example:8443/contributions/1"), Code::Origin),
            ("/object/id", json!("https://a.example/contributions/1"), Code::Origin),
            ("/object/id", json!("https://A.EXAMPLE:443/contributions/1"), Code::Origin),
            ("/object/id", json!("http://a.example:443/contributions/1"), Code::Origin),
            ("/object/id", json!("https://a%2eexample/contributions/1"), Code::Origin),
            ("/object/id", json!("https://a.example./contributions/1"), Code::Origin),
            ("/object/attributedTo", json!("https://c.example/actor"), Code::NotOwner),
            ("/object/attributedTo", json!("https://b.example/other"), Code::NotOwner),
            ("/object/attributedTo", json!("https://a.example/actor"), Code::NotOwner),
            ("/object/authority", json!("https://c.example/actor"), Code::NotOwner),
            ("/object/attributedTo", json!(["https://b.example/actor", "https://c.example/actor"]), Code::InvalidActivity),
            ("/object/attributedTo", json!([["https://b.example/actor"]]), Code::InvalidActivity),
            ("/object/attributedTo", json!({"name": "B"}), Code::InvalidActivity),
            ("/object/attributedTo", json!(1), Code::InvalidActivity),
            ("/object/attributedTo", json!("1"), Code::InvalidActivity),
            ("/object/attributedTo", json!("admin"), Code::InvalidActivity),
            ("/object", json!("https://b.example/contributions/1"), Code::InvalidActivity),
            ("/object/revision", json!(0), Code::InvalidRecord),
            ("/object/revision", json!(-1), Code::InvalidRecord),
            ("/object/revision", json!("1"), Code::InvalidRecord),
        ] {
            assert_eq!(read(&with(pointer, &value)).map(|_| ()), Err(code), "{pointer} {value}");
        }
        assert!(read(&with("/object/attributedTo", &json!([{"id": "https://b.example/actor"}]))).is_ok());
    }

    #[test]
    fn sec_061_and_sec_062_only_its_authority_deletes() {
        let delete = |object: Value| {
            read(
                &json!({"id": "https://b.example/activities/1", "type": "Delete", "actor": "https://b.example/actor", "object": object}),
            )
        };
        assert_eq!(delete(json!("https://c.example/contributions/1")).map(|_| ()), Err(Code::Origin));
        assert_eq!(delete(json!("https://a.example/contributions/1")).map(|_| ()), Err(Code::Origin));
        assert_eq!(delete(json!("https://c.example/actor")).map(|_| ()), Err(Code::Origin));
        assert_eq!(delete(json!("https://b.example/actor")).map(|read| read.asked), Ok(Asked::Leave));
        let tombstone =
            json!({"id": "https://b.example/contributions/1", "type": "Tombstone", "authority": "https://c.example/actor"});
        assert_eq!(delete(tombstone).map(|_| ()), Err(Code::NotOwner));
    }

    #[test]
    fn sec_064_sec_065_sec_066_follows_and_answers_concern_the_two_of_us() {
        let of = |kind: &str, object: Value| {
            read(&json!({"id": "https://b.example/activities/1", "type": kind, "actor": "https://b.example/actor", "object": object}))
                .map(|read| read.asked)
        };
        assert_eq!(
            of("Follow", json!("https://a.example/actor")),
            Ok(Asked::Follow(Followed { process: None, object: "https://a.example/actor".to_owned() }))
        );
        assert_eq!(of("Follow", json!("https://a.example/other")), Err(Code::NotFound));
        let theirs = json!({"id": "https://b.example/f", "type": "Follow", "actor": "https://b.example/actor"});
        let others = json!({"id": "https://c.example/f", "type": "Follow", "actor": "https://c.example/actor"});
        assert_eq!(of("Undo", theirs), Ok(Asked::Unfollow(Unfollowed::Object(None))));
        assert_eq!(of("Undo", others), Err(Code::NotOwner));
        assert_eq!(of("Undo", json!("https://b.example/unknown")), Ok(Asked::Nothing));
        assert_eq!(of("Accept", json!("https://c.example/activities/9")), Ok(Asked::Nothing));
        assert!(matches!(of("Accept", json!("https://a.example/activities/9")), Ok(Asked::Accept(_))));
    }

    #[test]
    fn sec_069_and_sec_080_shapes_that_are_no_activity_are_refused() {
        assert_eq!(read(&with("/type", &json!("OrderedCollection"))).map(|_| ()), Err(Code::Unsupported));
        assert_eq!(read(&with("/object/type", &json!("Create"))).map(|_| ()), Err(Code::Unsupported));
        for kind in [json!(["Create"]), json!(null), json!(1), json!(""), json!("x".repeat(1 << 20))] {
            assert_eq!(read(&with("/type", &kind)).map(|_| ()), Err(Code::InvalidActivity));
        }
        assert_eq!(read(&with("/type", &json!("Wave"))).map(|read| read.asked), Ok(Asked::Nothing));
    }
}
