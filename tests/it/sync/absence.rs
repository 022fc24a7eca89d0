//! Hidden, deleted, or neither: what becomes of an item that the platform no longer shows.

use passerelle::domain::Class;
use passerelle::domain::change::ChangeKind;
use passerelle::domain::source::Evidence;
use passerelle::store::{ItemState, RunOutcome, Standing, Store};

use super::{COMMENT, Lyon, PROCESS, PROPOSAL, answered, comment, complete, page, process, proposal, reply};
use crate::store_tests;

store_tests! {
    async fn a_null_hides_at_once_however_many_and_never_deletes(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.show_proposals(1..=80);
        lyon.run().await;
        lyon.changes().await;
        lyon.platform.now(|script| {
            script.items.truncate(1);
            script.withheld = (1..=80).map(|id| (PROPOSAL, id.to_string())).collect();
        });
        let summary = lyon.run().await;
        complete(&summary);
        assert_eq!(summary.entities[PROPOSAL].hidden, 80);
        let hidden = lyon.contribution("5").await;
        assert_eq!(hidden.standing, Standing::Hidden);
        let record = hidden.record.expect("its shell is there");
        assert!(record.title.is_none() && record.content.is_none() && record.salt.is_none());
        assert!(lyon.changes().await.iter().all(|change| change.kind == ChangeKind::Updated));
        for _ in 0..4 {
            complete(&lyon.run().await);
        }
        assert_eq!(lyon.changes().await, []);
        assert_eq!(lyon.standing(PROPOSAL, "5").await, Some(Standing::Hidden));
    }

    async fn a_page_that_answers_404_or_403_hides_at_once_however_many(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.show_proposals(1..=80);
        lyon.run().await;
        lyon.show_proposals([]);
        lyon.platform.now(|script| {
            for id in 1..=60 {
                script.pages.insert(page(&id.to_string()), if id % 2 == 0 { 404 } else { 403 });
            }
        });
        let summary = lyon.run().await;
        assert_eq!((summary.entities[PROPOSAL].hidden, summary.entities[PROPOSAL].waiting), (60, 20), "20 answer 200: a person is asked");
        assert_eq!(summary.outcome, RunOutcome::Held);
        assert_eq!(lyon.standing(PROPOSAL, "60").await, Some(Standing::Hidden));
        assert_eq!(lyon.standing(PROPOSAL, "61").await, Some(Standing::Live));
    }

    async fn absent_from_one_complete_scan_is_hidden_and_from_two_is_deleted(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.platform.now(|script| {
            script.items.extend([answered("1", "accepted", "Oui."), proposal("2"), comment("7", "1")]);
        });
        lyon.run().await;
        let before = lyon.contribution("1").await;
        lyon.changes().await;
        lyon.platform.now(|script| {
            script.items.retain(|item| item.entity == PROCESS || item.local_id == "2");
            script.pages.insert(page("1"), 404);
        });
        let first = lyon.run().await;
        complete(&first);
        assert_eq!((first.entities[PROPOSAL].hidden, first.entities[PROPOSAL].deleted), (1, 0));
        assert_eq!(lyon.standing(PROPOSAL, "1").await, Some(Standing::Hidden));
        assert_eq!(lyon.item(PROPOSAL, "1").await.map(|item| (item.state, item.missing_scans)), Some((ItemState::Missing, 1)));
        assert_eq!(lyon.standing(COMMENT, "7").await, Some(Standing::Hidden), "with it");
        lyon.changes().await;

        let second = lyon.run().await;
        complete(&second);
        assert_eq!(second.entities[PROPOSAL].deleted, 1);
        let gone = lyon.contribution("1").await;
        assert_eq!((gone.standing, gone.revision, gone.record), (Standing::Deleted, before.revision + 2, None));
        let tombstone: passerelle::domain::tombstone::Tombstone = serde_json::from_slice(&gone.sealed)?;
        assert_eq!((tombstone.former_class, tombstone.revision), (Class::Contribution, Some(before.revision + 2)));
        assert!(tombstone.previous_digest.is_some());
        for class in [Class::Disposition, Class::OfficialResponse] {
            assert_eq!(lyon.record(PROPOSAL, "1", class).await.map(|record| record.standing), Some(Standing::Deleted));
        }
        assert_eq!(lyon.standing(COMMENT, "7").await, Some(Standing::Deleted), "with it");
        assert!(lyon.changes().await.iter().all(|change| change.kind == ChangeKind::Deleted));
        complete(&lyon.run().await);
        assert_eq!(lyon.changes().await, []);
    }

    async fn a_hidden_item_that_comes_back_is_restored_by_a_new_revision(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.show_proposals([1, 2]);
        lyon.run().await;
        let before = lyon.contribution("1").await;
        lyon.show_proposals([2]);
        lyon.run().await;
        lyon.show_proposals([1, 2]);
        let summary = lyon.run().await;
        complete(&summary);
        let back = lyon.contribution("1").await;
        assert_eq!((back.id, back.standing, back.revision), (before.id, Standing::Live, 3));
        let (record, was) = (back.record.expect("it is there"), before.record.expect("it was there"));
        assert_eq!(record.title, was.title);
        assert_ne!(record.salt, was.salt);
        assert_eq!(lyon.item(PROPOSAL, "1").await.map(|item| (item.state, item.missing_scans)), Some((ItemState::Public, 0)));
        assert_eq!(summary.entities[PROPOSAL].published, 1);
    }

    async fn a_deleted_item_returns_only_by_a_higher_revision_of_ours(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.show_proposals([1, 2]);
        lyon.run().await;
        lyon.show_proposals([2]);
        lyon.platform.now(|script| { let _ = script.pages.insert(page("1"), 404); });
        lyon.run().await;
        lyon.run().await;
        let gone = lyon.contribution("1").await;
        assert_eq!(gone.standing, Standing::Deleted);
        // The administrator restores it: same id at the platform, same address here.
        lyon.show_proposals([1, 2]);
        lyon.run().await;
        let back = lyon.contribution("1").await;
        assert_eq!((back.id, back.standing, back.revision), (gone.id, Standing::Live, gone.revision + 1));
    }

    async fn an_unpublished_parent_hides_what_hangs_on_it_and_brings_it_back(store: Store) {
        let mut lyon = Lyon::new(store);
        let everything = || {
            let mut items = vec![process("1")];
            items.extend((1..=60).map(|id| answered(&id.to_string(), "accepted", "Oui.")));
            items.extend((1..=60).map(|id| comment(&id.to_string(), &id.to_string())));
            items.push(reply("100", "60", "60"));
            items
        };
        lyon.platform.now(|script| script.items = everything());
        lyon.run().await;
        lyon.changes().await;
        lyon.platform.now(|script| {
            script.items.clear();
            script.pages.insert("https://participer.lyon.example/processes/p1".to_owned(), 404);
        });
        let summary = lyon.run().await;
        complete(&summary);
        for (entity, id) in [(PROCESS, "1"), (PROPOSAL, "60"), (COMMENT, "60"), (COMMENT, "100")] {
            assert_eq!(lyon.standing(entity, id).await, Some(Standing::Hidden), "{entity} {id}");
        }
        assert_eq!(lyon.item(COMMENT, "100").await.map(|item| item.state), Some(ItemState::Withheld));
        lyon.platform.now(|script| {
            script.items = everything();
            script.pages.clear();
        });
        complete(&lyon.run().await);
        for (entity, id) in [(PROCESS, "1"), (PROPOSAL, "60"), (COMMENT, "60"), (COMMENT, "100")] {
            assert_eq!(lyon.standing(entity, id).await, Some(Standing::Live), "{entity} {id}");
        }
    }

    async fn comments_of_a_hidden_proposal_are_hidden_even_if_the_platform_shows_them(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.platform.now(|script| script.items.extend([proposal("1"), proposal("2"), comment("7", "1"), reply("8", "7", "1")]));
        lyon.run().await;
        // The open data of Decidim go on listing comments of a hidden proposal.
        lyon.platform.now(|script| {
            script.items.retain(|item| item.entity != PROPOSAL || item.local_id != "1");
            script.withheld.push((PROPOSAL, "1".to_owned()));
            script.items.push(comment("9", "1"));
        });
        let summary = lyon.run().await;
        complete(&summary);
        for id in ["7", "8"] {
            assert_eq!(lyon.standing(COMMENT, id).await, Some(Standing::Hidden), "comment {id}");
        }
        assert_eq!(lyon.standing(COMMENT, "9").await, None, "a new one is not published");
        assert_eq!(summary.entities[COMMENT].held_back_in_all(), 3);
        lyon.changes().await;
        complete(&lyon.run().await);
        assert_eq!(lyon.changes().await, []);
    }

    async fn a_comment_absent_from_two_complete_scans_is_deleted_and_its_replies_stay(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.platform.now(|script| script.items.extend([proposal("1"), comment("7", "1"), reply("8", "7", "1"), comment("9", "1")]));
        lyon.run().await;
        lyon.platform.now(|script| script.items.retain(|item| item.local_id != "7"));
        lyon.run().await;
        assert_eq!(lyon.standing(COMMENT, "7").await, Some(Standing::Hidden));
        lyon.run().await;
        assert_eq!(lyon.standing(COMMENT, "7").await, Some(Standing::Deleted));
        assert_eq!(lyon.standing(COMMENT, "8").await, Some(Standing::Live));
    }

    async fn replies_of_a_comment_that_is_held_back_are_hidden_not_deleted(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.platform.now(|script| script.items.extend([proposal("1"), comment("7", "1"), reply("8", "7", "1"), comment("9", "1")]));
        lyon.run().await;
        lyon.platform.now(|script| {
            script.items.retain(|item| !["7", "8"].contains(&item.local_id.as_str()));
            script.withheld.push((COMMENT, "7".to_owned()));
        });
        for _ in 0..4 {
            complete(&lyon.run().await);
        }
        assert_eq!(lyon.standing(COMMENT, "7").await, Some(Standing::Hidden));
        assert_eq!(lyon.standing(COMMENT, "8").await, Some(Standing::Hidden));
    }

    async fn a_null_without_a_name_never_deletes(store: Store) {
        let mut lyon = Lyon::new(store);
        // One stranger's null was always there.
        lyon.platform.now(|script| { let _ = script.nulls.insert(PROPOSAL, 1); });
        lyon.show_proposals([1, 2, 3]);
        lyon.run().await;
        lyon.show_proposals([2, 3]);
        lyon.platform.now(|script| {
            script.nulls.insert(PROPOSAL, 2);
            script.pages.insert(page("1"), 404);
        });
        for _ in 0..4 {
            complete(&lyon.run().await);
            assert_eq!(lyon.standing(PROPOSAL, "1").await, Some(Standing::Hidden));
        }
        assert_eq!(lyon.item(PROPOSAL, "1").await.map(|item| item.state), Some(ItemState::Withheld));
        // Another one leaves no null behind: it is gone, the first one is still held back.
        lyon.show_proposals([3]);
        lyon.platform.now(|script| { let _ = script.pages.insert(page("2"), 404); });
        lyon.run().await;
        lyon.run().await;
        assert_eq!(lyon.standing(PROPOSAL, "2").await, Some(Standing::Deleted));
        assert_eq!(lyon.standing(PROPOSAL, "1").await, Some(Standing::Hidden));
        // When its null is gone too, so is it: after two complete scans.
        lyon.platform.now(|script| { let _ = script.nulls.insert(PROPOSAL, 1); });
        lyon.run().await;
        assert_eq!(lyon.standing(PROPOSAL, "1").await, Some(Standing::Hidden));
        lyon.run().await;
        assert_eq!(lyon.standing(PROPOSAL, "1").await, Some(Standing::Deleted));
    }

    async fn nothing_follows_from_a_partial_a_failed_or_a_broken_reading(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.platform.now(|script| script.items.extend([proposal("1"), proposal("2"), comment("7", "1")]));
        lyon.run().await;
        lyon.changes().await;
        lyon.platform.now(|script| script.pages.extend([(page("1"), 404), (page("2"), 404)]));
        // I7: partial.
        lyon.show_proposals([]);
        lyon.platform.now(|script| { let _ = script.incomplete.insert(PROPOSAL); });
        for _ in 0..3 {
            let summary = lyon.run().await;
            assert_eq!(summary.outcome, RunOutcome::Partial);
        }
        // What the proposals hang on was not read to the end.
        lyon.platform.now(|script| script.incomplete = [PROCESS].into());
        for _ in 0..3 {
            assert_eq!(lyon.run().await.outcome, RunOutcome::Partial);
        }
        // Broken off.
        lyon.platform.now(|script| {
            script.incomplete.clear();
            script.breaks = true;
        });
        for _ in 0..3 {
            let summary = lyon.run().await;
            assert_eq!(summary.outcome, RunOutcome::Failed);
            assert!(summary.message.expect("a message").contains("502"));
        }
        // Each item could not be read.
        lyon.platform.now(|script| {
            script.breaks = false;
            script.failed = vec![(PROPOSAL, "1".to_owned()), (PROPOSAL, "2".to_owned()), (COMMENT, "7".to_owned())];
        });
        for _ in 0..3 {
            let summary = lyon.run().await;
            complete(&summary);
            assert_eq!(summary.entities[PROPOSAL].failed_reads, 2);
        }
        assert_eq!(lyon.changes().await, []);
        assert_eq!(lyon.standing(PROPOSAL, "1").await, Some(Standing::Live));
    }

    async fn an_incomplete_reading_between_two_complete_ones_does_not_count(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.show_proposals([1, 2]);
        lyon.run().await;
        lyon.show_proposals([2]);
        lyon.platform.now(|script| { let _ = script.pages.insert(page("1"), 404); });
        lyon.run().await;
        lyon.platform.now(|script| { let _ = script.incomplete.insert(PROPOSAL); });
        lyon.run().await;
        lyon.run().await;
        assert_eq!(lyon.standing(PROPOSAL, "1").await, Some(Standing::Hidden));
    }

    async fn what_is_unproven_is_held_back_with_the_reason(store: Store) {
        let mut lyon = Lyon::new(store);
        let unproven = |id: &str| {
            let mut source = proposal(id);
            source.evidence = Evidence::Unproven { reason: "the open data do not list it".to_owned() };
            source
        };
        lyon.platform.now(|script| script.items.extend([proposal("1"), unproven("2")]));
        let summary = lyon.run().await;
        complete(&summary);
        assert_eq!(summary.entities[PROPOSAL].held_back, [("the open data do not list it".to_owned(), 1)].into());
        assert_eq!(lyon.standing(PROPOSAL, "2").await, None);
        assert_eq!(lyon.item(PROPOSAL, "2").await.map(|item| item.state), Some(ItemState::Held));
        // Published before, no proof now: hidden, and never deleted, because it was seen.
        lyon.platform.now(|script| script.items[1] = unproven("1"));
        for _ in 0..4 {
            lyon.run().await;
        }
        assert_eq!(lyon.standing(PROPOSAL, "1").await, Some(Standing::Hidden));
        lyon.platform.now(|script| script.items = vec![process("1"), proposal("1"), proposal("2")]);
        lyon.run().await;
        assert_eq!(lyon.standing(PROPOSAL, "1").await, Some(Standing::Live));
        assert_eq!(lyon.standing(PROPOSAL, "2").await, Some(Standing::Live));
    }

    async fn a_page_that_is_public_keeps_an_item_from_being_deleted(store: Store) {
        let mut lyon = Lyon::new(store);
        lyon.show_proposals([1, 2]);
        lyon.run().await;
        lyon.show_proposals([2]);
        for _ in 0..4 {
            complete(&lyon.run().await);
        }
        assert_eq!(lyon.standing(PROPOSAL, "1").await, Some(Standing::Hidden), "absent from the list, so hidden; shown to strangers, so not deleted");
    }
}
