//! A table of a TOML document that knows where it stands, so that what is wrong in it can be shown.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::path::SourcePath;
use super::profile::ProfileError;

pub(super) type Result<T> = std::result::Result<T, ProfileError>;
pub(super) type Value<'a> = Spanned<DeValue<'a>>;

/// A table of the document with where it stands.
pub(super) struct Node<'a> {
    pub text: &'a str,
    pub key: String,
    pub span: Range<usize>,
    pub table: &'a DeTable<'a>,
}

impl<'a> Node<'a> {
    pub fn at(&self, key: &str) -> String {
        match (self.key.is_empty(), key.is_empty()) {
            (true, _) => key.to_owned(),
            (_, true) => self.key.clone(),
            _ => format!("{}.{key}", self.key),
        }
    }

    pub fn wrong(&self, key: &str, problem: String) -> ProfileError {
        let start = self.table.get(key).map_or(self.span.start, |value| value.span().start);
        ProfileError { line: line_of(self.text, start), key: self.at(key), problem, nearest: None }
    }

    pub fn wrong_word<'k>(
        &self,
        key: &str,
        word: &str,
        problem: impl std::fmt::Display,
        known: impl Iterator<Item = &'k str>,
    ) -> ProfileError {
        ProfileError { nearest: nearest(word, known), ..self.wrong(key, problem.to_string()) }
    }

    /// Refuses keys that are not in `known`.
    pub fn only(&self, known: &[&str]) -> Result<()> {
        for key in self.table.keys() {
            if !known.contains(&key.get_ref().as_ref()) {
                let name = key.get_ref();
                return Err(ProfileError {
                    line: line_of(self.text, key.span().start),
                    key: self.at(name),
                    problem: "is not a key of a profile here".to_owned(),
                    nearest: nearest(name, known.iter().copied()),
                });
            }
        }
        Ok(())
    }

    pub fn child(&self, key: &str, value: &'a Value<'a>) -> Result<Node<'a>> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(Node { text: self.text, key: self.at(key), span: value.span(), table }),
            other => Err(ProfileError {
                line: line_of(self.text, value.span().start),
                key: self.at(key),
                problem: format!("a table is expected, not {}", other.type_str()),
                nearest: None,
            }),
        }
    }

    pub fn table(&self, key: &str) -> Result<Option<Node<'a>>> {
        self.table.get(key).map(|value| self.child(key, value)).transpose()
    }

    pub fn need_table(&self, key: &str) -> Result<Node<'a>> {
        self.table(key)?.ok_or_else(|| self.wrong(key, "is missing".to_owned()))
    }

    /// Every table below this one, by name.
    pub fn tables(&self) -> Result<Vec<(String, Node<'a>)>> {
        self.table.iter().map(|(key, value)| Ok((key.get_ref().to_string(), self.child(key.get_ref(), value)?))).collect()
    }

    pub fn map<T>(&self, read: impl Fn(&Node<'a>) -> Result<T>) -> Result<BTreeMap<String, T>> {
        self.tables()?.into_iter().map(|(name, node)| Ok((name, read(&node)?))).collect()
    }

    pub fn map_values<T>(&self, read: impl Fn(&Self, &str) -> Result<T>) -> Result<BTreeMap<String, T>> {
        self.table.keys().map(|key| Ok((key.get_ref().to_string(), read(self, key.get_ref())?))).collect()
    }

    /// One table, or a list of tables; none when the key is absent.
    pub fn list(&self, key: &str) -> Result<Vec<Node<'a>>> {
        match self.table.get(key) {
            None => Ok(Vec::new()),
            Some(value) => match value.get_ref() {
                DeValue::Array(items) => items.iter().map(|item| self.child(key, item)).collect(),
                _ => Ok(vec![self.child(key, value)?]),
            },
        }
    }

    /// One value or a list of values.
    pub fn values(&self, key: &str) -> Vec<&'a Value<'a>> {
        match self.table.get(key).map(|value| (value, value.get_ref())) {
            None => Vec::new(),
            Some((_, DeValue::Array(items))) => items.iter().collect(),
            Some((value, _)) => vec![value],
        }
    }

    pub fn text(&self, key: &str) -> Result<Option<String>> {
        self.table
            .get(key)
            .map(|value| match value.get_ref() {
                DeValue::String(text) => Ok(text.to_string()),
                other => Err(self.wrong(key, format!("a text is expected, not {}", other.type_str()))),
            })
            .transpose()
    }

    pub fn need_text(&self, key: &str) -> Result<String> {
        self.text(key)?.ok_or_else(|| self.wrong(key, format!("`{key}` is missing")))
    }

    pub fn flag(&self, key: &str) -> Result<Option<bool>> {
        self.table
            .get(key)
            .map(|value| value.get_ref().as_bool().ok_or_else(|| self.wrong(key, "true or false is expected".to_owned())))
            .transpose()
    }

    /// One text or a list of them.
    pub fn texts(&self, key: &str) -> Result<Vec<String>> {
        self.scalars(key, false)
    }

    /// One value or a list of them, as the source would write them.
    pub fn words(&self, key: &str) -> Result<Vec<String>> {
        self.scalars(key, true)
    }

    pub fn scalars(&self, key: &str, any: bool) -> Result<Vec<String>> {
        let read = |value: &Value<'_>| match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Boolean(truth) if any => Some(truth.to_string()),
            DeValue::Integer(number) if any => Some(number.as_str().to_owned()),
            _ => None,
        };
        let texts: Option<Vec<String>> = self.values(key).into_iter().map(read).collect();
        texts.ok_or_else(|| self.wrong(key, "a text or a list of texts is expected".to_owned()))
    }

    pub fn path(&self, key: &str, text: &str, element: Option<&str>) -> Result<SourcePath> {
        SourcePath::parse(text, element).map_err(|problem| self.wrong(key, format!("`{text}`: {problem}")))
    }
}

pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

/// The known name that looks most like `word`, if any looks like it at all.
fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<String> {
    let near = |name: &&str| distance(word, name);
    known.min_by_key(near).filter(|name| distance(word, name) <= word.chars().count().div_ceil(2).min(4)).map(str::to_owned)
}

/// How many letters must change (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.to_lowercase().chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.iter().enumerate() {
            let change = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}
