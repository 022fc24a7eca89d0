//! What servers of the Fediverse really send, posted to a strict gateway: our own messages in the shapes of
//! nine softwares (`tests/fixtures/fediverse`), and on demand the corpora of other projects.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use http::StatusCode;
use passerelle::domain::account::Account;
use passerelle::domain::change::ChangeKind;
use passerelle::domain::partner::{FollowState, Partner, PartnerKind};
use passerelle::domain::seal::Seal;
use passerelle::domain::{ActorId, PartnerDomain};
use passerelle::federation::seal::Sealer;
use passerelle::federation::verify::one_id;
use passerelle::store::{JournalState, RecordWrite};
use serde_json::{Value, json};

use super::rig::{Answer, Rig};
use crate::store_tests;
use crate::support::content::consultation;
use crate::support::peer::{Cavage, Knock, Peer};
use crate::support::stores::Databases;

const OURS: &str = "https://a.example/actor";

/// The folder of our own messages.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fediverse")
}

/// A gateway with one consultation, and what is needed to speak for any account.
struct Stage {
    rig: Rig,
    speaker: Peer,
}

impl Stage {
    async fn new(databases: &Databases) -> anyhow::Result<Self> {
        let rig = Rig::new(databases).await?;
        let record = consultation(&rig.federation.public_url, 1);
        let sealed = Sealer::new(rig.federation.keys.clone()).record(&record, None, rig.now())?;
        let (kind, at) = (ChangeKind::Created, rig.now());
        let mut tx = rig.federation.store.write().await?;
        tx.put_records(&[RecordWrite { local: None, record, sealed, previous: None, kind, material: true, at }]).await?;
        tx.save().await?;
        Ok(Self { rig, speaker: Peer::at("reader.example") })
    }

    /// The account's server is listed, and its key is known.
    async fn knows(&self, actor: &ActorId) -> anyhow::Result<()> {
        let (domain, keys) = (actor.domain(), &self.speaker.keys);
        let reader = Partner {
            domain: domain.clone(),
            kind: PartnerKind::Reader,
            actor: format!("https://{domain}/actor-of-the-server").parse()?,
            name: domain.to_string(),
            inbox: format!("https://{domain}/inbox"),
            records: None,
            key: None,
            key_id: None,
            rsa: None,
            follows_us: FollowState::None,
            followed: FollowState::None,
            since: self.rig.now(),
        };
        let mut tx = self.rig.federation.store.write().await?;
        tx.put_partner(&reader).await?;
        tx.put_account(&Account {
            actor: actor.clone(),
            partner: domain.clone(),
            inbox: format!("https://{domain}/inbox"),
            shared_inbox: None,
            key_id: key_id(actor),
            key: keys.rsa_pem().to_owned(),
            seen_at: self.rig.now(),
        })
        .await?;
        Ok(tx.save().await?)
    }

    /// Posts an activity, signed as its actor; its effect is done.
    async fn post(&self, activity: &Value, actor: &ActorId) -> anyhow::Result<Answer> {
        let mut knock = Knock::post(activity.to_string(), self.rig.now());
        knock.cavage(&self.speaker, &Cavage { key_id: key_id(actor), ..Cavage::usual(&self.speaker) });
        let answer = self.rig.knock(&knock).await;
        self.rig.work().await?;
        Ok(answer)
    }

    async fn journal(&self, activity: &Value, domain: &PartnerDomain) -> anyhow::Result<Option<JournalState>> {
        let id = activity["id"].as_str().unwrap_or_default();
        let row = self.rig.federation.store.read().await?.lookup_journal(domain, id).await?;
        Ok(row.map(|row| row.state))
    }
}

fn key_id(actor: &ActorId) -> String {
    format!("{}#main-key", actor.as_str())
}

fn actor_of(activity: &Value) -> Option<ActorId> {
    one_id(&activity["actor"])?.parse().ok()
}

