//! The versions of a contribution: what people read as "version n", what changed, and that erased words
//! are erased in all of them.

use axum::http::StatusCode;
use passerelle::domain::change::ChangeKind;
use passerelle::domain::record::Record;
use passerelle::domain::seal::Seal;
use passerelle::domain::tally::{Measure, SupportTally};
use passerelle::domain::text::Localized;
use passerelle::domain::{Body as Says, Class};
use passerelle::federation::keys::Keys;
use passerelle::federation::seal::Sealer;
use passerelle::store::{RecordWrite, Store};
use serde_json::Value;

use super::city::{Gateway, LYON, at, burial, contribution, fill, fr, html, id, record};
use crate::store_tests;

const PATH: &str = "/contributions/versions";

/// Writes revisions as the gateway does, really sealed: each with whether it moved `updated`.
async fn publish(store: &Store, steps: &[(Record, bool, &str)]) -> anyhow::Result<Vec<RecordWrite>> {
    let signer = Sealer::new(Keys::from_seed(format!("{LYON}/actor").parse()?, &[1; 32])?);
    let mut writes: Vec<RecordWrite> = Vec::new();
    let mut tx = store.write().await?;
    for (n, (record, material, when)) in steps.iter().enumerate() {
        let previous = writes.last().map(|write| write.sealed.digest.clone());
        let record = Record { revision: n as u64 + 1, ..record.clone() };
        let kind = if n == 0 { ChangeKind::Created } else { ChangeKind::Updated };
        let sealed = signer.record(&record, previous.as_ref(), at(when))?;
        let write = RecordWrite { local: None, record, sealed, previous, kind, material: *material, at: at(when) };
        tx.put_records(std::slice::from_ref(&write)).await?;
        writes.push(write);
    }
    tx.save().await?;
    Ok(writes)
}

/// First words, a count, other words.
fn three() -> Vec<(Record, bool, &'static str)> {
    let body = contribution(&id(LYON, Class::Consultation, "rues"));
    let first =
        record(LYON, "versions", Some("Des bancs"), Some("<p>Trois bancs rue Neuve.</p>"), Says::Contribution(body.clone()));
    let tally = SupportTally { measure: Measure::Support, total: Some(3), counted_at: at("2026-10-02T08:00:00Z") };
    let counted = Record {
        body: Says::Contribution(passerelle::domain::contribution::Contribution { tallies: vec![tally], ..body }),
        ..first.clone()
    };
    let edited = Record {
        title: Some(fr("Des bancs et un arbre")),
        content: Localized::new([html("fr", "<p>Quatre bancs rue Neuve.</p>")]),
        updated: Some(at("2026-10-03T08:00:00Z")),
        ..counted.clone()
    };
    vec![(first, true, "2026-10-01T08:00:00Z"), (counted, false, "2026-10-02T08:00:00Z"), (edited, true, "2026-10-03T08:00:00Z")]
}

