//! What the worker does: copies only with proof, deletions answered by receipts, answers to our own
//! deliveries, and the keyring that signs it all.

use std::path::Path;
use std::time::Duration;

use http::StatusCode;
use passerelle::domain::change::ChangeKind;
use passerelle::domain::digest::Digest;
use passerelle::domain::receipt::{DeliveryReceipt, DeliveryState, Erased, PurgeCause, PurgeReceipt, Residual};
use passerelle::domain::seal::{Seal, Sealed};
use passerelle::domain::tombstone::Tombstone;
use passerelle::domain::{ActorId, Record};
use passerelle::federation::dispatch;
use passerelle::federation::keyring::{Keyring, KeyringError};
use passerelle::federation::receipts::{self, Delivered, Pinned};
use passerelle::federation::seal::Sealer;
use passerelle::store::{Burial, CopyStanding, DisclosureState, JournalState, RecordWrite};
use serde_json::{Value, json};

use super::rig::Rig;
use crate::store_tests;
use crate::support::content;
use crate::support::peer::Peer;
use crate::support::stores::Databases;

fn ours(rig: &Rig) -> Pinned {
    let keys = &rig.federation.keys;
    Pinned { actor: keys.actor().clone(), key: keys.multikey().clone(), key_id: keys.ed25519_id() }
}

/// A record of ours that was deleted after B confirmed it; returns it with the digest B holds.
async fn deleted_of_ours(rig: &Rig) -> anyhow::Result<(Record, Digest)> {
    let record = content::contribution(&rig.federation.public_url, 1);
    let mut tx = rig.federation.store.write().await?;
    tx.set_follows_us(&rig.b.keys.actor().domain(), passerelle::domain::partner::FollowState::Accepted).await?;
    tx.save().await?;
    let sealed = write_ours(rig, &record, None, ChangeKind::Created).await?;
    acknowledge(rig, &record, 1, &sealed.digest, DisclosureState::Acknowledged).await?;
    bury_ours(rig, &record, &sealed.digest).await?;
    Ok((record, sealed.digest))
}

/// Publishes a revision of ours and plans who is told.
async fn write_ours(rig: &Rig, record: &Record, previous: Option<Digest>, kind: ChangeKind) -> anyhow::Result<Sealed> {
    let sealed = Sealer::new(rig.federation.keys.clone()).record(record, previous.as_ref(), rig.now())?;
    let (local, record, at) = (None, record.clone(), rig.now());
    let mut tx = rig.federation.store.write().await?;
    tx.put_records(&[RecordWrite { local, record, sealed: sealed.clone(), previous, kind, material: true, at }]).await?;
    tx.save().await?;
    plan(rig).await?;
    Ok(sealed)
}

/// Deletes a record of ours; B received the Delete.
async fn bury_ours(rig: &Rig, record: &Record, last: &Digest) -> anyhow::Result<()> {
    let tombstone = Tombstone {
        id: record.id.clone(),
        authority: record.authority.clone(),
        former_class: record.class(),
        deleted: rig.now(),
        revision: Some(record.revision + 1),
        previous_digest: Some(last.clone()),
        reason: None,
    };
    let sealed = Sealer::new(rig.federation.keys.clone()).tombstone(&tombstone, rig.now())?;
    let mut tx = rig.federation.store.write().await?;
    tx.bury_records(&[Burial { tombstone, sealed: sealed.clone(), at: rig.now() }]).await?;
    tx.save().await?;
    plan(rig).await?;
    acknowledge(rig, record, record.revision + 1, &sealed.digest, DisclosureState::PurgeAsked).await
}

async fn plan(rig: &Rig) -> anyhow::Result<()> {
    let mut tx = rig.federation.store.write().await?;
    let changes = tx.claim_unplanned(10).await?;
    tx.plan(&changes, rig.now()).await?;
    tx.mark_planned(&changes.iter().map(|change| change.number).collect::<Vec<_>>()).await?;
    Ok(tx.save().await?)
}

