//! Records, their chain and their lists.

use passerelle::domain::change::ChangeKind;
use passerelle::domain::progress::CommitmentState;
use passerelle::domain::{Body, Class, RecordId};
use passerelle::store::{Order, RecordQuery, Standing, Store, StoreError};

use super::examples::*;
use crate::store_tests;

store_tests! {
    async fn a_record_reads_back_as_it_was_written(store: Store) {
        let process = consultation("p");
        let mut write = created(contribution("a", &process.id), second(1));
        write.local = Some(local("proposal", 12, Class::Contribution));
        write.record.published = Some(second(-100));
        write.sealed = seal(&write.record);
        put(&store, &[created(process.clone(), second(1)), write.clone()]).await?;
        let mut tx = store.read().await?;
        let stored = tx.lookup_record(&write.record.id).await?.expect("it was written");
        assert_eq!(stored.record.as_ref(), Some(&write.record));
        assert_eq!(stored.sealed, write.sealed.bytes);
        assert_eq!(stored.digest, write.sealed.digest);
        assert_eq!((stored.revision, stored.version, stored.standing), (1, 1, Standing::Live));
        assert_eq!(stored.process, process.id);
        assert_eq!(stored.parent, Some(process.id.clone()));
        assert_eq!(stored.local, write.local);
        assert_eq!(stored.changed_at, second(1));
        let both = tx.lookup_records(&[process.id, write.record.id.clone(), record_id("contributions/none")]).await?;
        assert_eq!(both.len(), 2);
    }

    async fn each_revision_is_a_link_of_the_chain_and_a_change(store: Store) {
        let first = created(contribution("a", &record_id("consultations/p")), second(1));
        let second_one = edited(&first, "Better", second(2));
        let mut counts = next(&second_one, second_one.record.clone(), second(3));
        counts.material = false;
        put(&store, &[first.clone(), second_one.clone(), counts.clone()]).await?;
        let mut tx = store.write().await?;
        let stored = tx.lookup_record(&first.record.id).await?.expect("it was written");
        assert_eq!((stored.revision, stored.version), (3, 2), "counts alone make no version");
        let chain = tx.revisions_of(&first.record.id).await?;
        assert_eq!(chain.iter().map(|link| link.revision).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(chain[0].previous, None);
        assert_eq!(chain[1].previous.as_ref(), Some(&chain[0].digest));
        assert_eq!(chain[2].previous.as_ref(), Some(&chain[1].digest));
        assert_eq!(chain.iter().map(|link| link.material).collect::<Vec<_>>(), [true, true, false]);
        for write in [&first, &second_one, &counts] {
            let sealed = tx.sealed_revision(&first.record.id, write.record.revision).await?;
            assert_eq!(sealed.as_ref(), Some(&write.sealed.bytes), "revision {}", write.record.revision);
        }
        assert_eq!(tx.sealed_revision(&first.record.id, 4).await?, None);
        let changes = tx.claim_unplanned(10).await?;
        let kinds: Vec<_> = changes.iter().map(|change| (change.revision, change.kind)).collect();
        assert_eq!(kinds, [(1, ChangeKind::Created), (2, ChangeKind::Updated), (3, ChangeKind::Updated)]);
    }

    async fn a_revision_that_does_not_follow_is_refused(store: Store) {
        let first = created(contribution("a", &record_id("consultations/p")), second(1));
        let second_one = edited(&first, "Better", second(2));
        put(&store, &[first.clone(), second_one.clone()]).await?;
        for late in [&first, &second_one] {
            let refused = put(&store, &[(*late).clone()]).await;
            assert!(matches!(refused, Err(StoreError::Superseded { stored: 2, .. })), "{refused:?}");
        }
        let mut forked = edited(&second_one, "Fork", second(3));
        forked.previous = Some(first.sealed.digest.clone());
        assert!(matches!(put(&store, &[forked]).await, Err(StoreError::Superseded { .. })));
        let mut tx = store.read().await?;
        assert_eq!(tx.revisions_of(&first.record.id).await?.len(), 2);
    }

    async fn of_two_writers_of_one_revision_one_wins(store: Store) {
        let first = created(contribution("a", &record_id("consultations/p")), second(1));
        put(&store, std::slice::from_ref(&first)).await?;
        let tasks = (0..6).map(|n| {
            let (store, write) = (store.clone(), edited(&first, &format!("Writer {n}"), second(2)));
            async move { put(&store, &[write]).await }
        });
        let outcomes = futures_util::future::join_all(tasks).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        let mut tx = store.read().await?;
        assert_eq!(tx.revisions_of(&first.record.id).await?.len(), 2);
    }

    async fn hiding_a_record_erases_what_earlier_revisions_said(store: Store) {
        let first = created(contribution("a", &record_id("consultations/p")), second(1));
        let better = edited(&first, "Better", second(2));
        let hidden = next(&better, better.record.clone().hidden(), second(3));
        put(&store, &[first.clone(), better.clone()]).await?;
        put(&store, std::slice::from_ref(&hidden)).await?;
        let mut tx = store.read().await?;
        let stored = tx.lookup_record(&first.record.id).await?.expect("it stays");
        assert_eq!(stored.standing, Standing::Hidden);
        assert_eq!(tx.sealed_revision(&first.record.id, 1).await?, None);
        assert_eq!(tx.sealed_revision(&first.record.id, 2).await?, None);
        assert_eq!(tx.sealed_revision(&first.record.id, 3).await?, Some(hidden.sealed.bytes.clone()));
        let visible = tx.count_records(&RecordQuery::default()).await?;
        assert_eq!(visible, 0);
        drop(tx);
        let restored = next(&hidden, better.record.clone(), second(4));
        put(&store, &[restored]).await?;
        let mut tx = store.read().await?;
        assert_eq!(tx.count_records(&RecordQuery::default()).await?, 1);
    }

    async fn a_list_is_of_what_names_a_record_and_of_what_is_due(store: Store) {
        let process = record_id("consultations/p");
        let (root, other) = (record_id("contributions/1"), record_id("contributions/11"));
        let day = |day: &str| day.parse().expect("a day");
        put(&store, &[
            created(promise("a", &process, &root, CommitmentState::Underway, "2026-11-01"), second(1)),
            created(promise("b", &process, &other, CommitmentState::Planned, "2026-11-02"), second(1)),
            created(promise("c", &process, &root, CommitmentState::Done, "2026-11-01"), second(1)),
        ])
        .await?;
        let mut tx = store.read().await?;
        for (query, expected) in [
            (RecordQuery { naming: Some(root), ..RecordQuery::default() }, vec!["a", "c"]),
            (RecordQuery { naming: Some(other), ..RecordQuery::default() }, vec!["b"]),
            (RecordQuery { due_by: Some(day("2026-10-31")), ..RecordQuery::default() }, vec![]),
            (RecordQuery { due_by: Some(day("2026-11-01")), ..RecordQuery::default() }, vec!["a"]),
            (RecordQuery { due_by: Some(day("2026-11-02")), ..RecordQuery::default() }, vec!["a", "b"]),
        ] {
            let query = RecordQuery { order: Order::ById, ..query };
            let ids: Vec<RecordId> = tx.list_records(&query).await?.items.into_iter().map(|stored| stored.id).collect();
            assert_eq!(ids, expected.iter().map(|key| record_id(&format!("commitments/{key}"))).collect::<Vec<_>>());
            assert_eq!(tx.count_records(&query).await?, expected.len() as u64);
        }
    }

    async fn withdrawing_a_record_erases_what_earlier_revisions_said(store: Store) {
        for record in [contribution("a", &record_id("consultations/p")), meeting("a", &record_id("consultations/p"))] {
            let first = created(record, second(1));
            let withdrawn = next(&first, first.record.clone().withdrawn(), second(2));
            put(&store, std::slice::from_ref(&first)).await?;
            put(&store, &[withdrawn]).await?;
            let mut tx = store.read().await?;
            let stored = tx.lookup_record(&first.record.id).await?.expect("it stays");
            assert_eq!(stored.standing, Standing::Live, "what is withdrawn keeps its page");
            assert_eq!(tx.sealed_revision(&first.record.id, 1).await?, None);
        }
    }

    async fn a_burial_leaves_a_tombstone_and_no_words(store: Store) {
        let first = created(contribution("a", &record_id("consultations/p")), second(1));
        let better = edited(&first, "Better", second(2));
        put(&store, &[first.clone(), better.clone()]).await?;
        let end = burial(&better, second(3));
        let mut tx = store.write().await?;
        tx.bury_records(std::slice::from_ref(&end)).await?;
        tx.save().await?;
        let mut tx = store.write().await?;
        let stored = tx.lookup_record(&first.record.id).await?.expect("its tombstone stays");
        assert_eq!((stored.standing, stored.revision, stored.record), (Standing::Deleted, 3, None));
        assert_eq!(stored.sealed, end.sealed.bytes);
        for revision in [1, 2] {
            assert_eq!(tx.sealed_revision(&first.record.id, revision).await?, None);
        }
        let chain = tx.revisions_of(&first.record.id).await?;
        assert_eq!(chain.len(), 3, "digests stay");
        assert_eq!(chain[2].previous.as_ref(), Some(&chain[1].digest));
        let last = tx.claim_unplanned(10).await?.pop().expect("a change");
        assert_eq!((last.kind, last.revision), (ChangeKind::Deleted, 3));
        let again = tx.bury_records(&[end]).await;
        assert!(matches!(again, Err(StoreError::Superseded { stored: 3, .. })), "{again:?}");
        let never = burial(&created(contribution("never", &record_id("consultations/p")), second(1)), second(2));
        assert!(matches!(tx.bury_records(&[never]).await, Err(StoreError::Superseded { stored: 0, .. })));
    }

    async fn lists_are_read_page_by_page_without_loss(store: Store) {
        let process = consultation("p");
        let mut writes = vec![created(process.clone(), second(0))];
        for n in 0..23_i64 {
            let mut record = contribution(&format!("c{n:02}"), &process.id);
            // Pairs share an instant: the address decides between them.
            record.published = Some(second(n / 2));
            writes.push(created(record, second(100)));
        }
        let parent = writes[1].record.id.clone();
        writes.push(created(comment("k", &process.id, &parent), second(100)));
        put(&store, &writes).await?;
        for order in [Order::Newest, Order::Oldest, Order::ById] {
            let mut query = RecordQuery {
                classes: vec![Class::Contribution],
                process: Some(process.id.clone()),
                order,
                limit: 5,
                ..RecordQuery::default()
            };
            let mut seen = Vec::new();
            loop {
                let mut tx = store.read().await?;
                let page = tx.list_records(&query).await?;
                assert!(page.items.len() <= 5);
                seen.extend(page.items.into_iter().map(|record| record.id));
                match page.next {
                    // As a link in a page carries it.
                    Some(next) => query.after = Some(next.to_string().parse()?),
                    None => break,
                }
            }
            assert_eq!(seen.len(), 23, "{order:?}");
            let mut sorted: Vec<_> = writes[1..24].iter().map(|w| (w.record.published, w.record.id.clone())).collect();
            match order {
                Order::Newest => sorted.sort_by(|a, b| b.cmp(a)),
                Order::Oldest => sorted.sort(),
                Order::ById => sorted.sort_by(|a, b| a.1.cmp(&b.1)),
            }
            assert_eq!(seen, sorted.into_iter().map(|(_, id)| id).collect::<Vec<_>>(), "{order:?}");
        }
        let mut tx = store.read().await?;
        let replies = tx.list_records(&RecordQuery { parent: Some(parent), ..RecordQuery::default() }).await?;
        assert_eq!(replies.items.len(), 1);
        assert_eq!(tx.count_records(&RecordQuery { process: Some(process.id.clone()), ..RecordQuery::default() }).await?, 25);
        assert_eq!(tx.count_records(&RecordQuery { classes: vec![Class::Argument], ..RecordQuery::default() }).await?, 0);
    }

    async fn a_batch_of_any_size_is_written_whole(store: Store) {
        let process = consultation("p");
        let writes: Vec<_> = (0..1201).map(|n| created(contribution(&format!("c{n}"), &process.id), second(1))).collect();
        put(&store, &writes).await?;
        let more: Vec<_> = writes.iter().map(|write| edited(write, "Better", second(2))).collect();
        put(&store, &more).await?;
        let mut tx = store.read().await?;
        assert_eq!(tx.count_records(&RecordQuery::default()).await?, 1201);
        assert_eq!(tx.unplanned_changes().await?, (2402, Some(second(1))));
    }

    async fn a_nul_in_a_record_is_refused_on_both(store: Store) {
        let mut record = contribution("a", &record_id("consultations/p"));
        if let Body::Contribution(body) = &mut record.body {
            body.topic = Some("a\0b".to_owned());
        }
        let refused = put(&store, &[created(record, second(1))]).await;
        assert!(matches!(refused, Err(StoreError::Nul { .. })), "{refused:?}");
    }

    async fn a_reading_transaction_cannot_write(store: Store) {
        let mut tx = store.read().await?;
        assert!(tx.put_records(&[created(consultation("p"), second(1))]).await.is_err());
    }
}
