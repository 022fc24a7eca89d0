//! Properties of the copy's register: any activities, any order, any repetition.

use passerelle::domain::tombstone::Tombstone;
use passerelle::store::copies::ALL_REVISIONS;
use passerelle::store::{CopyStanding, CopyWrite, Store};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use super::examples::*;
use crate::store_tests;

/// A revision, or a tombstone of a revision (none: of all).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Revision(u64),
    Grave(Option<u64>),
}

fn sent() -> impl Strategy<Value = Sent> {
    prop_oneof![
        8 => (1..7_u64).prop_map(Sent::Revision),
        3 => (1..8_u64).prop_map(|revision| Sent::Grave(Some(revision))),
        1 => Just(Sent::Grave(None)),
    ]
}

/// What must be held in the end, whatever the order.
fn expected(all: &[Sent]) -> (CopyStanding, u64) {
    let newest = all.iter().filter_map(|sent| if let Sent::Revision(n) = sent { Some(*n) } else { None }).max();
    let grave =
        all.iter().filter_map(|sent| if let Sent::Grave(n) = sent { Some(n.unwrap_or(ALL_REVISIONS)) } else { None }).max();
    match (newest, grave) {
        (newest, Some(grave)) if newest.is_none_or(|newest| newest <= grave) => (CopyStanding::Deleted, grave),
        (newest, _) => (CopyStanding::Live, newest.unwrap_or(0)),
    }
}

store_tests! {
    async fn any_order_of_any_activities_ends_in_the_same_row(store: Store) {
        let mut runner = TestRunner::new_with_rng(Config::default(), proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ));
        let strategy = prop::collection::vec(sent(), 1..10)
            .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()));
        for case in 0..60 {
            let (all, shuffled) = strategy.new_tree(&mut runner).map_err(anyhow::Error::msg)?.current();
            for (side, order) in [("a", &all), ("b", &shuffled)] {
                let key = format!("{side}{case}");
                let mut tx = store.write().await?;
                for sent in order {
                    let mut record = contribution(&key, &record_id("consultations/p"));
                    match sent {
                        Sent::Revision(revision) => {
                            record.revision = *revision;
                            record.title = title(&format!("Revision {revision}"));
                            let write =
                                CopyWrite { domain: domain("lyon.example"), sealed: seal(&record), record, at: second(1) };
                            tx.put_copy(&write).await?;
                        }
                        Sent::Grave(revision) => {
                            let tombstone = Tombstone {
                                id: record.id.clone(),
                                authority: actor(),
                                former_class: record.class(),
                                deleted: second(1),
                                revision: *revision,
                                previous_digest: None,
                                reason: None,
                            };
                            tx.bury_copy(&domain("lyon.example"), &tombstone, &seal_tombstone(&tombstone), second(1)).await?;
                        }
                    }
                }
                let copy = tx.lookup_copy(&record_id(&format!("contributions/{key}"))).await?.expect("a row");
                tx.save().await?;
                assert_eq!((copy.standing, copy.revision), expected(&all), "{order:?}");
                assert_eq!(copy.record.is_some(), copy.standing == CopyStanding::Live, "{order:?}");
            }
        }
    }
}