/// The address of the Delete that tells B of the tombstone of this revision.
fn deletion(rig: &Rig, record: &Record, revision: u64) -> String {
    dispatch::carrying_id(&rig.federation, &rig.b.keys.actor().domain(), ChangeKind::Deleted, &record.id, revision)
}

async fn acknowledge(rig: &Rig, record: &Record, revision: u64, digest: &Digest, state: DisclosureState) -> anyhow::Result<()> {
    let mut tx = rig.federation.store.write().await?;
    let now = rig.now();
    let request = passerelle::store::ClaimRequest {
        now,
        limit: 10,
        per_partner: 10,
        ahead: 10,
        lease_until: now.plus(Duration::from_mins(1)),
        holder: "test",
    };
    let claimed = tx.claim_disclosures(&request).await?;
    assert_eq!(claimed.len(), 1, "{} is due", record.id);
    let result = passerelle::store::DisclosureResult {
        state,
        revision,
        digest: digest.clone(),
        next_at: now,
        at: now,
        status: Some(202),
        answer: None,
        receipt: None,
    };
    assert_eq!(tx.finish_disclosures(&[(&claimed[0], &result)]).await?, [true]);
    Ok(tx.save().await?)
}

fn purge(rig: &Rig, record: &Record, digest: Option<Digest>) -> PurgeReceipt {
    PurgeReceipt {
        id: "https://b.example/receipts/p1".to_owned(),
        holder: rig.b.keys.actor().clone(),
        request_activity: Some(deletion(rig, record, record.revision + 1)),
        receipt_for: record.id.to_string(),
        subject_digest: digest,
        cause: PurgeCause::Delete,
        purged_at: rig.now(),
        erased: Erased::ALL.to_vec(),
        residual: vec![Residual::Tombstone],
        backups_until: None,
    }
}

fn signed(peer: &Peer, receipt: &PurgeReceipt, rig: &Rig) -> Value {
    receipts::sign_purge(receipt, &peer.keys, rig.now()).expect("signed").document
}

/// B accepts our Delete with this receipt; returns where the purge stands then.
async fn answered(rig: &Rig, key: &str, record: &Record, receipt: &Value) -> anyhow::Result<DisclosureState> {
    answered_to(rig, key, &deletion(rig, record, record.revision + 1), record, receipt).await
}

/// The same of what B says it answers.
async fn answered_to(rig: &Rig, key: &str, to: &str, record: &Record, receipt: &Value) -> anyhow::Result<DisclosureState> {
    let mut accept = rig.b.activity(key, "Accept", &json!(to));
    accept["result"] = receipt.clone();
    rig.apply(&accept).await?;
    let row = rig.federation.store.read().await?.lookup_disclosure(&rig.b.keys.actor().domain(), &record.id).await?;
    Ok(row.expect("a row of the ledger").state)
}

