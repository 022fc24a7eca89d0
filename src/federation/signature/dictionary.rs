//! Dictionaries of structured fields (RFC 9651) with one meaning: where a key or a parameter stands twice,
//! the RFC lets the last one win, and a reader that has not heard of it takes the first.

use std::convert::Infallible;

use sfv::visitor::{DictionaryVisitor, EntryVisitor};
use sfv::{Dictionary, KeyRef, Parser};

struct Once(Dictionary);

#[derive(Debug, thiserror::Error)]
#[error("a key is repeated")]
struct Repeated;

impl<'de> DictionaryVisitor<'de> for Once {
    type Out = Dictionary;
    type Error = Repeated;

    fn entry(&mut self, key: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Repeated> {
        if self.0.contains_key(key) {
            return Err(Repeated);
        }
        DictionaryVisitor::entry(&mut self.0, key).map_err(|never: Infallible| match never {})
    }

    fn finish(self) -> Result<Dictionary, Repeated> {
        Ok(self.0)
    }
}

/// Reads a dictionary in which every key stands once; `None` for everything else.
pub(super) fn read(value: &str) -> Option<Dictionary> {
    Parser::new(value).parse_dictionary_with_visitor(Once(Dictionary::new())).ok()
}

/// How many parameters a field has, each time a repeated one is written.
pub(super) fn written_parameters(value: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let begins_one = |byte: u8| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b';' => return !quoted,
            _ => {}
        }
        false
    };
    value.bytes().map(begins_one).filter(|begins| *begins).count()
}
