//! SEC-050 … SEC-066: who may say what about which record (security.md §2.2).

use http::StatusCode;
use passerelle::domain::change::ChangeKind;
use passerelle::domain::disposition::{Disposition, DispositionState};
use passerelle::domain::partner::{FollowState, PartnerKind};
use passerelle::domain::record::Record;
use passerelle::domain::response::OfficialResponse;
use passerelle::domain::seal::Seal;
use passerelle::domain::{Body, Class, PartnerDomain, RecordId};
use passerelle::federation::refusal::Code;
use passerelle::federation::seal::Sealer;
use passerelle::store::{CopyStanding, JournalState, RecordWrite};
use serde_json::{Value, json};

use super::rig::Rig;
use crate::store_tests;
use crate::support::content;
use crate::support::peer::Peer;
use crate::support::stores::Databases;
use crate::support::works;

/// A Create of B whose object says something else.
fn create_with(rig: &Rig, name: &str, value: &Value) -> Value {
    let mut activity = rig.create();
    activity["object"][name] = value.clone();
    activity
}

/// A record of C, as C sends it.
async fn held_of_c(rig: &Rig) -> anyhow::Result<(Record, Value)> {
    let record = content::contribution(&rig.c.url, 1);
    let document = rig.c.sealed(&record, None, rig.now());
    rig.accepts(&rig.c.post(&rig.c.activity("create-1", "Create", &document), rig.now())).await?;
    Ok((record, document))
}

/// The next revision of B's first contribution, changed.
fn update_with(rig: &Rig, change: impl FnOnce(&mut Record)) -> Value {
    let first = rig.create()["object"].clone();
    let mut record = rig.contribution();
    record.revision = 2;
    change(&mut record);
    rig.b.activity("update-2", "Update", &rig.b.sealed(&record, Some(&first), rig.now()))
}

async fn follows_us(rig: &Rig, peer: &Peer) -> anyhow::Result<FollowState> {
    let domain: PartnerDomain = peer.keys.actor().domain();
    let partner = rig.federation.store.read().await?.lookup_partner(&domain).await?;
    Ok(partner.map_or(FollowState::None, |partner| partner.follows_us))
}

