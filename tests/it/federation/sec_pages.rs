//! What is refused as a push is refused on a page of the records stream, and the rest of the page is kept
//! (SEC-050 … SEC-061, SEC-082, SEC-083; R4, R5, R19).

use passerelle::domain::comment::Stance;
use passerelle::domain::digest::Digest;
use passerelle::domain::partner::{FollowState, PartnerKind};
use passerelle::domain::record::Record;
use passerelle::domain::{Body, Class, RecordId};
use passerelle::federation::backfill::{self, Ended, Reading};
use passerelle::federation::{held, proof};
use passerelle::store::{CopyStanding, JournalState};
use serde_json::{Value, json};

use super::rig::Rig;
use crate::store_tests;
use crate::support::content;
use crate::support::network::Served;
use crate::support::peer::Peer;
use crate::support::stores::Databases;

/// B's stream is one page with these items.
async fn read(rig: &Rig, items: &[Value]) -> anyhow::Result<Reading> {
    let records = format!("{}/records", rig.b.keys.actor());
    let next = format!("{records}/end");
    let page = |items: &[Value]| json!({"type": "OrderedCollectionPage", "next": next, "orderedItems": items});
    rig.network.serve(place(&records), Served::activity(&page(items)));
    rig.network.serve(place(&next), Served::activity(&page(&[])));
    let mut tx = rig.federation.store.write().await?;
    tx.set_followed(&rig.b.keys.actor().domain(), FollowState::Accepted).await?;
    tx.set_backfill_cursor(&rig.b.keys.actor().domain(), None, rig.now()).await?;
    tx.save().await?;
    Ok(backfill::read(&rig.federation, &rig.b.partner(PartnerKind::Partner)).await?)
}

/// How the network of the rig calls an address.
fn place(address: &str) -> &str {
    address.trim_start_matches("https://")
}

fn resealed(peer: &Peer, rig: &Rig, mut document: Value, change: impl FnOnce(&mut Value)) -> Value {
    document.as_object_mut().expect("an object").remove("proof");
    change(&mut document);
    let signed = proof::sign(document, &peer.keys, rig.now()).expect("a proof");
    serde_json::from_slice(&signed.bytes).expect("JSON")
}

