//! The open-data archive as a witness: which ids the platform itself published.
//!
//! It is no source of content where the interface answers: the files hold unpublished answers, unpublished meetings
//! and comments under hidden proposals. Read are ids, the links between comments, of a comment its language and
//! the number of its author and, for coverage, the column names. Where the interface of a generation breaks, the
//! projects and the comments on results are read from here too (see `projects` and `comments`).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};

use bytes::Bytes;
use zip::ZipArchive;

use super::client::Polite;
use super::kind::Kind;
use super::rows::{Cells, CommentRow, ProjectRow, is_shown, origins, text};
use crate::connectors::ConnectorError;
use crate::outbound::{Limits, Redirects};

const PATH: &str = "/open-data/download";
/// Files in an archive; real ones have about twenty.
const MAX_FILES: usize = 200;
/// Bytes of all files together after unpacking.
const MAX_UNPACKED: u64 = 256 << 20;
/// Columns of a file; real ones have about eighty.
const MAX_COLUMNS: usize = 2_000;
/// Under which name the ids of all tables of comments are kept: the platform numbers them together.
pub(super) const COMMENTS: &str = "comments";

/// What the archive says, or why it says nothing.
#[derive(Debug, Clone)]
pub(super) enum OpenData {
    /// It was read.
    Read(Box<Witness>),
    /// The platform is only now producing it.
    Preparing,
    /// It cannot be used.
    Unusable(String),
}

/// The ids of an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Witness {
    ids: BTreeMap<String, BTreeSet<String>>,
    comments: BTreeMap<String, CommentRow>,
    projects: BTreeMap<String, ProjectRow>,
    /// The proposals that a result comes from.
    origins: BTreeMap<String, Vec<String>>,
    hidden: BTreeSet<(String, String)>,
    columns: BTreeMap<String, Vec<String>>,
}

