//! A second reader of JSON (RFC 8259), written only to be compared with the first: it keeps repeated names
//! and says what `strict_json` must do with a document.

use serde_json::Value;

use passerelle::federation::strict_json::{LIMITS, MAX_BYTES, MAX_DEPTH, MAX_ITEMS, MAX_KEYS};

/// Deeper than this nothing is read; refused much earlier.
const GIVE_UP: usize = 100;
/// Largest integer that a double carries exactly.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;
/// Names by which the JSON library hands values from one of its halves to the other.
const PRIVATE: &str = "$serde_json::private::";

/// A value, as it was written.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// The nearest double; infinite where there is none.
    Number(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// Names and values in their order, repeated ones too.
    Object(Vec<(String, Json)>),
}

/// Reads a document; none where RFC 8259 knows no such document, or it is deeper than anybody reads.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Json> {
    let mut reader = Reader { rest: std::str::from_utf8(bytes).ok()? };
    let value = reader.value(0)?;
    reader.space();
    reader.rest.is_empty().then_some(value)
}

/// What `strict_json` must take: none where it must refuse.
#[must_use]
pub fn acceptable(bytes: &[u8]) -> Option<Json> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    read(bytes).filter(|value| value.is_acceptable(1, MAX_ITEMS))
}

impl Json {
    fn is_acceptable(&self, level: usize, limit: usize) -> bool {
        let clean = |text: &str| !text.contains('\0');
        level <= MAX_DEPTH
            && match self {
                Self::Null | Self::Bool(_) => true,
                Self::Number(number) => number.abs() <= MAX_EXACT,
                Self::Text(text) => clean(text),
                Self::List(items) => items.len() <= limit && items.iter().all(|item| item.is_acceptable(level + 1, MAX_ITEMS)),
                Self::Object(members) => {
                    members.len() <= MAX_KEYS
                        && members.iter().enumerate().all(|(at, (name, value))| {
                            let limit = LIMITS.iter().find(|(known, _)| known == name).map_or(MAX_ITEMS, |(_, limit)| *limit);
                            clean(name)
                                && !name.starts_with(PRIVATE)
                                && members[..at].iter().all(|(other, _)| other != name)
                                && value.is_acceptable(level + 1, limit)
                        })
                }
            }
    }

    /// Whether a value says the same, in the same order; numbers are compared as doubles.
    #[must_use]
    pub fn says(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Null, Value::Null) => true,
            (Self::Bool(one), Value::Bool(other)) => one == other,
            #[expect(clippy::float_cmp, reason = "the very same double is meant")]
            (Self::Number(one), Value::Number(other)) => other.as_f64().is_some_and(|other| *one == other),
            (Self::Text(one), Value::String(other)) => one == other,
            (Self::List(items), Value::Array(others)) => {
                items.len() == others.len() && items.iter().zip(others).all(|(item, other)| item.says(other))
            }
            (Self::Object(members), Value::Object(others)) => {
                members.len() == others.len()
                    && members.iter().zip(others).all(|((name, one), (other_name, other))| name == other_name && one.says(other))
            }
            _ => false,
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, word: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        self.space();
        if depth > GIVE_UP {
            return None;
        }
        match self.rest.chars().next()? {
            'n' => self.take("null").map(|()| Json::Null),
            't' => self.take("true").map(|()| Json::Bool(true)),
            'f' => self.take("false").map(|()| Json::Bool(false)),
            '"' => self.text().map(Json::Text),
            '[' => self.list(depth),
            '{' => self.object(depth),
            _ => self.number(),
        }
    }

    fn list(&mut self, depth: usize) -> Option<Json> {
        self.take("[")?;
        let mut items = Vec::new();
        self.space();
        if self.take("]").is_some() {
            return Some(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.take("]").is_some() {
                return Some(Json::List(items));
            }
            self.take(",")?;
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        self.take("{")?;
        let mut members = Vec::new();
        self.space();
        if self.take("}").is_some() {
            return Some(Json::Object(members));
        }
        loop {
            self.space();
            let name = self.text()?;
            self.space();
            self.take(":")?;
            members.push((name, self.value(depth + 1)?));
            self.space();
            if self.take("}").is_some() {
                return Some(Json::Object(members));
            }
            self.take(",")?;
        }
    }

    fn number(&mut self) -> Option<Json> {
        let whole = self.rest;
        let _ = self.take("-");
        if self.take("0").is_none() {
            self.digits()?;
        }
        if self.take(".").is_some() {
            self.digits()?;
        }
        if self.take("e").or_else(|| self.take("E")).is_some() {
            let _ = self.take("+").or_else(|| self.take("-"));
            self.digits()?;
        }
        whole[..whole.len() - self.rest.len()].parse().ok().map(Json::Number)
    }

    fn digits(&mut self) -> Option<()> {
        let rest = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let some = rest.len() < self.rest.len();
        self.rest = rest;
        some.then_some(())
    }

    fn text(&mut self) -> Option<String> {
        self.take("\"")?;
        let mut text = String::new();
        loop {
            let c = self.rest.chars().next()?;
            self.rest = &self.rest[c.len_utf8()..];
            match c {
                '"' => return Some(text),
                '\\' => text.push(self.escape()?),
                '\0'..='\u{1f}' => return None,
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        match c {
            '"' | '\\' | '/' => Some(c),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' => {
                let first = self.unit()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return char::from_u32(first);
                }
                self.take("\\u")?;
                let second = self.unit()?;
                (0xdc00..0xe000)
                    .contains(&second)
                    .then(|| char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)))?
            }
            _ => None,
        }
    }

    fn unit(&mut self) -> Option<u32> {
        let four = self.rest.get(..4).filter(|four| four.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        self.rest = &self.rest[4..];
        u32::from_str_radix(four, 16).ok()
    }
}
