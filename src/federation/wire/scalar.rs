//! The small values of the wire: addresses, instants, digests, counts, words, concepts, texts by
//! language. Each has a JSON Schema of its own, so that no property of a schema says just "string".
//!
//! The markers (`Address`, `Instant` …) exist for the schemas only; the structs hold domain types.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::super::verify::one_id;

use crate::domain::authority::AuthorityKind;
use crate::domain::consultation::ProcessKind;
use crate::domain::document::DocumentKind;
use crate::domain::meeting::MeetingKind;
use crate::domain::record::ReasonCode;
use crate::domain::text::MAX_TEXT_BYTES;

/// Where the names of the vocabulary live. Names, not addresses: nothing of ours ever fetches one.
pub const NAMESPACE: &str = "https://w3id.org/participation-vocab/ns#";
/// Largest integer that a double, and so RFC 8785, carries exactly.
const MAX_EXACT: u64 = (1 << 53) - 1;

macro_rules! marker {
    ($(#[$meta:meta])* $name:ident, $schema:tt) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

marker!(
    /// An absolute http(s) address.
    Address,
    { "type": "string", "format": "uri", "pattern": "^https?://[^\\s\\\\]+$", "maxLength": 2048 }
);
marker!(
    /// The name of a concept: an absolute or compact IRI.
    Iri,
    { "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9+.-]*:[^\\s]+$", "maxLength": 2048 }
);
marker!(
    /// An instant, RFC 3339 in UTC.
    Instant,
    { "type": "string", "format": "date-time", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$" }
);
marker!(
    /// A sha2-256 multihash in base58btc multibase.
    Multihash,
    { "type": "string", "pattern": "^zQm[1-9A-HJ-NP-Za-km-z]{44}$" }
);
marker!(
    /// Sixteen bytes in base64url multibase.
    Salt,
    { "type": "string", "pattern": "^u[A-Za-z0-9_-]{22}$" }
);
marker!(
    /// A BCP 47 language tag; `und` when the source does not say.
    Language,
    { "type": "string", "pattern": "^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$", "maxLength": 35 }
);
marker!(
    /// One line or paragraph without markup.
    Plain,
    { "type": "string", "minLength": 1, "maxLength": 65536 }
);
marker!(
    /// A word or short code.
    Token,
    { "type": "string", "minLength": 1, "maxLength": 500 }
);
marker!(
    /// A day of the calendar.
    CalendarDay,
    { "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }
);
marker!(
    /// An amount, exact to the hundredth.
    Decimal,
    { "type": "string", "pattern": "^[0-9]{1,14}(\\.[0-9]{2})?$" }
);
marker!(
    /// A currency by its ISO 4217 letters.
    CurrencyCode,
    { "type": "string", "pattern": "^[A-Z]{3}$" }
);
marker!(
    /// The media type of a file.
    MediaTypeName,
    { "type": "string", "pattern": "^[a-z0-9._+-]{1,100}/[a-z0-9._+-]{1,100}$" }
);
marker!(
    /// A number of days, ISO 8601, at most 3650.
    Term,
    { "type": "string", "pattern": "^P([1-9][0-9]{0,2}|[12][0-9]{3}|3[0-5][0-9]{2}|36[0-4][0-9]|3650)D$" }
);
marker!(
    /// A number of days, ISO 8601, at most 30.
    PurgeTerm,
    { "type": "string", "pattern": "^P([1-9]|[12][0-9]|30)D$" }
);
marker!(
    /// A whole percentage.
    Percent,
    { "type": "integer", "minimum": 0, "maximum": 100 }
);
marker!(
    /// The addressees: the public collection of ActivityStreams among them.
    Audience,
    { "type": "array", "items": { "type": "string", "format": "uri", "maxLength": 2048 }, "minItems": 1, "maxItems": 500 }
);
marker!(
    /// The three contexts of a record, in this order.
    Contexts,
    {
        "type": "array",
        "prefixItems": [
            { "const": "https://www.w3.org/ns/activitystreams" },
            { "const": "https://w3id.org/security/data-integrity/v2" },
            { "type": "string", "format": "uri", "pattern": "^https?://[^/]+/ns/v1$" }
        ],
        "items": { "type": "string", "format": "uri" },
        "minItems": 3,
        "maxItems": 20
    }
);

/// Declares a property that has exactly one value.
macro_rules! constant {
    ($(#[$meta:meta])* $name:ident = $word:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $name {
            #[doc = concat!("Written `", $word, "`.")]
            #[default]
            #[serde(rename = $word)]
            Value,
        }
    };
}
pub(crate) use constant;

/// A figure that a double carries exactly; never negative (SEC-060).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count(u64);

impl Count {
    /// The count; what no platform reaches is cut to the largest exact integer.
    #[must_use]
    pub fn new(value: u64) -> Self {
        Self(value.min(MAX_EXACT))
    }

    /// The figure.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            value if value <= MAX_EXACT => Ok(Self(value)),
            _ => Err(serde::de::Error::custom("a number larger than 2^53 - 1")),
        }
    }
}

impl JsonSchema for Count {
    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": MAX_EXACT })
    }
}

/// The counter of signed changes, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RevisionNumber(Count);

impl RevisionNumber {
    /// The number; below 1 there is none.
    #[must_use]
    pub fn new(value: u64) -> Self {
        Self(Count::new(value.max(1)))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl<'de> Deserialize<'de> for RevisionNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let count = Count::deserialize(deserializer)?;
        if count.get() == 0 { Err(serde::de::Error::custom("revisions begin at 1")) } else { Ok(Self(count)) }
    }
}

impl JsonSchema for RevisionNumber {
    fn schema_name() -> Cow<'static, str> {
        "Revision".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": MAX_EXACT })
    }
}

/// Declares how an enumeration is written as a concept of the vocabulary, for example `pv:kind-petition`.
macro_rules! concept {
    ($(#[$meta:meta])* $name:ident($inner:ty) = $prefix:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(pub $inner);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&format_args!(concat!("pv:", $prefix, "{}"), self.0))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let iri = String::deserialize(deserializer)?;
                let local = iri.strip_prefix("pv:").or_else(|| iri.strip_prefix(NAMESPACE)).unwrap_or_default();
                match local.strip_prefix($prefix) {
                    Some(word) => word.parse().map(Self).map_err(serde::de::Error::custom),
                    None => Err(serde::de::Error::custom(concat!("not a concept `pv:", $prefix, "…`"))),
                }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let iris: Vec<String> = <$inner>::ALL.iter().map(|value| format!(concat!("pv:", $prefix, "{}"), value)).collect();
                json_schema!({ "type": "string", "enum": iris })
            }
        }
    };
}

