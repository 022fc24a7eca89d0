//! One city of the demo: its simulated platform, its gateway, its ledger, and the addresses a visitor needs.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use url::Url;

use super::gateway::Gateway;
use super::ledger::Ledger;
use super::platform::{Generation, SimulatedDecidim};
use super::stranger::{Stranger, until};
use crate::domain::time::SystemClock;
use crate::domain::{Class, PartnerDomain, RecordId};

/// How long a gateway may take to answer its first request.
const START: Duration = Duration::from_secs(30);

/// What a city is before it runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Name of the platform, of the host and of the files.
    pub(super) name: &'static str,
    /// Name for people.
    pub(super) title: &'static str,
    /// `fr`, `en`.
    pub(super) authority: [&'static str; 2],
    /// Its number in the register.
    pub(super) identifier: &'static str,
    pub(super) generation: Generation,
    pub(super) fixture: &'static str,
}

/// A city whose platform runs; its gateway once it is opened.
pub(super) struct City {
    pub(super) title: &'static str,
    pub(super) name: &'static str,
    pub(super) platform: SimulatedDecidim,
    pub(super) platform_url: Url,
    pub(super) public_url: Url,
    pub(super) domain: PartnerDomain,
    pub(super) gateway: Gateway,
    database: String,
}

impl City {
    /// Starts the platform and writes the gateway's configuration into `folder`; the platform is read `every` so often.
    pub(super) async fn found(plan: Plan, folder: &Path, every: &str) -> anyhow::Result<Self> {
        let platform = SimulatedDecidim::start(plan.generation, plan.fixture, Arc::new(SystemClock)).await?;
        let name = plan.name;
        let platform_url: Url = format!("http://participer.{name}.localhost:{}", platform.address().port()).parse()?;
        let port = free_port()?;
        let public_url: Url = format!("http://{name}.localhost:{port}").parse()?;
        let database = format!("sqlite://{}", folder.join(format!("{name}.db")).display());
        let [fr, en] = plan.authority;
        let text = format!(
            r#"# Written by `passerelle demo`.
[authority]
name = {{ fr = "{fr}", en = "{en}" }}
identifiers = ["{identifier}"]

[server]
public_url = "http://{name}.localhost:{port}"
listen = "127.0.0.1:{port}"

[database]
url = "{database}"

[[platform]]
name = "{name}"
kind = "decidim"
url = "{platform}"
every = "{every}"
requests_per_second = 1000.0

[outbound]
allow_private = ["127.0.0.0/8", "::1/128"]
"#,
            identifier = plan.identifier,
            platform = platform_url.as_str().trim_end_matches('/'),
        );
        let config = folder.join(format!("{name}.toml"));
        std::fs::write(&config, text).with_context(|| format!("cannot write {}", config.display()))?;
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let gateway = Gateway::new(program, config, folder.join(format!("{name}.log")));
        let domain = PartnerDomain::of(&public_url);
        Ok(Self { title: plan.title, name, platform, platform_url, public_url, domain, gateway, database })
    }

    /// Starts the gateway and waits until it answers a stranger.
    pub(super) async fn open(&mut self, stranger: &Stranger) -> anyhow::Result<()> {
        self.gateway.serve()?;
        let health = self.public_url.join("/healthz")?;
        let what = format!("{health} answers 200");
        let gateway = &mut self.gateway;
        let ended = until(&what, START, async || {
            if let Some(ended) = gateway.ended() {
                return Ok(Some(Err(ended)));
            }
            Ok((stranger.page(&health).await?.status == 200).then_some(Ok(())))
        });
        match ended.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(ended)) => Err(anyhow::anyhow!(ended)),
            Err(error) => Err(error.context(format!("{}'s gateway; its log ends: {}", self.title, self.gateway.last_words()))),
        }
    }

    /// The ledger of its gateway.
    pub(super) async fn ledger(&self) -> anyhow::Result<Ledger> {
        Ledger::open(&self.database).await.with_context(|| format!("the ledger of {}", self.title))
    }

    /// Where this city shows its copy of a partner's record.
    pub(super) fn copy_page(&self, id: &RecordId, class: Class) -> anyhow::Result<Url> {
        let path = format!("/from/{}/{}/{}", id.domain(), class.segment(), id.copy_key());
        Ok(self.public_url.join(&path)?)
    }
}

/// A port that is free at this moment.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
