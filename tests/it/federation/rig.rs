//! A strict gateway `a.example` with two partners, its store and its network watched.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use passerelle::domain::authority::{AuthorityKind, PublicAuthority};
use passerelle::domain::partner::{Partner, PartnerKind};
use passerelle::domain::text::{LanguageTag, Localized, PlainText};
use passerelle::domain::time::ManualClock;
use passerelle::domain::{Clock, Record, RecordId, Timestamp};
use passerelle::federation::inbox::Inbox;
use passerelle::federation::keys::Keys;
use passerelle::federation::quota::Quota;
use passerelle::federation::refusal::{Code, Counters};
use passerelle::federation::{Context, Federation, Outcome, effect};
use passerelle::store::{AuditRow, JournalRow, Letter, Store, StoredCopy};
use passerelle::web::language::Language;
use passerelle::web::site::Site;
use passerelle::web::state::WebState;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tower::ServiceExt;

use crate::support::content;
use crate::support::network::Network;
use crate::support::peer::{Knock, Peer};
use crate::support::stores::Databases;
use crate::support::tables;

/// The gateway under test.
pub struct Rig {
    /// What it shares.
    pub federation: Federation,
    /// Its inbox.
    pub inbox: Inbox,
    /// Its clock.
    pub clock: ManualClock,
    /// The network around it.
    pub network: Network,
    /// An honest partner.
    pub b: Peer,
    /// Another honest partner.
    pub c: Peer,
    /// Its public addresses.
    pub router: Router,
    url: String,
}

/// What the gateway answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// What a request left behind: every table, row by row, and connections.
#[derive(PartialEq)]
pub struct State {
    tables: BTreeMap<String, Vec<String>>,
    connections: usize,
}

impl State {
    /// The same where asking the partner itself was right.
    pub fn without_connections(self) -> Self {
        Self { connections: 0, ..self }
    }

    /// The same where one table was to be written.
    pub fn without(mut self, table: &str) -> Self {
        assert!(self.tables.remove(table).is_some(), "there is no table {table}");
        self
    }

    /// What differs from a later state, in a few words.
    pub fn differences(&self, later: &Self) -> Vec<String> {
        let changed = self.tables.iter().filter(|(table, rows)| later.tables.get(*table) != Some(rows));
        let mut said: Vec<String> = changed.map(|(table, _)| format!("table {table}")).collect();
        if self.connections != later.connections {
            said.push(format!("{} connections", later.connections - self.connections));
        }
        said
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows: Vec<_> = self.tables.iter().map(|(table, rows)| format!("{table}: {}", rows.len())).collect();
        write!(f, "{rows:?}, {} connections", self.connections)
    }
}

fn our_keys() -> Keys {
    static KEYS: std::sync::OnceLock<Keys> = std::sync::OnceLock::new();
    let make = || Keys::from_seed("https://a.example/actor".parse().expect("an address"), &[9; 32]).expect("keys");
    KEYS.get_or_init(make).clone()
}

impl Rig {
    /// A gateway with an empty database that lists B and C.
    pub async fn new(databases: &Databases) -> anyhow::Result<Self> {
        Self::with_quota(databases, Quota::default()).await
    }

