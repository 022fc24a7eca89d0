//! The composition root: from a configuration to a gateway that can be asked for things ([`Gateway`])
//! and one that runs ([`serve()`]). The only module that sees everything; it decides nothing.

mod guard;
pub mod listener;
mod refused;
mod serve;
mod site;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use jiff::tz::TimeZone;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::config::{Config, ConfigError, Platform};
use crate::connectors::{self, Connector, Courtesy, Installation};
use crate::domain::authority::PublicAuthority;
use crate::domain::seal::Seal;
use crate::domain::text::LanguageTag;
use crate::domain::time::SystemClock;
use crate::domain::{ActorId, Clock, PartnerDomain};
use crate::federation::keyring::{CitySecret, Keyring};
use crate::federation::refusal::Counters;
use crate::federation::seal::Sealer;
use crate::federation::{Context, Federation};
use crate::mapping::{Profile, Publisher};
use crate::outbound::{self, Client, Network, NetworkError, Policy};
use crate::store::{Store, StoreError};
use crate::sync::{Pseudonyms, Sync};

pub use refused::Refused;
pub use serve::{public_listener, serve};

/// One city's gateway with everything opened, doing nothing yet.
pub struct Gateway {
    /// What it was told.
    pub config: Config,
    /// Keys, store, client: what the federation shares.
    pub federation: Federation,
    /// The clock everybody is handed.
    pub clock: Arc<dyn Clock>,
    secret: CitySecret,
    seal: Arc<dyn Seal>,
}

impl Gateway {
    /// Opens the database (made where it lacks), the keys (made at the first start) and the way out.
    ///
    /// # Errors
    /// One sentence that says what is wrong, where, and what to do; nothing is lost.
    pub async fn open(config: Config) -> anyhow::Result<Self> {
        outbound::refuse_dangerous_environment()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let actor = ActorId::of_gateway(&config.server.public_url)?;
        let store = Store::open(&config.database.url).await.map_err(|error| of_setting(&config, error))?;
        let mut tx = store.write().await?;
        tx.belong_to(&config.server.public_url).await.map_err(|error| of_setting(&config, error))?;
        tx.save().await?;
        let keyring = Keyring::open(&store, &kek_file(&config), &actor, &*clock).await?;
        let authority = authority(&config, &actor)?;
        let federation = Federation::new(Context {
            store,
            keys: keyring.keys.clone(),
            client: client(&config)?,
            clock: Arc::clone(&clock),
            rng: Mutex::new(Box::new(chance()?)),
            authority,
            public_url: config.server.public_url.clone(),
            backup_keep: config.backup.keep.duration(),
            refusals: Counters::default(),
        });
        let seal = Arc::new(Sealer::new(keyring.keys));
        Ok(Self { config, federation, clock, secret: keyring.secret, seal })
    }

    /// The reader of one configured platform.
    ///
    /// # Errors
    /// When its kind is unknown.
    pub fn connector(&self, platform: &Platform) -> anyhow::Result<Arc<dyn Connector>> {
        connector(&self.config, platform, &self.federation.client, &self.clock)
    }

    /// What reads one configured platform, maps it and publishes it.
    ///
    /// # Errors
    /// When its kind is unknown or its profile cannot be used.
    pub fn sync(&self, platform: &Platform) -> anyhow::Result<Sync> {
        let zone = zone(&self.config)?;
        Ok(Sync {
            store: self.federation.store.clone(),
            connector: self.connector(platform)?,
            profile: Arc::new(profile(&self.config, platform)?),
            publisher: Publisher {
                platform: platform.name.clone(),
                authority: self.federation.actor().clone(),
                rights_contact: self.federation.authority.rights_contact.clone(),
                licence: platform.licence.clone(),
                language: self.config.site.languages.first().cloned().unwrap_or_else(LanguageTag::french),
                zone,
            },
            public_url: self.config.server.public_url.clone(),
            pseudonyms: Pseudonyms::new(self.secret.bytes()),
            seal: Arc::clone(&self.seal),
            clock: Arc::clone(&self.clock),
        })
    }

    /// Closes the database.
    pub async fn close(&self) {
        self.federation.store.close().await;
    }
}

/// What the store says of the settings themselves, with their line.
fn of_setting(config: &Config, error: StoreError) -> anyhow::Error {
    let message = error.to_string();
    match error {
        StoreError::NotAnAddress { .. } => {
            let help = "correct it; nothing was started. All settings: passerelle help config";
            config.wrong("config.database-url", "database.url", "", &message, help).into()
        }
        StoreError::Unused { .. } => {
            let help = "nothing was looked at, and nothing was made";
            config.wrong("config.no-database", "database.url", "", &message, help).into()
        }
        StoreError::Foreign { .. } => {
            let help = "nothing was changed in the database";
            config.wrong("config.foreign-database", "server.public_url", "", &message, help).into()
        }
        error => error.into(),
    }
}

