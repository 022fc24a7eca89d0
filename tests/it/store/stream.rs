//! The records stream: everything, in order, acknowledged page by page.

use std::collections::HashSet;

use passerelle::domain::RecordId;
use passerelle::store::{ClaimRequest, DisclosureState, RecordWrite, Standing, Store, StreamCursor, StreamPage, StreamRequest};

use super::examples::*;
use crate::store_tests;

const B: &str = "bordeaux.example";

async fn open(store: &Store, cursor: Option<&StreamCursor>, at: i64) -> anyhow::Result<StreamPage> {
    let partner = domain(B);
    let mut tx = store.write().await?;
    let request = StreamRequest {
        partner: &partner,
        cursor,
        limit: 10,
        at: second(at),
        push_after: second(at + 3600),
        activity: "https://lyon.example/actor/records",
    };
    let page = tx.open_stream_page(&request).await?.ok_or_else(|| anyhow::anyhow!("the cursor is of another pass"))?;
    tx.save().await?;
    // As a partner carries it.
    Ok(StreamPage { next: page.next.to_string().parse()?, ..page })
}

async fn read_all(store: &Store, mut cursor: Option<StreamCursor>, at: i64) -> anyhow::Result<(Vec<RecordId>, StreamCursor)> {
    let mut seen = Vec::new();
    loop {
        let page = open(store, cursor.as_ref(), at).await?;
        if page.records.is_empty() {
            return Ok((seen, page.next));
        }
        seen.extend(page.records.into_iter().map(|record| record.id));
        cursor = Some(page.next);
    }
}

async fn due(store: &Store, at: i64) -> anyhow::Result<usize> {
    let mut tx = store.write().await?;
    let request = ClaimRequest { now: second(at), limit: 1000, per_partner: 1000, lease_until: second(at + 60), holder: "w" };
    let claimed = tx.claim_disclosures(&request).await?.len();
    tx.forget().await?;
    Ok(claimed)
}

async fn plan(store: &Store, at: i64) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let changes = tx.claim_unplanned(1000).await?;
    tx.plan(&changes, second(at)).await?;
    tx.mark_planned(&changes.iter().map(|change| change.number).collect::<Vec<_>>()).await?;
    Ok(tx.save().await?)
}

/// A consultation with contributions and threads, written children first where that is possible.
async fn filled(store: &Store) -> anyhow::Result<Vec<RecordWrite>> {
    let process = consultation("p");
    let mut writes = Vec::new();
    for n in 0..7 {
        let proposal = contribution(&format!("c{n}"), &process.id);
        let reply = comment(&format!("a{n}"), &process.id, &proposal.id);
        let answer = comment(&format!("Z{n}"), &process.id, &reply.id);
        writes.extend([answer, reply, proposal].map(|record| created(record, second(1))));
    }
    writes.push(created(process, second(1)));
    put(store, &writes).await?;
    // They were changed long before the partner came.
    let mut tx = store.write().await?;
    let changes = tx.claim_unplanned(1000).await?;
    tx.mark_planned(&changes.iter().map(|change| change.number).collect::<Vec<_>>()).await?;
    tx.put_partner(&partner(B)).await?;
    tx.save().await?;
    Ok(writes)
}

fn parent_first(seen: &[RecordId], writes: &[RecordWrite]) {
    let mut before = HashSet::new();
    for id in seen {
        let write = writes.iter().find(|write| write.record.id == *id).expect("one of ours");
        if let Some(parent) = write.record.parent() {
            assert!(before.contains(parent), "{id} came before its parent");
        }
        before.insert(id.clone());
    }
}

