//! Disclosures: planning, claiming, finishing.

use std::collections::HashMap;
use std::time::Duration;

use passerelle::domain::RecordId;
use passerelle::domain::change::ChangeKind;
use passerelle::domain::digest::Digest;
use passerelle::domain::partner::FollowState;
use passerelle::store::{
    Backend, ClaimRequest, Claimed, Disclosure, DisclosureResult, DisclosureState, RecordWrite, Store, StoreError, StreamRequest,
};

use super::examples::*;
use super::journal::entry;
use crate::store_tests;
use crate::support::stores::Databases;

const B: &str = "bordeaux.example";
const N: &str = "nantes.example";

async fn with_partners(store: &Store, names: &[&str]) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    for name in names {
        tx.put_partner(&partner(name)).await?;
    }
    tx.save().await
}

/// What the planner does in one step.
async fn plan(store: &Store, at: i64) -> Result<u64, StoreError> {
    let mut tx = store.write().await?;
    let changes = tx.claim_unplanned(1000).await?;
    let planned = tx.plan(&changes, second(at)).await?;
    tx.mark_planned(&changes.iter().map(|change| change.number).collect::<Vec<_>>()).await?;
    tx.save().await?;
    Ok(planned)
}

async fn claim(store: &Store, at: i64) -> Result<Vec<Claimed>, StoreError> {
    let mut tx = store.write().await?;
    let request = ClaimRequest {
        now: second(at),
        limit: 100,
        per_partner: 50,
        ahead: 50,
        lease_until: second(at + 60),
        holder: "worker 1",
    };
    let claimed = tx.claim_disclosures(&request).await?;
    tx.save().await?;
    Ok(claimed)
}

fn result(claimed: &Claimed, state: DisclosureState, at: i64) -> DisclosureResult {
    DisclosureResult {
        state,
        revision: claimed.due_revision,
        digest: Digest::of(claimed.due_revision.to_string().as_bytes()),
        at: second(at),
        next_at: second(at + 10),
        status: Some(202),
        answer: None,
        receipt: Some("{}".to_owned()),
    }
}

async fn finish(store: &Store, claimed: &Claimed, result: &DisclosureResult) -> Result<bool, StoreError> {
    let mut tx = store.write().await?;
    let kept = tx.finish_disclosures(&[(claimed, result)]).await?;
    tx.save().await?;
    Ok(kept == [true])
}

/// Claims everything that is due and acknowledges it.
async fn deliver(store: &Store, at: i64) -> Result<Vec<Claimed>, StoreError> {
    let claimed = claim(store, at).await?;
    for one in &claimed {
        let state = if one.due_kind == ChangeKind::Deleted { DisclosureState::PurgeAsked } else { DisclosureState::Acknowledged };
        assert!(finish(store, one, &result(one, state, at)).await?);
    }
    Ok(claimed)
}

async fn row(store: &Store, name: &str, record: &RecordId) -> Result<Option<Disclosure>, StoreError> {
    store.read().await?.lookup_disclosure(&domain(name), record).await
}

async fn bury(store: &Store, last: &RecordWrite, at: i64) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    tx.bury_records(&[burial(last, second(at))]).await?;
    tx.save().await
}

fn one_more() -> RecordWrite {
    created(contribution("b", &record_id("consultations/p")), second(1))
}

fn one() -> RecordWrite {
    created(contribution("a", &record_id("consultations/p")), second(1))
}

