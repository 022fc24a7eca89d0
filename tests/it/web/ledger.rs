//! What the pages say of the exchange with partners, and what is answered at addresses of the exchange.

use std::io::Read as _;

use axum::http::StatusCode;
use passerelle::domain::change::ChangeKind;
use passerelle::domain::partner::{Partner, PartnerKind};
use passerelle::domain::{Class, Timestamp};
use passerelle::federation::dispatch::{carrying, carrying_id};
use passerelle::store::{ClaimRequest, Claimed, DisclosureResult, DisclosureState, RunOutcome, Store};
use serde_json::json;

use super::city::{BORDEAUX, Gateway, LYON, at, bare_consultation, burial, fill, id, neighbour, record, seal};
use crate::store_tests;

/// Claims what is due to anybody, once.
async fn claim(store: &Store, now: Timestamp) -> anyhow::Result<Vec<Claimed>> {
    let mut tx = store.write().await?;
    let changes = tx.claim_unplanned(1_000).await?;
    tx.plan(&changes, now).await?;
    tx.mark_planned(&changes.iter().map(|change| change.number).collect::<Vec<_>>()).await?;
    let lease_until = now.plus(std::time::Duration::from_mins(1));
    let claimed = tx
        .claim_disclosures(&ClaimRequest { now, limit: 500, per_partner: 500, ahead: 500, lease_until, holder: "test" })
        .await?;
    tx.save().await?;
    Ok(claimed)
}

async fn answer(store: &Store, claimed: &Claimed, state: DisclosureState, when: Timestamp) -> anyhow::Result<()> {
    let result = DisclosureResult {
        state,
        revision: claimed.due_revision,
        digest: passerelle::domain::digest::Digest::of(b"what was carried"),
        at: when,
        next_at: when,
        status: Some(202),
        answer: None,
        receipt: Some("{}".to_owned()),
    };
    let mut tx = store.write().await?;
    assert_eq!(tx.finish_disclosures(&[(claimed, &result)]).await?, [true]);
    tx.save().await?;
    Ok(())
}

async fn bury(store: &Store, keys: &[&str]) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    for key in keys {
        let stored = tx.lookup_record(&id(LYON, Class::Contribution, key)).await?.expect("it is there");
        let gone = burial(&stored.record.expect("it is live"), &stored.digest, "2026-11-24T08:00:00Z");
        tx.bury_records(&[gone]).await?;
    }
    tx.save().await?;
    Ok(())
}

/// The number in a row of the partner's table.
pub(super) fn figure(page: &str, row: &str) -> Option<u64> {
    let (_, rest) = page.split_once(&format!("<th scope=\"row\">{row} <"))?;
    let (_, rest) = rest.split_once("</th><td class=\"number\">")?;
    rest.split('<').next()?.replace('\u{202F}', "").parse().ok()
}

