//! `passerelle.toml`, read and checked before anything starts. A missing required key or an unknown key
//! is an error that names the file, the line and the nearest key; a retired key warns and names its
//! successor (architecture §6, interface.md §8). Precedence: environment > file > built-in.

mod authority;
pub(crate) mod check;
mod duration;
mod error;
mod platform;
mod server;
mod site;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use authority::Authority;
pub use duration::Period;
pub use error::{ConfigError, Place};
pub use platform::Platform;
pub use server::{Backup, Database, Delivery, Inbox, Outbound, Secrets, Server};
pub use site::{Audit, AuditResult, Legal, Site};

/// Everything a gateway is told.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// The public body this gateway speaks for.
    pub authority: Authority,
    /// Where it listens and what its public address is.
    pub server: Server,
    /// How much partners may send.
    #[serde(default)]
    pub inbox: Inbox,
    /// Where its records are kept.
    pub database: Database,
    /// Where the key that seals private keys lies.
    #[serde(default)]
    pub secrets: Secrets,
    /// The participation platforms it reads.
    #[serde(default)]
    pub platform: Vec<Platform>,
    /// How it delivers to partners.
    #[serde(default)]
    pub delivery: Delivery,
    /// Which machines it may talk to.
    #[serde(default)]
    pub outbound: Outbound,
    /// Backups, which are part of erasure.
    #[serde(default)]
    pub backup: Backup,
    /// What the public pages say about the city.
    #[serde(default)]
    pub site: Site,
    /// The file it was read from.
    #[serde(skip)]
    pub path: PathBuf,
    /// Sentences for the log: retired keys and the like.
    #[serde(skip)]
    pub warnings: Vec<String>,
    /// The file's text, for errors that show only when a setting is used.
    #[serde(skip)]
    text: String,
    /// Settings that the environment replaced.
    #[serde(skip)]
    replaced: Vec<(String, String)>,
}

impl Config {
    /// Reads and checks the file; environment variables `PASSERELLE_SECTION__KEY` go over it.
    ///
    /// # Errors
    /// [`ConfigError`] says which key in which line and what to do.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, &error))?;
        let overrides = std::env::vars().filter_map(|(name, value)| {
            let (section, key) = name.strip_prefix("PASSERELLE_")?.split_once("__")?;
            Some((section.to_ascii_lowercase(), key.to_ascii_lowercase(), value))
        });
        Self::parse(path, &text, overrides)
    }

    /// The same for a text at hand; `overrides` are (section, key, value).
    ///
    /// # Errors
    /// As for [`Config::load`].
    pub fn parse(
        path: &Path,
        text: &str,
        overrides: impl IntoIterator<Item = (String, String, String)>,
    ) -> Result<Self, ConfigError> {
        let (mut table, warnings) = check::document(path, text)?;
        let mut replaced = Vec::new();
        for (section, key, value) in overrides {
            check::override_key(path, &mut table, &section, &key, &value)?;
            replaced.push((section, key));
        }
        let mut config: Self = table.try_into().map_err(|error: toml::de::Error| {
            // Read again from the text: only that reader knows in which line a value stands.
            match toml::from_str::<Self>(text) {
                Err(placed) => ConfigError::of_value(path, text, &placed),
                Ok(_) => ConfigError::of_environment(&replaced, &error),
            }
        })?;
        path.clone_into(&mut config.path);
        text.clone_into(&mut config.text);
        config.replaced = replaced;
        config.warnings = warnings;
        config.verify(text)?;
        Ok(config)
    }

    /// The platform of this name.
    ///
    /// # Errors
    /// When no `[[platform]]` has it; the error lists those that exist.
    pub fn platform(&self, name: &str) -> Result<&Platform, ConfigError> {
        self.platform.iter().find(|platform| platform.name.as_str() == name).ok_or_else(|| {
            let known: Vec<_> = self.platform.iter().map(|platform| format!("`{}`", platform.name)).collect();
            ConfigError::new("config.no-such-platform", format!("there is no platform `{name}` in {}", self.path.display())).help(
                if known.is_empty() {
                    "add a [[platform]] with name, kind and url".to_owned()
                } else {
                    format!("known: {}", known.join(", "))
                },
            )
        })
    }

    /// A setting that turns out wrong only when it is used: the same sort of error as all others. `value` tells
    /// apart keys of one name in several tables.
    #[must_use]
    pub fn wrong(&self, code: &'static str, setting: &str, value: &str, message: &str, help: &str) -> ConfigError {
        let (section, key) = setting.split_once('.').unwrap_or(("", setting));
        if self.replaced.iter().any(|(other, name)| other == section && name == key) {
            let message = format!("{message} (set by {})", error::variable(section, key));
            return ConfigError::new(code, message).help(help);
        }
        ConfigError::new(code, message).at(check::place_of_value(&self.path, &self.text, setting, value)).help(help)
    }

    /// What the types alone cannot say.
    fn verify(&self, text: &str) -> Result<(), ConfigError> {
        let at = |setting: &str| check::place_of_value(&self.path, text, setting, "");
        if self.authority.name.is_empty() {
            return Err(ConfigError::new("config.empty", "`authority.name` is empty")
                .at(at("authority.name"))
                .help("write name = { fr = \"Ville de …\" }"));
        }
        let url = &self.server.public_url;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || url.path() != "/" || url.query().is_some() {
            return Err(ConfigError::new(
                "config.public-url",
                format!("`server.public_url` = `{url}` is not the address of a host"),
            )
            .at(at("server.public_url"))
            .help("write the public address without a path, for example https://passerelle.lyon.example"));
        }
        let (connections, share) = (self.server.max_connections, self.server.connections_per_address);
        if !(16..=65_536).contains(&connections) {
            return Err(ConfigError::new(
                "config.connections",
                format!("`server.max_connections` = {connections} cannot be served"),
            )
            .at(at("server.max_connections"))
            .help("write a number from 16 to 65536; 4096 is usual"));
        }
        if !(1..=connections).contains(&share) {
            return Err(ConfigError::new(
                "config.connections",
                format!("`server.connections_per_address` = {share} lets nobody in"),
            )
            .at(at("server.connections_per_address"))
            .help("write a number from 1 to server.max_connections; 64 is usual"));
        }
        if self.inbox.activities_per_hour == 0 {
            return Err(ConfigError::new("config.quota", "`inbox.activities_per_hour` = 0 lets no partner say anything")
                .at(at("inbox.activities_per_hour"))
                .help("write how many activities one partner may send in an hour; 20000 is usual"));
        }
        if self.database.is_postgres() && self.secrets.kek_file.is_none() {
            return Err(ConfigError::new("config.kek", "`secrets.kek_file` is required with PostgreSQL")
                .help("name a file of 0600 for the key that seals private keys; it is made at the first start"));
        }
        for (index, platform) in self.platform.iter().enumerate() {
            if self.platform[..index].iter().any(|other| other.name == platform.name) {
                return Err(ConfigError::new("config.platform-twice", format!("two platforms are named `{}`", platform.name))
                    .help("a platform's name is part of every id: give each its own and never change it"));
            }
        }
        Ok(())
    }
}
