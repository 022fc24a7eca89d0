//! Accounts of reader servers at the door of a strict gateway: whose key it is, and how often it is asked
//! for (SEC-028 … SEC-033, SEC-046, SEC-048, SEC-075, SEC-077).

use std::time::Duration;

use http::StatusCode;
use passerelle::domain::ActorId;
use passerelle::domain::partner::PartnerKind;
use passerelle::federation::keys::Keys;
use passerelle::federation::refusal::Code;
use passerelle::store::JournalState;
use serde_json::{Value, json};

use super::rig::Rig;
use crate::store_tests;
use crate::support::network::Served;
use crate::support::peer::{Cavage, Knock, Peer};
use crate::support::stores::Databases;

const OURS: &str = "https://a.example/actor";

/// An account of reader.example that signs with the keys of a named peer.
struct Account {
    peer: Peer,
    actor: ActorId,
}

impl Account {
    fn new(name: &str, keys_of: &str) -> Self {
        let actor: ActorId = format!("https://reader.example/users/{name}").parse().expect("an address");
        let material = Peer::at(keys_of).keys.material().expect("bytes");
        let keys = Keys::from_material(actor.clone(), &material).expect("keys");
        Self { peer: Peer { keys, url: "https://reader.example/".parse().expect("an address") }, actor }
    }

    fn document(&self) -> Value {
        let mut document = self.peer.actor_document();
        document["type"] = json!("Person");
        document["endpoints"] = json!({"sharedInbox": "https://reader.example/inbox"});
        document
    }

    fn place(&self) -> String {
        format!("reader.example{}", self.actor.url().path())
    }

    fn follow(&self, rig: &Rig, key: &str) -> Knock {
        self.peer.post_cavage(&self.peer.activity(key, "Follow", &json!(OURS)), rig.now())
    }
}

/// A gateway that lists reader.example, whose own actor is unknown.
async fn rig(databases: &Databases) -> anyhow::Result<Rig> {
    let rig = Rig::new(databases).await?;
    let mut reader = Peer::at("reader.example").partner(PartnerKind::Reader);
    reader.rsa = None;
    rig.list(&reader).await?;
    Ok(rig)
}

async fn followers(rig: &Rig) -> anyhow::Result<i64> {
    rig.rows("follower").await
}

