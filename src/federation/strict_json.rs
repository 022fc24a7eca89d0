//! Reading JSON of strangers: one meaning or none.
//!
//! Refused are: duplicate keys at any level (SEC-081), more than 32 levels (SEC-130), lists beyond the
//! published limits (SEC-131), numbers that a double does not carry exactly or at all (SEC-133),
//! invalid UTF-8, lone surrogates and NUL (SEC-134), names that `serde_json` keeps for itself. Unknown properties are kept: a proof covers them.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Deepest nesting; the outermost object is level 1.
pub const MAX_DEPTH: usize = 32;
/// Largest document, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// Most properties of one object (SEC-146).
pub const MAX_KEYS: usize = 500;
/// Most members of one list that has no limit of its own.
pub const MAX_ITEMS: usize = 1000;
/// Lists with a limit of their own, as FEDERATION.md publishes them.
pub const LIMITS: &[(&str, usize)] = &[
    ("to", 500),
    ("cc", 500),
    ("bto", 500),
    ("bcc", 500),
    ("tag", 100),
    ("attachment", 20),
    ("oneOf", 200),
    ("anyOf", 200),
    ("phases", 50),
    ("@context", 20),
];
/// Names by which `serde_json` hands values from one of its halves to the other: read by its own [`Value`], an
/// object that begins with one is what its value says, not what stands there.
const PRIVATE: &str = "$serde_json::private::";
/// Largest integer that a double carries exactly (RFC 7493).
const MAX_EXACT: u64 = (1 << 53) - 1;

/// Why a document was refused: a sentence without the document's content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StrictJsonError(String);

/// Reads one JSON document.
///
/// # Errors
/// [`StrictJsonError`] for everything the module's list names, and for whatever is no JSON.
pub fn parse(bytes: &[u8]) -> Result<Value, StrictJsonError> {
    if bytes.len() > MAX_BYTES {
        return Err(StrictJsonError(format!("the document has {} bytes; at most {MAX_BYTES} are read", bytes.len())));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| StrictJsonError("the document is not UTF-8".to_owned()))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: 1, limit: MAX_ITEMS }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| StrictJsonError(error.to_string().chars().take(200).collect()))?;
    Ok(value)
}

/// Reads one value at `depth`; `limit` is the most members it may have if it is a list.
struct Strict {
    depth: usize,
    limit: usize,
}

impl Strict {
    const fn below(&self, limit: usize) -> Self {
        Self { depth: self.depth + 1, limit }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.depth > MAX_DEPTH {
            return Err(serde::de::Error::custom(format_args!("nested deeper than {MAX_DEPTH} levels")));
        }
        deserializer.deserialize_any(self)
    }
}