    /// The same, where each partner may send so much.
    pub async fn with_quota(databases: &Databases, quota: Quota) -> anyhow::Result<Self> {
        let url = databases.url().await;
        let network = Network::start().await;
        let clock = ManualClock::at("2026-09-15T12:00:00Z".parse()?);
        let public_url: url::Url = "https://a.example/".parse()?;
        let keys = our_keys();
        let authority = PublicAuthority {
            id: keys.actor().clone(),
            name: Localized::one(LanguageTag::french(), PlainText::new("A").expect("a name")),
            handle: "a".to_owned(),
            kind: AuthorityKind::Municipality,
            identifiers: Vec::new(),
            territory: None,
            rights_contact: public_url.join("/contact")?,
        };
        let federation = Federation::new(Context {
            store: Store::open(&url).await?,
            keys,
            client: network.client(),
            clock: Arc::new(clock.clone()),
            rng: Mutex::new(Box::new(StdRng::seed_from_u64(1))),
            authority,
            public_url,
            backup_keep: Duration::from_hours(30 * 24),
            refusals: Counters::default(),
        });
        let inbox = Inbox::start(federation.clone()).with_quota(quota);
        let site = Site::new(Language::ALL, jiff::tz::TimeZone::UTC);
        let router = passerelle::web::router(WebState::new(federation.clone(), inbox.clone(), site));
        let rig = Self { federation, inbox, clock, network, b: Peer::at("b.example"), c: Peer::at("c.example"), router, url };
        rig.list(&rig.b.partner(PartnerKind::Partner)).await?;
        rig.list(&rig.c.partner(PartnerKind::Partner)).await?;
        Ok(rig)
    }

