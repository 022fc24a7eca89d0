use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use super::duration::Period;

/// `[server]`: addresses.
#[derive(Debug, Clone, Deserialize)]
pub struct Server {
    /// The public address; it is in every id and never changes without a move.
    pub public_url: Url,
    /// Where the public listener binds.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Address ranges of our reverse proxies. Their connections count as none of one address; whose request
    /// they bring is read from `X-Forwarded-For`. From anybody else that header is ignored.
    #[serde(default = "loopback")]
    pub trusted_proxies: Vec<String>,
    /// How many connections are open at most; an eighth is kept for partners and proxies.
    #[serde(default = "max_connections")]
    pub max_connections: usize,
    /// How many of them one address may have, or requests at once behind a proxy. All whom a proxy does not
    /// name share those of its own address.
    #[serde(default = "connections_per_address")]
    pub connections_per_address: usize,
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}

fn loopback() -> Vec<String> {
    vec!["127.0.0.0/8".to_owned(), "::1/128".to_owned()]
}

const fn max_connections() -> usize {
    4096
}

const fn connections_per_address() -> usize {
    64
}

/// `[inbox]`: how much partners may send.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Inbox {
    /// Activities of one partner in an hour; recalls as many again. Beyond that it is told to come later.
    pub activities_per_hour: u32,
}

impl Default for Inbox {
    fn default() -> Self {
        Self { activities_per_hour: 20_000 }
    }
}

/// `[database]`: where records are kept.
#[derive(Debug, Clone, Deserialize)]
pub struct Database {
    /// `sqlite:///var/lib/passerelle/passerelle.db` or `postgres://…`.
    pub url: String,
}

impl Database {
    /// Whether it is a PostgreSQL server.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres://") || self.url.starts_with("postgresql://")
    }

    /// The file, when it is SQLite.
    #[must_use]
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let path = self.url.strip_prefix("sqlite:")?;
        Some(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
    }
}

/// `[secrets]`: the key that seals private keys and the city secret in the store.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Secrets {
    /// Its file; made with mode 0600 beside the SQLite file at the first start.
    pub kek_file: Option<PathBuf>,
}

/// `[delivery]`: how records are pushed to partners.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Delivery {
    /// After how long without success a delivery is parked; recalls never are.
    pub park_after: Period,
    /// How many deliveries run at once.
    pub concurrency: usize,
}

impl Default for Delivery {
    fn default() -> Self {
        Self { park_after: Period::days(30), concurrency: 64 }
    }
}

/// `[outbound]`: which machines this gateway may talk to.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Outbound {
    /// Private address ranges that a test installation may reach, over plain HTTP too.
    pub allow_private: Vec<String>,
}

/// `[backup]`: backups are part of erasure.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Backup {
    /// How long a backup is kept: what purge receipts announce as `backupsUntil`.
    pub keep: Period,
}

impl Default for Backup {
    fn default() -> Self {
        Self { keep: Period::days(30) }
    }
}