fn text<E: serde::de::Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') { Err(E::custom("a string holds the character NUL")) } else { Ok(()) }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        if value > MAX_EXACT {
            return Err(E::custom("a number is larger than 2^53 - 1"));
        }
        Ok(Value::from(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > MAX_EXACT {
            return Err(E::custom("a number is smaller than -(2^53 - 1)"));
        }
        Ok(Value::from(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "the limit itself is exact in a double")]
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        if value.abs() > MAX_EXACT as f64 {
            return Err(E::custom("a number is larger than 2^53 - 1"));
        }
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        text(value)?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        text(&value)?;
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.below(MAX_ITEMS))? {
            if list.len() == self.limit {
                return Err(serde::de::Error::custom(format_args!("a list has more than {} members", self.limit)));
            }
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut properties: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = properties.next_key::<String>()? {
            text(&key)?;
            if object.len() == MAX_KEYS {
                return Err(serde::de::Error::custom(format_args!("an object has more than {MAX_KEYS} properties")));
            }
            if key.starts_with(PRIVATE) {
                return Err(serde::de::Error::custom("an object names a property as this program does inside"));
            }
            let limit = LIMITS.iter().find(|(name, _)| *name == key).map_or(MAX_ITEMS, |(_, limit)| *limit);
            let value = properties.next_value_seed(self.below(limit))?;
            if object.insert(key, value).is_some() {
                return Err(serde::de::Error::custom("an object names one property twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_documents_are_read_as_they_are() {
        let text = r#"{"a":[1,-2,2.5,true,null,"é","\u00e9"],"b":{"unknown":{"kept":"as is"}}}"#;
        let loose: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(parse(text.as_bytes()), Ok(loose));
    }

    #[test]
    fn sec_081_duplicate_keys_are_refused_at_any_level() {
        for text in [r#"{"a":1,"a":2}"#, r#"{"x":{"a":1,"b":2,"a":1}}"#, r#"{"x":[[{"to":1,"\u0074o":2}]]}"#] {
            assert!(parse(text.as_bytes()).is_err(), "{text} was taken");
        }
    }

    #[test]
    fn sec_130_nesting_ends_at_32_levels() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(31).as_bytes()).is_ok());
        for depth in [33, 200, 200_000] {
            assert!(parse(nested(depth).as_bytes()).is_err(), "{depth} levels were taken");
        }
        let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert!(parse(objects(31).as_bytes()).is_ok());
        assert!(parse(objects(33).as_bytes()).is_err());
    }

    #[test]
    fn f_3_the_last_level_may_be_an_empty_list_as_well_as_an_empty_object() {
        let list = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let object = |depth: usize| format!("{}{{}}{}", "{\"a\":".repeat(depth - 1), "}".repeat(depth - 1));
        assert!(parse(list(MAX_DEPTH).as_bytes()).is_ok() && parse(object(MAX_DEPTH).as_bytes()).is_ok());
        assert!(parse(list(MAX_DEPTH + 1).as_bytes()).is_err() && parse(object(MAX_DEPTH + 1).as_bytes()).is_err());
    }

    #[test]
    fn f_3_no_name_makes_the_library_read_something_else() {
        for text in [
            r#"{"$serde_json::private::RawValue":"[1]"}"#,
            r#"{"object":{"attributedTo":{"\u0024serde_json::private::RawValue":"\"https://b.example/actor\""}}}"#,
            r#"{"$serde_json::private::Number":"1"}"#,
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text} was taken");
        }
        let harmless = br#"{"$serde_json":1,"a":"$serde_json::private::RawValue"}"#;
        assert_eq!(parse(harmless).ok(), serde_json::from_slice(harmless).ok());
    }

    #[test]
    fn sec_131_lists_end_at_their_limit() {
        for (name, limit) in LIMITS {
            let list = |n: usize| format!("{{\"{name}\":[{}]}}", vec!["1"; n].join(","));
            assert!(parse(list(*limit).as_bytes()).is_ok());
            assert!(parse(list(limit + 1).as_bytes()).is_err(), "{name} took {}", limit + 1);
        }
        assert!(parse(format!("[{}]", vec!["1"; 1001].join(",")).as_bytes()).is_err());
    }

    #[test]
    fn sec_133_numbers_that_no_double_carries_are_refused() {
        for text in ["1e400", "-1e400", "NaN", "Infinity", "18446744073709551616", "9007199254740992", "-9007199254740992"] {
            assert!(parse(text.as_bytes()).is_err(), "{text} was taken");
        }
        for text in ["-0", "1E-400", "9007199254740991", "0.1"] {
            assert!(parse(text.as_bytes()).is_ok(), "{text} was refused");
        }
    }

    #[test]
    fn sec_134_text_that_is_no_text_is_refused() {
        for text in ["\"\\ud800\"", "\"\\udc00x\"", "\"a\\u0000b\"", "{\"\\u0000\":1}", "\u{feff}{}", "{} {}", ""] {
            assert!(parse(text.as_bytes()).is_err(), "{text:?} was taken");
        }
        assert!(parse(b"\"\xff\"").is_err());
    }
}
