//! What is kept of a row of the open data.

use serde_json::{Value, json};

use super::comments::CLASS;
use super::kind::Kind;
use super::open_data::is_number;

/// The cells of a row by the names of their columns, as far as they are not empty.
pub(super) struct Cells<'a> {
    pub(super) columns: &'a [String],
    pub(super) row: &'a csv::ByteRecord,
}

impl Cells<'_> {
    pub(super) fn get(&self, column: &str) -> Option<String> {
        let at = self.columns.iter().position(|name| name == column)?;
        self.row.get(at).map(text).filter(|cell| !cell.is_empty())
    }

    fn number(&self, column: &str) -> Option<String> {
        self.get(column).filter(|cell| is_number(cell))
    }

    /// The cells `NAME/LANGUAGE` as the interface writes translations; null when there are none.
    fn texts(&self, name: &str) -> Value {
        let texts = self.columns.iter().filter_map(|column| {
            let locale = column.strip_prefix(name)?.strip_prefix('/')?;
            let text = self.get(column).filter(|_| (2..=35).contains(&locale.len()) && !locale.contains('/'))?;
            Some(json!({ "locale": locale, "text": unguarded(&text), "machineTranslated": false }))
        });
        let texts: Vec<Value> = texts.collect();
        if texts.is_empty() { Value::Null } else { json!({ "translations": texts }) }
    }

    /// The term in the columns `NAME/id` and `NAME/name/LANGUAGE`.
    fn term(&self, name: &str) -> Value {
        let name_of = || self.texts(&format!("{name}/name"));
        self.number(&format!("{name}/id")).map_or(Value::Null, |id| json!({ "id": id, "name": name_of() }))
    }

    /// An instant as the interface writes it; the tables write `2026-11-24 00:43:46 UTC` or `… +0100`.
    fn instant(&self, column: &str) -> Option<String> {
        let cell = self.get(column)?.replace(" UTC", " +0000");
        let at = jiff::fmt::strtime::parse("%Y-%m-%d %H:%M:%S %z", &cell).ok()?.to_timestamp().ok()?;
        Some(at.to_string())
    }
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_start_matches('\u{feff}').to_owned()
}

/// A text without the apostrophe that keeps spreadsheets from running it.
fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(text)
}

/// Where a comment stands; of one on a result also what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CommentRow {
    pub(super) id: String,
    /// The number of its author's account.
    pub(super) author: Option<String>,
    /// The comment it replies to.
    pub(super) parent: Option<String>,
    /// What it hangs on, at the root of the discussion.
    pub(super) root: Option<(Kind, String)>,
    /// The language it was written in: the interface does not tell it.
    pub(super) language: Option<String>,
    pub(super) depth: u32,
    /// Its words, where the interface breaks when it is asked for them.
    pub(super) words: Option<Words>,
}

/// What a comment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    body: String,
    created: Option<String>,
    alignment: Option<i64>,
}

impl CommentRow {
    pub(super) fn read(kind: Kind, id: String, cells: &Cells<'_>) -> Self {
        let is_reply = cells.get("commentable_type").as_deref() == Some(CLASS);
        let words = || {
            let body = unguarded(&cells.get("body")?).to_owned();
            let alignment = cells.get("alignment").and_then(|alignment| alignment.parse().ok());
            Some(Words { body, created: cells.instant("created_at"), alignment })
        };
        Self {
            id,
            author: cells.number("author/id"),
            parent: cells.number("commentable_id").filter(|_| is_reply),
            root: cells.get("root_commentable_url").and_then(|url| Some((kind, root_in(kind, &url)?))),
            language: cells.get("locale").filter(|tag| (2..=35).contains(&tag.len())),
            depth: cells.get("depth").and_then(|depth| depth.parse().ok()).unwrap_or_default(),
            words: if kind == Kind::Results { words() } else { None },
        }
    }

    /// The comment under the names of the interface, as far as the table knows it.
    pub(super) fn as_fields(&self) -> Option<Value> {
        let Words { body, created, alignment } = self.words.as_ref()?;
        Some(json!({ "id": self.id, "body": body, "createdAt": created, "alignment": alignment }))
    }
}

/// A project. Its votes are left out: this table tells them also while the platform hides them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProjectRow {
    pub(super) id: String,
    pub(super) component: String,
    pub(super) budget: String,
    fields: Value,
}

