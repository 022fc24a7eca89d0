//! SEC-048, SEC-050 … SEC-061: who speaks, and about whose records (security.md §2.2). Each row whole: what
//! is answered, and that State 0 is kept or exactly what else the row says happens.
//!
//! SEC-062 and the later rows of that section: `sec_ownership`. The same of pages: `sec_pages`.

use passerelle::domain::change::ChangeKind;
use passerelle::domain::disposition::{Disposition, DispositionState};
use passerelle::domain::partner::PartnerKind;
use passerelle::domain::record::Record;
use passerelle::domain::response::OfficialResponse;
use passerelle::domain::seal::{Seal, Sealed};
use passerelle::domain::tally::{Measure, SupportTally};
use passerelle::domain::{Body, Class, RecordId};
use passerelle::federation::keys::Keys;
use passerelle::federation::proof;
use passerelle::federation::refusal::Code;
use passerelle::federation::seal::Sealer;
use passerelle::store::{CopyStanding, RecordWrite};
use serde_json::{Value, json};

use super::rig::Rig;
use crate::store_tests;
use crate::support::content;
use crate::support::network::Served;
use crate::support::peer::{Cavage, Knock, Peer, Rfc9421};
use crate::support::stores::Databases;
use crate::support::works;

/// What a partner can say of a record.
const WORDS: [&str; 3] = ["Create", "Update", "Delete"];

/// A Create of B whose object says something else.
fn create_with(rig: &Rig, name: &str, value: &Value) -> Value {
    let mut activity = rig.create();
    activity["object"][name] = value.clone();
    activity
}

/// B posts these very bytes, rightly signed.
fn raw(rig: &Rig, body: String) -> Knock {
    let mut knock = Knock::post(body, rig.now());
    knock.rfc9421(&rig.b, &Rfc9421::usual(&rig.b, rig.now()));
    knock
}

/// A record of `peer` as it sends it, held here.
async fn held(rig: &Rig, peer: &Peer, record: &Record) -> anyhow::Result<Value> {
    let document = peer.sealed(record, None, rig.now());
    let key = format!("create-{}", record.id.copy_key());
    rig.accepts(&peer.post(&peer.activity(&key, "Create", &document), rig.now())).await?;
    assert_eq!(rig.copy(&record.id).await?.map(|copy| copy.standing), Some(CopyStanding::Live));
    Ok(document)
}

/// The next revision of a record of B, changed.
fn update_of(rig: &Rig, first: &Record, document: &Value, change: impl FnOnce(&mut Record)) -> Value {
    let mut record = first.clone();
    record.revision = 2;
    change(&mut record);
    rig.b.activity("update-2", "Update", &rig.b.sealed(&record, Some(document), rig.now()))
}

/// A record with counts.
fn counted(mut record: Record) -> Record {
    if let Body::Contribution(body) = &mut record.body {
        let counted_at = "2026-09-14T08:00:00Z".parse().expect("a time");
        body.tallies = vec![SupportTally { measure: Measure::Support, total: Some(7), counted_at }];
        body.comment_count = Some(3);
    }
    record
}

/// A record of our own, with counts, as it is published.
async fn ours(rig: &Rig) -> anyhow::Result<(Record, Sealed)> {
    let record = counted(content::contribution(&rig.federation.public_url, 1));
    let sealed = Sealer::new(rig.federation.keys.clone()).record(&record, None, rig.now())?;
    let write = RecordWrite {
        local: None,
        record: record.clone(),
        sealed: sealed.clone(),
        previous: None,
        kind: ChangeKind::Created,
        material: true,
        at: rig.now(),
    };
    let mut tx = rig.federation.store.write().await?;
    tx.put_records(&[write]).await?;
    tx.save().await?;
    Ok((record, sealed))
}

