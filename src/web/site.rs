//! What the pages need to know about the city beyond its records: how it speaks, whom the law wants
//! named, where the source code is. Read from the configuration by `app`.

use jiff::tz::TimeZone;
use url::Url;

use super::language::Language;

/// Facts about one installation.
#[derive(Debug, Clone)]
pub struct Site {
    /// The interface language when a reader states none.
    pub language: Language,
    /// The zone in which instants are shown.
    pub zone: TimeZone,
    /// The platforms that are read, for "take part" links and for the notice of an incomplete reading.
    pub platforms: Vec<PlatformFacts>,
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
    /// A site with nothing but a language and a zone.
    #[must_use]
    pub fn new(language: Language, zone: TimeZone) -> Self {
        Self { language, zone, platforms: Vec::new(), legal: Legal::default(), source: SourceCode::default() }
    }
}
