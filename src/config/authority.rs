use std::collections::BTreeMap;

use serde::Deserialize;
use url::Url;

use crate::domain::authority::{AuthorityKind, Identifier};
use crate::domain::text::{LanguageTag, Localized, PlainText};

/// `[authority]`: the public body this gateway speaks for.
#[derive(Debug, Clone, Deserialize)]
pub struct Authority {
    /// Its name in each language, `{ fr = "Ville de Lyon", en = "City of Lyon" }`.
    pub name: BTreeMap<LanguageTag, PlainText>,
    /// Official numbers, `["siren:216901231"]`.
    #[serde(deserialize_with = "identifiers")]
    pub identifiers: Vec<Identifier>,
    /// The short name of its account; without it, the first label of the public host.
    pub handle: Option<String>,
    /// What sort of body it is.
    #[serde(default = "municipality")]
    pub kind: AuthorityKind,
    /// The time zone in which its pages show dates.
    #[serde(default = "paris")]
    pub zone: String,
    /// Where citizens exercise their rights; without it, the page /donnees-personnelles.
    pub rights_contact: Option<Url>,
}

impl Authority {
    /// Its name as a localised text.
    #[must_use]
    pub fn localized_name(&self) -> Option<Localized<PlainText>> {
        Localized::new(self.name.clone())
    }
}

fn municipality() -> AuthorityKind {
    AuthorityKind::Municipality
}

fn paris() -> String {
    "Europe/Paris".to_owned()
}

fn identifiers<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Identifier>, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    let parsed = words.into_iter().map(|word| match word.split_once(':') {
        Some((scheme, notation)) if !scheme.is_empty() && !notation.is_empty() => {
            Ok(Identifier { scheme: scheme.to_ascii_lowercase(), notation: notation.to_owned() })
        }
        _ => Err(serde::de::Error::custom(format!("`{word}` is not `register:number`, for example `siren:216901231`"))),
    });
    parsed.collect()
}
