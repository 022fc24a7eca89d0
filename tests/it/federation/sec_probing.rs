//! SEC-199: what is not shown cannot be told from what never was.

use passerelle::domain::digest::Digest;
use passerelle::domain::partner::PartnerKind;
use passerelle::domain::{Key, RecordId};
use serde_json::Value;

use super::rig::{Answer, Rig};
use crate::store_tests;
use crate::support::content;
use crate::support::peer::{Knock, Peer, Rfc9421};
use crate::support::stores::Databases;

/// Everything of an answer that a prober can compare, without the key it asked for.
fn seen(answer: &Answer, key: &str) -> (u16, Vec<(String, String)>, String) {
    let hide = |text: &str| text.replace(key, "KEY");
    let headers = answer.headers.iter().map(|(name, value)| (name.to_string(), hide(&String::from_utf8_lossy(value.as_bytes()))));
    let mut headers: Vec<(String, String)> = headers.collect();
    headers.sort();
    (answer.status.as_u16(), headers, hide(&String::from_utf8_lossy(&answer.body)))
}

/// What `/from/{domain}` lists, page by page; its total, its ids, and everything it said.
async fn listed(rig: &Rig, domain: &str, signer: Option<&Peer>) -> anyhow::Result<(u64, Vec<String>, String)> {
    let get = async |target: &str| {
        let mut knock = Knock::get(target, rig.now());
        if let Some(signer) = signer {
            knock.rfc9421(signer, &Rfc9421::over(&["@method", "@target-uri", "date"], &Rfc9421::named(signer, rig.now())));
        }
        let answer = rig.knock(&knock).await;
        anyhow::ensure!(answer.status.as_u16() == 200, "{target}: {}", answer.status);
        anyhow::Ok(serde_json::from_slice::<Value>(&answer.body)?)
    };
    let head = get(&format!("/from/{domain}")).await?;
    let (mut ids, mut said, mut next) = (Vec::new(), head.to_string(), head["first"].as_str().map(str::to_owned));
    while let Some(at) = next {
        let page = get(at.trim_start_matches("https://a.example")).await?;
        let items = page["orderedItems"].as_array().cloned().unwrap_or_default();
        ids.extend(items.iter().filter_map(|item| item.as_str().or_else(|| item["id"].as_str()).map(str::to_owned)));
        said.push_str(&page.to_string());
        next = page["next"].as_str().map(str::to_owned);
    }
    Ok((head["totalItems"].as_u64().unwrap_or_default(), ids, said))
}

store_tests! {
    async fn sec_199_copies_that_are_not_shown_are_like_those_that_never_were(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut ids: Vec<RecordId> = Vec::new();
        for n in 1..=3 {
            let record = content::contribution(&rig.b.url, n);
            let create = rig.b.activity(&format!("create-{n}"), "Create", &rig.b.sealed(&record, None, rig.now()));
            rig.apply(&create).await?;
            ids.push(record.id.clone());
            if n == 3 {
                let sealed = rig.b.sealed(&record, None, rig.now());
                let tombstone = rig.b.tombstone(&record, &sealed, rig.now());
                rig.apply(&rig.b.activity("delete-3", "Delete", &tombstone)).await?;
            }
        }
        let mut tx = rig.federation.store.write().await?;
        tx.freeze_copy(&ids[1], 1, &Digest::of(b"another")).await?;
        tx.save().await?;
        // A stranger's list, and that of another partner, name what has a page here and nothing else, not even
        // in the cursor of the next page.
        for signer in [None, Some(&rig.c)] {
            let (total, names, _) = listed(&rig, "b.example", signer).await?;
            assert_eq!((total, names), (1, vec![ids[0].to_string()]), "{:?}", signer.is_some());
        }
        // Its owner is told of all three.
        let (_, names, _) = listed(&rig, "b.example", Some(&rig.b)).await?;
        assert_eq!(names.len(), 3);
        // The page of a frozen copy and that of none are one answer, whatever is asked for.
        let missing = Key::digest_of(b"nothing").to_string();
        for accept in ["text/html", "application/activity+json"] {
            let ask = async |key: &str| {
                let mut knock = Knock::get(&format!("/from/b.example/contributions/{key}"), rig.now());
                knock.set("accept", accept);
                seen(&rig.knock(&knock).await, key)
            };
            let frozen = ask(&ids[1].copy_key().to_string()).await;
            assert_eq!(frozen.0, 404);
            assert_eq!(frozen, ask(&missing).await);
        }
    }

    async fn sec_199_a_domain_of_which_nothing_is_shown_is_nowhere(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        for target in ["/from/{}", "/from/{}?after=", "/from/{}?after=aHR0cHM6Ly9tLmV4YW1wbGUvMQ"] {
            for accept in ["text/html", "application/activity+json"] {
                let ask = async |domain: &str| {
                    let mut knock = Knock::get(&target.replace("{}", domain), rig.now());
                    knock.set("accept", accept);
                    seen(&rig.knock(&knock).await, domain)
                };
                let unknown = ask("m.example").await;
                assert_eq!(unknown.0, 404, "{target}");
                assert_eq!(unknown, ask("n.example").await);
            }
        }
        // Who is on the list is named at /partners; that nothing is held of it is no secret.
        rig.list(&Peer::at("reader.example").partner(PartnerKind::Reader)).await?;
        let (total, ids, _) = listed(&rig, "reader.example", None).await?;
        assert_eq!((total, ids.len()), (0, 0));
    }
}
