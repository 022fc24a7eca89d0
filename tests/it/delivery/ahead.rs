//! What a worker claimed and did not send yet: it leaves only if it still may, and nothing of it is lost.

use std::time::Duration;

use axum::http::StatusCode;
use passerelle::delivery::{Settings, Worker};
use passerelle::domain::partner::FollowState;
use passerelle::domain::time::ManualClock;
use passerelle::domain::{Class, RecordId};
use passerelle::federation::{Outcome, planner};
use passerelle::store::DisclosureState;

use crate::store_tests;
use crate::support::content::{consultation, contribution, id, text};
use crate::support::gateway::{Seen, TestGateway, morning, plain, settle};
use crate::support::stores::Databases;

/// What becomes due at once.
const NEWS: u32 = 12;

/// Bordeaux holds a contribution of Lyon, and takes only what is pushed; twelve others are due. The worker
/// sends one at a time and claims many.
async fn waiting(databases: &Databases) -> anyhow::Result<(ManualClock, TestGateway, TestGateway, Worker)> {
    let clock = morning();
    let (lyon, bordeaux) = TestGateway::two_paired(databases, &clock).await?;
    lyon.publish(&[consultation(&lyon.url, 1), contribution(&lyon.url, 100)]).await?;
    settle(&[&lyon, &bordeaux]).await?;
    let mut tx = bordeaux.federation.store.write().await?;
    tx.set_followed(&lyon.domain, FollowState::None).await?;
    tx.save().await?;
    bordeaux.posts();
    lyon.publish(&(1..=NEWS).map(|n| contribution(&lyon.url, n)).collect::<Vec<_>>()).await?;
    planner::step(&lyon.federation).await?;
    let settings = Settings { concurrency: 1, ..Settings::default() };
    let worker = Worker::new(lyon.federation.clone(), settings);
    worker.step().await?;
    assert_eq!(bordeaux.posts().len(), 1, "one was sent");
    assert_eq!(standing(&lyon, &bordeaux, DisclosureState::Sending).await?, u64::from(NEWS) - 1, "the others are claimed");
    Ok((clock, lyon, bordeaux, worker))
}

async fn standing(lyon: &TestGateway, bordeaux: &TestGateway, wanted: DisclosureState) -> anyhow::Result<u64> {
    let counts = lyon.federation.store.read().await?.disclosure_counts(&bordeaux.domain).await?;
    Ok(counts.into_iter().filter(|(state, _)| *state == wanted).map(|(_, count)| count).sum())
}

fn subject(seen: &Seen) -> (String, String) {
    let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap_or_default();
    let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    (word(&body["type"]), word(&body["object"]["id"]))
}

fn old(lyon: &TestGateway) -> RecordId {
    id(&lyon.url, Class::Contribution, 100)
}

store_tests! {
    async fn gdpr_03_what_was_claimed_before_a_recall_leaves_after_it(databases: Databases) {
        let (_, lyon, bordeaux, worker) = waiting(&databases).await?;
        lyon.delete(&old(&lyon)).await?;
        planner::step(&lyon.federation).await?;
        while worker.step().await? != Outcome::Idle {}
        let sent: Vec<_> = bordeaux.posts().iter().map(subject).collect();
        assert_eq!(sent[0], ("Delete".to_owned(), old(&lyon).to_string()), "{sent:?}");
        assert_eq!(sent.len(), NEWS as usize, "the recall and each of the others once: {sent:?}");
    }

    async fn partners_take_turns_at_one_desk(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two_paired(&databases, &clock).await?;
        let mut nantes = bordeaux.as_partner(FollowState::Accepted, FollowState::None);
        nantes.domain = "nantes.example".parse()?;
        nantes.actor = "http://nantes.example/actor".parse()?;
        lyon.list(&nantes).await?;
        bordeaux.posts();
        lyon.publish(&(1..=NEWS).map(|n| contribution(&lyon.url, n)).collect::<Vec<_>>()).await?;
        planner::step(&lyon.federation).await?;
        let worker = Worker::new(lyon.federation.clone(), Settings { concurrency: 1, ..Settings::default() });
        for _ in 0..4 {
            worker.step().await?;
        }
        let to: Vec<String> = bordeaux.posts().iter().map(|seen| {
            let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap_or_default();
            body["to"][0].as_str().unwrap_or_default().to_owned()
        }).collect();
        assert_eq!(to.len(), 4);
        assert!(to[0] != to[1] && to[0] == to[2] && to[1] == to[3], "{to:?}");
    }

    async fn what_changes_while_it_waits_leaves_as_it_is_now(databases: Databases) {
        let (_, lyon, bordeaux, worker) = waiting(&databases).await?;
        for n in 1..=NEWS {
            lyon.edit(&id(&lyon.url, Class::Contribution, n), |record| record.content = text("Corrigé.")).await?;
        }
        while worker.step().await? != Outcome::Idle {}
        let stale = bordeaux.posts().iter().filter(|seen| !String::from_utf8_lossy(&seen.body).contains("Corrigé.")).count();
        assert_eq!(stale, 0, "nothing leaves as it was");
    }

    async fn a_partner_that_begins_to_fail_is_not_sent_what_waits(databases: Databases) {
        let (_, lyon, bordeaux, worker) = waiting(&databases).await?;
        bordeaux.answer_posts_with(|| plain(StatusCode::SERVICE_UNAVAILABLE));
        while worker.step().await? != Outcome::Idle {}
        assert_eq!(bordeaux.posts().len(), 1, "one found out");
        assert_eq!(standing(&lyon, &bordeaux, DisclosureState::Due).await?, u64::from(NEWS) - 1, "nothing is lost");
    }

    async fn who_stops_following_gets_nothing_of_what_waits(databases: Databases) {
        let (_, lyon, bordeaux, worker) = waiting(&databases).await?;
        let mut tx = lyon.federation.store.write().await?;
        tx.set_follows_us(&bordeaux.domain, FollowState::None).await?;
        tx.save().await?;
        while worker.step().await? != Outcome::Idle {}
        assert_eq!(bordeaux.posts().len(), 0);
    }

    async fn what_waits_is_another_workers_at_once_when_this_one_ends(databases: Databases) {
        let (_, lyon, bordeaux, worker) = waiting(&databases).await?;
        worker.drain().await;
        assert_eq!(standing(&lyon, &bordeaux, DisclosureState::Sending).await?, 0);
        let first = id(&lyon.url, Class::Contribution, NEWS);
        let row = lyon.ledger(&bordeaux, &first).await?.expect("it is due");
        assert_eq!((row.state, row.attempts, row.offered), (DisclosureState::Due, 0, false), "as if it had not been claimed");
        let other = Worker::new(lyon.federation.clone(), Settings::default());
        while other.step().await? != Outcome::Idle {}
        assert_eq!(bordeaux.posts().len(), NEWS as usize - 1);
    }

    async fn what_waits_for_too_long_is_given_back(databases: Databases) {
        let (_, lyon, bordeaux, worker) = waiting(&databases).await?;
        // Longer than anything waits for room.
        tokio::time::sleep(Duration::from_millis(2_100)).await;
        let taken = lyon.federation.store.read().await?.disclosures_on_their_way(100).await?.len();
        assert_eq!(taken, NEWS as usize - 1);
        lyon.delete(&old(&lyon)).await?;
        planner::step(&lyon.federation).await?;
        worker.step().await?;
        // All were given back at once, so that the recall was claimed in the same step.
        assert_eq!(bordeaux.posts().iter().map(subject).collect::<Vec<_>>(), [("Delete".to_owned(), old(&lyon).to_string())]);
    }
}
