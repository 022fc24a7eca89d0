//! A document has one meaning: whoever reads it as JSON-LD reads what we read.
//!
//! We never process JSON-LD. So what would make a processor see another document than ours is refused:
//! keywords that restructure (SEC-083), and contexts that give a term of ActivityStreams another meaning
//! (SEC-082). Asked of activities, and of records that stand by themselves.

use serde_json::Value;

use super::refusal::{Code, Refusal};

/// Keywords of JSON-LD that would make another reader see another document (SEC-083).
const KEYWORDS: [&str; 5] = ["@graph", "@included", "@reverse", "@nest", "@list"];

/// The namespace of ActivityStreams 2.0.
const NAMESPACE: &str = "https://www.w3.org/ns/activitystreams#";

/// The terms of the ActivityStreams context that mean `as:` and their own name. The whole context, not
/// only what decides who says what: the test compares it with the context as W3C publishes it.
#[rustfmt::skip]
const TERMS: [&str; 137] = [
    "Accept", "Activity", "Add", "Announce", "Application", "Arrive", "Article", "Audio", "Block", "Collection",
    "CollectionPage", "Create", "Delete", "Dislike", "Document", "Event", "Flag", "Follow", "Group", "Ignore", "Image",
    "IntransitiveActivity", "Invite", "IsContact", "IsFollowedBy", "IsFollowing", "IsMember", "Join", "Leave", "Like", "Link",
    "Listen", "Mention", "Move", "Note", "Object", "Offer", "OrderedCollection", "OrderedCollectionPage", "Organization",
    "Page", "Person", "Place", "Profile", "Public", "Question", "Read", "Reject", "Relationship", "Remove", "Service",
    "TentativeAccept", "TentativeReject", "Tombstone", "Travel", "Undo", "Update", "Video", "View", "accuracy", "actor",
    "alsoKnownAs", "altitude", "anyOf", "attachment", "attributedTo", "audience", "bcc", "bto", "cc", "closed", "content",
    "context", "current", "deleted", "describes", "duration", "endTime", "endpoints", "first", "followers", "following",
    "formerType", "generator", "height", "href", "hreflang", "icon", "image", "inReplyTo", "instrument", "items", "last",
    "latitude", "liked", "likes", "location", "longitude", "mediaType", "name", "next", "oauthAuthorizationEndpoint",
    "oauthTokenEndpoint", "object", "oneOf", "origin", "outbox", "partOf", "preferredUsername", "prev", "preview",
    "provideClientKey", "proxyUrl", "published", "radius", "rel", "relationship", "replies", "result", "sharedInbox", "shares",
    "signClientKey", "source", "startIndex", "startTime", "streams", "subject", "summary", "tag", "target", "to", "totalItems",
    "units", "updated", "uploadMedia", "url", "width",
];

/// The other names that context gives a meaning to, with it.
const OTHERS: [(&str, &str); 12] = [
    ("@vocab", "_:"),
    ("as", "https://www.w3.org/ns/activitystreams#"),
    ("contentMap", "as:content"),
    ("id", "@id"),
    ("inbox", "ldp:inbox"),
    ("ldp", "http://www.w3.org/ns/ldp#"),
    ("nameMap", "as:name"),
    ("orderedItems", "as:items"),
    ("summaryMap", "as:summary"),
    ("type", "@type"),
    ("vcard", "http://www.w3.org/2006/vcard/ns#"),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
];

/// Mobilizon and PeerTube give `location` the meaning of schema.org in everything they send. We take a
/// place only from records of gateways, and read it from our own property.
const TOLERATED: [(&str, &str); 2] = [("location", "sc:location"), ("location", "http://schema.org#location")];

/// Refuses keywords and contexts by which a JSON-LD reader would read another document than we do.
///
/// # Errors
/// 400 with the reason.
pub fn one(value: &Value) -> Result<(), Refusal> {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                if KEYWORDS.contains(&name.as_str()) {
                    return Err(refused("JSON-LD keywords that restructure a document are refused"));
                }
                if name == "@context" {
                    context(value)?;
                } else {
                    one(value)?;
                }
            }
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(one),
        _ => Ok(()),
    }
}

fn refused(why: &str) -> Refusal {
    Refusal::new(Code::InvalidActivity, why)
}