store_tests! {
    async fn a_new_partner_reads_everything_once_parents_first(store: Store) {
        let writes = filled(&store).await?;
        assert_eq!(store.read().await?.count_stream(&domain(B)).await?, 22);
        let (seen, end) = read_all(&store, None, 10).await?;
        assert_eq!(seen.len(), 22);
        assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 22);
        parent_first(&seen, &writes);
        let mut tx = store.read().await?;
        assert_eq!(tx.disclosure_counts(&domain(B)).await?, [(DisclosureState::Acknowledged, 22)]);
        assert_eq!(tx.list_exchanges(&domain(B), None, 100).await?.len(), 22, "each acknowledgement is in the log");
        drop(tx);
        assert_eq!(due(&store, 100_000).await?, 0, "nothing is pushed besides");
        // Asked again later, it brings what is new.
        let more = created(contribution("new", &record_id("consultations/p")), second(20));
        let changed = edited(&writes[3], "Better", second(20));
        put(&store, &[more.clone(), changed.clone()]).await?;
        let (news, end) = read_all(&store, Some(end), 30).await?;
        assert_eq!(news.iter().collect::<HashSet<_>>(), HashSet::from([&more.record.id, &changed.record.id]));
        let (nothing, _) = read_all(&store, Some(end), 40).await?;
        assert!(nothing.is_empty());
    }

    async fn a_page_that_was_lost_is_opened_again(store: Store) {
        filled(&store).await?;
        let first = open(&store, None, 10).await?;
        let second_page = open(&store, Some(&first.next), 11).await?;
        let again = open(&store, Some(&first.next), 12).await?;
        let ids = |page: &StreamPage| page.records.iter().map(|record| record.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&second_page), ids(&again));
        assert_eq!(again.next, second_page.next);
        let acked = store.read().await?.disclosure_counts(&domain(B)).await?;
        assert_eq!(acked, [(DisclosureState::Acknowledged, 10), (DisclosureState::Due, 10)]);
        assert_eq!(due(&store, 100).await?, 0);
        assert_eq!(due(&store, 4000).await?, 10, "a partner that does not come back gets them one by one");
    }

    async fn a_partner_that_lost_everything_begins_again(store: Store) {
        filled(&store).await?;
        let (_, old) = read_all(&store, None, 10).await?;
        let (seen, _) = read_all(&store, None, 20).await?;
        assert_eq!(seen.len(), 22);
        assert!(open(&store, Some(&old), 30).await.is_err(), "a place of an earlier pass is refused");
    }

    async fn hidden_and_deleted_records_are_only_told_to_who_holds_them(store: Store) {
        let writes = filled(&store).await?;
        let (gone, hidden) = (&writes[2], &writes[5]);
        let hide = next(hidden, hidden.record.clone().hidden(), second(15));
        let fresh = partner("fresh.example");
        let (_, end) = read_all(&store, None, 10).await?;
        put(&store, std::slice::from_ref(&hide)).await?;
        let mut tx = store.write().await?;
        tx.bury_records(&[burial(gone, second(15))]).await?;
        tx.put_partner(&fresh).await?;
        tx.save().await?;
        let page = open(&store, Some(&end), 20).await?;
        let standings: HashSet<_> = page.records.iter().map(|record| (record.id.clone(), record.standing)).collect();
        assert_eq!(
            standings,
            HashSet::from([(gone.record.id.clone(), Standing::Deleted), (hidden.record.id.clone(), Standing::Hidden)])
        );
        open(&store, Some(&page.next), 21).await?;
        let row = store.read().await?.lookup_disclosure(&domain(B), &gone.record.id).await?.expect("the ledger");
        assert_eq!(row.state, DisclosureState::PurgeAsked, "a tombstone on a page still wants its receipt");
        assert_eq!(store.read().await?.count_stream(&fresh.domain).await?, 20, "nobody else hears of them");
    }

    async fn what_is_pushed_meanwhile_is_not_lost(store: Store) {
        let writes = filled(&store).await?;
        let first = open(&store, None, 10).await?;
        let on_page = writes.iter().find(|write| write.record.id == first.records[0].id).expect("ours");
        put(&store, &[edited(on_page, "Better", second(11))]).await?;
        plan(&store, 12).await?;
        // The page is acknowledged, but with the revision it carried.
        open(&store, Some(&first.next), 13).await?;
        let row = store.read().await?.lookup_disclosure(&domain(B), &on_page.record.id).await?.expect("the ledger");
        assert_eq!((row.acked_revision, row.due_revision, row.state), (Some(1), 2, DisclosureState::Due));
        assert_eq!(due(&store, 14).await?, 1);
    }
}
