//! What the pages need to know about the city beyond its records: how it speaks, whom the law wants
//! named, where the source code is. Read from the configuration by `app`.

use jiff::ToSpan as _;
use jiff::tz::TimeZone;
use url::Url;

use super::language::Language;
use crate::domain::calendar::Day;
use crate::domain::time::Timestamp;

/// Facts about one installation.
#[derive(Debug, Clone)]
pub struct Site {
    /// The languages of the interface; the first is taken when a reader states none.
    pub languages: Vec<Language>,
    /// The zone in which instants are shown.
    pub zone: TimeZone,
    /// The platforms that are read, for "take part" links and for the notice of an incomplete reading.
    pub platforms: Vec<PlatformFacts>,
    /// The accessibility audit of this site.
    pub audit: Option<Audit>,
    /// What the law wants named; what is absent is shown as "to be completed".
    pub legal: Legal,
    /// The source code of what runs here (AGPL §13).
    pub source: SourceCode,
}

/// One platform of the city.
#[derive(Debug, Clone)]
pub struct PlatformFacts {
    /// Its configured name.
    pub name: crate::domain::PlatformName,
    /// Its public address.
    pub url: Url,
}

/// What an accessibility audit of this site found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// Its result.
    pub result: Conformity,
    /// Its day.
    pub day: Day,
    /// Where it is published.
    pub report: Option<Url>,
}

/// The three mentions that the law knows (decree 2019-768, art. 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conformity {
    /// Every criterion is kept.
    Full,
    /// At least half of them are.
    Partial,
    /// Fewer, or nobody knows.
    None,
}

impl Conformity {
    /// The text of the mention.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Full => "a11y-full",
            Self::Partial => "a11y-partial",
            Self::None => "a11y-none",
        }
    }
}

/// For so many years a declaration of accessibility stands.
const AUDIT_YEARS: i16 = 3;

impl Audit {
    /// Whether it still counts on a day.
    #[must_use]
    pub fn counts_on(&self, today: Day) -> bool {
        self.day.date().checked_add(AUDIT_YEARS.years()).is_ok_and(|end| today.date() < end)
    }
}

/// The names and addresses of the legal notice (LCEN art. 6 III, as the ministerial answer of
/// 17 March 2023 lists them).
#[derive(Debug, Clone, Default)]
pub struct Legal {
    /// Who publishes, when other than the authority's own name.
    pub publisher: Option<String>,
    /// The director of publication.
    pub director: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// Telephone.
    pub telephone: Option<String>,
    /// An e-mail address or a form for readers.
    pub contact: Option<String>,
    /// Who hosts.
    pub host: Option<String>,
    /// An address for reports of security holes, for `security.txt`.
    pub security_contact: Option<String>,
}

/// Where the source code of the running program is.
#[derive(Debug, Clone)]
pub struct SourceCode {
    /// The repository, where the city names one; the archive is offered in any case.
    pub repository: String,
    /// The commit, when the build knows it.
    pub commit: Option<String>,
    /// The version of the package.
    pub version: &'static str,
}

/// The source code that this very program was built from, as a tar archive.
pub const SOURCE_ARCHIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/source.tar"));

impl Default for SourceCode {
    fn default() -> Self {
        Self {
            repository: String::new(),
            commit: option_env!("PASSERELLE_COMMIT").map(str::to_owned),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

impl Site {
    /// A site with nothing but languages and a zone.
    #[must_use]
    pub fn new(languages: impl Into<Vec<Language>>, zone: TimeZone) -> Self {
        Self {
            languages: languages.into(),
            zone,
            platforms: Vec::new(),
            audit: None,
            legal: Legal::default(),
            source: SourceCode::default(),
        }
    }

    /// The language of the interface when a reader states none.
    #[must_use]
    pub fn language(&self) -> Language {
        self.languages.first().copied().unwrap_or(Language::French)
    }

    /// The mention that this site may make at an instant: without an audit that counts, not compliant.
    #[must_use]
    pub fn conformity(&self, now: Timestamp) -> Conformity {
        let today = Day::of(now, &self.zone);
        let counts = self.audit.as_ref().filter(|audit| today.is_some_and(|today| audit.counts_on(today)));
        counts.map_or(Conformity::None, |audit| audit.result)
    }
}
