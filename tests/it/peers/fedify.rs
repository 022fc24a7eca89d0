//! A server made with Fedify reads a running gateway, follows one consultation, and is told what changes.
//! Fedify shares no code with us: it loads our contexts, checks our signatures and our proofs by itself.
//!
//! `tests/peers/fedify/run` installs it and calls this; without it nothing is compared, and nothing says so.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use passerelle::demo::platform::{Generation, LYON, NewProposal, SimulatedDecidim};
use passerelle::domain::time::SystemClock;
use passerelle::domain::{Class, RecordId};
use passerelle::store::{RecordQuery, Store};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::support::program::{Installation, text};
use crate::support::stores::{Databases, on_sqlite};

/// Names the folder with an installed Fedify.
const FEDIFY: &str = "PASSERELLE_FEDIFY";
/// Set to keep what went over the wire as the transcript that ordinary tests replay.
const REWRITE: &str = "PASSERELLE_WRITE_TRANSCRIPTS";
/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// The Fedify server as a process.
struct Fedify {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// Where it is reached, and its one account.
    hello: Value,
}

impl Fedify {
    async fn start(folder: &Path, gateway: &str, scheme: &str) -> anyhow::Result<Self> {
        let mut command = Command::new(folder.join("node_modules/.bin/node"));
        command.arg(folder.join("server.mjs")).args([gateway, scheme]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        let mut child = command.spawn().context("Node does not start")?;
        let input = child.stdin.take().context("it has an input")?;
        let output = BufReader::new(child.stdout.take().context("it has an output")?).lines();
        let mut fedify = Self { _child: child, input, output, hello: Value::Null };
        fedify.hello = fedify.line().await?;
        Ok(fedify)
    }

    async fn line(&mut self) -> anyhow::Result<Value> {
        let line = tokio::time::timeout(PATIENCE, self.output.next_line()).await.context("Fedify says nothing")??;
        Ok(serde_json::from_str(&line.context("Fedify has ended")?)?)
    }

    async fn ask(&mut self, what: Value) -> anyhow::Result<Value> {
        self.input.write_all(format!("{what}\n").as_bytes()).await?;
        let answer = self.line().await?;
        ensure!(answer.get("error").is_none(), "{what}: {}", answer["error"].as_str().unwrap_or_default());
        Ok(answer)
    }

    /// Waits until something arrived that `fits`.
    async fn arrived(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let started = std::time::Instant::now();
        loop {
            let answer = self.ask(json!({"do": "inbox"})).await?;
            let all = answer["arrived"].as_array().cloned().unwrap_or_default();
            if let Some(found) = all.iter().find(|one| fits(one)) {
                return Ok(found.clone());
            }
            if started.elapsed() > PATIENCE {
                bail!("{what} did not arrive; there is {all:?}");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// Reads the platform once; `serve` leaves it alone.
async fn sync(lyon: &Installation) -> anyhow::Result<()> {
    lyon.rewrite(|text| text.replace("publish = false", "publish = true"));
    let output = lyon.run(&["platform", "sync", "lyon"]).await;
    lyon.rewrite(|text| text.replace("publish = true", "publish = false"));
    ensure!(output.status.success(), "{}", text(&output));
    Ok(())
}

async fn contributions(store: &Store) -> anyhow::Result<Vec<(RecordId, RecordId)>> {
    let query = RecordQuery { classes: vec![Class::Contribution], visible_only: false, limit: 500, ..RecordQuery::default() };
    let page = store.read().await?.list_records(&query).await?;
    Ok(page.items.into_iter().map(|record| (record.id, record.process)).collect())
}

async fn followers(lyon: &Installation) -> anyhow::Result<Value> {
    let listed: Value = serde_json::from_slice(&lyon.run(&["partner", "list", "--json"]).await.stdout)?;
    Ok(listed["partners"][0]["followers"].clone())
}

async fn story(databases: &Databases, folder: &Path, scheme: &str) -> anyhow::Result<()> {
    let platform = SimulatedDecidim::start(Generation::V031, LYON, Arc::new(SystemClock)).await?;
    let database = databases.url().await;
    let lyon = Installation::new("lyon", &database, Some(&platform.url()));
    lyon.rewrite(|text| text.replace("every = \"1d\"", "every = \"1d\"\npublish = false"));
    sync(&lyon).await?;
    let _serving = lyon.serve(None).await;
    let gateway = format!("http://lyon.localhost:{}", lyon.port);
    let mut fedify = Fedify::start(folder, &gateway, scheme).await?;
    let domain = fedify.hello["domain"].as_str().context("a domain")?.to_owned();

    // It reads the authority and a consultation, and checks the proof of the record.
    let actor = fedify.ask(json!({"do": "read", "url": format!("{gateway}/actor")})).await?;
    ensure!(
        actor["type"] == "Organization" && actor["keys"] == 1 && actor["inbox"] == format!("{gateway}/actor/inbox"),
        "{actor}"
    );
    let store = Store::open(&database).await?;
    let before = contributions(&store).await?;
    let process = before.first().context("a contribution")?.1.clone();
    let read = fedify.ask(json!({"do": "read", "url": process})).await?;
    ensure!(read["type"] == "Event" && read["id"] == json!(process), "{read}");
    ensure!(read["proven"] == true && read["brokenProven"] == false, "the proof: {read}");
    ensure!(read["followers"] == format!("{process}/followers"), "{read}");

    // It follows that consultation once it is listed, and is answered.
    let listed = lyon.run(&["partner", "accept", &domain, "--reader"]).await;
    ensure!(listed.status.success(), "{}", text(&listed));
    let follow = fedify.ask(json!({"do": "follow", "object": process})).await?;
    fedify.arrived("an Accept", |one| one["type"] == "Accept" && one["object"] == follow["id"]).await?;
    ensure!(followers(&lyon).await? == 1);

    // A proposal is made, edited, and deleted.
    let (id, component) = platform.change(|state| {
        let like = state.proposals.iter().find(|proposal| state.proposal_is_public(proposal)).expect("a public proposal");
        let (component, author) = (like.component, like.authors.first().copied().unwrap_or(1));
        let new = NewProposal { component, author, title: "Un banc sous le tilleul", body: "Avec un dossier.", place: None };
        (state.add_proposal(&new), component)
    });
    sync(&lyon).await?;
    let known: Vec<RecordId> = before.into_iter().map(|(id, _)| id).collect();
    let made = contributions(&store).await?.into_iter().find(|(id, _)| !known.contains(id)).context("a new contribution")?;
    ensure!(made.1 == process, "component {component} belongs to another consultation than {process}");
    let about = |kind: &'static str, record: &RecordId| {
        let record = record.to_string();
        move |one: &Value| one["type"] == kind && one["object"] == json!(record)
    };
    fedify.arrived("the Create", about("Create", &made.0)).await?;
    platform.change(|state| state.edit_proposal(id, "Un banc sous le tilleul", "Avec un dossier et des accoudoirs."));
    sync(&lyon).await?;
    fedify.arrived("the Update", about("Update", &made.0)).await?;
    let read = fedify.ask(json!({"do": "read", "url": made.0})).await?;
    ensure!(read["proven"] == true && read["brokenProven"] == false, "the proof: {read}");
    platform.change(|state| state.delete_proposal(id));
    sync(&lyon).await?;
    sync(&lyon).await?;
    fedify.arrived("the Delete", about("Delete", &made.0)).await?;

    fedify.ask(json!({"do": "undo"})).await?;
    let gone = async {
        while followers(&lyon).await? != 0 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, gone).await.context("the Undo has no effect")??;

    let transcript = fedify.ask(json!({"do": "end"})).await?;
    let kept = transcript["transcript"].as_array().context("a transcript")?;
    ensure!(kept.len() > 8, "{} requests", kept.len());
    if std::env::var_os(REWRITE).is_some() {
        let whole = json!({"gateway": gateway, "fedify": fedify.hello, "requests": kept});
        let mut text = serde_json::to_string_pretty(&whole)?;
        text.push('\n');
        std::fs::write(super::transcripts::path(scheme), text)?;
    }
    store.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Node and Fedify: run tests/peers/fedify/run"]
async fn fedify_reads_follows_and_is_told() {
    let folder = PathBuf::from(std::env::var(FEDIFY).expect("PASSERELLE_FEDIFY names the folder with an installed Fedify"));
    on_sqlite(async |databases: Databases| {
        for scheme in super::transcripts::SCHEMES {
            story(&databases, &folder, scheme).await.with_context(|| scheme.to_owned())?;
        }
        Ok(())
    })
    .await;
}
