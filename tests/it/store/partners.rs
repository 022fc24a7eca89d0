//! Partners, their health, and our place in their records.

use passerelle::domain::partner::FollowState;
use passerelle::store::Store;

use super::examples::*;
use crate::store_tests;

store_tests! {
    async fn a_partner_reads_back_as_it_was_listed(store: Store) {
        let bordeaux = partner("bordeaux.example");
        let mut reader = partner("social.example");
        reader.key = None;
        reader.key_id = None;
        reader.rsa = None;
        reader.records = None;
        let mut tx = store.write().await?;
        tx.put_partner(&bordeaux).await?;
        tx.put_partner(&reader).await?;
        assert_eq!(tx.lookup_partner(&bordeaux.domain).await?.as_ref(), Some(&bordeaux));
        assert_eq!(tx.find_partner_by_actor(&reader.actor).await?.as_ref(), Some(&reader));
        assert_eq!(tx.lookup_partner(&domain("unknown.example")).await?, None);
        assert_eq!(tx.list_partners().await?, [bordeaux.clone(), reader]);
        assert_eq!(tx.count_partners().await?, 2);
        tx.set_follows_us(&bordeaux.domain, FollowState::Rejected).await?;
        tx.set_followed(&bordeaux.domain, FollowState::Pending).await?;
        let now = tx.lookup_partner(&bordeaux.domain).await?.expect("it is listed");
        assert_eq!((now.follows_us, now.followed), (FollowState::Rejected, FollowState::Pending));
        assert!(tx.set_followed(&domain("unknown.example"), FollowState::Pending).await.is_err());
    }

    async fn health_counts_failures_until_the_partner_answers(store: Store) {
        let bordeaux = partner("bordeaux.example");
        let mut tx = store.write().await?;
        tx.put_partner(&bordeaux).await?;
        tx.note_failure(&bordeaux.domain, second(1), second(1), second(11), None).await?;
        tx.note_failure(&bordeaux.domain, second(11), second(11), second(41), Some("401: our key is unknown there")).await?;
        tx.put_partner(&bordeaux).await?;
        let health = tx.partner_health(&bordeaux.domain).await?.expect("it is listed");
        assert_eq!(health.failures.0, 2);
        assert_eq!(health.failing_since, Some(second(1)));
        assert_eq!(health.next_probe, Some(second(41)));
        assert_eq!(health.blocked.as_deref(), Some("401: our key is unknown there"));
        assert!(tx.wake_partner(&bordeaux.domain, second(20)).await?);
        assert!(!tx.wake_partner(&bordeaux.domain, second(20)).await?);
        tx.note_success(&bordeaux.domain, second(21)).await?;
        let health = tx.partner_health(&bordeaux.domain).await?.expect("it is listed");
        assert_eq!((health.failures.0, health.failing_since, health.blocked), (0, None, None));
        assert_eq!((health.next_probe, health.last_success), (None, Some(second(21))));
    }

    async fn attempts_that_fail_together_are_one_failure(store: Store) {
        let bordeaux = partner("bordeaux.example");
        let mut tx = store.write().await?;
        tx.put_partner(&bordeaux).await?;
        // Four were under way since second 1 when the partner went away.
        for (at, next_probe) in [(2, 9), (2, 12), (3, 4), (3, 7)] {
            tx.note_failure(&bordeaux.domain, second(1), second(at), second(next_probe), None).await?;
        }
        let health = tx.partner_health(&bordeaux.domain).await?.expect("it is listed");
        assert_eq!((health.failures.0, health.failing_since, health.next_probe), (1, Some(second(2)), Some(second(12))));
        // The probe is an attempt of its own.
        tx.note_failure(&bordeaux.domain, second(12), second(13), second(40), None).await?;
        let health = tx.partner_health(&bordeaux.domain).await?.expect("it is listed");
        assert_eq!((health.failures.0, health.failing_since, health.next_probe), (2, Some(second(2)), Some(second(40))));
    }

    async fn our_place_in_a_partners_records_is_kept(store: Store) {
        let bordeaux = partner("bordeaux.example");
        let mut tx = store.write().await?;
        tx.put_partner(&bordeaux).await?;
        assert_eq!(tx.backfill_cursor(&bordeaux.domain).await?, (None, None));
        let next = "https://bordeaux.example/actor/records?after=x";
        tx.set_backfill_cursor(&bordeaux.domain, Some(next), second(5)).await?;
        assert_eq!(tx.backfill_cursor(&bordeaux.domain).await?, (Some(next.to_owned()), Some(second(5))));
    }
}
