//! A city to be measured: its configuration in a temporary folder, its database, its keys; filled as far
//! as an axis wants it, and then run as `passerelle serve`.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use url::Url;

use super::content;
use super::process::{self, Served};
use crate::app::Gateway;
use crate::config::Config;
use crate::domain::account::Account;
use crate::domain::change::ChangeKind;
use crate::domain::partner::{FollowState, Partner, PartnerKind};
use crate::domain::{RecordId, Timestamp};
use crate::store::scratch::Scratch;
use crate::store::{Backend, RecordWrite, Store};

/// Connections of one address: the whole load comes from one.
const CONNECTIONS: usize = 1024;
/// Records in one transaction while a city is filled.
const BATCH: u64 = 500;

/// Where databases are made.
#[derive(Clone)]
pub(super) enum Databases {
    /// Files in the folder of the measurement.
    Files,
    /// Databases of their own on this server.
    Server(String),
}

/// One city.
pub(super) struct Installation {
    folder: tempfile::TempDir,
    scratch: Option<Scratch>,
    /// Its address.
    pub(super) public_url: Url,
    /// The port of its first process.
    pub(super) port: u16,
    /// Its store and keys, opened beside whatever runs.
    pub(super) gateway: Gateway,
}

impl Installation {
    /// A new city with an empty database; `more` is appended to its configuration.
    pub(super) async fn new(name: &str, databases: &Databases, more: &str) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("passerelle-bench-").tempdir()?;
        let port = free_port()?;
        let scratch = match databases {
            Databases::Files => None,
            Databases::Server(url) => Some(Scratch::make(url, &format!("passerelle_bench_{}_{port}", std::process::id())).await?),
        };
        let database = match &scratch {
            Some(scratch) => scratch.url().to_owned(),
            None => format!("sqlite://{}", folder.path().join(format!("{name}.db")).display()),
        };
        let public_url: Url = format!("http://{name}.localhost:{port}").parse()?;
        let text = format!(
            "[authority]\nname = {{ fr = \"Ville de {name}\" }}\nidentifiers = [\"siren:216901231\"]\n\
             [server]\npublic_url = \"http://{name}.localhost:{port}\"\nlisten = \"127.0.0.1:{port}\"\n\
             connections_per_address = {CONNECTIONS}\n\
             [database]\nurl = \"{database}\"\n\
             [secrets]\nkek_file = \"{}\"\n\
             [outbound]\nallow_private = [\"127.0.0.0/8\"]\n{more}",
            folder.path().join("kek").display()
        );
        let config = folder.path().join("passerelle.toml");
        std::fs::write(&config, text)?;
        let gateway = Gateway::open(Config::load(&config)?).await?;
        Ok(Self { folder, scratch, public_url, port, gateway })
    }

    /// Its store.
    pub(super) fn store(&self) -> &Store {
        &self.gateway.federation.store
    }

    /// The present instant.
    pub(super) fn now(&self) -> Timestamp {
        self.gateway.clock.now()
    }

    /// Its configuration file.
    pub(super) fn config(&self) -> PathBuf {
        self.folder.path().join("passerelle.toml")
    }

    /// A file beside it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts its gateway.
    pub(super) async fn serve(&self) -> anyhow::Result<Served> {
        Served::start(&self.config(), self.port).await
    }

    /// Starts one more process of the same gateway, on a port of its own.
    pub(super) async fn serve_beside(&self) -> anyhow::Result<Served> {
        ensure!(
            self.store().backend() == Backend::Postgres,
            "several processes share a PostgreSQL database: name one with --database"
        );
        let port = free_port()?;
        let own = std::fs::read_to_string(self.config())?;
        let own = own.replace(&format!("listen = \"127.0.0.1:{}\"", self.port), &format!("listen = \"127.0.0.1:{port}\""));
        let config = self.folder.path().join(format!("passerelle-{port}.toml"));
        std::fs::write(&config, own)?;
        Served::start(&config, port).await
    }

    /// Lists partners.
    pub(super) async fn list(&self, partners: impl IntoIterator<Item = Partner>) -> anyhow::Result<()> {
        let mut tx = self.store().write().await?;
        for partner in partners {
            tx.put_partner(&partner).await?;
            // A reader server is pushed to for its accounts: here for its own actor.
            if let (PartnerKind::Reader, FollowState::Accepted, Some((key, key_id))) =
                (partner.kind, partner.follows_us, partner.rsa.clone())
            {
                let (inbox, seen_at) = (partner.inbox, partner.since);
                let (actor, partner) = (partner.actor, partner.domain);
                let account = Account { actor, partner, inbox, shared_inbox: None, key_id, key, seen_at };
                tx.put_account(&account).await?;
                tx.put_follower(&account, None, "", seen_at).await?;
            }
        }
        Ok(tx.save().await?)
    }

    /// Publishes contributions, in one transaction.
    pub(super) async fn publish(&self, numbers: std::ops::Range<u64>) -> anyhow::Result<Vec<RecordId>> {
        let (now, keys) = (self.now(), &self.gateway.federation.keys);
        let mut writes = Vec::new();
        for n in numbers {
            let record = content::contribution(&self.public_url, n, now)?;
            let sealed = content::sealed(keys, &record, now)?;
            writes.push(RecordWrite {
                local: None,
                record,
                sealed,
                previous: None,
                kind: ChangeKind::Created,
                material: true,
                at: now,
            });
        }
        let mut tx = self.store().write().await?;
        tx.put_records(&writes).await?;
        tx.save().await?;
        Ok(writes.into_iter().map(|write| write.record.id).collect())
    }

    /// Fills the city with records of its own that nobody is due. With `proven`, each carries a proof that
    /// holds; else only as many bytes.
    pub(super) async fn fill(&self, numbers: std::ops::Range<u64>, proven: bool) -> anyhow::Result<()> {
        let (now, keys) = (self.now(), &self.gateway.federation.keys);
        let pattern = content::contribution(&self.public_url, 0, now)?;
        let pattern_seal = content::sealed(keys, &pattern, now)?;
        let mut from = numbers.start;
        while from < numbers.end {
            let until = (from + BATCH).min(numbers.end);
            let mut writes = Vec::with_capacity(500);
            for n in from..until {
                let record = content::contribution(&self.public_url, n, now)?;
                let sealed = if proven {
                    content::sealed(keys, &record, now)?
                } else {
                    content::filler(&pattern_seal, &pattern.id, &record.id)?
                };
                writes.push(RecordWrite {
                    local: None,
                    record,
                    sealed,
                    previous: None,
                    kind: ChangeKind::Created,
                    material: true,
                    at: now,
                });
            }
            let mut tx = self.store().write().await?;
            tx.put_records(&writes).await?;
            loop {
                let changes = tx.claim_unplanned(u32::try_from(BATCH)?).await?;
                if changes.is_empty() {
                    break;
                }
                tx.mark_planned(&changes.iter().map(|change| change.number).collect::<Vec<_>>()).await?;
            }
            tx.save().await?;
            from = until;
        }
        Ok(())
    }

    /// What the database server has spent; nothing on SQLite, where the gateway itself does it.
    pub(super) fn database_cpu(&self) -> anyhow::Result<Option<Duration>> {
        self.scratch.as_ref().map(|scratch| process::cpu_of_server(scratch.process())).transpose()
    }

    /// Pays what filling it has left to do.
    pub(super) async fn settle(&self) -> anyhow::Result<()> {
        match &self.scratch {
            Some(scratch) => Ok(scratch.settle().await?),
            None => Ok(()),
        }
    }

    /// Closes it and removes what it left.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        self.gateway.close().await;
        if let Some(scratch) = self.scratch {
            scratch.remove().await?;
        }
        self.folder.close().context("the temporary folder")
    }
}

/// Asks again until it is so.
pub(super) async fn until<F, Fut>(what: &str, patience: Duration, mut ask: F) -> anyhow::Result<()>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = anyhow::Result<bool>>,
{
    let began = Instant::now();
    while !ask().await? {
        ensure!(began.elapsed() < patience, "{what}: not within {} s", patience.as_secs());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// A port that is free at this moment.
pub(super) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