store_tests! {
    async fn the_ledger_counts_what_was_confirmed_and_what_was_erased(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let claimed = claim(&site.store, at("2026-11-24T07:00:00Z")).await?;
        let sent = u64::try_from(claimed.len())?;
        assert!(sent > 25, "{sent}");
        for one in &claimed {
            answer(&site.store, one, DisclosureState::Acknowledged, at("2026-11-24T07:01:00Z")).await?;
        }
        bury(&site.store, &["idee-1", "idee-2", "idee-3"]).await?;
        let deletes = claim(&site.store, at("2026-11-24T08:01:00Z")).await?;
        assert_eq!(deletes.iter().filter(|one| one.due_kind == ChangeKind::Deleted).count(), 3);
        // One delete is still on its way, two are answered, one of them with a purge receipt.
        for one in deletes.iter().filter(|one| one.record != id(LYON, Class::Contribution, "idee-3")) {
            answer(&site.store, one, DisclosureState::PurgeAsked, at("2026-11-24T08:02:00Z")).await?;
        }
        let mut tx = site.store.write().await?;
        assert!(tx.note_purge(&neighbour().domain, &id(LYON, Class::Contribution, "idee-1"), "{}", at("2026-11-24T08:03:00Z")).await?);
        tx.save().await?;

        let page = site.get("/partners/passerelle.bordeaux.example").await;
        let expected = [("Confirmés", sent - 3), ("Rappelés", 2), ("Effacés avec accusé", 1), ("Rappelés, effacement non prouvé", 2), ("En attente", 1), ("Refusés ou mis de côté", 0)];
        for (row, n) in expected {
            assert_eq!(figure(page.text(), row), Some(n), "{row}: {}", page.text());
        }
        // GDPR-03: since when, for whoever has to ask the partner.
        assert!(page.text().contains("le plus ancien depuis le 24"), "{}", page.text());
        let list = site.get("/partners").await;
        assert!(list.text().contains(&format!("<td class=\"number\">{}</td>", sent - 3)), "{}", list.text());
        // UI-42, GDPR: how many copies are erased, on the page of what is gone.
        for (key, sentence) in [("idee-1", "Copies\u{A0}: 1 sur 1 effacées"), ("idee-2", "Copies\u{A0}: 0 sur 1 effacées"), ("supprimee", "Aucune copie n'avait été transmise")] {
            let gone = site.get(&format!("/contributions/{key}")).await;
            assert_eq!(gone.status, StatusCode::GONE);
            assert!(gone.text().replace("&#39;", "'").contains(sentence), "{key}: {}", gone.text());
        }
    }

    async fn an_activity_is_answered_while_its_receiver_still_thinks(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let claimed = claim(&site.store, at("2026-11-24T07:00:00Z")).await?;
        let one = claimed.iter().find(|one| one.record == id(LYON, Class::Contribution, "barriere")).expect("it is due");
        let stored = site.store.read().await?.lookup_record(&one.record).await?.expect("it is there");
        let sent = carrying(&site.federation, &neighbour(), one.due_kind, (&one.record, one.due_revision), Some(&stored.process), &stored.sealed);
        let path = sent.id.strip_prefix(LYON).expect("it is ours").to_owned();
        let asked = site.machine(&path).await;
        assert_eq!((asked.status, &asked.body[..]), (StatusCode::OK, &sent.body[..]));
        assert_eq!(site.get(&path).await.header("content-type"), "text/html; charset=utf-8");
        // Another kind of the same revision was never sent.
        let other = async |kind| {
            let id = carrying_id(&site.federation, &one.partner, kind, &one.record, one.due_revision);
            site.machine(id.strip_prefix(LYON).expect("it is ours")).await.status
        };
        assert_eq!(other(ChangeKind::Deleted).await, StatusCode::NOT_FOUND);
        assert_eq!(other(ChangeKind::Updated).await, StatusCode::NOT_FOUND);
        // Of the inboxes of a reader some have it already; that it is gone, none is told.
        let mut tx = site.store.write().await?;
        tx.put_partner(&Partner { kind: PartnerKind::Reader, ..neighbour() }).await?;
        tx.save().await?;
        assert_eq!(other(ChangeKind::Created).await, StatusCode::OK);
        assert_eq!(other(ChangeKind::Updated).await, StatusCode::OK);
        assert_eq!(other(ChangeKind::Deleted).await, StatusCode::NOT_FOUND);
    }

    async fn ui_34_a_copy_that_nobody_confirmed_says_so(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let mut tx = site.store.write().await?;
        // The clock stands at 24 November: 84 and 59 days later.
        for (key, when) in [("vieux", "2026-09-01T08:00:00Z"), ("assez-neuf", "2026-09-26T10:00:00Z")] {
            let copied = record(BORDEAUX, key, Some(key), None, passerelle::domain::Body::Consultation(bare_consultation()));
            tx.put_copy(&passerelle::store::CopyWrite { domain: neighbour().domain, sealed: seal(&copied), record: copied, at: at(when) }).await?;
        }
        tx.save().await?;
        let page = async |key: &str| {
            let key = id(BORDEAUX, Class::Consultation, key).copy_key();
            site.get(&format!("/from/passerelle.bordeaux.example/consultations/{key}")).await.text().to_owned()
        };
        let stale = page("vieux").await;
        assert!(stale.contains("Pas revue depuis le <time datetime=\"2026-09-01\">") && stale.contains("<bdi>Bordeaux</bdi> ne répond pas."), "{stale}");
        assert!(!page("assez-neuf").await.contains("Pas revue depuis"));
    }

    async fn an_incomplete_reading_is_said_until_a_complete_one_ends(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let platform = "decidim".parse()?;
        let mut tx = site.store.write().await?;
        let read = async |site: &Gateway| -> anyhow::Result<Vec<bool>> {
            let mut said = Vec::new();
            for path in ["/", "/consultations/rues", "/consultations/rues/contributions", "/contributions/barriere"] {
                said.push(site.get(path).await.text().contains("Lecture incomplète le <time datetime=\"2026-11-24T09:00:00+01:00\">"));
            }
            Ok(said)
        };
        let run = tx.start_run(&platform, "a", at("2026-11-24T07:50:00Z"), at("2026-11-24T08:30:00Z")).await?.expect("nobody else");
        assert!(tx.finish_run(&run, RunOutcome::Partial, &json!({}), Some("a page failed"), at("2026-11-24T08:00:00Z")).await?);
        tx.save().await?;
        assert_eq!(read(&site).await?, [true; 4]);
        // What the next reading will say is not known while it runs.
        let mut tx = site.store.write().await?;
        let run = tx.start_run(&platform, "a", at("2026-11-24T09:00:00Z"), at("2026-11-24T09:30:00Z")).await?.expect("nobody else");
        tx.save().await?;
        assert_eq!(read(&site).await?, [true; 4]);
        let mut tx = site.store.write().await?;
        assert!(tx.finish_run(&run, RunOutcome::Complete, &json!({}), None, at("2026-11-24T09:10:00Z")).await?);
        tx.save().await?;
        assert_eq!(read(&site).await?, [false; 4]);
    }

    async fn the_source_of_what_runs_is_offered_by_itself(store: Store) {
        let site = Gateway::over(store)?;
        let page = site.get("/source").await;
        assert!(!page.text().contains("à compléter") && page.text().contains("href=\"/source/passerelle.tar\""), "{}", page.text());
        let archive = site.get("/source/passerelle.tar").await;
        assert_eq!((archive.status, archive.header("content-type")), (StatusCode::OK, "application/x-tar"));
        let packed = unpack(&archive.body)?;
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        for (name, bytes) in &packed {
            let path = name.strip_prefix(concat!("passerelle-", env!("CARGO_PKG_VERSION"), "/")).expect("one folder");
            assert_eq!(&std::fs::read(root.join(path))?, bytes, "{path}");
        }
        for needed in ["Cargo.toml", "Cargo.lock", "LICENSE", "build.rs", "src/main.rs", "src/web/mod.rs", "migrations/sqlite/0001_records.sql", "federation-specs/context.jsonld", "src/demo/fixtures/lyon.json"] {
            assert!(packed.iter().any(|(name, _)| name.ends_with(&format!("/{needed}"))), "{needed} is not in it");
        }
    }
}

/// The files of a tar archive.
fn unpack(archive: &[u8]) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut archive = tar::Archive::new(archive);
    let files = archive.entries()?.map(|file| {
        let mut file = file?;
        let (name, mut bytes) = (file.path()?.display().to_string(), Vec::new());
        file.read_to_end(&mut bytes)?;
        Ok((name, bytes))
    });
    files.collect()
}
