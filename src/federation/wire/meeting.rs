//! `Meeting`, an `Event` of ActivityStreams (participation.md §4.3.9).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::envelope::MediaType;
use super::place::Place;
use super::replies::Replies;
use super::scalar::{Address, Count, Instant, LanguageMap, MeetingKindConcept, Plain, constant, one_or_many};
use super::{WireError, same_process, text};
use crate::domain::consultation::LifecycleState;
use crate::domain::contribution::AuthorState;
use crate::domain::meeting::{Meeting as DomainMeeting, Paper as DomainPaper};
use crate::domain::record::Record;
use crate::domain::text::LanguageTag;
use crate::domain::{RecordId, Timestamp};

constant!(
    /// The AS2 type of a meeting.
    EventType = "Event"
);
constant!(
    /// The class of a meeting.
    MeetingClass = "Meeting"
);
constant!(
    /// The `type` of an address on the network.
    LinkType = "Link"
);
constant!(
    /// The `name` of an address on the network.
    WebsiteName = "Website"
);
constant!(
    /// The `type` of an agenda or of minutes.
    PaperType = "Document"
);

/// A place on the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// Always `Link`.
    #[serde(rename = "type")]
    pub node_type: LinkType,
    /// Where.
    #[schemars(with = "Address")]
    pub href: Url,
}

/// One place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Venue {
    /// In town.
    Place(Place),
    /// On the network.
    Link(Link),
}

/// Where people meet. It is one place, because Mobilizon loses an event whose `location` is a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Venues {
    /// In town; on the network only when there is no place in town.
    One(Venue),
    /// Both, as it was written once; still read.
    Both(#[schemars(length(min = 1, max = 2))] Vec<Venue>),
}

/// Where people meet on the network, in the form in which Mobilizon looks for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Website {
    /// Always `Link`.
    #[serde(rename = "type")]
    pub node_type: LinkType,
    /// Where.
    #[schemars(with = "Address")]
    pub href: Url,
    /// Always `text/html`.
    pub media_type: MediaType,
    /// Always `Website`.
    pub name: WebsiteName,
}

/// Something that is attached to a meeting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Attached {
    /// Where people meet on the network.
    Website(Website),
    /// What we do not know: it is ignored.
    Other(Value),
}

/// An agenda or minutes written where they stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Written {
    /// Always `Document`.
    #[serde(rename = "type")]
    pub node_type: PaperType,
    /// The text in the original language, in restricted HTML.
    #[schemars(with = "Option<Plain>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The text in each language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_map: Option<LanguageMap>,
    /// Always `text/html`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
}

/// An agenda or minutes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Paper {
    /// A Document of its own.
    Document(#[schemars(with = "Address")] RecordId),
    /// The text itself.
    Written(Written),
}

impl Paper {
    fn of(paper: &DomainPaper, original: &LanguageTag) -> Self {
        match paper {
            DomainPaper::Document(id) => Self::Document(id.clone()),
            DomainPaper::Text(texts) => {
                let (content, content_map) = text::write(Some(texts), original);
                Self::Written(Written { node_type: PaperType::Value, content, content_map, media_type: Some(MediaType::Value) })
            }
        }
    }

    fn read(&self, original: &LanguageTag, path: &str) -> Result<DomainPaper, WireError> {
        Ok(match self {
            Self::Document(id) => DomainPaper::Document(id.clone()),
            Self::Written(written) => {
                let at = format!("{path}.content");
                let (plain, map) = (written.content.as_deref(), written.content_map.as_ref());
                DomainPaper::Text(text::read_required(plain, map, original, &at)?)
            }
        })
    }
}

