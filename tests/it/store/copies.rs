//! The register of a copy: whatever the order, the same end.

use passerelle::domain::tombstone::Tombstone;
use passerelle::domain::{Record, RecordId};
use passerelle::store::copies::ALL_REVISIONS;
use passerelle::store::{CopyQuery, CopyStanding, CopyWrite, PutCopy, RecordQuery, RecordWrite, Store, StoreError, StoredCopy};

use super::examples::*;
use crate::store_tests;

/// What a partner may send of one record.
#[derive(Clone)]
enum Sent {
    Revision(Box<CopyWrite>),
    Grave(Box<Tombstone>),
}

async fn receive(store: &Store, sent: &Sent) -> Result<PutCopy, StoreError> {
    let mut tx = store.write().await?;
    let answer = match sent {
        Sent::Revision(write) => tx.put_copy(write).await?,
        Sent::Grave(tombstone) => {
            tx.bury_copy(&domain("lyon.example"), tombstone, &seal_tombstone(tombstone), second(50)).await?
        }
    };
    tx.save().await?;
    Ok(answer)
}

async fn held(store: &Store, id: &RecordId) -> Result<Option<StoredCopy>, StoreError> {
    store.read().await?.lookup_copy(id).await
}

fn permutations<T: Clone>(of: &[T]) -> Vec<Vec<T>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    (0..of.len())
        .flat_map(|first| {
            let mut rest = of.to_vec();
            let head = rest.remove(first);
            permutations(&rest).into_iter().map(move |mut tail| {
                tail.insert(0, head.clone());
                tail
            })
        })
        .collect()
}

/// A life: created, edited twice, buried.
fn life(key: &str) -> (Vec<RecordWrite>, Tombstone) {
    let first = created(contribution(key, &record_id("consultations/p")), second(1));
    let better = edited(&first, "Better", second(2));
    let best = edited(&better, "Best", second(3));
    let tombstone = burial(&best, second(4)).tombstone;
    (vec![first, better, best], tombstone)
}

