//! What other software of the Fediverse demands of what it reads, as far as we send it: the properties that each
//! looks at, and what its people then see. Written after its sources, each named where it is; nothing is copied.

use std::collections::BTreeMap;

use passerelle::domain::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use url::Url;

const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// What somebody sees of an object, in the words of the table in `FEDERATION.md`: `title, link`, `comment`, `–` for
/// nothing; or why it is refused.
pub type Seen = Result<String, String>;

/// A software by its name, and how it reads an object.
pub type Reader = (&'static str, fn(&Value) -> Seen);

/// The softwares that are told apart, in the order of that table.
pub const READERS: [Reader; 4] = [("Mastodon", mastodon), ("Lemmy", lemmy), ("Mobilizon", mobilizon), ("GoToSocial", gotosocial)];

const NOTHING: &str = "–";

fn parse<'de, T: Deserialize<'de>>(document: &'de Value) -> Result<T, String> {
    T::deserialize(document).map_err(|error| error.to_string())
}

fn one_or_many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<T> {
        Many(Vec<T>),
        One(T),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::Many(all) => all,
        Either::One(one) => vec![one],
    })
}

/// A property that must not be there.
fn absent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None => Ok(()),
        Some(_) => Err(serde::de::Error::custom("it must not be there")),
    }
}

/// A text in each language.
type Texts = BTreeMap<String, String>;

/// A text, or the first of its languages.
fn text_or_first(plain: Option<String>, map: Option<Texts>) -> Option<String> {
    let first = map.and_then(|map| map.into_values().next());
    [plain, first].into_iter().flatten().find(|text| !text.trim().is_empty())
}