/// The same document under another name, with a new proof by `peer`.
fn resealed(peer: &Peer, rig: &Rig, mut document: Value, change: impl FnOnce(&mut Value)) -> Value {
    document.as_object_mut().expect("an object").remove("proof");
    change(&mut document);
    let signed = proof::sign(document, &peer.keys, rig.now()).expect("a proof");
    serde_json::from_slice(&signed.bytes).expect("JSON")
}

/// What is no address of anything of B's: null, missing, a number, a list …
fn no_ids() -> Vec<Option<Value>> {
    let long = format!("https://b.example/{}", "x".repeat(4096));
    let mut ids: Vec<Option<Value>> = [
        json!(null),
        json!(1),
        json!(true),
        json!([]),
        json!(["https://b.example/contributions/1"]),
        json!({"id": "https://b.example/contributions/1"}),
        json!(""),
        json!("contributions/1"),
        json!("/contributions/1"),
        json!("//b.example/contributions/1"),
        json!("#fragment"),
        json!("data:application/json,x"),
        json!("javascript:alert(1)"),
        json!("urn:uuid:1"),
        json!("https:/b.example/x"),
        json!("https://b.example/ x"),
        json!("https://u@b.example/x"),
        json!(long),
    ]
    .into_iter()
    .map(Some)
    .collect();
    ids.push(None);
    ids
}

fn set(object: &mut Value, name: &str, value: Option<&Value>) {
    let object = object.as_object_mut().expect("an object");
    match value {
        Some(value) => object.insert(name.to_owned(), value.clone()),
        None => object.remove(name),
    };
}

