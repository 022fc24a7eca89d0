//! RFC 8785, the canonical form of JSON: what is signed, digested and published.
//!
//! Every record is written so at least once on each side, and a general serializer, which learns the
//! members of an object one by one, has to keep and sort them all as bytes. Here the whole value is known:
//! names are sorted before anything is written, and the bytes are written once, in place.

use std::cmp::Ordering;

use serde_json::{Error, Map, Number, Value};

/// Up to here every whole number is a double, and is written as JavaScript writes it: plain digits.
const EXACT: u64 = 1 << 53;

/// The canonical bytes of a value.
///
/// # Errors
/// When a number has no form as a double.
pub(super) fn write(value: &Value) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(1024);
    write_value(&mut bytes, value)?;
    Ok(bytes)
}

/// The canonical bytes of an object without one of its members, and the place where that member stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gap {
    /// The bytes without the member.
    pub(super) bytes: Vec<u8>,
    at: usize,
    name: &'static str,
}

impl Gap {
    /// Writes `object` without its member `name`, whether it has one or not.
    ///
    /// # Errors
    /// As for [`write()`].
    pub(super) fn write(object: &Map<String, Value>, name: &'static str) -> Result<Self, Error> {
        let mut bytes = Vec::with_capacity(1024);
        let mut at = None;
        bytes.push(b'{');
        for (member, value) in sorted(object) {
            match by_units(member, name) {
                Ordering::Equal => continue,
                Ordering::Greater => at = at.or(Some(bytes.len())),
                Ordering::Less => {}
            }
            write_member(&mut bytes, member, value)?;
        }
        let at = at.unwrap_or(bytes.len());
        bytes.push(b'}');
        Ok(Self { bytes, at, name })
    }

    /// The canonical bytes of the object with the member, whose own canonical bytes are `value`.
    pub(super) fn filled(&self, value: &[u8]) -> Vec<u8> {
        let (before, after) = self.bytes.split_at(self.at);
        let mut bytes = Vec::with_capacity(self.bytes.len() + value.len() + self.name.len() + 4);
        bytes.extend_from_slice(before);
        if before.len() > 1 {
            bytes.push(b',');
        }
        // A member's name of ours needs no escape.
        for part in [b"\"", self.name.as_bytes(), b"\":", value] {
            bytes.extend_from_slice(part);
        }
        // The bytes before had a comma behind them only if members followed.
        if before.len() == 1 && after != b"}" {
            bytes.push(b',');
        }
        bytes.extend_from_slice(after);
        bytes
    }
}

/// By UTF-16 code units (§3.2.3), which is the order of bytes except beyond the basic plane.
fn by_units(one: &str, other: &str) -> Ordering {
    if one.is_ascii() || other.is_ascii() { one.cmp(other) } else { one.encode_utf16().cmp(other.encode_utf16()) }
}

fn sorted(object: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<(&String, &Value)> = object.iter().collect();
    members.sort_unstable_by(|(one, _), (other, _)| by_units(one, other));
    members
}

/// Writes a member behind what an object holds already.
fn write_member(bytes: &mut Vec<u8>, name: &str, value: &Value) -> Result<(), Error> {
    if !bytes.ends_with(b"{") {
        bytes.push(b',');
    }
    serde_json::to_writer(&mut *bytes, name)?;
    bytes.push(b':');
    write_value(bytes, value)
}

fn write_value(bytes: &mut Vec<u8>, value: &Value) -> Result<(), Error> {
    match value {
        Value::Null => bytes.extend_from_slice(b"null"),
        Value::Bool(true) => bytes.extend_from_slice(b"true"),
        Value::Bool(false) => bytes.extend_from_slice(b"false"),
        Value::Number(number) => write_number(bytes, number)?,
        // Exactly the escapes of §3.2.2.2, and no other.
        Value::String(text) => serde_json::to_writer(&mut *bytes, text)?,
        Value::Array(items) => {
            bytes.push(b'[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    bytes.push(b',');
                }
                write_value(bytes, item)?;
            }
            bytes.push(b']');
        }
        Value::Object(object) => {
            bytes.push(b'{');
            for (name, value) in sorted(object) {
                write_member(bytes, name, value)?;
            }
            bytes.push(b'}');
        }
    }
    Ok(())
}

fn write_number(bytes: &mut Vec<u8>, number: &Number) -> Result<(), Error> {
    let exact = number.as_i64().is_some_and(|whole| whole.unsigned_abs() <= EXACT);
    if exact {
        return serde_json::to_writer(bytes, number);
    }
    serde_json_canonicalizer::to_writer(number, bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Any value, with names and texts that are awkward to sort and to escape.
    fn any_value() -> impl Strategy<Value = Value> {
        let text = || "[ -~\\\\\"\u{0}-\u{1f}\u{7f}é€\u{2028}\u{e000}-\u{ffff}\u{10000}-\u{10ffff}]{0,8}";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-9_100_000_000_000_000_i64..9_100_000_000_000_000).prop_map(Value::from),
            (-1000_i64..1000).prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            text().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 48, 8, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((text(), inner), 0..8).prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_what_the_general_writer_writes(value in any_value()) {
            let general = serde_json_canonicalizer::to_vec(&value).expect("a canonical form");
            prop_assert_eq!(String::from_utf8(write(&value).expect("a canonical form")), String::from_utf8(general));
        }

        #[test]
        fn a_gap_that_is_filled_is_as_if_there_had_been_none(value in any_value(), member in any_value()) {
            let Value::Object(mut object) = value else { return Ok(()) };
            object.insert("proof".to_owned(), json!("another"));
            let gap = Gap::write(&object, "proof").expect("a canonical form");
            object.insert("proof".to_owned(), member.clone());
            let filled = gap.filled(&write(&member).expect("a canonical form"));
            prop_assert_eq!(filled, write(&Value::Object(object.clone())).expect("a canonical form"));
            object.shift_remove("proof");
            prop_assert_eq!(gap.bytes, write(&Value::Object(object)).expect("a canonical form"));
        }
    }

    #[test]
    fn a_gap_is_found_at_the_beginning_in_the_middle_and_at_the_end() {
        for (object, filled) in [
            (json!({}), r#"{"proof":1}"#),
            (json!({"z": 2}), r#"{"proof":1,"z":2}"#),
            (json!({"a": {}}), r#"{"a":{},"proof":1}"#),
            (json!({"z": [], "a": {"b": 3}, "proof": 9}), r#"{"a":{"b":3},"proof":1,"z":[]}"#),
        ] {
            let object = object.as_object().expect("an object");
            let gap = Gap::write(object, "proof").expect("a canonical form");
            assert_eq!(String::from_utf8(gap.filled(b"1")).as_deref(), Ok(filled));
        }
    }
}
