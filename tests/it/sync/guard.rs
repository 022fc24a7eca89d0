//! Beyond the mass guard a person decides.

use passerelle::store::{RunOutcome, Standing, Store};
use passerelle::sync::Options;

use super::{COMMENT, Lyon, PROPOSAL, comment, complete, page, process, proposal};
use crate::store_tests;

const CONFIRM: Options = Options { confirm_deletions: true };

/// A consultation with one proposal and comments 1 to `last`, of which those below `first` are gone.
fn comments(lyon: &Lyon, first: u32, last: u32) {
    lyon.platform.now(|script| {
        script.items = vec![process("1"), proposal("1")];
        script.items.extend((first..=last).map(|id| comment(&id.to_string(), "1")));
    });
}

store_tests! {
    async fn more_than_fifty_are_neither_hidden_nor_deleted_until_someone_decides(store: Store) {
        let mut lyon = Lyon::new(store);
        comments(&lyon, 1, 600);
        complete(&lyon.run().await);
        lyon.changes().await;
        comments(&lyon, 52, 600);
        for _ in 0..3 {
            let summary = lyon.run().await;
            assert_eq!(summary.outcome, RunOutcome::Held);
            assert_eq!((summary.entities[COMMENT].waiting, summary.entities[COMMENT].hidden), (51, 0));
            let message = summary.message.expect("a message");
            assert!(message.contains("51 items") && message.contains("--confirm-deletions"), "{message}");
        }
        assert_eq!(lyon.changes().await, []);
        let summary = lyon.run_with(CONFIRM).await;
        complete(&summary);
        assert_eq!(summary.entities[COMMENT].deleted, 51, "absent from many complete scans, and a person said so");
        assert_eq!(lyon.standing(COMMENT, "51").await, Some(Standing::Deleted));
        assert_eq!(lyon.standing(COMMENT, "52").await, Some(Standing::Live));
    }

    async fn fifty_of_many_are_hidden_and_then_deleted(store: Store) {
        let mut lyon = Lyon::new(store);
        comments(&lyon, 1, 600);
        lyon.run().await;
        comments(&lyon, 51, 600);
        let first = lyon.run().await;
        complete(&first);
        assert_eq!(first.entities[COMMENT].hidden, 50);
        let second = lyon.run().await;
        complete(&second);
        assert_eq!(second.entities[COMMENT].deleted, 50);
    }

    async fn five_of_ten_wait_and_four_of_ten_do_not(store: Store) {
        let mut lyon = Lyon::new(store);
        comments(&lyon, 1, 10);
        lyon.run().await;
        comments(&lyon, 6, 10);
        assert_eq!(lyon.run().await.outcome, RunOutcome::Held);
        comments(&lyon, 5, 10);
        let summary = lyon.run().await;
        complete(&summary);
        assert_eq!(summary.entities[COMMENT].hidden, 4);
    }

    async fn a_confirmation_hides_what_is_absent_for_the_first_time(store: Store) {
        let mut lyon = Lyon::new(store);
        comments(&lyon, 1, 10);
        lyon.run().await;
        comments(&lyon, 9, 10);
        let summary = lyon.run_with(CONFIRM).await;
        complete(&summary);
        assert_eq!((summary.entities[COMMENT].hidden, summary.entities[COMMENT].deleted), (8, 0));
    }

    async fn a_mass_of_pages_that_answer_404_is_hidden_and_its_deletion_waits(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.show_proposals(1..=20);
        lyon.run().await;
        lyon.show_proposals([20]);
        lyon.platform.now(|script| script.pages.extend((1..=19).map(|id| (page(&id.to_string()), 404))));
        let first = lyon.run().await;
        complete(&first);
        assert_eq!(first.entities[PROPOSAL].hidden, 19);
        for _ in 0..2 {
            let later = lyon.run().await;
            assert_eq!((later.outcome, later.entities[PROPOSAL].waiting, later.entities[PROPOSAL].deleted), (RunOutcome::Held, 19, 0));
        }
        assert_eq!(lyon.run_with(CONFIRM).await.entities[PROPOSAL].deleted, 19);
    }
}
