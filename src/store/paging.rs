//! Pages of long lists: by key, never by offset, so that a list that moves loses nothing and doubles
//! nothing, and the last page costs as much as the first.

use std::fmt;
use std::str::FromStr;

use crate::domain::Timestamp;

/// In which order a list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Latest publication first.
    #[default]
    Newest,
    /// Earliest publication first.
    Oldest,
    /// By address.
    ById,
}

/// Where the next page begins; opaque to everybody outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub(super) at: Timestamp,
    pub(super) id: String,
}

/// Not a cursor that we handed out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not a place in a list of ours")]
pub struct NotACursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{} {}", self.at.micros(), self.id);
        f.write_str(&data_encoding::BASE64URL_NOPAD.encode(text.as_bytes()))
    }
}

impl FromStr for Cursor {
    type Err = NotACursor;
    fn from_str(text: &str) -> Result<Self, NotACursor> {
        if text.len() > 3000 {
            return Err(NotACursor);
        }
        let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| NotACursor)?;
        let text = String::from_utf8(bytes).map_err(|_| NotACursor)?;
        let (micros, id) = text.split_once(' ').ok_or(NotACursor)?;
        let at = micros.parse().ok().and_then(Timestamp::from_micros).ok_or(NotACursor)?;
        if id.is_empty() || id.contains('\0') { Err(NotACursor) } else { Ok(Self { at, id: id.to_owned() }) }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next one begins; none on the last page.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Cuts `rows`, of which one more than `limit` was asked for, to a page.
    pub(super) fn cut(mut rows: Vec<(Timestamp, String, T)>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(|(at, id, _)| Cursor { at: *at, id: id.clone() }) } else { None };
        Self { items: rows.into_iter().map(|(_, _, item)| item).collect(), next }
    }
}

/// Appends `ORDER BY … LIMIT` (and the condition that skips what came before) to a query over a table
/// with `dated_at` and `id`.
macro_rules! push_page {
    ($query:expr, $order:expr, $after:expr, $limit:expr) => {{
        let (comparison, ordering) = match $order {
            $crate::store::Order::Newest => (" AND (dated_at, id) < (", " ORDER BY dated_at DESC, id DESC"),
            $crate::store::Order::Oldest => (" AND (dated_at, id) > (", " ORDER BY dated_at, id"),
            $crate::store::Order::ById => (" AND id > ", " ORDER BY id"),
        };
        if let Some(after) = $after {
            $query.push(comparison);
            if $order != $crate::store::Order::ById {
                $query.push_bind(after.at).push(", ");
            }
            $query.push_bind(&after.id);
            if $order != $crate::store::Order::ById {
                $query.push(")");
            }
        }
        $query.push(ordering).push(" LIMIT ").push_bind(i64::from($limit) + 1);
    }};
}
pub(super) use push_page;

/// Appends the conditions of a [`RecordQuery`](super::RecordQuery) to a query whose text ends in a
/// condition.
macro_rules! push_conditions {
    ($query:expr, $filter:expr) => {{
        if !$filter.classes.is_empty() {
            $query.push(" AND class IN (");
            let mut list = $query.separated(", ");
            for class in &$filter.classes {
                list.push_bind(*class);
            }
            $query.push(")");
        }
        if let Some(process) = &$filter.process {
            $query.push(" AND process = ").push_bind(process);
        }
        if let Some(parent) = &$filter.parent {
            $query.push(" AND parent = ").push_bind(parent);
        }
        if let Some(named) = &$filter.naming {
            // Both databases write an address in JSON as it is.
            $query.push(" AND REPLACE(CAST(record -> 'body' AS TEXT), ").push_bind(format!("\"{named}\""));
            $query.push(", '') <> CAST(record -> 'body' AS TEXT)");
        }
        if let Some(day) = &$filter.due_by {
            $query.push(" AND record -> 'body' ->> 'state' NOT IN ('done', 'abandoned')");
            $query.push(" AND record -> 'body' ->> 'due' <= ").push_bind(day.to_string());
        }
        if $filter.visible_only {
            $query.push(" AND standing = 'live'");
        }
    }};
}
pub(super) use push_conditions;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_garbage_is_refused() {
        let cursor = Cursor { at: Timestamp::from_micros(-5).expect("a time"), id: "https://b.example/x y".to_owned() };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "%%%", "AAAA", &"A".repeat(5000)] {
            assert_eq!(text.parse::<Cursor>(), Err(NotACursor), "{text}");
        }
    }
}