/// The database of a gateway that was started before, to look into without keys or network.
///
/// # Errors
/// One sentence that says what is wrong, where, and what to do; a database that is not there is not made.
pub async fn existing_store(config: &Config) -> anyhow::Result<Store> {
    Store::open_used(&config.database.url, &config.server.public_url).await.map_err(|error| of_setting(config, error))
}

/// The mapping profile of a platform: the city's file, else the built-in one of its kind.
///
/// # Errors
/// Names the file and line of what cannot be used.
pub fn profile(config: &Config, platform: &Platform) -> anyhow::Result<Profile> {
    if let Some(path) = &platform.profile {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("cannot read the profile {file} of platform `{}`: {error}", platform.name);
            config.wrong(
                "config.profile",
                "platform.profile",
                &file,
                &message,
                "correct the path, or leave it out: a built-in profile is used then",
            )
        })?;
        return Profile::parse(&text).with_context(|| format!("the profile {} of platform `{}`", path.display(), platform.name));
    }
    let built_in = Profile::built_in(&platform.kind).ok_or_else(|| unknown_kind(config, platform))?;
    Ok(built_in?)
}

fn unknown_kind(config: &Config, platform: &Platform) -> ConfigError {
    let message = format!("platform `{}` has the kind `{}`, which this version cannot read", platform.name, platform.kind);
    let help = format!("known: `{}`", connectors::KINDS.join("`, `"));
    config.wrong("config.kind", "platform.kind", &platform.kind, &message, &help)
}

/// A reader of a platform; needs no database.
///
/// # Errors
/// When its kind is unknown.
pub fn connector(
    config: &Config,
    platform: &Platform,
    client: &Client,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Arc<dyn Connector>> {
    if !connectors::KINDS.contains(&platform.kind.as_str()) {
        return Err(unknown_kind(config, platform).into());
    }
    let installation = Installation {
        name: platform.name.clone(),
        kind: platform.kind.clone(),
        url: platform.url.clone(),
        courtesy: courtesy(platform.requests_per_second),
    };
    Ok(connectors::open(installation, client.clone(), Arc::clone(clock))?)
}

fn courtesy(per_second: f64) -> Courtesy {
    let between = if per_second > 0.0 { 1.0 / per_second } else { 60.0 };
    Courtesy::at_pace(std::time::Duration::from_secs_f64(between.clamp(0.0, 60.0)))
}

/// The only way out, as the configuration allows it.
///
/// # Errors
/// When a range of `outbound.allow_private` is not one.
pub fn client(config: &Config) -> anyhow::Result<Client> {
    let mut policy = Policy::strict();
    policy.allow_private = networks(config, "outbound.allow_private", &config.outbound.allow_private)?;
    policy.own_authority = Some(PartnerDomain::of(&config.server.public_url).to_string());
    Ok(Client::new(policy)?)
}

/// The address ranges of a setting.
fn networks(config: &Config, setting: &str, ranges: &[String]) -> anyhow::Result<Vec<Network>> {
    let network = |text: &String| {
        text.parse().map_err(|error: NetworkError| {
            let help = "write ranges such as \"127.0.0.0/8\", or leave it out";
            config.wrong("config.value", setting, text, &format!("{setting}: {error}"), help).into()
        })
    };
    ranges.iter().map(network).collect()
}

fn zone(config: &Config) -> anyhow::Result<TimeZone> {
    let name = &config.authority.zone;
    TimeZone::get(name).map_err(|_| {
        let message = format!("authority.zone: `{name}` is not a time zone");
        config.wrong("config.value", "authority.zone", name, &message, "write one such as Europe/Paris").into()
    })
}

fn authority(config: &Config, actor: &ActorId) -> anyhow::Result<PublicAuthority> {
    let url = &config.server.public_url;
    let first_label = url.host_str().and_then(|host| host.split('.').next()).unwrap_or("city").to_owned();
    let rights_contact = match &config.authority.rights_contact {
        Some(address) => address.clone(),
        None => url.join("/donnees-personnelles").context("server.public_url cannot carry a path")?,
    };
    Ok(PublicAuthority {
        id: actor.clone(),
        name: config.authority.localized_name().context("authority.name is empty")?,
        handle: config.authority.handle.clone().unwrap_or(first_label),
        kind: config.authority.kind,
        identifiers: config.authority.identifiers.clone(),
        territory: None,
        rights_contact,
    })
}

/// `secrets.kek_file`, else a file beside the SQLite file.
fn kek_file(config: &Config) -> PathBuf {
    config.secrets.kek_file.clone().unwrap_or_else(|| {
        let mut file = config.database.sqlite_file().unwrap_or_else(|| PathBuf::from("passerelle.db"));
        file.set_extension("kek");
        file
    })
}

/// The process's random generator, seeded by the operating system.
///
/// # Errors
/// When the operating system gives no randomness.
pub fn chance() -> anyhow::Result<StdRng> {
    let mut seed = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut seed).map_err(|_| anyhow::anyhow!("the operating system gives no randomness"))?;
    Ok(StdRng::from_seed(seed))
}