fn context(value: &Value) -> Result<(), Refusal> {
    match value {
        Value::Array(items) => items.iter().try_for_each(context),
        Value::Object(terms) => terms.iter().try_for_each(|(term, meaning)| {
            if !keeps(term, meaning) {
                return Err(refused("the @context gives a term of ActivityStreams another meaning"));
            }
            // A context of its own inside a term counts wherever the term is used.
            meaning.get("@context").map_or(Ok(()), context)
        }),
        _ => Ok(()),
    }
}

/// Whether a context entry leaves ActivityStreams as it is, as entries in the wild do that repeat it.
fn keeps(term: &str, meaning: &Value) -> bool {
    let means = meaning.as_str().or_else(|| meaning.get("@id").and_then(Value::as_str));
    let Some(known) = known(term) else {
        // A second name for a keyword would let a document say its type or id twice.
        return term.starts_with('@') || !means.is_some_and(|means| means.starts_with('@'));
    };
    let absolute = known.strip_prefix("as:").map(|name| format!("{NAMESPACE}{name}"));
    means.is_some_and(|means| {
        means == known
            || absolute.as_deref() == Some(means)
            || TOLERATED.contains(&(term, means))
            || (term == "@vocab" && means == NAMESPACE)
    })
}

/// What a term of ActivityStreams means; none for other terms.
fn known(term: &str) -> Option<std::borrow::Cow<'static, str>> {
    if TERMS.binary_search(&term).is_ok() {
        return Some(format!("as:{term}").into());
    }
    match term {
        "@id" | "@type" => Some(term.to_owned().into()),
        // Nothing may move relative addresses, or bring in what is not written here.
        "@base" | "@import" => Some("".into()),
        _ => OTHERS.iter().find(|(name, _)| *name == term).map(|(_, meaning)| (*meaning).into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(document: &Value) -> Result<(), Code> {
        one(document).map_err(|refusal| refusal.code())
    }

    #[test]
    fn sec_082_every_term_of_activitystreams_keeps_its_meaning() {
        let published = include_str!("../../tests/fixtures/contexts/activitystreams.jsonld");
        let published: Value = serde_json::from_str(published).expect("JSON");
        let published = published["@context"].as_object().expect("terms");
        assert!(published.len() > 140, "the whole context");
        for (term, meaning) in published {
            assert_eq!(code(&json!({"@context": {term: meaning}})), Ok(()), "{term} as W3C has it");
            for other in
                [json!("https://evil.example/x"), json!({"@id": "https://evil.example/x"}), json!({"@type": "@id"}), json!(null)]
            {
                let inner = json!({"object": {"@context": ["https://www.w3.org/ns/activitystreams", {term: other}]}});
                assert_eq!(code(&inner), Err(Code::InvalidActivity), "{term}: {other}");
            }
            let nested =
                json!({"@context": {"mine": {"@id": "https://c.example/x", "@context": {term: "https://evil.example/x"}}}});
            assert_eq!(code(&nested), Err(Code::InvalidActivity), "{term} in a nested context");
        }
        assert_eq!(published.len(), TERMS.len() + OTHERS.len(), "no term too many");
    }

    #[test]
    fn sec_082_contexts_of_the_fediverse_are_taken() {
        for context in [
            json!({"toot": "http://joinmastodon.org/ns#", "sensitive": "as:sensitive", "Hashtag": "as:Hashtag"}),
            json!({"alsoKnownAs": {"@id": "as:alsoKnownAs", "@type": "@id"}, "movedTo": {"@id": "as:movedTo", "@type": "@id"}}),
            json!({"likes": {"@id": "https://www.w3.org/ns/activitystreams#likes", "@type": "@id"}}),
            json!({"sc": "http://schema.org#", "location": {"@id": "sc:location", "@type": "sc:Place"}}),
            json!({"@vocab": "_:", "@language": "und", "@protected": true, "@version": 1.1}),
        ] {
            assert_eq!(code(&json!({"@context": ["https://www.w3.org/ns/activitystreams", context]})), Ok(()), "{context}");
        }
        for context in [
            json!({"@vocab": "http://evil/"}),
            json!({"@base": "http://evil/"}),
            json!({"kind": "@type"}),
            json!({"self": {"@id": "@id"}}),
        ] {
            assert_eq!(code(&json!({"@context": context})), Err(Code::InvalidActivity), "{context}");
        }
    }

    #[test]
    fn sec_083_nothing_restructures_a_document() {
        for keyword in KEYWORDS {
            assert_eq!(code(&json!({"object": {keyword: []}})), Err(Code::InvalidActivity));
        }
    }
}