store_tests! {
    async fn sec_048_an_unlisted_server_is_refused_before_anything_is_fetched(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let m = Peer::at("m.example");
        // Everything that could be asked for is there to be fetched.
        rig.network.serve("m.example/actor", Served::activity(&m.actor_document()));
        rig.network.serve("m.example/contributions/contributions-1", Served::activity(&json!({"id": "x"})));
        let document = m.sealed(&content::contribution(&m.url, 1), None, rig.now());
        let us = json!("https://a.example/actor");
        for (kind, object) in [
            ("Create", document.clone()), ("Update", document.clone()), ("Delete", document.clone()), ("Announce", document.clone()),
            ("Follow", us.clone()), ("Undo", json!({"type": "Follow", "actor": m.keys.actor(), "object": us})),
            ("Accept", json!("https://a.example/activities/1")), ("Update", m.actor_document()), ("Wave", us.clone()),
        ] {
            let activity = m.activity("1", kind, &object);
            for knock in [m.post(&activity, rig.now()), m.post_cavage(&activity, rig.now())] {
                rig.refuses(&knock, 403, &[Code::NotListed]).await?;
            }
        }
        // A signed read is a knock too.
        for target in ["/actor/records", "/from/m.example"] {
            let mut get = Knock::get(target, rig.now());
            get.cavage(&m, &Cavage::over(&m, "(request-target) host date"));
            let before = rig.state().await?;
            let answer = rig.knock(&get).await;
            assert!(!String::from_utf8_lossy(&answer.body).contains("\"revision\""), "{target} told M something");
            assert_eq!(before.differences(&rig.state().await?), Vec::<String>::new(), "{target}");
        }
        assert_eq!(rig.network.connections(), 0, "the list is asked before any key");
    }

    async fn sec_050_an_activity_is_named_on_its_actors_own_origin(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let record = rig.contribution();
        held(&rig, &rig.b, &record).await?;
        for id in [
            "https://c.example/activities/1", "https://a.example/activities/1", "https://m.example/activities/1",
            "https://b.example:8443/activities/1", "http://b.example/activities/1", "https://sub.b.example/activities/1",
            "https://b.example.m.example/activities/1",
        ] {
            for kind in ["Create", "Update", "Delete", "Follow", "Undo", "Accept", "Wave"] {
                let mut activity = rig.create();
                if kind == "Follow" {
                    activity["object"] = json!("https://a.example/actor");
                }
                (activity["id"], activity["type"]) = (json!(id), json!(kind));
                rig.refuses(&rig.b.post(&activity, rig.now()), 400, &[Code::InvalidId]).await?;
            }
        }
    }

    async fn sec_051_a_record_on_another_host_is_never_stored_inline(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        // C is a partner, and its record could be asked for; M is nobody.
        let theirs = content::contribution(&rig.c.url, 1);
        let document = rig.c.sealed(&theirs, None, rig.now());
        rig.network.serve("c.example/contributions/contributions-1", Served::activity(&document));
        let forged = |id: &str| resealed(&rig.b, &rig, rig.create()["object"].clone(), |document| document["id"] = json!(id));
        for object in [
            document,
            forged("https://c.example/contributions/contributions-1"),
            forged("https://m.example/contributions/1"),
            // SEC-088: another port is another origin.
            forged("https://b.example:8443/contributions/1"),
            forged("http://b.example/contributions/1"),
        ] {
            for kind in ["Create", "Update"] {
                rig.refuses(&rig.b.post(&rig.b.activity("x", kind, &object), rig.now()), 403, &[Code::Origin]).await?;
            }
        }
        assert_eq!(rig.copy(&theirs.id).await?, None);
    }

    async fn sec_052_a_record_is_attributed_to_its_sender(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        for owner in ["https://c.example/actor", "https://b.example/citizens/1", "https://b.example/actor2", "https://b.example:8443/actor"] {
            for name in ["attributedTo", "authority"] {
                rig.refuses(&rig.b.post(&create_with(&rig, name, &json!(owner)), rig.now()), 403, &[Code::NotOwner]).await?;
            }
        }
        let mut nobody = rig.create();
        set(&mut nobody["object"], "attributedTo", None);
        rig.refuses(&rig.b.post(&nobody, rig.now()), 400, &[Code::InvalidActivity]).await?;
    }

    async fn sec_053_a_reference_reduces_to_exactly_one_or_is_refused(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let (b, c) = (json!("https://b.example/actor"), json!("https://c.example/actor"));
        let several = [
            json!([b, c]), json!([b, b]), json!([[b]]), json!([{"id": b}, {"id": c}]), json!([]), json!({}), json!(null),
            json!({"name": "B"}), json!({"id": [b]}), json!({"id": {"id": b}}), json!([{"type": "Person"}]), json!({"href": b}),
        ];
        for value in &several {
            rig.refuses(&rig.b.post(&create_with(&rig, "attributedTo", value), rig.now()), 400, &[Code::InvalidActivity]).await?;
            let mut activity = rig.create();
            activity["actor"] = value.clone();
            rig.refuses(&rig.b.post(&activity, rig.now()), 400, &[Code::InvalidActivity]).await?;
            rig.refuses(&rig.b.post(&create_with(&rig, "id", value), rig.now()), 400, &[Code::InvalidId]).await?;
        }
        // Exactly one, written at length: it is what it says.
        for (n, one) in [json!({"id": b}), json!([b]), json!([{"id": b, "type": "Organization"}])].into_iter().enumerate() {
            let n = u32::try_from(n)? + 1;
            let record = content::contribution(&rig.b.url, n);
            let document = resealed(&rig.b, &rig, rig.b.sealed(&record, None, rig.now()), |document| document["attributedTo"] = one.clone());
            let mut activity = rig.b.activity(&format!("one-{n}"), "Create", &document);
            activity["actor"] = one;
            rig.accepts(&rig.b.post(&activity, rig.now())).await?;
            let copy = rig.copy(&record.id).await?.expect("it is held");
            assert_eq!((copy.standing, copy.authority.as_str()), (CopyStanding::Live, "https://b.example/actor"));
        }
    }

    async fn sec_054_nothing_is_attributed_to_somebody_here(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        for (owner, status, code) in [
            (json!(1), 400, Code::InvalidActivity),
            (json!("1"), 400, Code::InvalidActivity),
            (json!("admin"), 400, Code::InvalidActivity),
            (json!("/actor"), 400, Code::InvalidActivity),
            (json!("acct:a@a.example"), 400, Code::InvalidActivity),
            (json!({"id": "/actor"}), 400, Code::InvalidActivity),
            (json!("https://a.example/actor"), 403, Code::NotOwner),
            (json!("https://A.EXAMPLE:443/actor"), 403, Code::NotOwner),
            (json!(["https://a.example/actor"]), 403, Code::NotOwner),
            (json!({"id": "https://a.example/actor"}), 403, Code::NotOwner),
        ] {
            for name in ["attributedTo", "authority"] {
                rig.refuses(&rig.b.post(&create_with(&rig, name, &owner), rig.now()), status, &[code]).await?;
            }
        }
    }

    async fn sec_055_what_is_no_address_names_nothing(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        for id in no_ids() {
            let mut activity = rig.create();
            set(&mut activity, "id", id.as_ref());
            rig.refuses(&rig.b.post(&activity, rig.now()), 400, &[Code::InvalidId]).await?;
            let names_one = id.as_ref().is_some_and(|id| id.is_array() && id[0].is_string() || id.is_object());
            for kind in WORDS {
                let mut activity = rig.create();
                activity["type"] = json!(kind);
                set(&mut activity["object"], "id", id.as_ref());
                rig.refuses(&rig.b.post(&activity, rig.now()), 400, &[Code::InvalidId]).await?;
                // The object itself, where its id stands.
                let Some(id) = id.as_ref().filter(|_| kind == "Delete" && !names_one) else { continue };
                rig.refuses(&rig.b.post(&rig.b.activity("x", kind, id), rig.now()), 400, &[Code::InvalidId]).await?;
            }
        }
    }

    async fn sec_056_our_own_records_stay_byte_for_byte(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let (record, sealed) = ours(&rig).await?;
        let path = record.id.path().to_owned();
        for origin in [
            "https://a.example", "https://A.EXAMPLE", "https://a.EXAMPLE:443", "https://a.example:8443", "https://a.example.",
            "https://a%2eexample", "https://a%2Eexample:443", "http://a.example", "http://a.example:443", "https://u:p@a.example",
            "https://ａ.example", "https://a\u{ad}.example",
        ] {
            let id = json!(format!("{origin}{path}"));
            for kind in WORDS {
                let mut activity = create_with(&rig, "id", &id);
                activity["type"] = json!(kind);
                rig.refuses(&rig.b.post(&activity, rig.now()), 403, &[Code::Origin]).await?;
            }
            for object in [id.clone(), json!({"id": id, "type": "Tombstone"})] {
                rig.refuses(&rig.b.post(&rig.b.activity("x", "Delete", &object), rig.now()), 403, &[Code::Origin]).await?;
            }
        }
        let stored = rig.federation.store.read().await?.lookup_record(&record.id).await?.expect("our record");
        assert_eq!(stored.sealed, sealed.bytes);
    }

    async fn sec_057_nobody_updates_what_another_owns(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let record = content::contribution(&rig.c.url, 1);
        let document = held(&rig, &rig.c, &record).await?;
        let before = rig.copy(&record.id).await?;
        let mut second = record.clone();
        (second.revision, second.content) = (2, content::text("Écrit par un autre."));
        for object in [
            document.clone(),
            // Even with C's own proof: only C brings it.
            rig.c.sealed(&second, Some(&document), rig.now()),
            resealed(&rig.b, &rig, document.clone(), |document| document["revision"] = json!(2)),
            resealed(&rig.b, &rig, document.clone(), |document| document["attributedTo"] = json!(rig.b.keys.actor())),
        ] {
            rig.refuses(&rig.b.post(&rig.b.activity("x", "Update", &object), rig.now()), 403, &[Code::Origin]).await?;
        }
        assert_eq!(rig.copy(&record.id).await?, before);
        // C itself does.
        let update = rig.c.activity("u", "Update", &rig.c.sealed(&second, Some(&document), rig.now()));
        rig.accepts(&rig.c.post(&update, rig.now())).await?;
        assert_eq!(rig.copy(&record.id).await?.map(|copy| copy.revision), Some(2));
    }

    async fn sec_057_nobody_judges_or_answers_what_is_not_its_own(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let theirs = content::contribution(&rig.c.url, 1);
        held(&rig, &rig.c, &theirs).await?;
        let process = content::id(&rig.b.url, Class::Consultation, 1);
        let judged = |subject: &RecordId| {
            let (subject, process) = (subject.clone(), process.clone());
            let state = DispositionState::Rejected;
            let body = Disposition { subject, process, subject_digest: None, state, raw_state: None, merged_into: None };
            Record { id: content::id(&rig.b.url, Class::Disposition, 1), body: Body::Disposition(body), ..rig.contribution() }
        };
        let answers = |subjects: &[&RecordId]| {
            let responds_to = subjects.iter().map(|id| (*id).clone()).collect();
            let process = process.clone();
            let body = OfficialResponse { responds_to, process, subject_digest: None, outcome: None, signatory_role: None };
            Record { id: content::id(&rig.b.url, Class::OfficialResponse, 1), body: Body::OfficialResponse(body), ..rig.contribution() }
        };
        let first = rig.contribution().id;
        for record in [judged(&theirs.id), answers(&[&theirs.id]), answers(&[&first, &theirs.id])] {
            let create = rig.b.activity("judge", "Create", &rig.b.sealed(&record, None, rig.now()));
            rig.refuses(&rig.b.post(&create, rig.now()), 403, &[Code::NotOwner]).await?;
        }
        // Nor does anybody meet in, vote in, count, promise or report for another city's process.
        let abroad = theirs.process().clone();
        let foreign = [
            (Class::Meeting, Body::Meeting(works::meeting(&abroad))),
            (Class::BudgetProject, Body::BudgetProject(works::project(&abroad))),
            (Class::Poll, Body::Poll(works::poll(&abroad))),
            (Class::Decision, Body::Decision(works::decision(&abroad, &[]))),
            (Class::Commitment, Body::Commitment(works::commitment(&abroad, std::slice::from_ref(&first), "2027-09-01"))),
            (Class::Result, Body::Result(works::result(&process, std::slice::from_ref(&theirs.id), None))),
            (Class::Result, Body::Result(works::result(&process, &[], Some(&theirs.id)))),
            (Class::ProgressUpdate, Body::ProgressUpdate(works::news(&theirs.id, &process))),
            (Class::Document, Body::Document(works::document(&theirs.id, &process))),
        ];
        for (n, (class, body)) in foreign.into_iter().enumerate() {
            let record = Record { id: content::id(&rig.b.url, class, 9), body, ..rig.contribution() };
            let create = rig.b.activity(&format!("foreign-{n}"), "Create", &rig.b.sealed(&record, None, rig.now()));
            rig.refuses(&rig.b.post(&create, rig.now()), 403, &[Code::NotOwner]).await?;
        }
        for record in [judged(&first), answers(&[&first])] {
            held(&rig, &rig.b, &record).await?;
        }
    }

    async fn sec_058_another_actor_of_the_owners_host_is_not_the_owner(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        // Once, another actor of C's host was the partner there; its records are still held as its own.
        let keys = Keys::from_seed("https://c.example/mairie".parse()?, &[44; 32])?;
        let former = Peer { keys, url: rig.c.url.clone() };
        rig.list(&former.partner(PartnerKind::Partner)).await?;
        let mut record = content::contribution(&rig.c.url, 1);
        record.authority = former.keys.actor().clone();
        let document = held(&rig, &former, &record).await?;
        rig.list(&rig.c.partner(PartnerKind::Partner)).await?;
        let before = rig.copy(&record.id).await?;
        let mut second = record.clone();
        second.revision = 2;
        let mut taken = second.clone();
        taken.authority = rig.c.keys.actor().clone();
        let grave = rig.c.tombstone(&record, &document, rig.now());
        for (kind, object) in [
            ("Update", former.sealed(&second, Some(&document), rig.now())),
            ("Update", rig.c.sealed(&taken, Some(&document), rig.now())),
            ("Create", rig.c.sealed(&taken, Some(&document), rig.now())),
            ("Delete", json!(record.id)),
            ("Delete", json!({"id": record.id, "type": "Tombstone"})),
            ("Delete", grave),
        ] {
            rig.refuses(&rig.c.post(&rig.c.activity("x", kind, &object), rig.now()), 403, &[Code::NotOwner]).await?;
        }
        assert_eq!(rig.copy(&record.id).await?, before);
        // And with C's key nobody speaks as another actor of C's host: who speaks is asked first (SEC-032).
        let mut activity = rig.c.activity("x", "Update", &document);
        activity["actor"] = json!(former.keys.actor());
        rig.refuses(&rig.c.post(&activity, rig.now()), 401, &[Code::ActorMismatch]).await?;
    }

    async fn sec_059_what_a_record_is_never_changes_and_a_person_is_told(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let (first, comment) = (rig.contribution(), content::comment(&rig.b.url, 1));
        let (document, remark) = (held(&rig, &rig.b, &first).await?, held(&rig, &rig.b, &comment).await?);
        let other = content::id(&rig.b.url, Class::Consultation, 9);
        let moved = update_of(&rig, &first, &document, |record| {
            let Body::Contribution(body) = &mut record.body else { panic!("a contribution") };
            body.process = other.clone();
        });
        let republished = update_of(&rig, &first, &document, |record| record.published = "2020-01-01T00:00:00Z".parse().ok());
        let undated = update_of(&rig, &first, &document, |record| record.published = None);
        let retyped = update_of(&rig, &first, &document, |record| record.body = content::consultation(&rig.b.url, 1).body);
        let elsewhere = update_of(&rig, &comment, &remark, |record| {
            let Body::Comment(body) = &mut record.body else { panic!("a comment") };
            body.in_reply_to = content::id(&rig.b.url, Class::Contribution, 2);
        });
        for (n, (record, update)) in [(&first, moved), (&first, republished), (&first, retyped), (&comment, elsewhere), (&first, undated)].into_iter().enumerate() {
            let (before, held, told) = (rig.state().await?, rig.copy(&record.id).await?, rig.audit("record-would-change").await?.len());
            let answer = rig.post(&update).await;
            let problem: Value = serde_json::from_slice(&answer.body)?;
            assert_eq!((answer.status.as_u16(), &problem["code"]), (422, &json!("immutable")), "{n}: {problem}");
            assert_eq!(rig.copy(&record.id).await?, held, "{n}: the old version is kept");
            assert_eq!(before.without("audit"), rig.state().await?.without("audit"), "{n}");
            let rows = rig.audit("record-would-change").await?;
            // The last one says of `published` what was said before.
            assert_eq!(rows.len(), told + usize::from(n < 4), "{n}");
            assert!(rows.iter().all(|row| row.who == "b.example" && !row.detail.contains("habitant")), "{rows:?}");
            // Said again, it is refused again, and nobody is told again.
            rig.refuses(&rig.b.post(&update, rig.now()), 422, &[Code::Immutable]).await?;
        }
        // `context` is the same as the process, and an owner is no property that its owner could give away.
        let bent = resealed(&rig.b, &rig, document.clone(), |document| document["context"] = json!(other));
        rig.refuses(&rig.b.post(&rig.b.activity("x", "Update", &bent), rig.now()), 422, &[Code::InvalidRecord]).await?;
        let given = resealed(&rig.b, &rig, document.clone(), |document| document["attributedTo"] = json!(rig.c.keys.actor()));
        rig.refuses(&rig.b.post(&rig.b.activity("x", "Update", &given), rig.now()), 403, &[Code::NotOwner]).await?;
        // What it says may change.
        rig.apply(&update_of(&rig, &first, &document, |record| record.content = content::text("Corrigé."))).await?;
        assert_eq!(rig.copy(&first.id).await?.map(|copy| copy.revision), Some(2));
    }

    async fn sec_060_counts_that_are_none_are_refused_and_ours_are_our_own(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let record = counted(rig.contribution());
        let document = held(&rig, &rig.b, &record).await?;
        let before = rig.copy(&record.id).await?;
        let update = update_of(&rig, &record, &document, |_| {});
        let with = |pointer: &str, number: &str| {
            let mut activity = update.clone();
            *activity.pointer_mut(pointer).expect("a count") = json!("NUMBER");
            raw(&rig, activity.to_string().replace("\"NUMBER\"", number))
        };
        for pointer in ["/object/replies/totalItems", "/object/supportTally/0/total"] {
            for number in ["-1", "0.5", "\"7\"", "null", "[7]"] {
                // A figure that is not there is withheld, which is not zero; that must then be said.
                rig.refuses(&with(pointer, number), 422, &[Code::InvalidRecord]).await?;
            }
            // What no double carries is no JSON that everybody reads alike (SEC-133).
            for number in ["9223372036854775808", "1e400", "NaN", "-9223372036854775809"] {
                rig.refuses(&with(pointer, number), 400, &[Code::InvalidJson]).await?;
            }
        }
        assert_eq!(rig.copy(&record.id).await?, before);
        // By whom they are not: C's record by B, ours by B.
        let theirs = counted(content::contribution(&rig.c.url, 1));
        let foreign = held(&rig, &rig.c, &theirs).await?;
        let (own, sealed) = ours(&rig).await?;
        let own_document: Value = serde_json::from_slice(&sealed.bytes)?;
        for document in [foreign, own_document] {
            let raised = resealed(&rig.b, &rig, document, |document| {
                document["supportTally"][0]["total"] = json!(9999);
                document["replies"]["totalItems"] = json!(9999);
                document["revision"] = json!(2);
            });
            rig.refuses(&rig.b.post(&rig.b.activity("x", "Update", &raised), rig.now()), 403, &[Code::Origin]).await?;
        }
        // Likes, replies and votes of others about our record are no counts of ours.
        for kind in ["Like", "Announce", "Dislike"] {
            rig.apply(&rig.b.activity(kind, kind, &json!(own.id))).await?;
        }
        let stored = rig.federation.store.read().await?.lookup_record(&own.id).await?.expect("our record");
        assert_eq!((stored.sealed, stored.revision), (sealed.bytes, 1));
    }

    async fn sec_061_nobody_deletes_for_another(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let record = content::contribution(&rig.c.url, 1);
        let document = held(&rig, &rig.c, &record).await?;
        let (own, _) = ours(&rig).await?;
        let before = rig.copy(&record.id).await?;
        let never_held = content::id(&rig.c.url, Class::Contribution, 2);
        let grave = rig.c.tombstone(&record, &document, rig.now());
        let forged = resealed(&rig.b, &rig, grave.clone(), |document| document["authority"] = json!(rig.b.keys.actor()));
        for object in [
            document,
            json!(record.id),
            json!([record.id]),
            json!({"id": record.id, "type": "Tombstone"}),
            grave,
            forged,
            json!(never_held),
            json!(rig.c.keys.actor()),
            json!(own.id),
            json!({"id": own.id, "type": "Tombstone", "formerType": "Article"}),
            json!(rig.federation.actor()),
        ] {
            rig.refuses(&rig.b.post(&rig.b.activity("x", "Delete", &object), rig.now()), 403, &[Code::Origin]).await?;
        }
        assert_eq!(rig.copy(&record.id).await?, before);
        assert_eq!(rig.copy(&never_held).await?, None, "no tombstone of what was never here");
    }
}