store_tests! {
    async fn rel_041_all_24_orders_of_a_life_end_in_the_tombstone(store: Store) {
        for (n, order) in permutations(&[0, 1, 2, 3]).into_iter().enumerate() {
            let (revisions, tombstone) = life(&format!("a{n}"));
            for step in &order {
                let sent = revisions.get(*step).map_or(Sent::Grave(Box::new(tombstone.clone())), |write| Sent::Revision(Box::new(copy_of(write, second(40)))));
                receive(&store, &sent).await?;
            }
            let end = held(&store, &tombstone.id).await?.expect("a tombstone stays");
            assert_eq!((end.standing, end.revision, end.record), (CopyStanding::Deleted, 4, None), "order {order:?}");
            assert_eq!(end.sealed, seal_tombstone(&tombstone).bytes);
        }
    }

    async fn all_24_orders_of_four_revisions_end_in_the_newest(store: Store) {
        for (n, order) in permutations(&[0, 1, 2, 3]).into_iter().enumerate() {
            let (mut revisions, _) = life(&format!("b{n}"));
            revisions.push(edited(&revisions[2], "Very best", second(5)));
            for step in &order {
                receive(&store, &Sent::Revision(Box::new(copy_of(&revisions[*step], second(40))))).await?;
            }
            let end = held(&store, &revisions[0].record.id).await?.expect("a copy");
            assert_eq!(end.record.as_ref(), Some(&revisions[3].record), "order {order:?}");
            assert_eq!((end.standing, end.revision), (CopyStanding::Live, 4));
        }
    }

    async fn rel_042_a_tombstone_without_a_revision_beats_all(store: Store) {
        for (n, order) in permutations(&[0, 1, 2, 3]).into_iter().enumerate() {
            let (revisions, mut tombstone) = life(&format!("c{n}"));
            tombstone.revision = None;
            for step in &order {
                let sent = revisions.get(*step).map_or(Sent::Grave(Box::new(tombstone.clone())), |write| Sent::Revision(Box::new(copy_of(write, second(40)))));
                receive(&store, &sent).await?;
            }
            let end = held(&store, &tombstone.id).await?.expect("a tombstone stays");
            assert_eq!((end.standing, end.revision), (CopyStanding::Deleted, ALL_REVISIONS), "order {order:?}");
        }
    }

    async fn a_higher_revision_of_the_authority_restores(store: Store) {
        let (revisions, tombstone) = life("d");
        receive(&store, &Sent::Grave(Box::new(tombstone.clone()))).await?;
        assert_eq!(receive(&store, &Sent::Revision(Box::new(copy_of(&revisions[2], second(40))))).await?, PutCopy::AlreadyNewer);
        let mut record = revisions[2].record.clone();
        record.revision = 5;
        let back = CopyWrite { domain: domain("lyon.example"), sealed: seal(&record), record, at: second(41) };
        assert_eq!(receive(&store, &Sent::Revision(Box::new(back))).await?, PutCopy::Applied);
        assert_eq!(receive(&store, &Sent::Grave(Box::new(tombstone.clone()))).await?, PutCopy::AlreadyNewer, "an old Delete again");
        assert_eq!(held(&store, &tombstone.id).await?.map(|copy| copy.standing), Some(CopyStanding::Live));
    }

    async fn answers_say_what_became_of_a_revision(store: Store) {
        let (revisions, tombstone) = life("e");
        let write = copy_of(&revisions[1], second(40));
        assert_eq!(receive(&store, &Sent::Revision(Box::new(write.clone()))).await?, PutCopy::Applied);
        let again = CopyWrite { at: second(60), ..write.clone() };
        assert_eq!(receive(&store, &Sent::Revision(Box::new(again))).await?, PutCopy::Same);
        let copy = held(&store, &tombstone.id).await?.expect("a copy");
        assert_eq!((copy.received_at, copy.confirmed_at), (second(40), second(60)), "a repetition confirms");
        assert_eq!(receive(&store, &Sent::Revision(Box::new(copy_of(&revisions[0], second(61))))).await?, PutCopy::AlreadyNewer);
        assert_eq!(receive(&store, &Sent::Grave(Box::new(tombstone.clone()))).await?, PutCopy::Applied);
        assert_eq!(receive(&store, &Sent::Grave(Box::new(tombstone.clone()))).await?, PutCopy::Same);
    }

    async fn two_contents_of_one_revision_freeze_the_row(store: Store) {
        let (revisions, tombstone) = life("f");
        let one = copy_of(&revisions[1], second(40));
        let mut record = one.record.clone();
        record.title = title("Something else");
        let other = CopyWrite { sealed: seal(&record), record, ..one.clone() };
        receive(&store, &Sent::Revision(Box::new(one.clone()))).await?;
        assert_eq!(receive(&store, &Sent::Revision(Box::new(other.clone()))).await?, PutCopy::Equivocation);
        let copy = held(&store, &tombstone.id).await?.expect("a copy");
        assert_eq!(copy.standing, CopyStanding::Frozen);
        assert_eq!((copy.digest, copy.rival_digest), (one.sealed.digest.clone(), Some(other.sealed.digest.clone())));
        assert_eq!(copy.record.as_ref(), Some(&one.record), "what came first stays");
        let later = copy_of(&revisions[2], second(41));
        assert_eq!(receive(&store, &Sent::Revision(Box::new(later))).await?, PutCopy::Equivocation, "a frozen row takes nothing");
        assert_eq!(receive(&store, &Sent::Grave(Box::new(tombstone.clone()))).await?, PutCopy::Applied, "but it can be erased");
    }

    async fn another_authority_cannot_take_a_copy_over(store: Store) {
        let (revisions, mut tombstone) = life("g");
        receive(&store, &Sent::Revision(Box::new(copy_of(&revisions[0], second(40))))).await?;
        let mut write = copy_of(&revisions[1], second(41));
        write.record.authority = "https://evil.example/actor".parse()?;
        assert!(matches!(receive(&store, &Sent::Revision(Box::new(write))).await, Err(StoreError::NotTheirs { .. })));
        tombstone.authority = "https://evil.example/actor".parse()?;
        assert!(matches!(receive(&store, &Sent::Grave(Box::new(tombstone.clone()))).await, Err(StoreError::NotTheirs { .. })));
        assert_eq!(held(&store, &tombstone.id).await?.map(|copy| copy.revision), Some(1));
    }

    async fn copies_are_listed_and_counted_by_partner(store: Store) {
        let process = record_id("consultations/p");
        let mut writes: Vec<_> =
            (0..12).map(|n| copy_of(&created(contribution(&format!("h{n:02}"), &process), second(n)), second(40))).collect();
        for write in writes.iter_mut().skip(9) {
            write.domain = domain("nantes.example");
        }
        let (_, tombstone) = life("h99");
        let mut tx = store.write().await?;
        let answers = tx.put_copies(&writes).await?;
        assert!(answers.iter().all(|answer| *answer == PutCopy::Applied));
        tx.bury_copy(&domain("lyon.example"), &tombstone, &seal_tombstone(&tombstone), second(50)).await?;
        tx.save().await?;
        let mut tx = store.read().await?;
        let query = CopyQuery {
            domain: Some(domain("lyon.example")),
            filter: RecordQuery { process: Some(process), limit: 4, ..RecordQuery::default() },
        };
        assert_eq!(tx.count_copies(&query).await?, 9);
        let page = tx.list_copies(&query).await?;
        assert_eq!(page.items.len(), 4);
        let mut following = query.clone();
        following.filter.after = page.next;
        let next = tx.list_copies(&following).await?;
        assert!(next.items.iter().all(|copy| page.items.iter().all(|before| before.id != copy.id)));
        let mut heads = tx.copy_heads(&domain("lyon.example"), None, 7).await?;
        heads.extend(tx.copy_heads(&domain("lyon.example"), heads.last().map(|head| &head.id).cloned().as_ref(), 7).await?);
        assert_eq!(heads.len(), 10, "tombstones too");
        assert!(heads.windows(2).all(|pair| pair[0].id < pair[1].id));
        assert_eq!(
            tx.copy_counts(&domain("lyon.example")).await?,
            [(CopyStanding::Deleted, 1), (CopyStanding::Live, 9)]
        );
        let first = &writes[0].record;
        let by_key = tx.copy_by_key(&domain("lyon.example"), "contributions", &first.id.copy_key()).await?;
        assert_eq!(by_key.map(|copy| copy.id), Some(first.id.clone()));
        assert_eq!(tx.copy_by_key(&domain("nantes.example"), "contributions", &first.id.copy_key()).await?, None);
        let ids: Vec<_> = writes.iter().map(|write| write.record.id.clone()).collect();
        assert_eq!(tx.lookup_copies(&ids).await?.len(), 12);
    }

    async fn an_operator_may_quarantine_a_copy(store: Store) {
        let (revisions, tombstone) = life("i");
        receive(&store, &Sent::Revision(Box::new(copy_of(&revisions[0], second(40))))).await?;
        let mut tx = store.write().await?;
        tx.set_copy_standing(&tombstone.id, CopyStanding::Quarantined).await?;
        tx.confirm_copy(&tombstone.id, second(70)).await?;
        tx.save().await?;
        assert_eq!(receive(&store, &Sent::Revision(Box::new(copy_of(&revisions[1], second(41))))).await?, PutCopy::Applied);
        let copy = held(&store, &tombstone.id).await?.expect("a copy");
        assert_eq!((copy.standing, copy.revision), (CopyStanding::Quarantined, 2), "newer content does not end it");
    }

    async fn a_frozen_copy_gives_up_words_that_its_origin_takes_back(store: Store) {
        for (key, take) in [("h", Record::hidden as fn(Record) -> Record), ("w", Record::withdrawn)] {
            let (revisions, tombstone) = life(key);
            let one = copy_of(&revisions[1], second(40));
            let mut record = one.record.clone();
            record.title = title("Something else");
            let other = CopyWrite { sealed: seal(&record), record, ..one.clone() };
            receive(&store, &Sent::Revision(Box::new(one.clone()))).await?;
            receive(&store, &Sent::Revision(Box::new(other.clone()))).await?;
            let record = Record { revision: 3, ..take(one.record.clone()) };
            let back = CopyWrite { sealed: seal(&record), record: record.clone(), ..one };
            assert_eq!(receive(&store, &Sent::Revision(Box::new(back.clone()))).await?, PutCopy::Applied);
            let copy = held(&store, &tombstone.id).await?.expect("a copy");
            assert_eq!((copy.standing, copy.revision, copy.record), (CopyStanding::Frozen, 3, Some(record)), "{key}: a person decides");
            assert_eq!((copy.sealed, copy.rival_digest), (back.sealed.bytes, Some(other.sealed.digest)));
        }
    }

    async fn freezing_writes_nothing_that_is_not_held(store: Store) {
        let (revisions, tombstone) = life("z");
        let (own, rival) = (seal(&revisions[1].record).digest, seal(&revisions[0].record).digest);
        let freeze = async |revision, digest: &_| {
            let mut tx = store.write().await?;
            let frozen = tx.freeze_copy(&tombstone.id, revision, digest).await?;
            tx.save().await?;
            anyhow::Ok(frozen)
        };
        assert!(!freeze(2, &rival).await?, "it expired since");
        assert_eq!(held(&store, &tombstone.id).await?, None);
        receive(&store, &Sent::Revision(Box::new(copy_of(&revisions[1], second(40))))).await?;
        assert!(!freeze(1, &rival).await? && !freeze(2, &own).await?, "no contradiction");
        assert!(freeze(2, &rival).await?);
        let copy = held(&store, &tombstone.id).await?.expect("a copy");
        assert_eq!((copy.standing, copy.rival_digest, copy.digest), (CopyStanding::Frozen, Some(rival), own));
    }
}
