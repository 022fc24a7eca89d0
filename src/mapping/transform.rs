//! The closed list of what may be done to a source value on its way into a record.

use std::collections::BTreeMap;

use jiff::civil;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::properties::Wants;
use crate::domain::calendar::Day;
use crate::domain::id::Class;
use crate::domain::money::Amount;
use crate::domain::place::Point;
use crate::domain::progress::Completion;
use crate::domain::text::LanguageTag;
use crate::domain::time::Timestamp;

/// One way to read a source value. A profile names it with `as = "…"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transform {
    /// `plain`: a text without markup, as typed.
    Plain,
    /// `html`: a text with markup.
    Html,
    /// `languages`: an object with `translations`, a list of `{locale, text, machineTranslated}`; each text
    /// is HTML when it has a tag, else plain.
    Languages,
    /// `language`: a language tag, or the language in which such a list was first written.
    Language,
    /// `date`: a calendar date in the platform's zone, at its beginning or (`at = "end"`) in its last second.
    Date {
        /// Whether the last second of the day is meant.
        at_end: bool,
    },
    /// `timestamp`: an instant with its zone.
    Timestamp,
    /// `code`: a word of ours, through a table of the profile.
    Code {
        /// The table, `[codes.NAME]`.
        table: String,
    },
    /// `unlisted`: the platform's own word, when that table does not list it.
    Unlisted {
        /// The table, `[codes.NAME]`.
        table: String,
    },
    /// `token`: a name or number of the platform, as it is.
    Token,
    /// `fragment`: a name within the record: a prefix and the platform's id.
    Fragment {
        /// What stands before the id, for example `phase-`.
        prefix: String,
    },
    /// `count`: a number; null means that the platform withholds it.
    Count,
    /// `url`: an absolute address.
    Url,
    /// `day`: a day of the calendar, as such or as the instant that falls into it in the platform's zone.
    Day,
    /// `money`: an amount without its currency, as a number or in text.
    Money,
    /// `percent`: a percentage from 0 to 100, rounded to a whole one.
    Percent,
    /// `point`: an object with `latitude` and `longitude`.
    Point,
    /// `pseudonym`: a person's id, unlinkable across processes.
    Pseudonym,
    /// `reference`: another record, by the id of its item.
    Reference {
        /// The platform's type word of that item.
        entity: String,
        /// Which of its records.
        class: Class,
    },
    /// `value = "…"`: a constant.
    Constant(String),
}

/// A text in one language, before it becomes plain or HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawText {
    /// Its language; absent means the record's.
    pub language: Option<LanguageTag>,
    pub text: String,
    pub machine: bool,
    pub markup: Markup,
}

/// How a raw text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Markup {
    Plain,
    Html,
    /// HTML when it has a tag; editors of a platform save both.
    Either,
}

/// What a transform gives; references and pseudonyms are resolved later, with the caller's names.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Parsed {
    Texts(Vec<RawText>),
    Language(LanguageTag),
    Instant(Timestamp),
    Token(String),
    Count(Count),
    Day(Day),
    Amount(Amount),
    Percent(Completion),
    Point(Point),
    Person(String),
    Item { entity: String, class: Class, id: String },
}

/// A figure, or the fact that the platform withholds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    Shown(u64),
    Withheld,
}

impl Count {
    pub(super) const fn shown(self) -> Option<u64> {
        match self {
            Self::Shown(total) => Some(total),
            Self::Withheld => None,
        }
    }
}