/// Why an archive was not used.
#[derive(Debug, thiserror::Error)]
enum ArchiveError {
    #[error("it is not a zip archive that can be read ({0})")]
    Zip(#[from] zip::result::ZipError),
    #[error("a table in it cannot be read ({0})")]
    Table(#[from] csv::Error),
    #[error("it holds more than {0}")]
    TooMuch(&'static str),
}

impl OpenData {
    /// Downloads the archive. Asking for it makes the platform produce it when there is none.
    pub(super) async fn download(polite: &Polite) -> Result<Self, ConnectorError> {
        let response = match polite.fetch(PATH, Limits::DOWNLOAD, Redirects::SameOrigin(4)).await {
            Ok(response) => response,
            Err(ConnectorError::Unreachable { source, .. }) if !source.is_transient() => {
                return Ok(Self::Unusable(format!("the open data cannot be downloaded: {source}")));
            }
            Err(ConnectorError::Failing { status, .. }) if status != 429 => {
                return Ok(Self::Unusable(format!("the open data cannot be downloaded: status {status}")));
            }
            Err(error) => return Err(error),
        };
        let login = super::client::leads_to_login(response.url.path());
        Ok(match response.status.as_u16() {
            _ if login => Self::Unusable("the open data want a login".to_owned()),
            200 if response.body.starts_with(b"PK") => Self::unpack(response.body).await,
            // Back at a page: the platform has begun to produce the file.
            200 if response.url.path() != PATH => Self::Preparing,
            200 => Self::Unusable("the open data are not a zip archive".to_owned()),
            status => Self::Unusable(format!("the open data cannot be downloaded: status {status}")),
        })
    }

    async fn unpack(body: Bytes) -> Self {
        match tokio::task::spawn_blocking(move || Witness::from_archive(&body)).await {
            Ok(Ok(witness)) => Self::Read(Box::new(witness)),
            Ok(Err(error)) => Self::Unusable(format!("the open data are unusable: {error}")),
            Err(_) => Self::Unusable("the open data could not be unpacked".to_owned()),
        }
    }

    pub(super) fn witness(&self) -> Option<&Witness> {
        if let Self::Read(witness) = self { Some(witness) } else { None }
    }

    /// Why there is no witness.
    pub(super) fn silence(&self) -> String {
        match self {
            Self::Read(_) => String::new(),
            Self::Preparing => "the platform is producing its open data; the next run will use them".to_owned(),
            Self::Unusable(reason) => reason.clone(),
        }
    }
}

impl Witness {
    /// Whether a file lists an id; `None` when there is no such file.
    pub(super) fn lists(&self, file: &str, id: &str) -> Option<bool> {
        self.ids.get(file).map(|ids| ids.contains(id))
    }

    /// Whether the platform says that a thing was hidden by moderation.
    pub(super) fn hidden_ids(&self, class: &str) -> impl Iterator<Item = &str> {
        self.hidden.iter().filter(move |(of, _)| of == class).map(|(_, id)| id.as_str())
    }

    /// The comments on a thing, the nearest first.
    pub(super) fn comments_on(&self, kind: Kind, id: &str) -> Vec<&CommentRow> {
        let on = |row: &&CommentRow| row.root.as_ref().is_some_and(|(of, root)| *of == kind && root == id);
        let mut rows: Vec<_> = self.comments.values().filter(on).collect();
        rows.sort_by_key(|row| (row.depth, row.id.len(), row.id.clone()));
        rows
    }

    /// One comment.
    pub(super) fn comment(&self, id: &str) -> Option<&CommentRow> {
        self.comments.get(id)
    }

    /// The ballots of a component on which projects stand.
    pub(super) fn ballots_of<'a>(&'a self, component: &'a str) -> impl Iterator<Item = &'a str> {
        self.projects.values().filter(move |row| row.component == component).map(|row| row.budget.as_str())
    }

    /// The projects of a ballot.
    pub(super) fn projects_of<'a>(&'a self, component: &'a str, budget: &'a str) -> impl Iterator<Item = &'a ProjectRow> {
        self.projects.values().filter(move |row| row.component == component && row.budget == budget)
    }

    /// The proposals that a result comes from.
    pub(super) fn origins_of(&self, result: &str) -> &[String] {
        self.origins.get(result).map_or(&[], Vec::as_slice)
    }

    /// The columns of each file.
    pub(super) const fn columns(&self) -> &BTreeMap<String, Vec<String>> {
        &self.columns
    }

    fn from_archive(body: &[u8]) -> Result<Self, ArchiveError> {
        let mut archive = ZipArchive::new(Cursor::new(body))?;
        if archive.len() > MAX_FILES {
            return Err(ArchiveError::TooMuch("200 files"));
        }
        let mut witness = Self::default();
        let mut left = MAX_UNPACKED;
        for index in 0..archive.len() {
            let entry = archive.by_index(index)?;
            let Some(name) = entry.name().ok().and_then(|name| table_name(&name)) else { continue };
            // What the archive states about sizes is not believed: counted is what comes out.
            let mut counted = entry.take(left);
            witness.read_table(&name, &mut counted)?;
            left = counted.limit();
            if left == 0 {
                return Err(ArchiveError::TooMuch("256 MiB"));
            }
        }
        Ok(witness)
    }

    fn read_table(&mut self, name: &str, source: impl Read) -> Result<(), ArchiveError> {
        let mut table = csv::ReaderBuilder::new().delimiter(b';').flexible(true).from_reader(source);
        let headers = table.byte_headers()?.clone();
        if headers.len() > MAX_COLUMNS {
            return Err(ArchiveError::TooMuch("2000 columns"));
        }
        let columns: Vec<String> = headers.iter().map(text).collect();
        let commented = Kind::ALL.into_iter().find(|kind| kind.comment_table() == Some(name));
        let mut row = csv::ByteRecord::new();
        while table.read_byte_record(&mut row)? {
            let cells = Cells { columns: &columns, row: &row };
            if name == "moderations" {
                let (class, hidden) = (cells.get("reportable_type"), cells.get("hidden_at"));
                if let (Some(class), Some(id), Some(_)) = (class, cells.get("reportable_id"), hidden) {
                    self.hidden.insert((class, id));
                }
                continue;
            }
            let Some(id) = cells.get("id").filter(|id| is_number(id) && is_shown(name, &cells)) else { continue };
            if let Some(kind) = commented {
                self.comments.insert(id.clone(), CommentRow::read(kind, id.clone(), &cells));
            }
            if name == "results" {
                self.origins.insert(id.clone(), origins(&cells));
            }
            if name == "projects" {
                self.projects.extend(ProjectRow::read(id.clone(), &cells).map(|project| (id.clone(), project)));
            }
            let table = if commented.is_some() { COMMENTS } else { name };
            self.ids.entry(table.to_owned()).or_default().insert(id);
        }
        let table = if commented.is_some() { COMMENTS } else { name };
        self.ids.entry(table.to_owned()).or_default();
        self.columns.insert(name.to_owned(), columns);
        Ok(())
    }
}

/// A number of the platform, short enough to be one.
pub(super) fn is_number(id: &str) -> bool {
    (1..=18).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// `proposals` of `lyon.example-open-data-proposals.csv`.
fn table_name(entry: &str) -> Option<String> {
    let stem = entry.strip_suffix(".csv")?;
    let name = stem.rsplit_once("-open-data-").map_or(stem, |(_, name)| name);
    let plain = name.len() <= 60 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    plain.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn ids_and_the_places_of_comments_are_read_and_nothing_else() {
        let comments = "id;created_at;body;author/id;author/name;depth;commentable_id;commentable_type;root_commentable_url\n\
            5;x;\"secret;\nwords\";3;Nora;0;2;Decidim::Proposals::Proposal;http://h.example/processes/p/f/1/proposals/2\n\
            6;x;reply;;;1;5;Decidim::Comments::Comment;http://h.example/processes/p/f/1/proposals/2?x=1\n\
            x;y;not a number;;;;;;\n";
        let moderations = "id;hidden_at;reportable_type;reportable_id;reported_content\n\
            1;2026-11-01;Decidim::Proposals::Proposal;8;bad words\n2;;Decidim::Proposals::Proposal;9;reported only\n";
        let zip = archive(&[
            ("h.example-open-data-proposals.csv", "\u{feff}id;title/fr\n1;Un\n2;Deux\n".as_bytes()),
            ("h.example-open-data-proposal_comments.csv", comments.as_bytes()),
            ("h.example-open-data-moderations.csv", moderations.as_bytes()),
            ("README.md", b"# columns"),
        ]);
        let witness = Witness::from_archive(&zip).unwrap();
        assert_eq!(witness.lists("proposals", "2"), Some(true));
        assert_eq!(witness.lists("proposals", "3"), Some(false));
        assert_eq!(witness.lists("participatory_processes", "1"), None);
        assert_eq!(witness.hidden_ids("Decidim::Proposals::Proposal").collect::<Vec<_>>(), ["8"]);
        let places: Vec<_> =
            witness.comments_on(Kind::Proposals, "2").iter().map(|row| (row.id.as_str(), row.parent.as_deref())).collect();
        assert_eq!(places, [("5", None), ("6", Some("5"))]);
        assert_eq!(witness.comment("5").unwrap().author.as_deref(), Some("3"));
        for said in ["secret", "bad", "Nora"] {
            assert!(!format!("{witness:?}").contains(said), "{said}");
        }
        assert_eq!(witness.columns()["proposals"], ["id", "title/fr"]);
    }

    #[test]
    fn a_zip_bomb_is_dropped_and_not_unpacked_to_the_end() {
        let row = vec![b'1'; 1 << 20];
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("h-open-data-proposals.csv", SimpleFileOptions::default()).unwrap();
        writer.write_all(b"id\n").unwrap();
        for _ in 0..300 {
            writer.write_all(&row).unwrap();
            writer.write_all(b"\n").unwrap();
        }
        let zip = writer.finish().unwrap().into_inner();
        assert!(zip.len() < 2 << 20, "{} bytes", zip.len());
        assert!(matches!(Witness::from_archive(&zip), Err(ArchiveError::TooMuch("256 MiB"))));
    }

    #[test]
    fn what_is_no_archive_is_an_error_and_no_panic() {
        for body in [&b"PK"[..], b"PK\x03\x04", b"", b"<html>"] {
            assert!(Witness::from_archive(body).is_err());
        }
        let many: Vec<(String, &[u8])> = (0..201).map(|n| (format!("{n}.csv"), &b"id\n"[..])).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|(name, content)| (name.as_str(), *content)).collect();
        assert!(matches!(Witness::from_archive(&archive(&many)), Err(ArchiveError::TooMuch("200 files"))));
    }
}
