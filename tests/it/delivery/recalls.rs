//! GDPR-03: a deletion that a partner cannot be told of is never forgotten, told of at its deadlines, and the
//! first thing the partner hears when it is back.

use std::time::Duration;

use axum::http::StatusCode;
use passerelle::delivery::overdue::RECALL_OVERDUE;
use passerelle::delivery::{Settings, Worker};
use passerelle::domain::partner::FollowState;
use passerelle::domain::record::ModerationState;
use passerelle::domain::time::ManualClock;
use passerelle::domain::{Class, RecordId};
use passerelle::store::{CopyStanding, DisclosureState};

use super::journeys::sound;
use crate::store_tests;
use crate::support::content::{consultation, contribution, id};
use crate::support::gateway::{Seen, TestGateway, get_as, morning, plain, settle, settle_for};
use crate::support::stores::Databases;

const HOUR: Duration = Duration::from_hours(1);

/// Two cities; Bordeaux holds a consultation and six contributions of Lyon, and takes only what is pushed.
async fn two(databases: &Databases) -> anyhow::Result<(ManualClock, TestGateway, TestGateway)> {
    let clock = morning();
    let (lyon, bordeaux) = TestGateway::two_paired(databases, &clock).await?;
    lyon.publish(&[consultation(&lyon.url, 1)]).await?;
    lyon.publish(&(1..=6).map(|n| contribution(&lyon.url, n)).collect::<Vec<_>>()).await?;
    settle(&[&lyon, &bordeaux]).await?;
    let mut tx = bordeaux.federation.store.write().await?;
    tx.set_followed(&lyon.domain, FollowState::None).await?;
    tx.save().await?;
    bordeaux.posts();
    Ok((clock, lyon, bordeaux))
}

fn nth(lyon: &TestGateway, n: u32) -> RecordId {
    id(&lyon.url, Class::Contribution, n)
}

async fn state(lyon: &TestGateway, bordeaux: &TestGateway, id: &RecordId) -> anyhow::Result<DisclosureState> {
    Ok(lyon.ledger(bordeaux, id).await?.ok_or_else(|| anyhow::anyhow!("{id} is not in the ledger"))?.state)
}

/// What people were told of recalls, first one first.
async fn told(lyon: &TestGateway, bordeaux: &TestGateway) -> anyhow::Result<Vec<String>> {
    let rows = lyon.federation.store.read().await?.audit_of(bordeaux.domain.as_str(), 200).await?;
    Ok(rows.into_iter().rev().filter(|row| row.action == RECALL_OVERDUE).map(|row| row.detail).collect())
}

async fn hide(lyon: &TestGateway, id: &RecordId) -> anyhow::Result<()> {
    lyon.edit(id, |record| {
        *record = record.clone().hidden();
        record.moderation = ModerationState::Hidden;
    })
    .await?;
    Ok(())
}

/// A letter to Bordeaux that waits like everything else.
async fn letter(lyon: &TestGateway, bordeaux: &TestGateway, n: u32) -> anyhow::Result<()> {
    let (id, now) = (lyon.url.join(&format!("/activities/letter-{n}"))?, lyon.federation.now());
    let actor = lyon.federation.actor();
    let body = serde_json::json!({"id": id, "type": "Follow", "actor": actor, "object": bordeaux.federation.actor()});
    let mut tx = lyon.federation.store.write().await?;
    tx.put_letter(&bordeaux.domain, id.as_str(), &body.to_string(), now).await?;
    Ok(tx.save().await?)
}

/// A page of Lyon's records, as Bordeaux gets it.
async fn page(bordeaux: &TestGateway, lyon: &TestGateway, path: &str) -> anyhow::Result<serde_json::Value> {
    Ok(serde_json::from_slice(&get_as(bordeaux, lyon, path).await?.body)?)
}

fn next(page: &serde_json::Value, lyon: &TestGateway) -> String {
    page["next"].as_str().expect("an address").strip_prefix(lyon.url.as_str().trim_end_matches('/')).expect("our own").to_owned()
}

/// Whether a request carries one of these records.
fn carries(seen: &Seen, records: &[&RecordId]) -> bool {
    let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap_or_default();
    records.iter().any(|record| body["object"]["id"] == record.as_str())
}