store_tests! {
    async fn sec_048_the_key_of_an_account_is_fetched_only_if_its_server_is_listed(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let ana = Account::new("ana", "b.example");
        rig.network.serve(&ana.place(), Served::activity(&ana.document()));
        rig.refuses(&ana.follow(&rig, "1"), 403, &[Code::NotListed]).await?;
        let mut reader = Peer::at("reader.example").partner(PartnerKind::Reader);
        reader.rsa = None;
        rig.list(&reader).await?;
        rig.accepts(&ana.follow(&rig, "1")).await?;
        assert_eq!((rig.network.requests(), followers(&rig).await?), (1, 1));
        // Known from now on.
        rig.accepts(&ana.follow(&rig, "2")).await?;
        assert_eq!((rig.network.requests(), followers(&rig).await?), (1, 1));
        let account = rig.federation.store.read().await?.lookup_account(&ana.actor).await?.expect("it is known");
        assert_eq!(account.delivery(), "https://reader.example/inbox");
    }

    async fn sec_033_a_second_account_of_a_server_is_not_kept_waiting(databases: Databases) {
        let rig = rig(&databases).await?;
        let accounts = [Account::new("ana", "b.example"), Account::new("bo", "c.example")];
        for account in &accounts {
            rig.network.serve(&account.place(), Served::activity(&account.document()));
            rig.accepts(&account.follow(&rig, account.actor.url().path().trim_start_matches("/users/"))).await?;
        }
        assert_eq!((rig.network.requests(), followers(&rig).await?), (2, 2));
        // A new key under the old name is looked up, at most once in five minutes.
        let changed = Account::new("ana", "m.example");
        let refused = rig.knock(&changed.follow(&rig, "n1")).await;
        assert_eq!((refused.status, rig.network.requests()), (StatusCode::UNAUTHORIZED, 2), "within the pause");
        rig.clock.advance(Duration::from_mins(5));
        rig.network.serve(&changed.place(), Served::activity(&changed.document()));
        rig.accepts(&changed.follow(&rig, "n2")).await?;
        assert_eq!(rig.network.requests(), 3);
        let old = rig.knock(&accounts[0].follow(&rig, "n3")).await;
        assert_eq!((old.status, rig.network.requests()), (StatusCode::UNAUTHORIZED, 3));
    }

    async fn sec_046_a_flood_of_invented_accounts_is_not_passed_on(databases: Databases) {
        let rig = rig(&databases).await?;
        let ana = Account::new("ana", "b.example");
        rig.network.serve(&ana.place(), Served::activity(&ana.document()));
        rig.accepts(&ana.follow(&rig, "1")).await?;
        let mut told_to_wait = 0;
        for n in 0..200 {
            let invented = Account { actor: format!("https://reader.example/users/x{n}").parse()?, ..Account::new("x", "c.example") };
            let activity = json!({"id": format!("https://reader.example/f/{n}"), "type": "Follow", "actor": invented.actor, "object": OURS});
            let mut knock = Knock::post(activity.to_string(), rig.now());
            let key_id = format!("{}#main-key", invented.actor);
            knock.cavage(&invented.peer, &Cavage { key_id, ..Cavage::usual(&invented.peer) });
            let answer = rig.knock(&knock).await;
            told_to_wait += usize::from(answer.status == StatusCode::SERVICE_UNAVAILABLE && answer.headers.contains_key("retry-after"));
        }
        assert_eq!(told_to_wait, 200 - 59, "beyond the budget they come again later");
        assert_eq!(rig.network.requests(), 60);
        // A known account is not in their way.
        rig.accepts(&ana.follow(&rig, "2")).await?;
        assert_eq!((rig.rows("account").await?, followers(&rig).await?), (1, 1));
        rig.clock.advance(Duration::from_mins(5));
        let late = Account::new("late", "m.example");
        rig.network.serve(&late.place(), Served::activity(&late.document()));
        rig.accepts(&late.follow(&rig, "3")).await?;
    }

    async fn sec_028_sec_075_sec_077_an_account_is_what_its_own_document_says(databases: Databases) {
        let rig = rig(&databases).await?;
        let change = |change: fn(&mut Value)| {
            let ana = Account::new("ana", "b.example");
            let mut document = ana.document();
            change(&mut document);
            document
        };
        let wrong: [(&str, Served); 8] = [
            ("another id", Served::activity(&change(|d| d["id"] = json!("https://reader.example/users/bo")))),
            ("another owner", Served::activity(&change(|d| d["publicKey"]["owner"] = json!("https://reader.example/users/bo")))),
            ("an inbox elsewhere", Served::activity(&change(|d| d["inbox"] = json!("https://m.example/inbox")))),
            ("no actor", Served::activity(&change(|d| d["type"] = json!("Note")))),
            ("no key", Served::activity(&change(|d| d["publicKey"] = json!(null)))),
            ("an upload", Served::typed("text/plain", &change(|_| ()))),
            ("a redirect", Served::redirect("https://m.example/users/ana")),
            ("gone", Served::status(410)),
        ];
        for (n, (what, served)) in wrong.into_iter().enumerate() {
            let ana = Account::new("ana", "b.example");
            rig.network.serve(&ana.place(), served);
            let answer = rig.knock(&ana.follow(&rig, &n.to_string())).await;
            // Of an account that is gone nothing is known: a final answer, or its end would be told for days.
            let expected = if what == "gone" { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED };
            assert_eq!(answer.status, expected, "{what}");
            assert_eq!((rig.rows("account").await?, rig.rows("journal").await?), (0, 0), "{what}");
            rig.clock.advance(Duration::from_mins(5));
        }
        // A shared inbox elsewhere is not used.
        let ana = Account::new("ana", "b.example");
        let shared = change(|d| d["endpoints"]["sharedInbox"] = json!("https://m.example/inbox"));
        rig.network.serve(&ana.place(), Served::activity(&shared));
        rig.accepts(&ana.follow(&rig, "good")).await?;
        let account = rig.federation.store.read().await?.lookup_account(&ana.actor).await?.expect("it is known");
        assert_eq!(account.delivery(), "https://reader.example/users/ana/inbox");
        // The key of one account does not speak for another, nor that of another host.
        let bo = Account::new("bo", "c.example");
        rig.network.serve(&bo.place(), Served::activity(&bo.document()));
        let stolen = json!({"id": "https://reader.example/f/s", "type": "Follow", "actor": bo.actor, "object": OURS});
        let mut knock = Knock::post(stolen.to_string(), rig.now());
        knock.cavage(&ana.peer, &Cavage::usual(&ana.peer));
        assert_eq!(rig.knock(&knock).await.status, StatusCode::UNAUTHORIZED);
        let mut knock = Knock::post(stolen.to_string(), rig.now());
        knock.cavage(&rig.b, &Cavage::usual(&rig.b));
        assert_eq!(rig.knock(&knock).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(followers(&rig).await?, 1);
        // A key whose name has no fragment, as GoToSocial has it, is found in the account's own document.
        let key_id = "https://reader.example/users/bo/main-key";
        let mut document = bo.document();
        document["publicKey"]["id"] = json!(key_id);
        rig.clock.advance(Duration::from_mins(5));
        rig.network.serve(&bo.place(), Served::activity(&document));
        let mut knock = Knock::post(stolen.to_string(), rig.now());
        knock.cavage(&bo.peer, &Cavage { key_id: key_id.to_owned(), algorithm: Some("hs2019".to_owned()), ..Cavage::usual(&bo.peer) });
        rig.accepts(&knock).await?;
        assert_eq!(followers(&rig).await?, 2);
    }

    async fn what_readers_send_beside_following_is_taken_and_left_alone(databases: Databases) {
        let rig = rig(&databases).await?;
        let ana = Account::new("ana", "b.example");
        rig.network.serve(&ana.place(), Served::activity(&ana.document()));
        rig.accepts(&ana.follow(&rig, "f")).await?;
        let note = json!({"id": "https://reader.example/n/1", "type": "Note", "content": "Moi aussi", "attributedTo": ana.actor});
        let foreign = json!({"id": "https://c.example/contributions/1", "type": "Note", "attributedTo": "https://c.example/actor"});
        for (n, (kind, object)) in [
            ("Create", note.clone()),
            ("Create", foreign.clone()),
            ("Update", ana.document()),
            ("Update", foreign),
            ("Delete", json!({"id": "https://reader.example/n/1", "type": "Tombstone"})),
            ("Delete", json!("https://reader.example/users/bo")),
            ("Announce", json!(["https://a.example/consultations/1"])),
            ("Like", json!("https://a.example/consultations/1")),
            ("EmojiReact", json!("https://a.example/consultations/1")),
            ("Undo", json!({"id": "https://reader.example/l/1", "type": "Like", "object": "https://a.example/x"})),
            ("Undo", json!("https://reader.example/unknown")),
            ("Accept", json!("https://a.example/activities/1")),
            ("Flag", json!(["https://a.example/actor"])),
            ("Move", json!(ana.actor)),
            ("Block", json!(OURS)),
        ]
        .into_iter()
        .enumerate()
        {
            let activity = ana.peer.activity(&format!("a{n}"), kind, &object);
            rig.accepts(&ana.peer.post_cavage(&activity, rig.now())).await?;
            let id = activity["id"].as_str().expect("an id");
            let row = rig.federation.store.read().await?.lookup_journal(&"reader.example".parse()?, id).await?.expect("a row");
            assert_eq!((row.state, row.body), (JournalState::Ignored, None), "{kind}");
        }
        assert_eq!((rig.rows("copy").await?, followers(&rig).await?), (0, 1));
        assert!(rig.audit("partner-changed").await?.is_empty());
        // Nobody takes back another's Follow.
        let theirs = json!({"id": "https://reader.example/activities/f", "type": "Follow", "actor": "https://reader.example/users/bo", "object": OURS});
        let undo = ana.peer.post_cavage(&ana.peer.activity("u", "Undo", &theirs), rig.now());
        rig.refuses(&undo, 403, &[Code::NotOwner]).await?;
        let bo = Account::new("bo", "c.example");
        rig.network.serve(&bo.place(), Served::activity(&bo.document()));
        let by_id = bo.peer.activity("u2", "Undo", &json!("https://reader.example/activities/f"));
        rig.accepts(&bo.peer.post_cavage(&by_id, rig.now())).await?;
        assert_eq!(followers(&rig).await?, 1);
    }
}