store_tests! {
    async fn version_n_counts_only_what_people_read(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let writes = publish(&site.store, &three()).await?;
        let page = site.get(PATH).await;
        assert!(page.text().contains(&format!("<a href=\"{PATH}/revisions\">version 2 (voir les changements)</a>")), "{}", page.text());
        let list = site.get(&format!("{PATH}/revisions")).await;
        let text = list.text();
        assert!(text.contains("2 versions publiées") && text.contains("1 autre révision signée"), "{text}");
        let (newest, oldest) = (text.find("revisions/3\">Version 2</a>"), text.find("revisions/1\">Version 1</a>"));
        assert!(newest.is_some() && newest < oldest && !text.contains("revisions/2\""), "{text}");
        assert!(text.contains("titre, texte") && text.contains("première publication"), "{text}");

        let second = site.get(&format!("{PATH}/revisions/3")).await;
        let text = second.text();
        assert!(text.contains("Version 2 de « <bdi lang=\"fr\" dir=\"ltr\">Des bancs et un arbre</bdi> » (révision 3)".replace("« ", "«\u{A0}").replace(" »", "\u{A0}»").as_str()), "{text}");
        let removed = "<del><span class=\"hidden-words\">[suppression] </span>Trois<span class=\"hidden-words\"> [fin] </span></del>";
        let added = "<ins><span class=\"hidden-words\">[ajout] </span>Quatre<span class=\"hidden-words\"> [fin] </span></ins>";
        assert!(text.contains(&format!("{removed}{added} bancs rue Neuve.")), "{text}");
        assert!(text.contains("[ajout] </span> et un arbre<"), "{text}");
        assert!(text.contains(&writes[2].sealed.digest.to_string()) && text.contains(&writes[1].sealed.digest.to_string()), "its digest and the one before");
        let count = site.get(&format!("{PATH}/revisions/2")).await;
        assert!(count.text().contains("seuls des nombres") && count.text().contains("Trois bancs"), "{}", count.text());

        // Machines get the signed bytes of each.
        for (n, write) in writes.iter().enumerate() {
            assert_eq!(site.machine(&format!("{PATH}/revisions/{}", n + 1)).await.body, write.sealed.bytes);
        }
        let collection: Value = serde_json::from_str(site.machine(&format!("{PATH}/revisions")).await.text())?;
        assert_eq!(collection["totalItems"], 3);
        assert_eq!(collection["orderedItems"][0], format!("{LYON}{PATH}/revisions/3"));
        for wrong in ["0", "4", "x", "-1", "99999999999999999999"] {
            assert_eq!(site.get(&format!("{PATH}/revisions/{wrong}")).await.status, StatusCode::NOT_FOUND, "{wrong}");
        }
        assert_eq!(site.get("/contributions/none/revisions").await.status, StatusCode::NOT_FOUND);
    }

    async fn gdpr_erased_words_stay_erased_in_every_version(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let mut steps = three();
        let (last, ..) = steps.last().cloned().expect("three");
        steps.push((last.hidden(), true, "2026-10-04T08:00:00Z"));
        let writes = publish(&site.store, &steps).await?;
        for path in ["/revisions", "/revisions/1", "/revisions/2", "/revisions/3", "/revisions/4"] {
            for accept in ["text/html", "application/activity+json"] {
                let answer = site.ask(&format!("{PATH}{path}"), &[("accept", accept)]).await;
                let expected = if accept == "text/html" || path == "/revisions" || path == "/revisions/4" { StatusCode::OK } else { StatusCode::GONE };
                assert_eq!(answer.status, expected, "{path} as {accept}");
                for word in ["bancs", "arbre", "px:"] {
                    assert!(!answer.text().contains(word), "{word} in {path} as {accept}: {}", answer.text());
                }
            }
            let page = site.get(&format!("{PATH}{path}")).await;
            assert!(page.text().contains("noindex"), "{path}");
        }
        let first = site.get(&format!("{PATH}/revisions/1")).await;
        assert!(first.text().contains("Le texte de cette version est effacé") && first.text().contains(&writes[0].sealed.digest.to_string()), "{}", first.text());
        assert!(first.text().contains("1er\u{A0}octobre 2026"), "{}", first.text());
    }

    async fn what_is_deleted_is_gone_with_its_versions(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let writes = publish(&site.store, &three()).await?;
        let last = &writes[2];
        let mut tx = site.store.write().await?;
        tx.bury_records(&[burial(&last.record, &last.sealed.digest, "2026-10-05T08:00:00Z")]).await?;
        tx.save().await?;
        for path in ["", "/revisions", "/revisions/1", "/revisions/3", "/revisions/4"] {
            for accept in ["text/html", "application/activity+json"] {
                let answer = site.ask(&format!("{PATH}{path}"), &[("accept", accept)]).await;
                assert_eq!(answer.status, StatusCode::GONE, "{path} as {accept}");
                assert!(!answer.text().contains("bancs") && !answer.text().contains("px:"), "{path}: {}", answer.text());
            }
        }
    }
}