store_tests! {
    async fn each_software_follows_takes_that_back_and_is_forgotten(databases: Databases) {
        let stage = Stage::new(&databases).await?;
        let mut softwares = 0;
        let mut files: Vec<PathBuf> = std::fs::read_dir(fixtures())?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "json")) {
            softwares += 1;
            let messages: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(file)?)?;
            let mut seen = BTreeMap::<String, usize>::new();
            let mut followers = 0;
            for (n, message) in messages.iter().enumerate() {
                let (is, activity) = (message["is"].as_str().expect("a word"), &message["activity"]);
                let at = format!("{} {n}: {}", file.display(), activity["type"]);
                *seen.entry(is.to_owned()).or_default() += 1;
                let actor = actor_of(activity).expect("an actor");
                if stage.rig.federation.store.read().await?.lookup_account(&actor).await?.is_none() {
                    stage.knows(&actor).await?;
                }
                let answer = stage.post(activity, &actor).await?;
                assert_eq!((answer.status, answer.body.len()), (StatusCode::ACCEPTED, 0), "{at}: {answer:?}");
                followers = match is {
                    "follow" => 1,
                    "undo" | "leave" => 0,
                    _ => followers,
                };
                let domain = actor.domain();
                let expected = if is == "ignored" { JournalState::Ignored } else { JournalState::Applied };
                assert_eq!(stage.journal(activity, &domain).await?, Some(expected), "{at}");
                let mut tx = stage.rig.federation.store.read().await?;
                let counts = tx.follower_counts().await?;
                assert_eq!(counts.get(&domain).copied().unwrap_or(0), followers, "{at}");
                assert_eq!(tx.lookup_account(&actor).await?.is_none(), is == "leave", "{at}");
                let letters = tx.letters_of(&domain, 100).await?;
                let follow = letters.iter().find(|letter| letter.body.contains("\"Accept\"") && letter.body.contains(activity["id"].as_str().unwrap_or_default()));
                assert!(is != "follow" || follow.is_some(), "{at}: no Accept");
            }
            for is in ["follow", "undo", "ignored"] {
                assert!(seen.contains_key(is), "{}: nothing that is {is}", file.display());
            }
        }
        assert!(softwares >= 9, "{softwares} softwares");
        assert_eq!((stage.rig.network.connections(), stage.rig.rows("copy").await?), (0, 0));
    }
}

/// Why a document of a corpus must be refused, decided without the code under test; none: it must be taken.
fn reason(activity: &Value, actor: &ActorId, seen: &BTreeMap<String, String>) -> Option<&'static str> {
    let Some(id) = activity["id"].as_str() else { return Some("invalid_id") };
    let Ok(url) = id.parse::<url::Url>() else { return Some("invalid_id") };
    if !matches!(url.scheme(), "http" | "https") || url.origin() != actor.url().origin() {
        return Some("invalid_id");
    }
    // Corpora reuse an address for several contents, which no server may.
    let said = activity.to_string();
    seen.get(id).is_some_and(|first| *first != said).then_some("equivocation")
}

/// Every activity in the corpora below the folder of PASSERELLE_CORPUS.
#[tokio::test]
#[ignore = "reads the corpora of other projects: set PASSERELLE_CORPUS to the folder that holds them"]
async fn every_activity_of_the_corpora_is_taken_or_has_no_address_of_its_own() {
    let folder = std::env::var("PASSERELLE_CORPUS").expect("PASSERELLE_CORPUS names the folder with the corpora");
    crate::support::stores::on_sqlite(async |databases: Databases| {
        let stage = Stage::new(&databases).await?;
        let (mut taken, mut refused, mut wrong) = (BTreeMap::<String, usize>::new(), 0, Vec::new());
        let mut seen = BTreeMap::new();
        for file in documents(Path::new(&folder)) {
            let Ok(text) = std::fs::read_to_string(&file) else { continue };
            let Ok(activity) = serde_json::from_str::<Value>(&text) else { continue };
            let (Some(kind), Some(actor)) = (activity["type"].as_str(), actor_of(&activity)) else { continue };
            // The corpora speak of other hosts, some over http, and their accounts follow others than us.
            let host = actor.domain();
            let text = text.replace(&format!("http://{host}"), &format!("https://{host}"));
            let mut activity: Value = serde_json::from_str(&text)?;
            match (kind, activity["object"]["type"].as_str()) {
                ("Follow", _) => activity["object"] = json!(OURS),
                ("Undo", Some("Follow")) => activity["object"]["object"] = json!(OURS),
                _ => {}
            }
            let actor: ActorId = actor_of(&activity).expect("it was there");
            let expected = reason(&activity, &actor, &seen);
            stage.knows(&actor).await?;
            let answer = stage.post(&activity, &actor).await?;
            let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let code = (answer.status != StatusCode::ACCEPTED).then(|| problem["code"].as_str().unwrap_or_default().to_owned());
            if code.as_deref() != expected {
                wrong.push(format!("{} ({kind}): {code:?} instead of {expected:?}: {}", file.display(), problem["detail"]));
            } else if expected.is_none() {
                *taken.entry(kind.to_owned()).or_default() += 1;
                seen.insert(activity["id"].as_str().unwrap_or_default().to_owned(), activity.to_string());
            } else {
                refused += 1;
            }
        }
        eprintln!("taken: {taken:?}; {refused} without an address of their own");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        for kind in ["Follow", "Undo", "Delete", "Announce", "Like", "Create"] {
            assert!(taken.contains_key(kind), "no {kind} in {folder}: {taken:?}");
        }
        Ok(())
    })
    .await;
}

/// Every file below a folder, in order.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(documents(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}