concept!(
    /// `processKind`.
    ProcessKindConcept(ProcessKind) = "kind-"
);
concept!(
    /// `reasonCode`.
    ReasonConcept(ReasonCode) = "reason-"
);
concept!(
    /// `authorityKind`.
    AuthorityKindConcept(AuthorityKind) = "authorityKind-"
);
concept!(
    /// `meetingKind`.
    MeetingKindConcept(MeetingKind) = "meetingKind-"
);
concept!(
    /// `documentKind`.
    DocumentKindConcept(DocumentKind) = "documentKind-"
);

/// A name that a city or a profile gave to a thing of its own, as a concept: `category` as
/// `pv:scheme-category`. What is an IRI already stays as it is, unless it would be read as another name.
#[must_use]
pub fn name_to_iri(prefix: &str, name: &str) -> String {
    if name.contains(':') && iri_to_name(prefix, name) == name {
        return name.to_owned();
    }
    let mut iri = format!("pv:{prefix}-");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            iri.push(char::from(byte));
        } else {
            let _ = write!(iri, "%{byte:02X}"); // writing to a String cannot fail
        }
    }
    iri
}

/// The reverse of [`name_to_iri`].
#[must_use]
pub fn iri_to_name(prefix: &str, iri: &str) -> String {
    let local = iri.strip_prefix("pv:").or_else(|| iri.strip_prefix(NAMESPACE)).unwrap_or_default();
    let Some(encoded) = local.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')) else { return iri.to_owned() };
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok()).and_then(|two| u8::from_str_radix(two, 16).ok());
        if let (b'%', Some(byte)) = (first, code) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| iri.to_owned())
}