impl Transform {
    /// The names, for messages.
    pub(super) const NAMES: &'static [&'static str] = &[
        "plain",
        "html",
        "languages",
        "language",
        "date",
        "timestamp",
        "code",
        "unlisted",
        "token",
        "fragment",
        "count",
        "url",
        "day",
        "money",
        "percent",
        "point",
        "pseudonym",
        "reference",
    ];

    /// Whether the result fits a property.
    pub(super) fn fits(&self, wants: Wants) -> bool {
        match wants {
            Wants::PlainTexts | Wants::HtmlTexts => matches!(self, Self::Plain | Self::Html | Self::Languages),
            Wants::Plain => matches!(self, Self::Plain | Self::Languages | Self::Unlisted { .. } | Self::Constant(_)),
            Wants::Instant => matches!(self, Self::Date { .. } | Self::Timestamp),
            Wants::Language => matches!(self, Self::Language | Self::Constant(_)),
            Wants::Word(_) => matches!(self, Self::Code { .. } | Self::Constant(_)),
            Wants::Reference | Wants::References => matches!(self, Self::Reference { .. }),
            Wants::Day => matches!(self, Self::Day),
            Wants::Amount => matches!(self, Self::Money),
            Wants::Percent => matches!(self, Self::Percent),
            Wants::Fragment => matches!(self, Self::Fragment { .. }),
            Wants::Count => matches!(self, Self::Count),
            Wants::Address => matches!(self, Self::Url),
            Wants::Point => matches!(self, Self::Point),
            Wants::Pseudonym => matches!(self, Self::Pseudonym),
            Wants::Token => matches!(self, Self::Token | Self::Constant(_)),
        }
    }

    /// Whether null says something (elsewhere it is the same as nothing).
    pub(super) const fn reads_null(&self) -> bool {
        matches!(self, Self::Count)
    }

    /// What it reads below its node, as coverage names; empty means the node itself.
    pub(super) const fn reads(&self) -> &'static [&'static str] {
        match self {
            // What a translated field of Decidim holds: `locales` and `translation` repeat the same texts.
            Self::Languages | Self::Language => &[
                "",
                ".locales",
                ".locales[]",
                ".translation",
                ".translations",
                ".translations[].locale",
                ".translations[].text",
                ".translations[].machineTranslated",
            ],
            Self::Point => &[".latitude", ".longitude"],
            _ => &[""],
        }
    }

    /// Reads one node; `Ok(None)` when it says nothing.
    ///
    /// # Errors
    /// When a value is there but cannot be read.
    pub(super) fn read(&self, node: &Value, reading: &Reading<'_>) -> Result<Option<Parsed>, Unreadable> {
        let word = || scalar(node).ok_or_else(|| format!("one value was expected, not {}", excerpt(node)));
        Ok(match self {
            Self::Constant(value) => Some(Parsed::Token(value.clone())),
            Self::Plain => text(word()?, Markup::Plain),
            Self::Html => text(word()?, Markup::Html),
            Self::Languages => {
                let texts = translations(node)?;
                (!texts.is_empty()).then_some(Parsed::Texts(texts))
            }
            Self::Language => match node {
                Value::String(tag) => Some(Parsed::Language(tag.parse().map_err(|error| format!("{error}"))?)),
                _ => original(translations(node)?, reading.prefer).map(Parsed::Language),
            },
            Self::Timestamp => Some(Parsed::Instant(word()?.parse().map_err(|error| format!("{error}"))?)),
            Self::Date { at_end } => Some(Parsed::Instant(day(&word()?, reading.zone, *at_end)?)),
            Self::Code { table: name } => {
                let raw = word()?;
                match code(reading.codes, name, &raw) {
                    Some(known) => Some(Parsed::Token(known.to_owned())),
                    None => return Err(Unreadable::Unlisted { table: name.clone(), word: raw }),
                }
            }
            Self::Unlisted { table: name } => {
                let raw = word()?;
                code(reading.codes, name, &raw).is_none().then_some(Parsed::Token(raw))
            }
            Self::Token | Self::Url => Some(Parsed::Token(word()?)),
            Self::Day => Some(Parsed::Day(calendar_day(&word()?, reading.zone)?)),
            Self::Money => Some(Parsed::Amount(word()?.parse().map_err(|error| format!("{error}"))?)),
            Self::Percent => Some(Parsed::Percent(word()?.parse().map_err(|error| format!("{error}"))?)),
            Self::Fragment { prefix } => Some(Parsed::Token(format!("{prefix}{}", word()?))),
            Self::Count => match node {
                Value::Null => Some(Parsed::Count(Count::Withheld)),
                Value::Number(number) => {
                    let total = number.as_u64().ok_or_else(|| format!("{number} is not a count"))?;
                    Some(Parsed::Count(Count::Shown(total)))
                }
                other => return Err(format!("not a number: {}", excerpt(other)).into()),
            },
            Self::Point => {
                let degrees = |name: &str| node.get(name).and_then(Value::as_f64);
                match (degrees("latitude"), degrees("longitude")) {
                    (Some(latitude), Some(longitude)) => Point::new(latitude, longitude).map(Parsed::Point),
                    _ => None,
                }
            }
            Self::Pseudonym => Some(Parsed::Person(word()?)),
            Self::Reference { entity, class } => Some(Parsed::Item { entity: entity.clone(), class: *class, id: word()? }),
        })
    }
}

