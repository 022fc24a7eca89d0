//! A place in a source record: a JSONPath (RFC 9535), and the name under which coverage counts it.

use serde_json::Value;
use serde_json_path::JsonPath;

use crate::domain::source::SourceRecord;

/// Under which name coverage counts what an item hangs on.
const CONTEXT: &str = "context";

/// What a path starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// `$…`: the item's own fields.
    Fields,
    /// `$.context…`: what the item hangs on.
    Context,
    /// `@…`: the element at hand, inside a part that runs over `each`.
    Element,
}

/// A compiled path. Only names, indexes, slices, `[*]` and filters: a path names one place, so neither
/// `..` nor `.*` is taken.
#[derive(Debug, Clone)]
pub struct SourcePath {
    text: String,
    base: Base,
    query: JsonPath,
    name: String,
    filters: Vec<String>,
}

/// What a path is evaluated against.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub fields: &'a Value,
    pub context: &'a Value,
    pub element: Option<&'a Value>,
}

impl SourcePath {
    /// Reads a path. `element` is the name of the place that `@` stands for, inside a part with `each`.
    pub(super) fn parse(text: &str, element: Option<&str>) -> Result<Self, String> {
        let (base, query) = match (text.strip_prefix('@'), text.strip_prefix('$')) {
            (Some(_), _) if element.is_none() => return Err("`@` is used only inside a part that has `each`".to_owned()),
            (Some(rest), _) => (Base::Element, format!("${rest}")),
            (None, Some(rest)) => match rest.strip_prefix(".context") {
                Some(inner) if inner.is_empty() || inner.starts_with(['.', '[']) => (Base::Context, format!("${inner}")),
                _ => (Base::Fields, text.to_owned()),
            },
            (None, None) => return Err("a path begins with `$` (the item) or `@` (the element of `each`)".to_owned()),
        };
        let parsed = JsonPath::parse(&query).map_err(|error| format!("not a JSONPath: {error}"))?;
        let (name, filters) = names_of(&query)?;
        let above = match base {
            Base::Fields => "",
            Base::Context => CONTEXT,
            Base::Element => element.unwrap_or_default(),
        };
        let under = |name: String| match name.as_str() {
            _ if above.is_empty() => name,
            "" => above.to_owned(),
            list if list.starts_with('[') => format!("{above}{name}"),
            _ => format!("{above}.{name}"),
        };
        let filters = filters.into_iter().map(under).collect();
        Ok(Self { text: text.to_owned(), base, query: parsed, name: under(name), filters })
    }

    /// The nodes it selects, in the order of the document.
    pub(super) fn nodes<'a>(&self, scope: &Scope<'a>) -> Vec<&'a Value> {
        let root = match self.base {
            Base::Fields => Some(scope.fields),
            Base::Context => Some(scope.context),
            Base::Element => scope.element,
        };
        root.map(|root| self.query.query(root).all()).unwrap_or_default()
    }

    /// The path as it is written in the profile.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Its name in coverage, for example `steps[].title`.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The names that its filters read.
    pub(super) fn filter_names(&self) -> &[String] {
        &self.filters
    }
}

/// The coverage name of a query, and of the places that its filters read.
fn names_of(query: &str) -> Result<(String, Vec<String>), String> {
    let mut name = String::new();
    let mut filters = Vec::new();
    let mut rest = &query[1..];
    while !rest.is_empty() {
        if rest.starts_with("..") || rest.starts_with(".*") {
            return Err("`..` and `.*` are not taken: a path names one place".to_owned());
        }
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            push_name(&mut name, after[..end].trim());
            rest = &after[end..];
        } else if rest.starts_with('[') {
            let end = closing_bracket(rest).ok_or("a bracket is not closed")?;
            let inside = rest[1..end].trim();
            match inside.chars().next() {
                Some(quote @ ('\'' | '"')) => push_name(&mut name, inside.trim_matches(quote)),
                Some('?') => {
                    name.push_str("[]");
                    filters.extend(names_in_filter(inside).map(|field| format!("{name}.{field}")));
                }
                _ => name.push_str("[]"),
            }
            rest = &rest[end + 1..];
        } else {
            return Err(format!("cannot read `{rest}`"));
        }
    }
    Ok((name, filters))
}

fn push_name(name: &mut String, part: &str) {
    if !name.is_empty() {
        name.push('.');
    }
    name.push_str(part);
}

fn closing_bracket(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The fields that a filter such as `?@.active == true` looks at.
fn names_in_filter(filter: &str) -> impl Iterator<Item = String> {
    filter.split('@').skip(1).filter_map(|after| {
        let after = after.strip_prefix('.')?;
        let end = after.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(after.len());
        Some(after[..end].to_owned())
    })
}

/// The leaves of an item's fields and of what it hangs on, under their coverage names: scalars, and empty lists or objects.
pub(super) fn leaves(source: &SourceRecord, visit: &mut dyn FnMut(&str, &Value)) {
    leaves_under("", &source.fields, visit);
    if source.context.as_object().is_some_and(|context| !context.is_empty()) {
        leaves_under(CONTEXT, &source.context, visit);
    }
}

/// The leaves of a value that stands under a name.
pub(super) fn leaves_under(name: &str, value: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    fn walk(name: &mut String, value: &Value, visit: &mut dyn FnMut(&str, &Value)) {
        let length = name.len();
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (key, value) in fields {
                    push_name(name, key);
                    walk(name, value, visit);
                    name.truncate(length);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                name.push_str("[]");
                for item in items {
                    walk(name, item, visit);
                }
                name.truncate(length);
            }
            leaf => visit(name, leaf),
        }
    }
    walk(&mut name.to_owned(), value, visit);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn name(text: &str) -> String {
        SourcePath::parse(text, None).expect(text).name().to_owned()
    }

    #[test]
    fn a_path_has_one_name_in_coverage() {
        assert_eq!(name("$.title.translations[*].text"), "title.translations[].text");
        assert_eq!(name("$['title']['translations'][0]"), "title.translations[]");
        assert_eq!(name("$.context.process.id"), "context.process.id");
        assert_eq!(name("$.context"), "context");
        assert_eq!(name("$.contextual"), "contextual");
        let filtered = SourcePath::parse("$.steps[?@.active == true && @.title.locale != 'a]b'].id", None).expect("valid");
        assert_eq!(filtered.name(), "steps[].id");
        assert_eq!(filtered.filter_names(), ["steps[].active", "steps[].title.locale"]);
    }

    #[test]
    fn an_element_path_is_named_under_its_list() {
        let path = SourcePath::parse("@.name.translations", Some("taxonomies[]")).expect("valid");
        assert_eq!(path.name(), "taxonomies[].name.translations");
        assert!(SourcePath::parse("@.name", None).is_err());
    }

    #[test]
    fn a_path_that_names_many_places_is_refused() {
        for text in ["$..id", "$.*", "$.a.*", "title", "$.a[", ""] {
            assert!(SourcePath::parse(text, None).is_err(), "{text} was taken");
        }
    }

    #[test]
    fn every_leaf_is_visited_once_under_its_collapsed_name() {
        let mut seen = Vec::new();
        leaves_under("", &json!({"a": {"b": [{"c": 1}, {"c": 2}]}, "d": [], "e": null, "f": ["x"]}), &mut |name, _| {
            seen.push(name.to_owned());
        });
        leaves_under(CONTEXT, &json!({"g": {"id": 1}}), &mut |name, _| seen.push(name.to_owned()));
        assert_eq!(seen, ["a.b[].c", "a.b[].c", "d", "e", "f[]", "context.g.id"]);
    }
}