/// B's records before anything goes wrong, and what is wrong after them, by name.
struct Scene {
    held: Vec<Value>,
    wrong: Vec<(&'static str, RecordId, Value)>,
}

fn scene(rig: &Rig) -> Scene {
    let b = &rig.b;
    let mut comment = content::comment(&b.url, 1);
    if let Body::Comment(body) = &mut comment.body {
        body.stance = Some(Stance::For);
    }
    let contribution = content::contribution(&b.url, 1);
    let (first, argument) = (b.sealed(&contribution, None, rig.now()), b.sealed(&comment, None, rig.now()));
    let next = |record: &Record, before: &Value, change: &dyn Fn(&mut Record)| {
        let mut record = record.clone();
        record.revision = 2;
        change(&mut record);
        b.sealed(&record, Some(before), rig.now())
    };
    let id = contribution.id.clone();
    let good = next(&contribution, &first, &|_| {});
    let other_process = content::id(&b.url, Class::Consultation, 9);
    let other_parent = content::id(&b.url, Class::Contribution, 9);
    let mut wrong = vec![
        (
            "process",
            id.clone(),
            next(&contribution, &first, &|record| {
                if let Body::Contribution(body) = &mut record.body {
                    body.process = other_process.clone();
                }
            }),
        ),
        (
            "published",
            id.clone(),
            next(&contribution, &first, &|record| {
                record.published = Some("2020-01-01T00:00:00Z".parse().expect("a time"));
            }),
        ),
        ("another class", id.clone(), next(&contribution, &first, &|record| record.body = content::consultation(&b.url, 1).body)),
        (
            "inReplyTo",
            comment.id.clone(),
            next(&comment, &argument, &|record| {
                if let Body::Comment(body) = &mut record.body {
                    body.in_reply_to = other_parent.clone();
                }
            }),
        ),
        (
            "an argument becomes a comment",
            comment.id.clone(),
            next(&comment, &argument, &|record| {
                if let Body::Comment(body) = &mut record.body {
                    body.stance = None;
                }
            }),
        ),
        (
            "attributedTo",
            id.clone(),
            resealed(b, rig, good.clone(), |document| document["attributedTo"] = json!(rig.c.keys.actor())),
        ),
        ("authority", id.clone(), resealed(b, rig, good.clone(), |document| document["authority"] = json!(rig.c.keys.actor()))),
        (
            "both",
            id.clone(),
            resealed(b, rig, good.clone(), |document| {
                document["authority"] = json!(rig.c.keys.actor());
                document["attributedTo"] = json!(rig.c.keys.actor());
            }),
        ),
        (
            "no previousDigest",
            id.clone(),
            resealed(b, rig, good.clone(), |document| {
                document.as_object_mut().expect("an object").remove("previousDigest");
            }),
        ),
        (
            "another previousDigest",
            id.clone(),
            b.sealed(
                &{
                    let mut record = contribution.clone();
                    record.revision = 2;
                    record
                },
                Some(&argument),
                rig.now(),
            ),
        ),
        (
            "the same revision again",
            id.clone(),
            b.sealed(
                &{
                    let mut record = contribution.clone();
                    record.content = content::text("Autre.");
                    record
                },
                None,
                rig.now(),
            ),
        ),
        (
            "a context of its own",
            id.clone(),
            resealed(b, rig, good.clone(), |document| {
                document["@context"] =
                    json!(["https://www.w3.org/ns/activitystreams", {"attributedTo": "https://evil.example/x"}]);
            }),
        ),
        ("a keyword", id.clone(), resealed(b, rig, good.clone(), |document| document["@included"] = json!([]))),
        ("proven by C", id.clone(), resealed(&rig.c, rig, good.clone(), |_| {})),
        ("no proof", id.clone(), {
            let mut document = good.clone();
            document.as_object_mut().expect("an object").remove("proof");
            document
        }),
        ("a broken proof", id.clone(), {
            let mut document = good.clone();
            document["revision"] = json!(3);
            document
        }),
        ("an activity", id.clone(), resealed(b, rig, good.clone(), |document| document["type"] = json!("Create"))),
    ];
    let foreign = rig.c.sealed(&content::contribution(&rig.c.url, 1), None, rig.now());
    wrong.push(("C's record", content::id(&rig.c.url, Class::Contribution, 1), foreign));
    let ours = content::contribution(&rig.federation.public_url, 1);
    wrong.push(("our own record", ours.id.clone(), resealed(b, rig, good, |document| document["id"] = json!(ours.id))));
    Scene { held: vec![first, argument], wrong }
}

store_tests! {
    async fn sec_051_sec_052_sec_056_sec_059_sec_082_sec_083_a_page_is_believed_no_more_than_a_push(databases: Databases) {
        let names: Vec<&str> = scene(&Rig::new(&databases).await?).wrong.iter().map(|(name, ..)| *name).collect();
        for (n, name) in names.into_iter().enumerate() {
            let rig = Rig::new(&databases).await?;
            let Scene { held, mut wrong } = scene(&rig);
            let (_, id, wrong) = wrong.swap_remove(n);
            assert_eq!(read(&rig, &held).await?.applied, 2, "{name}");
            let before = rig.copy(&id).await?;
            let good = rig.b.sealed(&content::contribution(&rig.b.url, 7), None, rig.now());
            let reading = read(&rig, &[wrong.clone(), good]).await?;
            assert_eq!((reading.refused, reading.applied, &reading.ended), (1, 1, &Ended::Complete), "{name}");
            assert!(rig.copy(&content::id(&rig.b.url, Class::Contribution, 7)).await?.is_some(), "{name}: the rest of the page is kept");
            let after = rig.copy(&id).await?;
            assert_eq!(rig.audit("records-refused").await?.len(), 1, "{name}: a person is told");
            if name == "the same revision again" {
                let frozen = after.expect("it is held");
                assert_eq!((frozen.standing, frozen.revision), (CopyStanding::Frozen, 1));
                assert_eq!((Some(&frozen.digest), frozen.rival_digest), (before.as_ref().map(|copy| &copy.digest), Some(proof::digest(&wrong)?)));
                assert_eq!(rig.audit("equivocation").await?.len(), 1);
                // Read again: still frozen, and told once.
                read(&rig, std::slice::from_ref(&wrong)).await?;
                assert_eq!(rig.audit("equivocation").await?.len(), 1);
            } else {
                assert_eq!(after, before, "{name}");
            }
            // The same as a push: refused at the door or by the worker, and nothing changes.
            let rig = Rig::new(&databases).await?;
            read(&rig, &held).await?;
            let before = rig.copy(&id).await?;
            let activity = rig.b.activity("x", "Update", &wrong);
            let answer = rig.post(&activity).await;
            if answer.status.is_success() {
                rig.work().await?;
                let state = rig.journal(&activity).await?.map(|row| row.state);
                assert!(matches!(state, Some(JournalState::Rejected | JournalState::Quarantined)), "{name}: {state:?}");
                assert_eq!(rig.copy(&id).await?, before, "{name}");
            } else {
                assert!(answer.status.is_client_error(), "{name}: {}", answer.status);
            }
        }
    }

    async fn sec_061_a_tombstone_on_a_page_is_its_owners_with_proof(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let contribution = rig.contribution();
        let first = rig.b.sealed(&contribution, None, rig.now());
        read(&rig, std::slice::from_ref(&first)).await?;
        let before = rig.copy(&contribution.id).await?;
        let grave = rig.b.tombstone(&contribution, &first, rig.now());
        let mut unproven = grave.clone();
        unproven.as_object_mut().expect("an object").remove("proof");
        let of_c = resealed(&rig.b, &rig, grave.clone(), |document| document["authority"] = json!(rig.c.keys.actor()));
        let by_c = resealed(&rig.c, &rig, grave.clone(), |_| {});
        let mut of_a = grave.clone();
        of_a["id"] = json!(content::id(&rig.federation.public_url, Class::Contribution, 1));
        let wrong = [unproven, of_c, by_c, of_a, json!({"id": contribution.id, "type": "Tombstone"})];
        let reading = read(&rig, &wrong).await?;
        assert_eq!((reading.refused, reading.applied), (wrong.len(), 0));
        assert_eq!(rig.copy(&contribution.id).await?, before);
        // The right one erases; what came before it, on the same page too, does not come back.
        let reading = read(&rig, &[grave, first]).await?;
        assert_eq!((reading.refused, reading.applied), (0, 1));
        let copy = rig.copy(&contribution.id).await?.expect("its tombstone stays");
        assert_eq!((copy.standing, copy.record), (CopyStanding::Deleted, None));
    }

    async fn a_key_that_is_not_pinned_proves_nothing(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        // The proof names a key that is pinned for C, not for B.
        let mut forged = rig.b.sealed(&rig.contribution(), None, rig.now());
        forged["proof"]["verificationMethod"] = json!(rig.c.keys.ed25519_id());
        let reading = read(&rig, &[forged]).await?;
        assert_eq!((reading.refused, reading.applied), (1, 0));
    }

    async fn two_revisions_of_one_record_on_a_page_are_held_against_each_other(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let first = rig.b.sealed(&rig.contribution(), None, rig.now());
        let mut second = rig.contribution();
        second.revision = 2;
        let moved = { let mut moved = second.clone(); moved.published = Some("2020-01-01T00:00:00Z".parse()?); moved };
        let (good, moved) = (rig.b.sealed(&second, Some(&first), rig.now()), rig.b.sealed(&moved, Some(&first), rig.now()));
        let reading = read(&rig, &[first, moved, good]).await?;
        assert_eq!((reading.applied, reading.refused), (2, 1));
        assert_eq!(rig.copy(&second.id).await?.map(|copy| copy.revision), Some(2));
    }

    async fn rel_035_a_list_that_cannot_be_read_settles_nothing(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let partner = rig.b.partner(PartnerKind::Partner);
        let wanted: RecordId = "https://a.example/contributions/one".parse()?;
        let ask = async || held::ask(&rig.federation, &partner, &wanted).await;
        let here = "https://b.example/from/a.example";
        let item = |id: &str| json!({"id": id, "type": "Object", "revision": 2, "subjectDigest": Digest::of(b"two")});
        let whole = |items: Value| json!({"type": "OrderedCollectionPage", "orderedItems": items});
        for (name, document) in [
            ("no list", json!({"type": "OrderedCollectionPage"})),
            ("no page", json!({"type": "OrderedCollection", "totalItems": 0})),
            ("an item without revision", whole(json!([{"id": wanted}]))),
            ("an id alone", whole(json!([wanted]))),
            ("a page that leads elsewhere", json!({"type": "OrderedCollectionPage", "orderedItems": [], "next": "https://c.example/x"})),
            ("a page that leads back", json!({"type": "OrderedCollectionPage", "orderedItems": [], "next": format!("{here}?after=x")})),
        ] {
            rig.network.serve(place(here), Served::activity(&document));
            assert!(ask().await.is_err(), "{name}");
        }
        rig.network.serve(place(here), Served::activity(&whole(json!([item("https://a.example/contributions/other")]))));
        assert_eq!(ask().await?, None);
        rig.network.serve(place(here), Served::activity(&whole(json!([item(wanted.as_str())]))));
        let before = rig.network.requests();
        assert_eq!(ask().await?.map(|held| (held.deleted, held.revision)), Some((false, 2)));
        assert_eq!(rig.network.requests(), before + 1);
    }
}