store_tests! {
    async fn sec_050_and_sec_055_ids_are_addresses_of_their_sender(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        for id in [json!("https://c.example/activities/1"), json!(null), json!(1), json!("#x"), json!("data:,x"), json!("javascript:1")] {
            let mut activity = rig.create();
            activity["id"] = id;
            rig.refuses(&rig.b.post(&activity, rig.now()), 400, &[Code::InvalidId]).await?;
        }
        for id in [json!(null), json!(1), json!([]), json!("contributions/1"), json!(format!("https://b.example/{}", "x".repeat(4096)))] {
            rig.refuses(&rig.b.post(&create_with(&rig, "id", &id), rig.now()), 400, &[Code::InvalidId]).await?;
        }
    }

    async fn sec_051_a_record_on_another_host_is_never_stored_inline(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let id = json!("https://c.example/contributions/1");
        rig.refuses(&rig.b.post(&create_with(&rig, "id", &id), rig.now()), 403, &[Code::Origin]).await?;
        // SEC-088: another port is another origin.
        let id = json!("https://b.example:8443/contributions/1");
        rig.refuses(&rig.b.post(&create_with(&rig, "id", &id), rig.now()), 403, &[Code::Origin]).await?;
    }

    async fn sec_052_to_sec_054_a_record_is_attributed_to_its_sender(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        for (owner, status, code) in [
            (json!("https://c.example/actor"), 403, Code::NotOwner),
            (json!("https://a.example/actor"), 403, Code::NotOwner),
            (json!("https://b.example/citizens/1"), 403, Code::NotOwner),
            (json!(["https://b.example/actor", "https://c.example/actor"]), 400, Code::InvalidActivity),
            (json!([["https://b.example/actor"]]), 400, Code::InvalidActivity),
            (json!({"name": "B"}), 400, Code::InvalidActivity),
            (json!(1), 400, Code::InvalidActivity),
            (json!("1"), 400, Code::InvalidActivity),
            (json!("admin"), 400, Code::InvalidActivity),
            (json!("/actor"), 400, Code::InvalidActivity),
        ] {
            rig.refuses(&rig.b.post(&create_with(&rig, "attributedTo", &owner), rig.now()), status, &[code]).await?;
        }
        let mut two = rig.create();
        two["actor"] = json!(["https://b.example/actor", "https://c.example/actor"]);
        rig.refuses(&rig.b.post(&two, rig.now()), 400, &[Code::InvalidActivity]).await?;
    }

    async fn sec_056_our_own_records_stay_byte_for_byte(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let ours = content::contribution(&rig.federation.public_url, 1);
        let sealed = Sealer::new(rig.federation.keys.clone()).record(&ours, None, rig.now())?;
        let mut tx = rig.federation.store.write().await?;
        let (local, previous) = (None, None);
        let write = RecordWrite { local, record: ours.clone(), sealed: sealed.clone(), previous, kind: ChangeKind::Created, material: true, at: rig.now() };
        tx.put_records(&[write]).await?;
        tx.save().await?;
        for id in ["https://a.example/contributions/contributions-1", "https://A.EXAMPLE:443/contributions/contributions-1", "https://a%2eexample/contributions/contributions-1", "http://a.example:443/x"] {
            for kind in ["Create", "Update", "Delete"] {
                let mut activity = create_with(&rig, "id", &json!(id));
                activity["type"] = json!(kind);
                rig.refuses(&rig.b.post(&activity, rig.now()), 403, &[Code::Origin]).await?;
            }
        }
        rig.refuses(&rig.b.post(&create_with(&rig, "id", &json!("https://a.example./x")), rig.now()), 400, &[Code::InvalidId]).await?;
        let stored = rig.federation.store.read().await?.lookup_record(&ours.id).await?.expect("our record");
        assert_eq!(stored.sealed, sealed.bytes);
    }

    async fn sec_057_sec_058_sec_061_nobody_changes_or_deletes_for_another(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let (record, document) = held_of_c(&rig).await?;
        let before = rig.copy(&record.id).await?;
        for (kind, object) in [
            ("Update", document.clone()),
            ("Delete", document.clone()),
            ("Delete", json!(record.id)),
            ("Delete", json!({"id": record.id, "type": "Tombstone"})),
            ("Delete", json!(rig.c.keys.actor())),
        ] {
            rig.refuses(&rig.b.post(&rig.b.activity("x", kind, &object), rig.now()), 403, &[Code::Origin, Code::NotOwner]).await?;
        }
        // Another actor of the owner's own host is not the owner.
        let mut activity = rig.c.activity("x", "Update", &document);
        activity["actor"] = json!("https://c.example/other");
        rig.refuses(&rig.c.post(&activity, rig.now()), 401, &[Code::ActorMismatch]).await?;
        assert_eq!(rig.copy(&record.id).await?, before);
    }

    async fn sec_059_what_a_record_is_never_changes(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.apply(&rig.create()).await?;
        let before = rig.copy(&rig.contribution().id).await?;
        let other = content::id(&rig.b.url, passerelle::domain::Class::Consultation, 9);
        let moved = update_with(&rig, |record| {
            if let Body::Contribution(body) = &mut record.body {
                body.process = other;
            }
        });
        let republished = update_with(&rig, |record| record.published = Some("2020-01-01T00:00:00Z".parse().expect("a time")));
        let retyped = update_with(&rig, |record| record.body = content::consultation(&rig.b.url, 1).body);
        for update in [moved, republished, retyped] {
            rig.refuses(&rig.b.post(&update, rig.now()), 422, &[Code::Immutable]).await?;
        }
        assert_eq!(rig.copy(&rig.contribution().id).await?, before);
        rig.apply(&update_with(&rig, |record| record.content = content::text("Corrigé."))).await?;
        assert_eq!(rig.copy(&rig.contribution().id).await?.map(|copy| copy.revision), Some(2));
    }

    async fn sec_060_counts_that_are_none_are_refused(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        for count in ["-1", "0.5", "\"7\""] {
            let body = create_with(&rig, "replies", &json!({"type": "Collection", "totalItems": "COUNT"})).to_string().replace("\"COUNT\"", count);
            let mut knock = crate::support::peer::Knock::post(body, rig.now());
            knock.rfc9421(&rig.b, &crate::support::peer::Rfc9421::usual(&rig.b, rig.now()));
            rig.refuses(&knock, 422, &[Code::InvalidRecord]).await?;
        }
        for count in ["9223372036854775808", "1e400", "NaN"] {
            let body = create_with(&rig, "replies", &json!({"type": "Collection", "totalItems": "COUNT"})).to_string().replace("\"COUNT\"", count);
            let mut knock = crate::support::peer::Knock::post(body, rig.now());
            knock.rfc9421(&rig.b, &crate::support::peer::Rfc9421::usual(&rig.b, rig.now()));
            rig.refuses(&knock, 400, &[Code::InvalidJson]).await?;
        }
    }

    async fn sec_062_a_partner_that_deletes_itself_waits_for_a_person(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.apply(&rig.create()).await?;
        rig.apply(&rig.b.activity("d", "Delete", &json!(rig.b.keys.actor()))).await?;
        assert_eq!(rig.copy(&rig.contribution().id).await?.map(|copy| copy.standing), Some(CopyStanding::Live));
        assert_eq!(rig.audit("partner-deletes-itself").await?.len(), 1);
    }

    async fn sec_064_only_its_own_follow_is_undone(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let follow = rig.b.activity("f", "Follow", &json!("https://a.example/actor"));
        rig.apply(&follow).await?;
        assert_eq!(follows_us(&rig, &rig.b).await?, FollowState::Accepted);
        let foreign = json!({"id": "https://c.example/f", "type": "Follow", "actor": rig.c.keys.actor(), "object": "https://a.example/actor"});
        rig.refuses(&rig.b.post(&rig.b.activity("u0", "Undo", &foreign), rig.now()), 403, &[Code::NotOwner]).await?;
        rig.apply(&rig.b.activity("u1", "Undo", &json!("https://b.example/unknown"))).await?;
        assert_eq!(follows_us(&rig, &rig.b).await?, FollowState::Accepted);
        rig.apply(&rig.b.activity("u2", "Undo", &follow)).await?;
        assert_eq!(follows_us(&rig, &rig.b).await?, FollowState::None);
    }

    async fn sec_065_an_answer_to_nothing_changes_nothing(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let to_c = json!({"id": "https://a.example/activities/to-c", "type": "Follow"});
        let mut tx = rig.federation.store.write().await?;
        tx.put_letter(&rig.c.keys.actor().domain(), "https://a.example/activities/to-c", &to_c.to_string(), rig.now()).await?;
        tx.save().await?;
        let partners = rig.federation.store.read().await?.list_partners().await?;
        for (n, object) in [json!("https://a.example/activities/never"), to_c.clone(), json!("https://m.example/approval")].into_iter().enumerate() {
            for kind in ["Accept", "Reject"] {
                let activity = rig.b.activity(&format!("{kind}-{n}"), kind, &object);
                rig.apply(&activity).await?;
                assert_eq!(rig.journal(&activity).await?.map(|row| row.state), Some(JournalState::Ignored));
            }
        }
        assert_eq!(rig.federation.store.read().await?.list_partners().await?, partners);
        rig.accepts(&rig.c.post(&rig.c.activity("yes", "Accept", &to_c), rig.now())).await?;
        let c = rig.federation.store.read().await?.lookup_partner(&rig.c.keys.actor().domain()).await?;
        assert_eq!(c.map(|c| c.followed), Some(FollowState::Accepted));
    }

    async fn sec_066_a_follow_is_its_senders_own_and_of_us(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut foreign = rig.b.activity("f", "Follow", &json!("https://a.example/actor"));
        foreign["actor"] = json!(rig.c.keys.actor());
        rig.refuses(&rig.b.post(&foreign, rig.now()), 401, &[Code::ActorMismatch]).await?;
        let nobody = rig.b.activity("n", "Follow", &json!("https://a.example/nobody"));
        rig.refuses(&rig.b.post(&nobody, rig.now()), 404, &[Code::NotFound]).await?;
        for n in 0..20 {
            rig.apply(&rig.b.activity(&format!("f{n}"), "Follow", &json!("https://a.example/actor"))).await?;
        }
        assert_eq!(follows_us(&rig, &rig.b).await?, FollowState::Accepted);
        assert_eq!(follows_us(&rig, &rig.c).await?, FollowState::None);
        assert_eq!(rig.rows("partner").await?, 2);
    }

    async fn sec_069_sec_080_sec_081_shapes_of_several_meanings_are_refused(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut collection = rig.create();
        collection["type"] = json!("OrderedCollection");
        rig.refuses(&rig.b.post(&collection, rig.now()), 400, &[Code::Unsupported]).await?;
        let nested = rig.b.activity("n", "Create", &rig.create());
        rig.refuses(&rig.b.post(&nested, rig.now()), 400, &[Code::Unsupported]).await?;
        let mut kinds = rig.create();
        kinds["type"] = json!(["Create", "Delete"]);
        rig.refuses(&rig.b.post(&kinds, rig.now()), 400, &[Code::InvalidActivity]).await?;
        let twice = rig.create().to_string().replacen("\"type\":\"Create\"", "\"type\":\"Create\",\"type\":\"Delete\"", 1);
        let mut knock = crate::support::peer::Knock::post(twice, rig.now());
        knock.rfc9421(&rig.b, &crate::support::peer::Rfc9421::usual(&rig.b, rig.now()));
        rig.refuses(&knock, 400, &[Code::InvalidJson]).await?;
        let wave = rig.b.activity("w", "Wave", &json!("https://a.example/actor"));
        rig.apply(&wave).await?;
        assert_eq!(rig.journal(&wave).await?.map(|row| row.state), Some(JournalState::Ignored));
    }

    async fn a_reader_follows_but_holds_no_records_here(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let reader = Peer::at("reader.example");
        rig.list(&reader.partner(PartnerKind::Reader)).await?;
        let follow = reader.activity("f", "Follow", &json!("https://a.example/actor"));
        let answer = rig.knock(&reader.post_cavage(&follow, rig.now())).await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::ACCEPTED, 0));
        let note = json!({"id": "https://reader.example/n", "type": "Note", "attributedTo": reader.keys.actor(), "content": "Moi aussi"});
        rig.accepts(&reader.post_cavage(&reader.activity("c", "Create", &note), rig.now())).await?;
        assert_eq!(follows_us(&rig, &reader).await?, FollowState::Accepted);
        assert_eq!(rig.rows("copy").await?, 0);
        rig.accepts(&reader.post_cavage(&reader.activity("d", "Delete", &json!(reader.keys.actor())), rig.now())).await?;
        assert_eq!(follows_us(&rig, &reader).await?, FollowState::None);
    }

    async fn sec_057_nobody_judges_or_answers_what_is_not_its_own(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let (theirs, _) = held_of_c(&rig).await?;
        let judged = |subject: &RecordId| {
            let body = Disposition {
                subject: subject.clone(),
                process: content::id(&rig.b.url, Class::Consultation, 1),
                subject_digest: None,
                state: DispositionState::Rejected,
                raw_state: None,
                merged_into: None,
            };
            Record { id: content::id(&rig.b.url, Class::Disposition, 1), body: Body::Disposition(body), ..rig.contribution() }
        };
        let answers = |subjects: &[&RecordId]| {
            let body = OfficialResponse {
                responds_to: subjects.iter().map(|id| (*id).clone()).collect(),
                process: content::id(&rig.b.url, Class::Consultation, 1),
                subject_digest: None,
                outcome: None,
                signatory_role: None,
            };
            Record { id: content::id(&rig.b.url, Class::OfficialResponse, 1), body: Body::OfficialResponse(body), ..rig.contribution() }
        };
        let first = rig.contribution().id;
        for record in [judged(&theirs.id), answers(&[&theirs.id]), answers(&[&first, &theirs.id])] {
            let create = rig.b.activity("judge", "Create", &rig.b.sealed(&record, None, rig.now()));
            rig.refuses(&rig.b.post(&create, rig.now()), 403, &[Code::NotOwner]).await?;
        }
        // Nor does anybody meet in, vote in, count, promise or report for another city's process.
        let abroad = theirs.process().clone();
        let own = content::id(&rig.b.url, Class::Consultation, 1);
        let foreign = [
            (Class::Meeting, Body::Meeting(works::meeting(&abroad))),
            (Class::BudgetProject, Body::BudgetProject(works::project(&abroad))),
            (Class::Poll, Body::Poll(works::poll(&abroad))),
            (Class::Decision, Body::Decision(works::decision(&abroad, &[]))),
            (Class::Commitment, Body::Commitment(works::commitment(&abroad, std::slice::from_ref(&first), "2027-09-01"))),
            (Class::Result, Body::Result(works::result(&own, std::slice::from_ref(&theirs.id), None))),
            (Class::Result, Body::Result(works::result(&own, &[], Some(&theirs.id)))),
            (Class::ProgressUpdate, Body::ProgressUpdate(works::news(&theirs.id, &own))),
            (Class::Document, Body::Document(works::document(&theirs.id, &own))),
        ];
        for (n, (class, body)) in foreign.into_iter().enumerate() {
            let record = Record { id: content::id(&rig.b.url, class, 9), body, ..rig.contribution() };
            let create = rig.b.activity(&format!("foreign-{n}"), "Create", &rig.b.sealed(&record, None, rig.now()));
            rig.refuses(&rig.b.post(&create, rig.now()), 403, &[Code::NotOwner]).await?;
        }
        for (key, record) in [("judge-own", judged(&first)), ("answer-own", answers(&[&first]))] {
            rig.apply(&rig.b.activity(key, "Create", &rig.b.sealed(&record, None, rig.now()))).await?;
            assert_eq!(rig.copy(&record.id).await?.map(|copy| copy.standing), Some(CopyStanding::Live), "{key}");
        }
    }
}