/// Which of its parts, named after what they are, can be read in what is shown.
fn parts(document: &Value, shown: &str) -> String {
    let original = document["originalLanguage"].as_str().unwrap_or_default();
    let part = |name: &str, map: &str| {
        let text = document[map][original].as_str()?;
        shown.contains(text).then(|| name.to_owned())
    };
    let link = shown.contains(document["id"].as_str().unwrap_or("no id")).then(|| "link".to_owned());
    let all = [part("title", "nameMap"), part("text", "contentMap"), link];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Choice {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    content: Option<String>,
    replies: Option<Tally>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tally {
    total_items: u64,
}

/// Whether these are options that people can read, with figures where there are any.
fn are_options(any_of: Option<&Vec<Choice>>, one_of: Option<&Vec<Choice>>) -> bool {
    let choices = any_of.or(one_of).map_or(&[][..], Vec::as_slice);
    let figures = choices.iter().filter_map(|choice| choice.replies.as_ref()).map(|tally| tally.total_items);
    !choices.is_empty() && figures.sum::<u64>() > 0 && choices.iter().all(|choice| !choice.name.trim().is_empty())
}

/// Mastodon: the types of `app/lib/activitypub/activity.rb`, read by `activity/create.rb` with
/// `parser/status_parser.rb` and `parser/poll_parser.rb`; `app/models/status.rb` refuses an empty text.
fn mastodon(document: &Value) -> Seen {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        id: Url,
        attributed_to: Url,
        #[serde(deserialize_with = "one_or_many")]
        to: Vec<String>,
        name: Option<String>,
        name_map: Option<Texts>,
        content: Option<String>,
        content_map: Option<Texts>,
        #[serde(rename = "published")]
        _published: Option<Timestamp>,
        #[serde(rename = "inReplyTo")]
        _in_reply_to: Option<Url>,
        any_of: Option<Vec<Choice>>,
        one_of: Option<Vec<Choice>>,
        end_time: Option<Timestamp>,
        closed: Option<Timestamp>,
    }
    let kind = document["type"].as_str().unwrap_or_default();
    if !["Note", "Question", "Image", "Audio", "Video", "Article", "Page", "Event"].contains(&kind) {
        return Ok(NOTHING.to_owned());
    }
    let status: Status = parse(document)?;
    if !status.to.iter().any(|to| to == PUBLIC) || status.id.host() != status.attributed_to.host() {
        return Err("it is for nobody, or of another host".to_owned());
    }
    if !["Note", "Question"].contains(&kind) {
        let title = text_or_first(status.name, status.name_map).ok_or("a link without a title")?;
        return Ok(parts(document, &format!("{title} {}", status.id)));
    }
    let text = text_or_first(status.content, status.content_map).ok_or("its text is empty")?;
    if kind == "Note" {
        return Ok(parts(document, &text));
    }
    if !are_options(status.any_of.as_ref(), status.one_of.as_ref()) || status.closed.or(status.end_time).is_none() {
        return Err("no options, or no end".to_owned());
    }
    Ok(format!("{}, options", parts(document, &text)))
}

/// Lemmy: `crates/apub/objects/src/protocol/note.rs` (a comment) and `page.rs` (a post, never with `inReplyTo`), in
/// which order `create_or_update/note_wrapper.rs` and its neighbours try them.
fn lemmy(document: &Value) -> Seen {
    #[derive(Deserialize)]
    enum NoteType {
        Note,
    }
    #[derive(Deserialize)]
    enum PageType {
        Page,
        Article,
        Note,
        Video,
        Event,
    }
    #[derive(Deserialize)]
    enum MediaType {
        #[serde(rename = "text/markdown")]
        Markdown,
        #[serde(rename = "text/html")]
        Html,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Language {
        #[serde(rename = "identifier")]
        _identifier: String,
        #[serde(rename = "name")]
        _name: String,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Attachment {
        Link {
            #[serde(rename = "href")]
            _href: Url,
        },
        Other {
            #[serde(rename = "url")]
            _url: Url,
        },
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Common {
        #[serde(rename = "id")]
        _id: Url,
        #[serde(rename = "attributedTo")]
        _attributed_to: Url,
        #[serde(deserialize_with = "one_or_many")]
        to: Vec<Url>,
        #[serde(rename = "cc", deserialize_with = "one_or_many", default)]
        _cc: Vec<Url>,
        #[serde(rename = "mediaType")]
        _media_type: Option<MediaType>,
        #[serde(rename = "published")]
        _published: Option<Timestamp>,
        #[serde(rename = "updated")]
        _updated: Option<Timestamp>,
        #[serde(rename = "language")]
        _language: Option<Language>,
        #[serde(rename = "audience")]
        _audience: Option<Url>,
        #[serde(rename = "attachment", default)]
        _attachment: Vec<Attachment>,
        #[serde(rename = "context")]
        _context: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Note {
        #[serde(rename = "type")]
        _kind: NoteType,
        content: String,
        #[serde(rename = "inReplyTo")]
        _in_reply_to: Url,
        #[serde(flatten)]
        common: Common,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Page {
        #[serde(rename = "type")]
        _kind: PageType,
        name: Option<String>,
        content: Option<String>,
        #[serde(rename = "inReplyTo", deserialize_with = "absent", default)]
        _in_reply_to: (),
        #[serde(flatten)]
        common: Common,
    }
    let (note, page) = (parse::<Note>(document), parse::<Page>(document));
    let (word, words, common) = match (note, page) {
        (Ok(note), _) => ("comment", Some(note.content), note.common),
        (_, Ok(page)) => ("post", page.name.or(page.content), page.common),
        _ => return Ok(NOTHING.to_owned()),
    };
    if words.is_none_or(|words| words.trim().is_empty()) || !common.to.iter().any(|to| to.as_str() == PUBLIC) {
        return Err("no words, or for nobody".to_owned());
    }
    Ok(word.to_owned())
}

/// Mobilizon: `lib/federation/activity_pub/transmogrifier.ex` tells by the type which of the converters of
/// `lib/federation/activity_stream/converter` reads it (`event.ex`, `comment.ex`, `utils.ex` for the place);
/// `lib/mobilizon/events/event.ex` and `discussions/comment.ex` say what must be there. An article or a document
/// must name an `actor`.
fn mobilizon(document: &Value) -> Seen {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Location {
        Text(#[expect(dead_code, reason = "that it is text is all that is asked")] String),
        Place {
            #[serde(rename = "type")]
            kind: String,
            name: Option<String>,
        },
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Attachment {
        #[serde(rename = "type")]
        kind: String,
        href: Option<Url>,
        media_type: Option<String>,
        name: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Event {
        name: String,
        start_time: Timestamp,
        end_time: Option<Timestamp>,
        to: Vec<String>,
        location: Option<Location>,
        #[serde(default)]
        attachment: Vec<Attachment>,
        #[serde(rename = "attributedTo")]
        _attributed_to: Url,
    }
    #[derive(Deserialize)]
    struct Comment {
        content: String,
        #[serde(rename = "published")]
        _published: Timestamp,
        to: Vec<String>,
    }
    match document["type"].as_str().unwrap_or_default() {
        "Event" => {
            let event: Event = parse(document)?;
            let in_order = event.end_time.is_none_or(|end| end >= event.start_time);
            if !in_order || event.name.chars().count() < 3 || !event.to.iter().any(|to| to == PUBLIC) {
                return Err("no title, no time, or for nobody".to_owned());
            }
            let mut seen = "event".to_owned();
            match &event.location {
                Some(Location::Text(_)) => seen.push_str(", place"),
                Some(Location::Place { kind, name: Some(_) }) if kind == "Place" => seen.push_str(", place"),
                _ => {}
            }
            let is_website = |one: &Attachment| {
                one.kind == "Link" && one.media_type.as_deref() == Some("text/html") && one.name.as_deref() == Some("Website")
            };
            if event.attachment.iter().any(|one| is_website(one) && one.href.is_some()) {
                seen.push_str(", website");
            }
            Ok(seen)
        }
        "Note" => {
            let comment: Comment = parse(document)?;
            let public = comment.to.iter().any(|to| to == PUBLIC);
            if comment.content.trim().is_empty() || !public {
                Err("empty, or a letter".to_owned())
            } else {
                Ok("comment".to_owned())
            }
        }
        "Article" | "Document" if document.get("actor").is_some() => Err("it would be read as a group's".to_owned()),
        _ => Ok(NOTHING.to_owned()),
    }
}

/// GoToSocial: the types of `internal/ap/interfaces.go`, read by `internal/typeutils/astointernal.go` with
/// `internal/ap/extract.go`: the text, with the title as what stands before it.
fn gotosocial(document: &Value) -> Seen {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        #[serde(rename = "id")]
        _id: Url,
        #[serde(rename = "attributedTo")]
        _attributed_to: Url,
        #[serde(deserialize_with = "one_or_many")]
        to: Vec<String>,
        name: Option<String>,
        summary: Option<String>,
        content: Option<String>,
        published: Timestamp,
        updated: Option<Timestamp>,
        any_of: Option<Vec<Choice>>,
        one_of: Option<Vec<Choice>>,
    }
    let kind = document["type"].as_str().unwrap_or_default();
    let known = ["Article", "Document", "Image", "Video", "Note", "Page", "Event", "Place", "Profile", "Question", "Album"];
    if !known.contains(&kind) {
        return Ok(NOTHING.to_owned());
    }
    let status: Status = parse(document)?;
    if !status.to.iter().any(|to| to == PUBLIC) || status.updated.is_some_and(|updated| updated < status.published) {
        return Err("for nobody, or changed before it was published".to_owned());
    }
    let above = status.summary.or(status.name).unwrap_or_default();
    let seen = parts(document, &format!("{above} {}", status.content.unwrap_or_default()));
    if kind != "Question" {
        return Ok(seen);
    }
    let (any_of, one_of) = (status.any_of, status.one_of);
    // An option is a note with a name and without a text.
    let plain = any_of.iter().chain(&one_of).flatten().all(|choice| choice.kind == "Note" && choice.content.is_none());
    if !plain || !are_options(any_of.as_ref(), one_of.as_ref()) {
        return Err("no options".to_owned());
    }
    Ok(format!("{seen}, options"))
}

/// What a `Delete` erases there: the same address with each of them, or who reads it otherwise.
///
/// Mastodon's `app/lib/activitypub/activity/delete.rb` takes the id of its object, or an object that is an id;
/// Mobilizon and GoToSocial (`internal/federation/federatingdb/delete.go`) too. Lemmy's
/// `crates/apub/activities/src/protocol/deletion/delete.rs` wants a tombstone with an id, or an id. Misskey's
/// `packages/backend/src/core/activitypub/ApInboxService.ts` erases nothing that was of a type it does not know.
pub fn erased(activity: &Value) -> Result<String, String> {
    #[derive(Deserialize)]
    enum DeleteType {
        Delete,
    }
    #[derive(Deserialize)]
    enum TombstoneType {
        Tombstone,
    }
    #[derive(Deserialize)]
    struct Tombstone {
        id: Url,
        #[serde(rename = "type")]
        _kind: TombstoneType,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Object {
        Id(Url),
        Nested(Tombstone),
    }
    #[derive(Deserialize)]
    struct Delete {
        actor: Url,
        #[serde(deserialize_with = "one_or_many")]
        to: Vec<Url>,
        object: Object,
        #[serde(rename = "type")]
        _kind: DeleteType,
        id: Url,
        #[serde(rename = "cc", deserialize_with = "one_or_many", default)]
        _cc: Vec<Url>,
        /// There it makes of a deletion an act of moderation.
        #[serde(deserialize_with = "absent", default)]
        _summary: (),
    }
    let delete: Delete = parse(activity)?;
    let object = &activity["object"];
    let former = object["formerType"].as_str().or_else(|| object["type"].as_str().filter(|kind| *kind != "Tombstone"));
    let posts = ["Note", "Question", "Article", "Audio", "Document", "Image", "Page", "Video", "Event"];
    if !posts.contains(&former.unwrap_or("Note")) {
        return Err(format!("Misskey knows no {former:?}"));
    }
    let (Object::Id(id) | Object::Nested(Tombstone { id, .. })) = delete.object;
    if delete.to.is_empty() || [&delete.id, &id].iter().any(|url| url.host() != delete.actor.host()) {
        return Err("for nobody, or of another host".to_owned());
    }
    Ok(id.into())
}

/// What `Create` and `Update` must have for Lemmy's `create_or_update/{note,page}.rs`, and to be taken by Mobilizon.
pub fn is_carrier(activity: &Value) -> Result<(), String> {
    #[derive(Deserialize)]
    enum Kind {
        Create,
        Update,
    }
    #[derive(Deserialize)]
    struct Carrier {
        #[serde(rename = "actor")]
        _actor: Url,
        #[serde(rename = "to", deserialize_with = "one_or_many")]
        _to: Vec<Url>,
        #[serde(rename = "cc", deserialize_with = "one_or_many")]
        _cc: Vec<Url>,
        #[serde(rename = "type")]
        _kind: Kind,
        #[serde(rename = "id")]
        _id: Url,
    }
    parse::<Carrier>(activity).map(|_| ())
}
