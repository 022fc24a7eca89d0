//! `Poll`, a `Question` of ActivityStreams (participation.md §4.3.8): options and how often each was
//! chosen. Nobody votes over the federation.
//!
//! Mastodon and its like show the `content` of a question and not its `name`, and refuse one without. So the plain
//! `content` of a poll begins with its title; `contentMap`, which counts where it is there, is the text alone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::replies::Replies;
use super::scalar::{Address, Count, Instant, LanguageMap, Plain, constant};
use super::{WireError, same_process, text};
use crate::domain::poll::{Poll as DomainPoll, PollOption, VotingMethod};
use crate::domain::record::Record;
use crate::domain::text::{LanguageTag, Localized, MAX_TEXT_BYTES, PlainText, SafeHtml};
use crate::domain::{RecordId, Timestamp};

constant!(
    /// The AS2 type of a poll.
    QuestionType = "Question"
);
constant!(
    /// The class of a poll.
    PollClass = "Poll"
);
constant!(
    /// The `type` of an option.
    OptionType = "Note"
);

/// Most options of one poll.
const MAX_OPTIONS: usize = 100;

/// One answer that can be chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("oneOf" = [{ "required": ["replies"] }, { "required": ["withheld"], "properties": { "withheld": { "const": true } } }]))]
pub struct Choice {
    /// Always `Note`.
    #[serde(rename = "type")]
    pub node_type: OptionType,
    /// What it says, in the original language.
    #[schemars(with = "Option<Plain>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it says, in each language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_map: Option<LanguageMap>,
    /// How often it was chosen; absent when the figure is withheld.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replies: Option<Replies>,
    /// True when the figure is hidden; then there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withheld: Option<bool>,
}

impl Choice {
    fn of(option: &PollOption, original: &LanguageTag) -> Self {
        let (name, name_map) = text::write(Some(&option.name), original);
        Self {
            node_type: OptionType::Value,
            name,
            name_map,
            replies: option.total.map(Replies::of),
            withheld: option.total.is_none().then_some(true),
        }
    }

    fn read(&self, original: &LanguageTag, path: &str) -> Result<PollOption, WireError> {
        if (self.withheld == Some(true)) == self.replies.is_some() {
            return Err(WireError::new(path, "an option has either a figure or `withheld`: true"));
        }
        Ok(PollOption {
            name: text::read_required(self.name.as_deref(), self.name_map.as_ref(), original, &format!("{path}.name"))?,
            total: self.replies.as_ref().map(|replies| replies.total_items.get()),
        })
    }
}

/// A poll.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend(
    "anyOf" = [{ "required": ["oneOf"] }, { "required": ["anyOf"] }, { "required": ["moderationState"] }],
    "not" = { "required": ["oneOf", "anyOf"] }
))]
pub struct Poll {
    /// Always `Question`.
    #[serde(rename = "type")]
    pub node_type: QuestionType,
    /// Always `Poll`.
    pub record_type: PollClass,
    /// The consultation it belongs to.
    #[schemars(with = "Address")]
    pub process: RecordId,
    /// The same, for readers that thread by `context`.
    #[schemars(with = "Option<Address>")]
    #[serde(rename = "context", skip_serializing_if = "Option::is_none")]
    pub thread: Option<RecordId>,
    /// The options, when only one may be chosen.
    #[schemars(length(min = 1, max = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<Choice>>,
    /// The options, when several may be chosen.
    #[schemars(length(min = 1, max = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any_of: Option<Vec<Choice>>,
    /// When voting ends.
    #[schemars(with = "Option<Instant>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Timestamp>,
    /// When voting was closed.
    #[schemars(with = "Option<Instant>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<Timestamp>,
    /// How people choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voting_method: Option<VotingMethod>,
    /// When the figures were counted.
    #[schemars(with = "Instant")]
    pub counted_at: Timestamp,
    /// How many people may vote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub electorate: Option<Count>,
    /// Below this figure an option is withheld.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Count>,
}

/// The title of a poll as the paragraph that its `content` begins with.
#[must_use]
pub fn title_as_text(title: Option<&Localized<PlainText>>, original: &LanguageTag) -> Option<String> {
    title.and_then(|title| SafeHtml::from_plain(&text::plain(title, original))).map(|html| html.as_str().to_owned())
}

/// The plain `content` of a poll: its title, and its text `content`, both in the original language.
#[must_use]
pub fn titled(record: &Record, content: Option<String>) -> Option<String> {
    let Some(title) = title_as_text(record.title.as_ref(), &record.language) else { return content };
    match content {
        None => Some(title),
        Some(content) if title.len() + content.len() <= MAX_TEXT_BYTES => Some(title + &content),
        Some(content) => Some(content),
    }
}

impl Poll {
    /// The properties of a poll beside its envelope.
    #[must_use]
    pub fn of(record: &Record, body: &DomainPoll) -> Self {
        let choices: Vec<Choice> = body.options.iter().map(|option| Choice::of(option, &record.language)).collect();
        let choices = Some(choices).filter(|choices| !choices.is_empty());
        let (one_of, any_of) = if body.several { (None, choices) } else { (choices, None) };
        Self {
            node_type: QuestionType::Value,
            record_type: PollClass::Value,
            process: body.process.clone(),
            thread: Some(body.process.clone()),
            one_of,
            any_of,
            end_time: body.ends.map(Timestamp::whole_second),
            closed: body.closed.map(Timestamp::whole_second),
            voting_method: body.method,
            counted_at: body.counted_at.whole_second(),
            electorate: body.electorate.map(Count::new),
            threshold: body.threshold.map(Count::new),
        }
    }

    /// The poll that these properties describe; `visible` as its envelope says.
    ///
    /// # Errors
    /// When it has no options though it is visible, or two lists of them, or another property is not
    /// acceptable.
    pub fn read(&self, original: &LanguageTag, visible: bool) -> Result<DomainPoll, WireError> {
        same_process(Some(&self.process), self.thread.as_ref())?;
        let (name, choices): (_, &[Choice]) = match (&self.one_of, &self.any_of) {
            (Some(choices), None) => ("oneOf", choices),
            (None, Some(choices)) => ("anyOf", choices),
            (None, None) if !visible => ("oneOf", &[]),
            _ => return Err(WireError::new("oneOf", "the options stand in `oneOf` or in `anyOf`")),
        };
        if (choices.is_empty() && visible) || choices.len() > MAX_OPTIONS {
            return Err(WireError::new(name, format_args!("1 to {MAX_OPTIONS} options are taken, not {}", choices.len())));
        }
        let options: Result<Vec<_>, _> =
            choices.iter().enumerate().map(|(n, choice)| choice.read(original, &format!("{name}[{n}]"))).collect();
        Ok(DomainPoll {
            process: self.process.clone(),
            options: options?,
            several: self.any_of.is_some(),
            ends: self.end_time,
            closed: self.closed,
            method: self.voting_method,
            counted_at: self.counted_at,
            electorate: self.electorate.map(Count::get),
            threshold: self.threshold.map(Count::get),
        })
    }
}