impl ProjectRow {
    pub(super) fn read(id: String, cells: &Cells<'_>) -> Option<Self> {
        let number = |column: &str| cells.get(column).and_then(|cell| cell.parse::<u64>().ok());
        let related = cells.get("related_proposals").unwrap_or_default();
        let related: Vec<Value> =
            related.split(',').map(str::trim).filter(|id| is_number(id)).map(|id| json!({ "id": id })).collect();
        let fields = json!({
            "id": id,
            "title": cells.texts("title"),
            "description": cells.texts("description"),
            "budget_amount": number("budget_amount"),
            "relatedProposals": related,
            "category": cells.term("category"),
            "scope": cells.term("scope"),
            "createdAt": cells.instant("created_at"),
            "totalCommentsCount": number("comments"),
        });
        Some(Self { id, component: cells.number("component/id")?, budget: cells.number("budget/id")?, fields })
    }

    /// The project under the names of the interface.
    pub(super) fn as_fields(&self) -> Value {
        self.fields.clone()
    }
}

/// Whether a row is of something that is shown to everybody. The table of meetings holds unpublished ones too, and says so.
pub(super) fn is_shown(table: &str, cells: &Cells<'_>) -> bool {
    let says = |column: &str, word: &str| cells.get(column).as_deref() == Some(word);
    table != "meetings" || says("published", "true") && !says("private_meeting", "true")
}

/// The proposals whose addresses stand in a row about a result.
pub(super) fn origins(cells: &Cells<'_>) -> Vec<String> {
    let addresses = cells.get("proposal_urls").unwrap_or_default();
    addresses.split(',').filter_map(|address| root_in(Kind::Proposals, address.trim())).collect()
}

/// The id at the end of the address of what is discussed.
fn root_in(kind: Kind, url: &str) -> Option<String> {
    let (_, rest) = url.rsplit_once(&format!("/{}/", kind.list()))?;
    let id: String = rest.chars().take_while(char::is_ascii_digit).collect();
    is_number(&id).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells<T>(header: &str, row: &str, look: impl FnOnce(&Cells<'_>) -> T) -> T {
        let columns: Vec<String> = header.split(';').map(str::to_owned).collect();
        let row = csv::ByteRecord::from(row.split(';').collect::<Vec<_>>());
        look(&Cells { columns: &columns, row: &row })
    }

    #[test]
    fn a_project_of_the_table_reads_like_one_of_the_interface() {
        let header = "id;category/id;category/name/fr;scope/id;component/id;title/fr;title/en;budget/id;budget_amount;confirmed_votes;created_at;related_proposals";
        let row = "1;6;Nature en ville;;10;'=Jardin;;2;45000;31;2026-11-24 00:43:46 UTC;91, 92, x";
        let project = cells(header, row, |cells| ProjectRow::read("1".to_owned(), cells)).unwrap();
        assert_eq!((project.component.as_str(), project.budget.as_str()), ("10", "2"));
        let fields = project.as_fields();
        assert_eq!(fields["title"]["translations"][0], json!({ "locale": "fr", "text": "=Jardin", "machineTranslated": false }));
        assert_eq!(fields["title"]["translations"].as_array().map(Vec::len), Some(1));
        assert_eq!(fields["category"]["id"], "6");
        assert_eq!(fields["scope"], Value::Null);
        assert_eq!(fields.get("confirmedVotes"), None, "the table tells the votes also while the platform hides them");
        assert_eq!(fields["createdAt"], "2026-11-24T00:43:46Z");
        assert_eq!(fields["relatedProposals"], json!([{ "id": "91" }, { "id": "92" }]));
    }

    #[test]
    fn only_comments_on_results_are_kept_with_their_words() {
        let header = "created_at;body;alignment;commentable_id;commentable_type;root_commentable_url";
        let row = "2026-11-24 07:00:00 +0100;secret words;1;4;Decidim::Comments::Comment;http://h.example/p/f/4/results/7?x=1";
        let of = |kind| cells(header, row, |cells| CommentRow::read(kind, "9".to_owned(), cells));
        let result = of(Kind::Results);
        assert_eq!(result.root, Some((Kind::Results, "7".to_owned())));
        let fields = result.as_fields().unwrap();
        assert_eq!(fields, json!({ "id": "9", "body": "secret words", "createdAt": "2026-11-24T06:00:00Z", "alignment": 1 }));
        let meeting = of(Kind::Meetings);
        assert!(meeting.as_fields().is_none() && meeting.root.is_none() && !format!("{meeting:?}").contains("secret"));
    }

    #[test]
    fn an_unpublished_or_private_meeting_in_the_table_proves_nothing() {
        let header = "id;published;private_meeting";
        for (row, shown) in
            [("1;true;false", true), ("1;true;", true), ("1;false;false", false), ("1;true;true", false), ("1;;", false)]
        {
            assert_eq!(cells(header, row, |cells| is_shown("meetings", cells)), shown, "{row}");
            assert!(cells(header, row, |cells| is_shown("proposals", cells)));
        }
    }
}
