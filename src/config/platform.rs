use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use super::duration::Period;
use crate::domain::PlatformName;

/// `[[platform]]`: a participation platform that this gateway reads.
#[derive(Debug, Clone, Deserialize)]
pub struct Platform {
    /// Its name here; part of every id, so it never changes.
    pub name: PlatformName,
    /// Its software: `decidim`.
    pub kind: String,
    /// Its public address.
    pub url: Url,
    /// The mapping profile's file; without it, the built-in one of its kind.
    pub profile: Option<PathBuf>,
    /// How often `serve` reads it.
    #[serde(default = "quarter_hour")]
    pub every: Period,
    /// How politely: requests per second.
    #[serde(default = "one")]
    pub requests_per_second: f64,
    /// Whether what is read is published. `false` until a person has seen the preview and said yes.
    #[serde(default = "yes")]
    pub publish: bool,
    /// The licence of its content; without it, the profile's.
    pub licence: Option<Url>,
}

fn quarter_hour() -> Period {
    Period::minutes(15)
}

fn one() -> f64 {
    1.0
}

fn yes() -> bool {
    true
}