store_tests! {
    async fn a_delivery_is_answered_with_a_signed_receipt_of_exactly_what_came(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let create = rig.create();
        let answer = rig.post(&create).await;
        let document: Value = serde_json::from_slice(&answer.body)?;
        let digest = passerelle::federation::proof::digest(&create["object"])?;
        let record = rig.contribution();
        let sent = Delivered {
            activity: "https://b.example/activities/create-1",
            subject: record.id.as_str(),
            digest: &digest,
        };
        let receipt = receipts::read_delivery(&document, &ours(&rig), &sent, rig.now())?;
        assert_eq!((receipt.state, receipt.received_at), (DeliveryState::Received, rig.now()));
        assert_eq!(answer.headers["content-type"], "application/activity+json");
    }

    async fn a_copy_without_a_valid_proof_is_set_aside_and_what_is_held_stays(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.apply(&rig.create()).await?;
        let held = rig.copy(&rig.contribution().id).await?;
        let mut record = rig.contribution();
        record.revision = 2;
        record.content = content::text("Corrigé.");
        let good = rig.b.sealed(&record, Some(&rig.create()["object"]), rig.now());
        let mut forged = good.clone();
        forged["contentMap"] = json!({"fr": "<p>Falsifié.</p>"});
        let mut bare = good.clone();
        bare.as_object_mut().expect("an object").remove("proof");
        let mut foreign = good.clone();
        foreign["proof"]["verificationMethod"] = json!(rig.c.keys.ed25519_id());
        let unchained = rig.b.sealed(&record, Some(&good), rig.now());
        let headless = rig.b.sealed(&record, None, rig.now());
        for (n, object) in [forged, bare, foreign, unchained, headless].iter().enumerate() {
            let update = rig.b.activity(&format!("update-{n}"), "Update", object);
            let answer = rig.post(&update).await;
            if answer.status == StatusCode::UNPROCESSABLE_ENTITY {
                continue;
            }
            assert_eq!(answer.status, StatusCode::ACCEPTED);
            rig.work().await?;
            assert_eq!(rig.journal(&update).await?.map(|row| row.state), Some(JournalState::Quarantined), "{n}");
            assert_eq!(rig.copy(&record.id).await?, held, "{n}");
            // Its sender is told, with a signed receipt.
            let letter: Value = serde_json::from_str(&rig.letters().await?.last().expect("a letter").body)?;
            assert_eq!((&letter["type"], &letter["object"]), (&json!("Reject"), &update["id"]));
            let digest = passerelle::federation::proof::digest(object)?;
            let activity = update["id"].as_str().expect("an id");
            let sent = Delivered { activity, subject: record.id.as_str(), digest: &digest };
            let receipt = receipts::read_delivery(&letter["result"], &ours(&rig), &sent, rig.now())?;
            assert_eq!(receipt.state, DeliveryState::Refused);
        }
        rig.apply(&rig.b.activity("update-good", "Update", &good)).await?;
        assert_eq!(rig.copy(&record.id).await?.map(|copy| copy.revision), Some(2));
    }

    async fn two_contents_under_one_revision_freeze_the_copy(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.apply(&rig.create()).await?;
        let mut record = rig.contribution();
        record.content = content::text("Autre chose sous la même révision.");
        let other = rig.b.sealed(&record, None, rig.now());
        let answer = rig.post(&rig.b.activity("create-2", "Create", &other)).await;
        assert_eq!(answer.status, StatusCode::CONFLICT);
        let copy = rig.copy(&record.id).await?.expect("a copy");
        assert_eq!(copy.standing, CopyStanding::Frozen);
        assert_eq!(copy.rival_digest, Some(passerelle::federation::proof::digest(&other)?));
        assert_eq!(copy.record, Some(rig.contribution()));
        assert_eq!(rig.audit("equivocation").await?.len(), 1);
        assert_eq!(rig.rows("journal").await?, 1);
    }

    async fn gdpr_05_a_deletion_is_answered_with_a_signed_purge_receipt(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let document = rig.create()["object"].clone();
        rig.apply(&rig.create()).await?;
        let tombstone = rig.b.tombstone(&rig.contribution(), &document, rig.now());
        let delete = rig.b.activity("d", "Delete", &tombstone);
        rig.apply(&delete).await?;
        let letters = rig.letters().await?;
        let letter: Value = serde_json::from_str(&letters[0].body)?;
        assert_eq!((&letter["type"], &letter["object"], letters.len()), (&json!("Accept"), &delete["id"], 1));
        let receipt = receipts::read_purge(&letter["result"], &ours(&rig), rig.now())?;
        assert_eq!(receipt.request_activity.as_deref(), delete["id"].as_str());
        assert_eq!(receipt.receipt_for, rig.contribution().id.as_str());
        assert_eq!(receipt.subject_digest, Some(passerelle::federation::proof::digest(&document)?));
        assert_eq!(receipt.backups_until, Some(rig.now().plus(Duration::from_hours(30 * 24))));
        assert!(receipt.residual.contains(&Residual::Backup));
        assert_eq!(rig.copy(&rig.contribution().id).await?.and_then(|copy| copy.record), None);
        assert_eq!(rig.journal(&rig.create()).await?.and_then(|row| row.body), None);
        // What was never held is confirmed as such, and stays away for ever.
        let never = content::contribution(&rig.b.url, 2);
        let bare = rig.b.activity("d2", "Delete", &json!(never.id));
        rig.apply(&bare).await?;
        let letter: Value = serde_json::from_str(&rig.letters().await?[1].body)?;
        assert_eq!(receipts::read_purge(&letter["result"], &ours(&rig), rig.now())?.subject_digest, None);
        rig.apply(&rig.b.activity("c2", "Create", &rig.b.sealed(&never, None, rig.now()))).await?;
        assert_eq!(rig.copy(&never.id).await?.map(|copy| copy.standing), Some(CopyStanding::Deleted));
    }

    async fn gdpr_05_only_a_true_receipt_closes_a_purge(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let (record, digest) = deleted_of_ours(&rig).await?;
        let right = purge(&rig, &record, Some(digest.clone()));
        let other = content::contribution(&rig.federation.public_url, 2);
        let false_ones = [
            signed(&rig.c, &PurgeReceipt { holder: rig.c.keys.actor().clone(), ..right.clone() }, &rig),
            signed(&rig.b, &PurgeReceipt { erased: vec![Erased::Index], ..right.clone() }, &rig),
            signed(&rig.b, &PurgeReceipt { subject_digest: None, ..right.clone() }, &rig),
            signed(&rig.b, &PurgeReceipt { subject_digest: Some(Digest::of(b"never sent")), ..right.clone() }, &rig),
            signed(&rig.b, &PurgeReceipt { receipt_for: other.id.to_string(), ..right.clone() }, &rig),
            signed(&rig.b, &PurgeReceipt { request_activity: Some("https://a.example/activities/other".to_owned()), ..right.clone() }, &rig),
            signed(&rig.b, &PurgeReceipt { cause: PurgeCause::CacheExpiry, ..right.clone() }, &rig),
            {
                let mut flipped = signed(&rig.b, &right, &rig);
                flipped["purgedAt"] = json!("2020-01-01T00:00:00Z");
                flipped
            },
            {
                let mut unsigned = signed(&rig.b, &right, &rig);
                unsigned.as_object_mut().expect("an object").remove("proof");
                unsigned
            },
        ];
        for (n, receipt) in false_ones.iter().enumerate() {
            let state = answered(&rig, &format!("false-{n}"), &record, receipt).await?;
            assert_eq!(state, DisclosureState::PurgeAsked, "receipt {n} closed the purge");
        }
        assert_eq!(rig.audit("purge-receipt-refused").await?.len(), false_ones.len());
        assert_eq!(answered(&rig, "true", &record, &signed(&rig.b, &right, &rig)).await?, DisclosureState::Purged);
        let row = rig.federation.store.read().await?.lookup_disclosure(&rig.b.keys.actor().domain(), &record.id).await?;
        assert!(row.and_then(|row| row.purge_receipt).is_some_and(|text| text.contains("PurgeReceipt")));
    }

    async fn a_signed_refusal_rejects_what_was_delivered(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let record = content::contribution(&rig.federation.public_url, 1);
        let mut tx = rig.federation.store.write().await?;
        tx.set_follows_us(&rig.b.keys.actor().domain(), passerelle::domain::partner::FollowState::Accepted).await?;
        tx.save().await?;
        let sealed = write_ours(&rig, &record, None, ChangeKind::Created).await?;
        acknowledge(&rig, &record, 1, &sealed.digest, DisclosureState::Acknowledged).await?;
        let receipt = DeliveryReceipt {
            id: "https://b.example/receipts/r1".to_owned(),
            receiver: rig.b.keys.actor().clone(),
            request_activity: "https://a.example/activities/1".to_owned(),
            receipt_for: record.id.to_string(),
            subject_digest: sealed.digest,
            received_at: rig.now(),
            state: DeliveryState::Refused,
            problems: vec!["not-covered".to_owned()],
        };
        let mut reject = rig.b.activity("r", "Reject", &json!("https://a.example/activities/1"));
        reject["result"] = receipts::sign_delivery(&receipt, &rig.b.keys, rig.now())?.document;
        rig.apply(&reject).await?;
        let row = rig.federation.store.read().await?.lookup_disclosure(&rig.b.keys.actor().domain(), &record.id).await?;
        let row = row.expect("a row of the ledger");
        assert_eq!((row.state, row.last_answer.as_deref()), (DisclosureState::Rejected, Some("not-covered")));
    }

    async fn rel_065_keys_open_with_their_own_file_only(databases: Databases) {
        let store = databases.store().await;
        let clock = passerelle::domain::time::ManualClock::at("2026-09-15T12:00:00Z".parse()?);
        let actor: ActorId = "https://a.example/actor".parse()?;
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("passerelle.kek");
        let first = Keyring::open(&store, &path, &actor, &clock).await?;
        let again = Keyring::open(&store, &path, &actor, &clock).await?;
        assert_eq!(first.keys.multikey(), again.keys.multikey());
        assert_eq!(first.keys.rsa_pem(), again.keys.rsa_pem());
        assert_eq!(first.secret.bytes(), again.secret.bytes());
        let secret = std::fs::read_to_string(&path)?;
        let open = async |path: &Path| Keyring::open(&store, path, &actor, &clock).await;
        std::fs::write(&path, "00".repeat(32))?;
        assert!(matches!(open(&path).await, Err(KeyringError::WrongKey { .. })));
        std::fs::write(&path, "short")?;
        assert!(matches!(open(&path).await, Err(KeyringError::NotAKey(_))));
        std::fs::remove_file(&path)?;
        assert!(matches!(open(&path).await, Err(KeyringError::FileMissing(_))));
        assert!(!path.exists(), "a lost key is never replaced by a new one");
        std::fs::write(&path, secret)?;
        assert_eq!(open(&path).await?.keys.multikey(), first.keys.multikey());
    }

    async fn gdpr_05_a_receipt_for_an_earlier_deletion_leaves_the_later_one_open(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let (record, held) = deleted_of_ours(&rig).await?;
        // Its authority restores it and deletes it again.
        let tombstone = rig.federation.store.read().await?.lookup_record(&record.id).await?.expect("its tombstone").digest;
        let restored = Record { revision: 3, ..record.clone() };
        let sealed = write_ours(&rig, &restored, Some(tombstone), ChangeKind::Updated).await?;
        acknowledge(&rig, &restored, 3, &sealed.digest, DisclosureState::Acknowledged).await?;
        bury_ours(&rig, &restored, &sealed.digest).await?;
        let (first, second) = (deletion(&rig, &record, 2), deletion(&rig, &record, 4));
        let of = |activity: &str, digest: &Digest| PurgeReceipt {
            request_activity: Some(activity.to_owned()),
            ..purge(&rig, &record, Some(digest.clone()))
        };
        let invented = "https://a.example/activities/invented";
        let early = PurgeReceipt { purged_at: "2026-09-01T00:00:00Z".parse()?, ..of(&second, &sealed.digest) };
        for (n, (activity, receipt)) in [
            (first.as_str(), of(&first, &held)),
            (first.as_str(), of(&first, &sealed.digest)),
            (invented, of(invented, &sealed.digest)),
            (second.as_str(), early),
        ]
        .iter()
        .enumerate()
        {
            let state = answered_to(&rig, &format!("old-{n}"), activity, &record, &signed(&rig.b, receipt, &rig)).await?;
            assert_eq!(state, DisclosureState::PurgeAsked, "receipt {n} closed the purge");
        }
        let right = signed(&rig.b, &of(&second, &sealed.digest), &rig);
        assert_eq!(answered_to(&rig, "right", &second, &record, &right).await?, DisclosureState::Purged);
    }

    async fn gdpr_01_an_old_expiry_does_not_hide_a_newer_copy(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let record = content::contribution(&rig.federation.public_url, 1);
        let mut tx = rig.federation.store.write().await?;
        tx.set_follows_us(&rig.b.keys.actor().domain(), passerelle::domain::partner::FollowState::Accepted).await?;
        tx.save().await?;
        let first = write_ours(&rig, &record, None, ChangeKind::Created).await?;
        acknowledge(&rig, &record, 1, &first.digest, DisclosureState::Acknowledged).await?;
        rig.clock.advance(Duration::from_secs(10));
        let expiry = |digest: &Digest, purged_at| PurgeReceipt {
            request_activity: None,
            cause: PurgeCause::CacheExpiry,
            purged_at,
            ..purge(&rig, &record, Some(digest.clone()))
        };
        let between = rig.now();
        rig.clock.advance(Duration::from_secs(10));
        let next = Record { revision: 2, content: content::text("Corrigé."), ..record.clone() };
        let second = write_ours(&rig, &next, Some(first.digest.clone()), ChangeKind::Updated).await?;
        acknowledge(&rig, &next, 2, &second.digest, DisclosureState::Acknowledged).await?;
        rig.clock.advance(Duration::from_secs(10));
        for (n, receipt) in [
            expiry(&first.digest, between),
            expiry(&first.digest, rig.now()),
            expiry(&second.digest, between),
            PurgeReceipt { subject_digest: None, ..expiry(&second.digest, rig.now()) },
        ]
        .iter()
        .enumerate()
        {
            let state = answered_to(&rig, &format!("old-{n}"), record.id.as_str(), &record, &signed(&rig.b, receipt, &rig)).await?;
            assert_eq!(state, DisclosureState::Acknowledged, "receipt {n} hid what the partner holds");
        }
        let right = signed(&rig.b, &expiry(&second.digest, rig.now()), &rig);
        assert_eq!(answered_to(&rig, "right", record.id.as_str(), &record, &right).await?, DisclosureState::Purged);
    }

    async fn gdpr_09_a_late_revision_leaves_no_words_of_what_was_withdrawn(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.apply(&rig.create()).await?;
        let first = rig.create()["object"].clone();
        let edited = rig.b.sealed(&Record { revision: 2, content: content::text("Corrigé."), ..rig.contribution() }, Some(&first), rig.now());
        let withdrawn = rig.b.sealed(&Record { revision: 3, ..rig.contribution().withdrawn() }, Some(&edited), rig.now());
        rig.apply(&rig.b.activity("update-3", "Update", &withdrawn)).await?;
        let late = rig.b.activity("update-2", "Update", &edited);
        rig.apply(&late).await?;
        assert_eq!(rig.copy(&rig.contribution().id).await?.map(|copy| copy.revision), Some(3));
        for activity in [&rig.create(), &late] {
            assert_eq!(rig.journal(activity).await?.expect("it is kept").body, None, "{}", activity["id"]);
        }
    }

    async fn gdpr_19_what_takes_words_back_counts_even_where_its_chain_is_broken(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.apply(&rig.create()).await?;
        let record = rig.contribution();
        let unknown = rig.b.sealed(&Record { content: content::text("Jamais envoyé."), ..record.clone() }, None, rig.now());
        let hidden = rig.b.sealed(&Record { revision: 2, ..record.clone().hidden() }, Some(&unknown), rig.now());
        let update = rig.b.activity("hide", "Update", &hidden);
        rig.apply(&update).await?;
        let copy = rig.copy(&record.id).await?.expect("its place");
        assert_eq!((copy.standing, copy.revision), (CopyStanding::Hidden, 2));
        // Set aside all the same: a person looks, the sender is told.
        assert_eq!(rig.journal(&update).await?.map(|row| row.state), Some(JournalState::Quarantined));
        let letter: Value = serde_json::from_str(&rig.letters().await?.last().expect("a letter").body)?;
        assert_eq!((&letter["type"], &letter["object"]), (&json!("Reject"), &update["id"]));
        // Without a proof it changes nothing.
        let mut forged = rig.b.sealed(&Record { revision: 3, ..record.clone().hidden() }, Some(&hidden), rig.now());
        forged["proof"]["verificationMethod"] = json!(rig.c.keys.ed25519_id());
        rig.apply(&rig.b.activity("forged", "Update", &forged)).await?;
        assert_eq!(rig.copy(&record.id).await?.map(|copy| copy.revision), Some(2));
    }
}