/// A meeting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Meeting {
    /// Always `Event`.
    #[serde(rename = "type")]
    pub node_type: EventType,
    /// Always `Meeting`.
    pub record_type: MeetingClass,
    /// The consultation it belongs to.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<RecordId>,
    /// The same, for readers that thread by `context`.
    #[schemars(with = "Option<Address>")]
    #[serde(rename = "context", skip_serializing_if = "Option::is_none")]
    pub thread: Option<RecordId>,
    /// Where people meet: in person, online, or both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meeting_kind: Option<MeetingKindConcept>,
    /// Whether it takes place, as far as its authority states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle_state: Option<LifecycleState>,
    /// What its organiser did with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_state: Option<AuthorState>,
    /// When it begins.
    #[schemars(with = "Option<Instant>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,
    /// When it ends.
    #[schemars(with = "Option<Instant>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Timestamp>,
    /// A place in town, or a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Venues>,
    /// The address on the network.
    #[schemars(with = "Vec<Website>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub attachment: Vec<Attached>,
    /// How many people there is room for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Count>,
    /// How many people came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attendance: Option<Count>,
    /// What is to be spoken about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agenda: Option<Paper>,
    /// What was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<Paper>,
    /// How many comments the platform counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replies: Option<Replies>,
}

impl Meeting {
    /// The properties of a meeting beside its envelope.
    #[must_use]
    pub fn of(record: &Record, body: &DomainMeeting) -> Self {
        let original = &record.language;
        let place = body.location.as_ref().map(|place| Venue::Place(Place::of(place)));
        let link = || body.online.as_ref().map(|href| Venue::Link(Link { node_type: LinkType::Value, href: href.clone() }));
        let website = |href: &Url| {
            let (node_type, media_type, name) = (LinkType::Value, MediaType::Value, WebsiteName::Value);
            Attached::Website(Website { node_type, href: href.clone(), media_type, name })
        };
        Self {
            node_type: EventType::Value,
            record_type: MeetingClass::Value,
            process: body.process.clone(),
            thread: body.process.clone(),
            meeting_kind: body.kind.map(MeetingKindConcept),
            lifecycle_state: body.state,
            author_state: body.author_state,
            start_time: body.starts.map(Timestamp::whole_second),
            end_time: body.ends.map(Timestamp::whole_second),
            location: place.or_else(link).map(Venues::One),
            attachment: body.online.iter().map(website).collect(),
            capacity: body.capacity.map(Count::new),
            attendance: body.attendance.map(Count::new),
            agenda: body.agenda.as_ref().map(|paper| Paper::of(paper, original)),
            minutes: body.minutes.as_ref().map(|paper| Paper::of(paper, original)),
            replies: body.comment_count.map(Replies::of),
        }
    }

    /// The meeting that these properties describe.
    ///
    /// # Errors
    /// Says which property is not acceptable.
    pub fn read(&self, original: &LanguageTag) -> Result<DomainMeeting, WireError> {
        same_process(self.process.as_ref(), self.thread.as_ref())?;
        let venues = match &self.location {
            None => &[][..],
            Some(Venues::One(venue)) => std::slice::from_ref(venue),
            Some(Venues::Both(venues)) => venues,
        };
        let mut location = None;
        let mut links: Vec<(&str, &Url)> = Vec::new();
        for venue in venues {
            match venue {
                Venue::Link(link) => links.push(("location.href", &link.href)),
                Venue::Place(place) => {
                    if location.replace(place.read("location")?).is_some() {
                        return Err(WireError::new("location", "at most one place in town"));
                    }
                }
            }
        }
        links.extend(self.attachment.iter().filter_map(|attached| match attached {
            Attached::Website(website) => Some(("attachment.href", &website.href)),
            Attached::Other(_) => None,
        }));
        let mut online: Option<Url> = None;
        for (path, href) in links {
            if !matches!(href.scheme(), "http" | "https") {
                return Err(WireError::new(path, "not an http or https address"));
            }
            if online.replace(href.clone()).is_some_and(|other| other != *href) {
                return Err(WireError::new(path, "at most one place on the network"));
            }
        }
        Ok(DomainMeeting {
            process: self.process.clone(),
            kind: self.meeting_kind.map(|concept| concept.0),
            state: self.lifecycle_state,
            author_state: self.author_state,
            starts: self.start_time,
            ends: self.end_time,
            location,
            online,
            capacity: self.capacity.map(Count::get),
            attendance: self.attendance.map(Count::get),
            agenda: self.agenda.as_ref().map(|paper| paper.read(original, "agenda")).transpose()?,
            minutes: self.minutes.as_ref().map(|paper| paper.read(original, "minutes")).transpose()?,
            comment_count: self.replies.as_ref().map(|replies| replies.total_items.get()),
        })
    }
}