/// Why a value could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// A word that a table does not list.
    Unlisted { table: String, word: String },
    /// Another shape than the transform takes.
    Wrong(String),
}

impl From<String> for Unreadable {
    fn from(problem: String) -> Self {
        Self::Wrong(problem)
    }
}

fn text(text: String, markup: Markup) -> Option<Parsed> {
    let said = !text.trim().is_empty();
    said.then(|| Parsed::Texts(vec![RawText { language: None, text, machine: false, markup }]))
}

/// Code tables by name: the platform's word, then ours.
pub(super) type Codes = BTreeMap<String, BTreeMap<String, String>>;

/// What a transform knows beside the value.
pub(super) struct Reading<'a> {
    /// Where the platform's calendar dates are.
    pub zone: &'a TimeZone,
    /// The language to prefer when a text was written in several.
    pub prefer: &'a LanguageTag,
    /// The code tables of the profile.
    pub codes: &'a Codes,
}

fn code<'a>(codes: &'a Codes, table: &str, word: &str) -> Option<&'a str> {
    codes.get(table).and_then(|table| table.get(word)).map(String::as_str)
}

/// The language a text was written in: the preferred one if a person wrote it, else the first such.
fn original(texts: Vec<RawText>, prefer: &LanguageTag) -> Option<LanguageTag> {
    let mut written = texts.into_iter().filter(|text| !text.machine).filter_map(|text| text.language);
    let first = written.next()?;
    Some(if first == *prefer { first } else { written.find(|language| language == prefer).unwrap_or(first) })
}

/// A single value as text.
pub(super) fn scalar(node: &Value) -> Option<String> {
    match node {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The beginning of a value, for a message.
pub(super) fn excerpt(node: &Value) -> String {
    let text = scalar(node).unwrap_or_else(|| node.to_string());
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Texts by language; empty ones say nothing.
fn translations(node: &Value) -> Result<Vec<RawText>, String> {
    let one = |tag: &str, text: &Value, machine: bool| -> Result<Option<RawText>, String> {
        let Some(text) = text.as_str().filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        let language = tag.parse().map_err(|error| format!("{error}"))?;
        Ok(Some(RawText { language: Some(language), text: text.to_owned(), machine, markup: Markup::Either }))
    };
    let Some(items) = node.get("translations").unwrap_or(node).as_array() else {
        return Err(format!("not a list of translations: {}", excerpt(node)));
    };
    let texts: Result<Vec<_>, String> = items
        .iter()
        .map(|item| {
            let tag = item.get("locale").and_then(Value::as_str).ok_or("a translation without `locale`")?;
            let machine = item.get("machineTranslated").and_then(Value::as_bool).unwrap_or(false);
            one(tag, item.get("text").unwrap_or(&Value::Null), machine)
        })
        .collect();
    Ok(texts?.into_iter().flatten().collect())
}

/// A day of the calendar, as such or as the day that an instant falls into.
fn calendar_day(text: &str, zone: &TimeZone) -> Result<Day, String> {
    match text.parse::<Timestamp>() {
        Ok(instant) => Day::of(instant, zone).ok_or_else(|| format!("`{text}` is too far away")),
        Err(_) => text.parse().map_err(|error| format!("{error}")),
    }
}

/// The first or last second of a calendar day.
fn day(text: &str, zone: &TimeZone, at_end: bool) -> Result<Timestamp, String> {
    let refused = |_| format!("`{text}` is not a date (such as 2026-09-15)");
    let date: civil::Date = text.parse().map_err(refused)?;
    let time = if at_end { civil::time(23, 59, 59, 0) } else { civil::Time::midnight() };
    let instant = zone.to_timestamp(date.to_datetime(time)).map_err(refused)?;
    Timestamp::from_micros(instant.as_microsecond()).ok_or_else(|| format!("`{text}` is too far away"))
}