    /// Puts a partner on the allow-list.
    pub async fn list(&self, partner: &Partner) -> anyhow::Result<()> {
        let mut tx = self.federation.store.write().await?;
        tx.put_partner(partner).await?;
        Ok(tx.save().await?)
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A valid Create of B: its first contribution.
    pub fn create(&self) -> Value {
        self.b.activity("create-1", "Create", &self.b.sealed(&self.contribution(), None, self.now()))
    }

    /// B's first contribution.
    pub fn contribution(&self) -> Record {
        content::contribution(&self.b.url, 1)
    }

    /// Hands a request to the gateway's own router, as its listener does.
    pub async fn knock(&self, knock: &Knock) -> Answer {
        let (parts, body) = knock.parts();
        let request = Request::from_parts(parts, Body::from(body));
        let response = self.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.expect("a body");
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// B posts an activity, rightly signed.
    pub async fn post(&self, activity: &Value) -> Answer {
        self.knock(&self.b.post(activity, self.now())).await
    }

    /// B posts an activity that is accepted; its effect is done.
    pub async fn apply(&self, activity: &Value) -> anyhow::Result<()> {
        let answer = self.post(activity).await;
        anyhow::ensure!(answer.status == StatusCode::ACCEPTED, "{} {}", answer.status, text(&answer.body));
        self.work().await
    }

    /// Makes effect steps until nothing is due.
    pub async fn work(&self) -> anyhow::Result<()> {
        while effect::step(&self.federation).await? != Outcome::Idle {}
        Ok(())
    }

    /// Every row of every table, and connections.
    pub async fn state(&self) -> anyhow::Result<State> {
        let tables = tables::rows(&self.url).await?;
        Ok(State { tables, connections: self.network.connections() })
    }

    /// How many rows a table has.
    pub async fn rows(&self, table: &str) -> anyhow::Result<i64> {
        self.number(&format!("SELECT COUNT(*) FROM {table}")).await
    }

    /// From now on the database fails whenever a copy of this record is to be written.
    pub async fn refuse_copy(&self, id: &RecordId) -> anyhow::Result<()> {
        let [first, second] = if self.url.starts_with("sqlite") {
            let raise = "BEGIN SELECT RAISE(ABORT, 'refused'); END";
            [format!("CREATE TRIGGER refused BEFORE INSERT ON copy WHEN NEW.id = '{id}' {raise}"), String::new()]
        } else {
            let raise =
                "CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$";
            let trigger = format!("CREATE TRIGGER refused BEFORE INSERT ON copy FOR EACH ROW WHEN (NEW.id = '{id}')");
            [raise.to_owned(), format!("{trigger} EXECUTE FUNCTION refused()")]
        };
        for statement in [first, second].into_iter().filter(|statement| !statement.is_empty()) {
            // Made of an address of this file.
            let statement = AssertSqlSafe(statement);
            if self.url.starts_with("sqlite") {
                sqlx::query(statement).execute(&mut SqliteConnection::connect(&self.url).await?).await?;
            } else {
                sqlx::query(statement).execute(&mut PgConnection::connect(&self.url).await?).await?;
            }
        }
        Ok(())
    }

    async fn number(&self, query: &str) -> anyhow::Result<i64> {
        // Made of table names of this file.
        let query = AssertSqlSafe(query.to_owned());
        Ok(if self.url.starts_with("sqlite") {
            sqlx::query_scalar(query).fetch_one(&mut SqliteConnection::connect(&self.url).await?).await?
        } else {
            sqlx::query_scalar(query).fetch_one(&mut PgConnection::connect(&self.url).await?).await?
        })
    }

    /// The request is refused with this status and one of these codes, is counted, and leaves State 0.
    pub async fn refuses(&self, knock: &Knock, status: u16, codes: &[Code]) -> anyhow::Result<()> {
        let before = self.state().await?;
        let counted = |code: &Code| self.federation.refusals.of(*code);
        let counts: Vec<u64> = codes.iter().map(counted).collect();
        let answer = self.knock(knock).await;
        let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let shown = format!("{} {problem} for {:.400}", answer.status, format!("{knock:?}"));
        anyhow::ensure!(answer.status.as_u16() == status, "expected {status}, got {shown}");
        let code = codes.iter().position(|code| problem["code"] == code.word());
        let Some(place) = code else { anyhow::bail!("expected one of {codes:?}, got {shown}") };
        anyhow::ensure!(problem["status"] == status, "{shown}");
        anyhow::ensure!(counted(&codes[place]) == counts[place] + 1, "the refusal was not counted: {shown}");
        let left = before.differences(&self.state().await?);
        anyhow::ensure!(left.is_empty(), "State 0 was left ({left:?}) by {shown}");
        Ok(())
    }

    /// The request ends at another address than the inbox, or is refused there; it leaves State 0.
    pub async fn turns_away(&self, knock: &Knock) -> anyhow::Result<()> {
        let before = self.state().await?;
        let answer = self.knock(knock).await;
        let shown = format!("{} for {:.400}", answer.status, format!("{knock:?}"));
        anyhow::ensure!(answer.status.is_client_error(), "{shown}");
        let left = before.differences(&self.state().await?);
        anyhow::ensure!(left.is_empty(), "State 0 was left ({left:?}) by {shown}");
        Ok(())
    }

    /// The request is accepted, and its effect done; exactly one activity is new in the journal.
    pub async fn accepts(&self, knock: &Knock) -> anyhow::Result<()> {
        let before = self.rows("journal").await?;
        let answer = self.knock(knock).await;
        let shown = format!("{} {} for {:.400}", answer.status, text(&answer.body), format!("{knock:?}"));
        anyhow::ensure!(answer.status == StatusCode::ACCEPTED, "{shown}");
        anyhow::ensure!(self.rows("journal").await? == before + 1, "{shown}");
        self.work().await
    }

    /// The copy of a record.
    pub async fn copy(&self, id: &RecordId) -> anyhow::Result<Option<StoredCopy>> {
        Ok(self.federation.store.read().await?.lookup_copy(id).await?)
    }

    /// An activity of B in the journal.
    pub async fn journal(&self, activity: &Value) -> anyhow::Result<Option<JournalRow>> {
        let id = activity["id"].as_str().unwrap_or_default();
        Ok(self.federation.store.read().await?.lookup_journal(&self.b.keys.actor().domain(), id).await?)
    }

    /// The letters to B, first one first.
    pub async fn letters(&self) -> anyhow::Result<Vec<Letter>> {
        let mut letters = self.federation.store.read().await?.letters_of(&self.b.keys.actor().domain(), 100).await?;
        letters.reverse();
        Ok(letters)
    }

    /// The audit rows of one kind.
    pub async fn audit(&self, action: &str) -> anyhow::Result<Vec<AuditRow>> {
        let rows = self.federation.store.read().await?.list_audit(None, 200).await?;
        Ok(rows.into_iter().filter(|row| row.action == action).collect())
    }
}

/// A body as text.
pub fn text(body: &Bytes) -> String {
    String::from_utf8_lossy(body).into_owned()
}