store_tests! {
    async fn a_change_becomes_due_at_every_follower(store: Store) {
        with_partners(&store, &[B, N, "lille.example"]).await?;
        let mut tx = store.write().await?;
        tx.set_follows_us(&domain("lille.example"), FollowState::Pending).await?;
        tx.save().await?;
        let write = one();
        put(&store, std::slice::from_ref(&write)).await?;
        assert_eq!(plan(&store, 2).await?, 2);
        let rows = store.read().await?.disclosures_of(&write.record.id).await?;
        assert_eq!(rows.iter().map(|row| row.partner.as_str()).collect::<Vec<_>>(), [B, N]);
        assert!(rows.iter().all(|row| row.state == DisclosureState::Due && row.due_kind == ChangeKind::Created && !row.offered));
        let delivered = deliver(&store, 3).await?;
        assert_eq!(delivered.len(), 2);
        let held = row(&store, B, &write.record.id).await?.expect("a row");
        assert_eq!((held.state, held.acked_revision, held.offered), (DisclosureState::Acknowledged, Some(1), true));
        assert_eq!((held.receipt.as_deref(), held.last_status), (Some("{}"), Some(202)));
        assert!(claim(&store, 1000).await?.is_empty());
        assert_eq!(store.read().await?.disclosure_counts(&domain(B)).await?, [(DisclosureState::Acknowledged, 1)]);
    }

    async fn superseded_updates_collapse_into_the_newest(store: Store) {
        with_partners(&store, &[B]).await?;
        let first = one();
        let better = edited(&first, "Better", second(2));
        let best = edited(&better, "Best", second(3));
        put(&store, std::slice::from_ref(&first)).await?;
        plan(&store, 2).await?;
        put(&store, &[better, best.clone()]).await?;
        plan(&store, 4).await?;
        let claimed = deliver(&store, 5).await?;
        assert_eq!(claimed.len(), 1);
        assert_eq!((claimed[0].due_revision, claimed[0].due_kind), (3, ChangeKind::Created), "never acknowledged before");
        put(&store, &[edited(&best, "Very best", second(6))]).await?;
        plan(&store, 7).await?;
        let claimed = deliver(&store, 8).await?;
        assert_eq!((claimed[0].due_revision, claimed[0].due_kind), (4, ChangeKind::Updated));
        assert_eq!(claimed[0].acked_revision, Some(3));
    }

    async fn what_changes_on_the_way_is_due_next(store: Store) {
        with_partners(&store, &[B]).await?;
        let first = one();
        put(&store, std::slice::from_ref(&first)).await?;
        plan(&store, 2).await?;
        let claimed = claim(&store, 3).await?;
        let better = edited(&first, "Better", second(4));
        put(&store, std::slice::from_ref(&better)).await?;
        plan(&store, 4).await?;
        assert!(claim(&store, 5).await?.is_empty(), "one request per record and partner");
        assert!(finish(&store, &claimed[0], &result(&claimed[0], DisclosureState::Acknowledged, 6)).await?);
        let again = deliver(&store, 7).await?;
        assert_eq!((again[0].due_revision, again[0].due_kind, again[0].attempts), (2, ChangeKind::Updated, 1));
    }

    async fn a_delete_waits_for_what_is_on_its_way_and_is_not_overtaken(store: Store) {
        with_partners(&store, &[B]).await?;
        let first = one();
        put(&store, std::slice::from_ref(&first)).await?;
        plan(&store, 2).await?;
        let claimed = claim(&store, 3).await?;
        bury(&store, &first, 4).await?;
        plan(&store, 4).await?;
        assert!(claim(&store, 5).await?.is_empty());
        // The Create got no answer: the partner may hold it all the same.
        let mut lost = result(&claimed[0], DisclosureState::Due, 6);
        lost.status = None;
        assert!(finish(&store, &claimed[0], &lost).await?);
        let next = claim(&store, 20).await?;
        assert_eq!((next[0].due_kind, next[0].due_revision), (ChangeKind::Deleted, 2));
    }

    async fn gdpr_02_a_delete_goes_only_to_who_holds_the_record(store: Store) {
        with_partners(&store, &[B, N]).await?;
        let mut tx = store.write().await?;
        tx.note_failure(&domain(N), second(1), second(1), second(500), None).await?;
        tx.save().await?;
        let first = one();
        put(&store, std::slice::from_ref(&first)).await?;
        plan(&store, 2).await?;
        assert_eq!(deliver(&store, 3).await?.len(), 1, "Nantes is failing");
        bury(&store, &first, 4).await?;
        plan(&store, 4).await?;
        assert_eq!(row(&store, N, &first.record.id).await?, None, "withdrawn without a word");
        let claimed = deliver(&store, 1000).await?;
        assert_eq!(claimed.iter().map(|claimed| claimed.partner.as_str()).collect::<Vec<_>>(), [B]);
        let asked = row(&store, B, &first.record.id).await?.expect("a row");
        assert_eq!(asked.state, DisclosureState::PurgeAsked);
        // A partner that joins now hears nothing of it.
        with_partners(&store, &["lille.example"]).await?;
        assert_eq!(plan(&store, 1001).await?, 0);
        let mut tx = store.write().await?;
        assert!(tx.note_purge(&domain(B), &first.record.id, "{\"purged\":true}", second(1002)).await?);
        assert!(!tx.note_purge(&domain(B), &first.record.id, "{}", second(1003)).await?);
        tx.save().await?;
        let purged = row(&store, B, &first.record.id).await?.expect("the ledger keeps it");
        assert_eq!((purged.state, purged.offered, purged.acked_revision), (DisclosureState::Purged, false, None));
        assert_eq!(purged.purge_receipt.as_deref(), Some("{\"purged\":true}"));
    }

    async fn a_delete_reaches_a_partner_that_left_and_one_that_is_blocked(store: Store) {
        with_partners(&store, &[B, N]).await?;
        let first = one();
        let other = created(contribution("b", &record_id("consultations/p")), second(1));
        put(&store, &[first.clone(), other.clone()]).await?;
        plan(&store, 2).await?;
        assert_eq!(deliver(&store, 3).await?.len(), 4);
        let mut tx = store.write().await?;
        tx.set_follows_us(&domain(B), FollowState::None).await?;
        tx.note_failure(&domain(N), second(4), second(4), second(4000), Some("401")).await?;
        tx.save().await?;
        put(&store, &[edited(&other, "Better", second(5))]).await?;
        bury(&store, &first, 5).await?;
        plan(&store, 6).await?;
        let claimed = deliver(&store, 7).await?;
        assert!(claimed.iter().all(|claimed| claimed.due_kind == ChangeKind::Deleted), "{claimed:?}");
        let mut who: Vec<_> = claimed.iter().map(|claimed| claimed.partner.as_str()).collect();
        who.sort_unstable();
        assert_eq!(who, [B, N]);
    }

    async fn what_a_blocked_partner_is_told_to_delete_is_claimed_once(store: Store) {
        with_partners(&store, &[N]).await?;
        let first = one();
        put(&store, std::slice::from_ref(&first)).await?;
        plan(&store, 2).await?;
        assert_eq!(deliver(&store, 3).await?.len(), 1);
        let mut tx = store.write().await?;
        // Its probe is due too, and may take what Deletes may take anyway.
        tx.note_failure(&domain(N), second(4), second(4), second(10), Some("401")).await?;
        tx.save().await?;
        bury(&store, &first, 5).await?;
        plan(&store, 6).await?;
        let claimed = claim(&store, 11).await?;
        assert_eq!(claimed.iter().map(|one| one.due_kind).collect::<Vec<_>>(), [ChangeKind::Deleted]);
    }

    async fn a_hidden_record_is_told_only_to_who_holds_it(store: Store) {
        with_partners(&store, &[B]).await?;
        let first = one();
        let other = created(contribution("b", &record_id("consultations/p")), second(1));
        put(&store, std::slice::from_ref(&first)).await?;
        plan(&store, 2).await?;
        deliver(&store, 3).await?;
        put(&store, std::slice::from_ref(&other)).await?;
        plan(&store, 4).await?;
        let hide = |write: &RecordWrite| next(write, write.record.clone().hidden(), second(5));
        put(&store, &[hide(&first), hide(&other)]).await?;
        plan(&store, 5).await?;
        let claimed = deliver(&store, 6).await?;
        assert_eq!(claimed.iter().map(|claimed| &claimed.record).collect::<Vec<_>>(), [&first.record.id]);
        // When it comes back, everybody gets it.
        put(&store, &[next(&hide(&other), other.record.clone(), second(7))]).await?;
        plan(&store, 7).await?;
        assert_eq!(deliver(&store, 8).await?.len(), 1);
    }

    async fn rel_024_a_late_result_of_an_old_lease_is_dropped(store: Store) {
        with_partners(&store, &[B]).await?;
        put(&store, &[one()]).await?;
        plan(&store, 2).await?;
        let slow = claim(&store, 3).await?;
        assert!(claim(&store, 62).await?.is_empty(), "still leased");
        let fast = claim(&store, 64).await?;
        assert_eq!(fast.len(), 1, "the lease ran out");
        assert_eq!(fast[0].attempts, 2);
        assert!(!finish(&store, &slow[0], &result(&slow[0], DisclosureState::Rejected, 65)).await?);
        assert!(finish(&store, &fast[0], &result(&fast[0], DisclosureState::Acknowledged, 66)).await?);
        assert!(!finish(&store, &fast[0], &result(&fast[0], DisclosureState::Rejected, 67)).await?, "finished twice");
    }

    async fn a_failed_attempt_waits_for_its_time(store: Store) {
        with_partners(&store, &[B]).await?;
        put(&store, &[one()]).await?;
        plan(&store, 2).await?;
        let claimed = claim(&store, 3).await?;
        let mut failed = result(&claimed[0], DisclosureState::Due, 4);
        failed.status = Some(503);
        failed.answer = Some("x".repeat(5000));
        finish(&store, &claimed[0], &failed).await?;
        assert!(claim(&store, 13).await?.is_empty());
        let again = claim(&store, 14).await?;
        assert_eq!((again[0].attempts, again[0].before), (2, DisclosureState::Due));
        let kept = row(&store, B, &again[0].record).await?.expect("a row");
        assert_eq!(kept.last_answer.map(|answer| answer.len()), Some(200));
        finish(&store, &again[0], &result(&again[0], DisclosureState::Unconfirmed, 15)).await?;
        assert_eq!(claim(&store, 30).await?[0].before, DisclosureState::Unconfirmed);
    }

    async fn a_failing_partner_gets_one_probe(store: Store) {
        with_partners(&store, &[B]).await?;
        let writes: Vec<_> = (0..20).map(|n| created(contribution(&format!("c{n}"), &record_id("consultations/p")), second(1))).collect();
        put(&store, &writes).await?;
        plan(&store, 2).await?;
        let mut tx = store.write().await?;
        tx.note_failure(&domain(B), second(3), second(3), second(100), None).await?;
        tx.save().await?;
        assert!(claim(&store, 50).await?.is_empty());
        let probe = claim(&store, 100).await?;
        assert_eq!(probe.len(), 1);
        assert!(claim(&store, 101).await?.is_empty(), "one at a time");
        let mut tx = store.write().await?;
        tx.note_success(&[domain(B)].into(), second(102)).await?;
        tx.save().await?;
        assert_eq!(claim(&store, 103).await?.len(), 19);
    }

    async fn what_a_dead_process_had_in_hand_is_due_again_when_the_next_one_serves(databases: Databases) {
        let url = databases.url().await;
        let store = Store::open(&url).await?;
        with_partners(&store, &[B]).await?;
        put(&store, &[one()]).await?;
        plan(&store, 2).await?;
        let mut tx = store.write().await?;
        tx.put_letter(&domain(B), "https://lyon.example/activities/1", "{}", second(2)).await?;
        tx.append_journal(&[entry("a")]).await?;
        tx.save().await?;
        let everything = async |at: i64| {
            let deliveries = claim(&store, at).await?.len();
            let mut tx = store.write().await?;
            let letters = tx.claim_letters(second(at), 9, second(at + 60)).await?.len();
            let effects = tx.claim_journal(second(at), 9, second(at + 60)).await?.len();
            tx.save().await?;
            anyhow::Ok((deliveries, letters, effects))
        };
        let living = store.begin_to_serve(second(3)).await?;
        assert_eq!(living.taken_back, 0);
        assert_eq!(everything(3).await?, (1, 1, 1));
        if store.backend() == Backend::Postgres {
            let second_process = Store::open(&url).await?;
            assert_eq!(second_process.begin_to_serve(second(4)).await?.taken_back, 0, "the first one lives and works on");
            second_process.close().await;
        }
        assert_eq!(everything(5).await?, (0, 0, 0));
        // The server hears of its end a moment later.
        drop(living);
        let mut taken_back = 0;
        while taken_back == 0 {
            taken_back = store.begin_to_serve(second(6)).await?.taken_back;
        }
        assert_eq!(taken_back, 3);
        assert_eq!(everything(6).await?, (1, 1, 1));
        assert_eq!(everything(7).await?, (0, 0, 0));
    }

    async fn a_row_that_is_given_back_stands_where_it_stood(store: Store) {
        with_partners(&store, &[B]).await?;
        let (first, second_one) = (created(contribution("a", &record_id("consultations/p")), second(1)), one_more());
        put(&store, &[first.clone(), second_one.clone()]).await?;
        plan(&store, 2).await?;
        let claimed = claim(&store, 3).await?;
        assert_eq!(claimed.len(), 2);
        // One of the two changes meanwhile.
        let better = edited(&first, "Better", second(4));
        put(&store, std::slice::from_ref(&better)).await?;
        plan(&store, 4).await?;
        let mut tx = store.write().await?;
        tx.give_back_disclosures(&claimed.iter().collect::<Vec<_>>()).await?;
        tx.save().await?;
        let still = row(&store, B, &second_one.record.id).await?.expect("a row");
        assert_eq!((still.state, still.attempts, still.offered, still.due_revision), (DisclosureState::Due, 0, false, 1));
        let moved = row(&store, B, &first.record.id).await?.expect("a row");
        assert_eq!((moved.state, moved.attempts, moved.due_revision), (DisclosureState::Due, 0, 2), "the newer revision stays due");
        // Who gave it back has it no more.
        assert!(!finish(&store, &claimed[0], &result(&claimed[0], DisclosureState::Acknowledged, 6)).await?);
        let again = claim(&store, 6).await?;
        assert_eq!(again.iter().map(|one| one.attempts).collect::<Vec<_>>(), [1, 1]);
        // A second giving back comes too late.
        let mut tx = store.write().await?;
        tx.give_back_disclosures(&claimed.iter().collect::<Vec<_>>()).await?;
        tx.save().await?;
        assert_eq!(row(&store, B, &first.record.id).await?.expect("a row").state, DisclosureState::Sending);
    }

    async fn gdpr_03_a_row_that_a_page_offered_meanwhile_is_recalled_though_it_was_given_back(store: Store) {
        with_partners(&store, &[B]).await?;
        let write = one();
        put(&store, std::slice::from_ref(&write)).await?;
        plan(&store, 2).await?;
        let claimed = claim(&store, 3).await?;
        // The partner reads our records while the row waits at a worker's desk.
        let mut tx = store.write().await?;
        let request = StreamRequest {
            partner: &domain(B),
            cursor: None,
            ahead: false,
            limit: 10,
            at: second(4),
            push_after: second(900),
            activity: "page",
        };
        let page = tx.open_stream_page(&request).await?.expect("a page");
        tx.save().await?;
        assert_eq!(page.items.len(), 1, "the page offers it");
        let mut tx = store.write().await?;
        tx.give_back_disclosures(&claimed.iter().collect::<Vec<_>>()).await?;
        tx.save().await?;
        assert!(row(&store, B, &write.record.id).await?.expect("a row").offered, "the partner may hold it");
        bury(&store, &write, 5).await?;
        plan(&store, 6).await?;
        let due = claim(&store, 7).await?;
        assert_eq!(due.iter().map(|one| (one.due_kind, one.recall)).collect::<Vec<_>>(), [(ChangeKind::Deleted, true)]);
    }

    async fn what_is_gone_before_it_was_offered_is_told_to_nobody(store: Store) {
        with_partners(&store, &[B]).await?;
        let write = one();
        put(&store, std::slice::from_ref(&write)).await?;
        plan(&store, 2).await?;
        let claimed = claim(&store, 3).await?;
        bury(&store, &write, 4).await?;
        let mut tx = store.write().await?;
        tx.give_back_disclosures(&claimed.iter().collect::<Vec<_>>()).await?;
        tx.save().await?;
        assert_eq!(row(&store, B, &write.record.id).await?, None);
        plan(&store, 5).await?;
        assert_eq!(claim(&store, 6).await?, []);
    }

    async fn rel_023_a_result_that_meets_the_planner_loses_nothing(store: Store) {
        with_partners(&store, &[B]).await?;
        let first = one();
        put(&store, std::slice::from_ref(&first)).await?;
        plan(&store, 2).await?;
        let claimed = claim(&store, 3).await?;
        bury(&store, &first, 4).await?;
        let mut planning = store.write().await?;
        let changes = planning.claim_unplanned(1000).await?;
        planning.plan(&changes, second(4)).await?;
        // The answer comes while the planner's transaction is open.
        let (other, one) = (store.clone(), claimed[0].clone());
        let written = tokio::spawn(async move {
            let mut tx = other.write().await?;
            tx.lock_ledger(&[&one], &[&one.partner].into()).await?;
            let written = tx.finish_disclosures(&[(&one, &result(&one, DisclosureState::Acknowledged, 5))]).await?;
            tx.save().await?;
            Ok::<_, StoreError>(written)
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        planning.mark_planned(&changes.iter().map(|change| change.number).collect::<Vec<_>>()).await?;
        planning.save().await?;
        assert_eq!(written.await??, [true]);
        let held = row(&store, B, &first.record.id).await?.expect("a row");
        assert_eq!((held.state, held.due_kind, held.acked_revision), (DisclosureState::Due, ChangeKind::Deleted, Some(1)));
    }

    async fn every_partner_gets_its_share(store: Store) {
        let names: Vec<String> = (0..10).map(|n| format!("p{n}.example")).collect();
        with_partners(&store, &names.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        let writes: Vec<_> = (0..30).map(|n| created(contribution(&format!("c{n}"), &record_id("consultations/p")), second(1))).collect();
        put(&store, &writes).await?;
        assert_eq!(plan(&store, 2).await?, 300);
        let mut shares: HashMap<String, usize> = HashMap::new();
        for round in 0..3 {
            let mut tx = store.write().await?;
            let request = ClaimRequest {
                now: second(10 + round),
                limit: 20,
                per_partner: 4,
                ahead: 4,
                lease_until: second(500),
                holder: "worker",
            };
            for claimed in tx.claim_disclosures(&request).await? {
                *shares.entry(claimed.partner.to_string()).or_default() += 1;
            }
            tx.save().await?;
        }
        assert_eq!(shares.len(), 10);
        assert!(shares.values().all(|share| *share <= 4), "at most four on their way: {shares:?}");
        assert_eq!(shares.values().sum::<usize>(), 40, "{shares:?}");
    }

    async fn deletes_go_first_then_parents_then_children(store: Store) {
        with_partners(&store, &[B]).await?;
        let process = consultation("p");
        let gone = created(contribution("gone", &process.id), second(1));
        put(&store, std::slice::from_ref(&gone)).await?;
        plan(&store, 2).await?;
        deliver(&store, 3).await?;
        let proposal = contribution("a", &process.id);
        let reply = comment("k", &process.id, &proposal.id);
        put(&store, &[created(reply, second(4)), created(proposal, second(4)), created(process, second(4))]).await?;
        bury(&store, &gone, 5).await?;
        plan(&store, 6).await?;
        let mut order = Vec::new();
        for n in 0..4 {
            let mut tx = store.write().await?;
            let request = ClaimRequest { now: second(10), limit: 1, per_partner: 9, ahead: 9, lease_until: second(500), holder: "w" };
            let claimed = tx.claim_disclosures(&request).await?.pop().ok_or_else(|| anyhow::anyhow!("nothing in round {n}"))?;
            if claimed.due_kind == ChangeKind::Deleted {
                // GDPR-03: while it is on its way, nothing else is.
                assert_eq!(tx.claim_disclosures(&request).await?, []);
                assert_eq!(tx.finish_disclosures(&[(&claimed, &result(&claimed, DisclosureState::PurgeAsked, 10))]).await?, [true]);
            }
            tx.save().await?;
            order.push((claimed.due_kind, claimed.class.segment()));
        }
        assert_eq!(
            order,
            [
                (ChangeKind::Deleted, "contributions"),
                (ChangeKind::Created, "consultations"),
                (ChangeKind::Created, "contributions"),
                (ChangeKind::Created, "comments")
            ]
        );
    }

    async fn rel_023_eight_workers_claim_each_row_once(store: Store) {
        with_partners(&store, &[B, N]).await?;
        let writes: Vec<_> = (0..200).map(|n| created(contribution(&format!("c{n}"), &record_id("consultations/p")), second(1))).collect();
        put(&store, &writes).await?;
        plan(&store, 2).await?;
        let workers = (0..8).map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                let mut idle = 0;
                while idle < 3 {
                    let mut tx = store.write().await?;
                    let holder = format!("worker {n}");
                    let request =
                        ClaimRequest { now: second(10), limit: 10, per_partner: 1000, ahead: 1000, lease_until: second(500), holder: &holder };
                    let claimed = tx.claim_disclosures(&request).await?;
                    tx.save().await?;
                    if claimed.is_empty() {
                        idle += 1;
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    mine.extend(claimed.into_iter().map(|claimed| (claimed.partner, claimed.record)));
                }
                anyhow::Ok(mine)
            })
        });
        let mut all = Vec::new();
        let mut busy = 0;
        for worker in futures_util::future::join_all(workers).await {
            let mine = worker??;
            busy += usize::from(!mine.is_empty());
            all.extend(mine);
        }
        let before = all.len();
        all.sort();
        all.dedup();
        assert_eq!((before, all.len()), (400, 400), "each row once");
        assert!(busy >= 2, "the work was shared");
    }

    async fn a_partner_may_refuse_later_and_an_operator_may_try_again(store: Store) {
        with_partners(&store, &[B]).await?;
        let write = one();
        put(&store, std::slice::from_ref(&write)).await?;
        plan(&store, 2).await?;
        deliver(&store, 3).await?;
        let id = &write.record.id;
        let mut tx = store.write().await?;
        assert!(tx.note_refusal(&domain(B), id, 1, "not-covered").await?);
        assert!(!tx.note_refusal(&domain(B), id, 1, "not-covered").await?);
        assert_eq!(tx.retry_disclosures(&domain(B), second(5)).await?, 1);
        assert_eq!(tx.list_disclosures(&domain(B), None, 10).await?.len(), 1);
        assert!(tx.list_disclosures(&domain(B), Some(id), 10).await?.is_empty());
    }

    async fn a_revision_newer_than_planned_may_be_sent(store: Store) {
        with_partners(&store, &[B]).await?;
        let first = one();
        put(&store, std::slice::from_ref(&first)).await?;
        plan(&store, 2).await?;
        let claimed = claim(&store, 3).await?;
        put(&store, &[edited(&first, "Better", second(4))]).await?;
        // The worker reads the record and sends what is there, before the planner came by.
        let mut sent = result(&claimed[0], DisclosureState::Acknowledged, 5);
        sent.revision = 2;
        finish(&store, &claimed[0], &sent).await?;
        assert_eq!(plan(&store, 6).await?, 0, "the partner has it");
        assert!(claim(&store, 7).await?.is_empty());
    }

    async fn gdpr_05_a_delete_that_left_before_it_was_planned_is_closed_by_its_receipt(store: Store) {
        with_partners(&store, &[B]).await?;
        let (first, other) = (one(), created(contribution("b", &record_id("consultations/p")), second(1)));
        put(&store, &[first.clone(), other.clone()]).await?;
        plan(&store, 2).await?;
        let claimed = claim(&store, 3).await?;
        bury(&store, &first, 4).await?;
        bury(&store, &other, 4).await?;
        // The worker reads the records and sends their tombstones, before the planner came by.
        for one in claimed.iter().filter(|claimed| claimed.record == first.record.id) {
            let mut sent = result(one, DisclosureState::PurgeAsked, 5);
            sent.revision = 2;
            assert!(finish(&store, one, &sent).await?);
        }
        assert_eq!(plan(&store, 6).await?, 1, "the other one, which is still on its way");
        let asked = row(&store, B, &first.record.id).await?.expect("a row");
        assert_eq!((asked.state, asked.due_kind, asked.due_revision), (DisclosureState::PurgeAsked, ChangeKind::Deleted, 2));
        // Asked for again like every Delete, follower or not.
        let mut tx = store.write().await?;
        tx.set_follows_us(&domain(B), FollowState::None).await?;
        tx.save().await?;
        assert_eq!(claim(&store, 16).await?.iter().map(|claimed| &claimed.record).collect::<Vec<_>>(), [&first.record.id]);
        let mut tx = store.write().await?;
        assert!(tx.note_purge(&domain(B), &first.record.id, "{}", second(17)).await?);
        tx.save().await?;
        assert_eq!(row(&store, B, &first.record.id).await?.expect("a row").state, DisclosureState::Purged);
    }

    async fn gdpr_05_a_receipt_that_is_faster_than_the_plan_closes_a_purge(store: Store) {
        with_partners(&store, &[B]).await?;
        let first = one();
        put(&store, std::slice::from_ref(&first)).await?;
        plan(&store, 2).await?;
        let claimed = claim(&store, 3).await?;
        let mut tx = store.write().await?;
        assert!(!tx.note_purge(&domain(B), &first.record.id, "{}", second(3)).await?, "it is not gone");
        tx.save().await?;
        bury(&store, &first, 4).await?;
        let mut tx = store.write().await?;
        assert!(tx.note_purge(&domain(B), &first.record.id, "{}", second(5)).await?);
        tx.save().await?;
        let mut sent = result(&claimed[0], DisclosureState::PurgeAsked, 6);
        sent.revision = 2;
        assert!(!finish(&store, &claimed[0], &sent).await?, "the receipt was faster");
        assert_eq!(row(&store, B, &first.record.id).await?.expect("a row").state, DisclosureState::Purged);
        assert_eq!(plan(&store, 7).await?, 0, "it was told and has answered");
    }

    async fn gdpr_19_what_is_hidden_or_withdrawn_is_told_to_whoever_holds_it(store: Store) {
        with_partners(&store, &[B, N]).await?;
        let hidden = one();
        let withdrawn = created(contribution("b", &record_id("consultations/p")), second(1));
        let edits = created(contribution("c", &record_id("consultations/p")), second(1));
        let off = created(meeting("d", &record_id("consultations/p")), second(1));
        put(&store, &[hidden.clone(), withdrawn.clone(), edits.clone(), off.clone()]).await?;
        plan(&store, 2).await?;
        assert_eq!(deliver(&store, 3).await?.len(), 8);
        let mut tx = store.write().await?;
        tx.set_follows_us(&domain(B), FollowState::None).await?;
        tx.save().await?;
        put(&store, &[
            next(&hidden, hidden.record.clone().hidden(), second(5)),
            next(&withdrawn, withdrawn.record.clone().withdrawn(), second(5)),
            edited(&edits, "Better", second(5)),
            next(&off, off.record.clone().withdrawn(), second(5)),
        ])
        .await?;
        assert_eq!(plan(&store, 6).await?, 7);
        // What is taken back goes first, by itself.
        let recalls = deliver(&store, 7).await?;
        assert_eq!(recalls.len(), 6);
        let mut told: Vec<_> =
            recalls.into_iter().chain(deliver(&store, 7).await?).map(|claimed| (claimed.partner, claimed.record)).collect();
        told.sort();
        let ids = [&hidden.record.id, &withdrawn.record.id, &edits.record.id, &off.record.id];
        let expected = [(B, ids[0]), (B, ids[1]), (B, ids[3]), (N, ids[0]), (N, ids[1]), (N, ids[2]), (N, ids[3])];
        assert_eq!(told, expected.map(|(name, id)| (domain(name), id.clone())), "news go to followers only");
        // When it comes back, only who follows us reads it again.
        put(&store, &[next(&next(&hidden, hidden.record.clone().hidden(), second(5)), hidden.record.clone(), second(8))]).await?;
        assert_eq!(plan(&store, 9).await?, 1);
        assert_eq!(deliver(&store, 10).await?[0].partner, domain(N));
    }
}