/// Every recall arrived, and before anything else.
fn first(posts: &[Seen], recalls: &[&RecordId]) {
    let order: Vec<bool> = posts.iter().map(|seen| carries(seen, recalls)).collect();
    assert!(order.len() > recalls.len(), "something else was sent too: {order:?}");
    assert!(order[..recalls.len()].iter().all(|recall| *recall), "recalls go first: {order:?}");
}

store_tests! {
    async fn gdpr_03_a_partner_away_for_20_days_hears_of_a_deletion_before_anything_else(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        bordeaux.answer_posts_with(|| plain(StatusCode::BAD_GATEWAY));
        // It has been away for a while already, with other news waiting.
        lyon.publish(&[contribution(&lyon.url, 7)]).await?;
        settle_for(&[&lyon, &bordeaux], &clock, 30, HOUR).await?;
        assert_eq!(told(&lyon, &bordeaux).await?, Vec::<String>::new(), "news that wait are no recall");
        let (deleted, edited, hidden) = (nth(&lyon, 1), nth(&lyon, 2), nth(&lyon, 3));
        lyon.edit(&edited, |record| record.content = crate::support::content::text("Corrigé.")).await?;
        settle(&[&lyon]).await?;
        lyon.delete(&deleted).await?;
        hide(&lyon, &hidden).await?;
        // What was edited first and is deleted before the edit could leave.
        lyon.delete(&edited).await?;
        letter(&lyon, &bordeaux, 0).await?;
        settle(&[&lyon]).await?;
        let recalls = [&deleted, &edited, &hidden];
        bordeaux.posts();
        for day in 1..=20_u32 {
            settle_for(&[&lyon, &bordeaux], &clock, 12, 2 * HOUR).await?;
            lyon.publish(&[contribution(&lyon.url, 100 + day)]).await?;
            for recall in recalls {
                assert_eq!(state(&lyon, &bordeaux, recall).await?, DisclosureState::Due, "day {day}: retried, never parked");
            }
            let tries = bordeaux.posts();
            assert!(!tries.is_empty() && tries.len() < 40, "day {day}: {} tries", tries.len());
            assert!(tries.iter().all(|seen| carries(seen, &recalls)), "day {day}: what is tried is a recall");
            let told = told(&lyon, &bordeaux).await?;
            assert_eq!(told.len(), if day >= 7 { 2 } else { 1 }, "day {day}: {told:?}");
        }
        let told = told(&lyon, &bordeaux).await?;
        assert!(told[0].starts_with("recalled more than 24 hours ago and not proven erased: 3"), "{told:?}");
        assert!(told[1].starts_with("recalled more than 7 days ago and not proven erased: 3"), "{told:?}");
        let open = lyon.federation.store.read().await?.open_recalls().await?;
        assert_eq!(open.iter().map(|open| (&open.partner, open.open)).collect::<Vec<_>>(), [(&bordeaux.domain, 3)]);
        // Back: whatever is due at this moment, the recalls come first.
        settle(&[&lyon]).await?;
        bordeaux.posts();
        bordeaux.heal();
        settle_for(&[&lyon, &bordeaux], &clock, 15, HOUR / 2).await?;
        first(&bordeaux.posts(), &recalls);
        for gone in [&deleted, &edited] {
            assert_eq!(state(&lyon, &bordeaux, gone).await?, DisclosureState::Purged);
            assert_eq!(bordeaux.copy(gone).await?.expect("its tombstone").standing, CopyStanding::Deleted);
        }
        assert_eq!(bordeaux.copy(&hidden).await?.expect("its shell").standing, CopyStanding::Hidden);
        assert!(bordeaux.copy(&nth(&lyon, 120)).await?.is_some(), "and then the news");
        assert_eq!(lyon.federation.store.read().await?.open_recalls().await?, []);
        sound(&lyon, &bordeaux).await?;
    }

    async fn gdpr_03_recalls_go_first_however_often_a_partner_goes_and_returns(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        for n in 1..=6 {
            bordeaux.answer_posts_with(|| plain(StatusCode::SERVICE_UNAVAILABLE));
            lyon.publish(&[contribution(&lyon.url, 200 + n)]).await?;
            settle(&[&lyon, &bordeaux]).await?;
            let gone = nth(&lyon, n);
            lyon.delete(&gone).await?;
            settle_for(&[&lyon, &bordeaux], &clock, 8, HOUR).await?;
            // News and a letter that are due at once, while the deletion waits for its next turn.
            lyon.publish(&[contribution(&lyon.url, 300 + n)]).await?;
            letter(&lyon, &bordeaux, n).await?;
            settle(&[&lyon, &bordeaux]).await?;
            bordeaux.posts();
            bordeaux.heal();
            settle_for(&[&lyon, &bordeaux], &clock, 20, HOUR / 10).await?;
            first(&bordeaux.posts(), &[&gone]);
            assert_eq!(state(&lyon, &bordeaux, &gone).await?, DisclosureState::Purged);
        }
        sound(&lyon, &bordeaux).await?;
    }

    async fn gdpr_03_recalls_stand_before_everything_else_on_the_page_that_a_partner_asks_for(databases: Databases) {
        let (_, lyon, bordeaux) = two(&databases).await?;
        // Deep in the stream: what is deleted is a comment, what is hidden a contribution.
        let (comment, hidden) = (crate::support::content::comment(&lyon.url, 1), nth(&lyon, 6));
        lyon.publish(std::slice::from_ref(&comment)).await?;
        settle(&[&lyon, &bordeaux]).await?;
        let mut path = "/actor/records".to_owned();
        for _ in 0..2 {
            path = next(&page(&bordeaux, &lyon, &path).await?, &lyon);
        }
        bordeaux.answer_posts_with(|| plain(StatusCode::BAD_GATEWAY));
        lyon.publish(&(100..350).map(|n| contribution(&lyon.url, n)).collect::<Vec<_>>()).await?;
        lyon.delete(&comment.id).await?;
        hide(&lyon, &hidden).await?;
        while lyon.step().await? {}
        let mut seen: Vec<String> = Vec::new();
        for expected in [100, 100, 52, 0] {
            let answer = page(&bordeaux, &lyon, &path).await?;
            // Its answer was lost: the same items in the same order, and the same place after them.
            assert_eq!(page(&bordeaux, &lyon, &path).await?, answer);
            let items = answer["orderedItems"].as_array().expect("items");
            assert_eq!(items.len(), expected);
            seen.extend(items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()));
            path = next(&answer, &lyon);
        }
        assert_eq!(seen[..2], [hidden.to_string(), comment.id.to_string()]);
        assert_eq!(seen.iter().collect::<std::collections::HashSet<_>>().len(), 252, "each once");
        assert_eq!(state(&lyon, &bordeaux, &comment.id).await?, DisclosureState::PurgeAsked);
    }

    async fn gdpr_03_the_last_deadline_is_told_once_by_whichever_process(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        bordeaux.answer_posts_with(|| plain(StatusCode::BAD_GATEWAY));
        let gone = nth(&lyon, 1);
        lyon.delete(&gone).await?;
        settle_for(&[&lyon, &bordeaux], &clock, 4 * 40, 6 * HOUR).await?;
        let said = told(&lyon, &bordeaux).await?;
        let deadlines: Vec<bool> = said.iter().zip(["24 hours", "7 days", "25 days"]).map(|(said, age)| said.contains(age)).collect();
        assert_eq!((said.len(), deadlines), (3, vec![true; 3]), "{said:?}");
        assert_eq!(state(&lyon, &bordeaux, &gone).await?, DisclosureState::Due, "40 days are no reason to give up");
        // Another process, or this one after a restart, tells nothing again.
        Worker::new(lyon.federation.clone(), Settings::default()).step().await?;
        clock.advance(2 * HOUR);
        Worker::new(lyon.federation.clone(), Settings::default()).step().await?;
        assert_eq!(told(&lyon, &bordeaux).await?, said);
    }

    async fn gdpr_03_a_deletion_that_was_taken_but_not_proven_is_told_of_too(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        let gone = nth(&lyon, 1);
        lyon.delete(&gone).await?;
        // It says yes and signs for it, and never says that it erased anything.
        while lyon.step().await? {}
        assert_eq!(state(&lyon, &bordeaux, &gone).await?, DisclosureState::PurgeAsked);
        for _ in 0..8 {
            clock.advance(24 * HOUR);
            while lyon.step().await? {}
        }
        assert_eq!(told(&lyon, &bordeaux).await?.len(), 2, "after a day and after a week");
        settle(&[&lyon, &bordeaux]).await?;
        assert_eq!(state(&lyon, &bordeaux, &gone).await?, DisclosureState::Purged);
    }
}