/// The same text by language, as a JSON-LD language map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LanguageMap(pub BTreeMap<String, String>);

impl JsonSchema for LanguageMap {
    fn schema_name() -> Cow<'static, str> {
        "LanguageMap".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let language = generator.subschema_for::<Language>();
        json_schema!({
            "type": "object",
            "propertyNames": language,
            "additionalProperties": { "type": "string", "maxLength": MAX_TEXT_BYTES },
            "minProperties": 1,
            "maxProperties": 100
        })
    }
}

/// Reads an address that a JSON-LD writer may have written as an object with that `id`, or as the only
/// member of a list (SEC-053).
pub fn one_address<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(deserializer: D) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let id = one_id(&value).ok_or_else(|| serde::de::Error::custom("it does not name exactly one"))?;
    id.parse().map_err(serde::de::Error::custom)
}

/// Reads a list that a JSON-LD writer may have written as its only member.
pub fn one_or_many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    // Not an untagged enum, which would not tell what is wrong with a member.
    let items = match Value::deserialize(deserializer)? {
        Value::Array(items) => items,
        one => vec![one],
    };
    items.into_iter().map(|item| T::deserialize(item).map_err(serde::de::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_city_travels_as_a_concept_and_comes_back() {
        for name in ["category", "taxonomie d'été", "100 %", "", "é", "a.b_c-d"] {
            assert_eq!(iri_to_name("scheme", &name_to_iri("scheme", name)), name);
        }
        for name in ["pv:scheme-x", "pv:scheme-", "pv:scheme-%C3%A9", &format!("{NAMESPACE}scheme-x"), "pv:other-x", "a:b"] {
            assert_eq!(iri_to_name("scheme", &name_to_iri("scheme", name)), *name, "f_3: a name that looks like a concept");
        }
        assert_eq!(name_to_iri("scheme", "category"), "pv:scheme-category");
        assert_eq!(name_to_iri("scheme", "https://b.example/s"), "https://b.example/s");
        assert_eq!(iri_to_name("scheme", "https://b.example/s"), "https://b.example/s");
        assert_eq!(iri_to_name("scheme", &format!("{NAMESPACE}scheme-x")), "x");
    }

    #[test]
    fn sec_060_counts_are_whole_exact_and_not_negative() {
        for text in ["-1", "9007199254740992", "1.5", "\"3\"", "null", "9223372036854775808"] {
            assert!(serde_json::from_str::<Count>(text).is_err(), "{text} was taken");
        }
        assert!(serde_json::from_str::<RevisionNumber>("0").is_err());
        assert_eq!(serde_json::from_str::<Count>("9007199254740991").map(Count::get).ok(), Some(MAX_EXACT));
    }

    #[test]
    fn a_concept_is_read_in_its_short_and_in_its_full_form() {
        let short: ProcessKindConcept = serde_json::from_str("\"pv:kind-petition\"").expect("a concept");
        let full: ProcessKindConcept = serde_json::from_str(&format!("\"{NAMESPACE}kind-petition\"")).expect("a concept");
        assert_eq!((short, full), (ProcessKindConcept(ProcessKind::Petition), ProcessKindConcept(ProcessKind::Petition)));
        assert_eq!(serde_json::to_string(&short).ok().as_deref(), Some("\"pv:kind-petition\""));
        assert!(serde_json::from_str::<ProcessKindConcept>("\"petition\"").is_err());
        assert!(serde_json::from_str::<ProcessKindConcept>("\"pv:kind-riot\"").is_err());
    }
}
