//! Claiming changes by state.

use std::time::Duration;

use passerelle::store::{Backend, ClaimRequest, Store};

use super::examples::*;
use crate::store_tests;

store_tests! {
    async fn a_change_is_claimed_until_it_is_planned(store: Store) {
        put(&store, &[created(consultation("p"), second(1)), created(consultation("q"), second(2))]).await?;
        let mut tx = store.write().await?;
        assert_eq!(tx.claim_unplanned(1).await?.len(), 1);
        tx.forget().await?;
        let mut tx = store.write().await?;
        let claimed = tx.claim_unplanned(10).await?;
        assert_eq!(claimed.len(), 2, "a forgotten claim leaves no trace");
        tx.mark_planned(&[claimed[0].number]).await?;
        tx.save().await?;
        let mut tx = store.write().await?;
        let rest = tx.claim_unplanned(10).await?;
        assert_eq!(rest.iter().map(|change| &change.record).collect::<Vec<_>>(), [&claimed[1].record]);
        assert!(tx.mark_planned(&[claimed[0].number]).await.is_err(), "planned twice");
    }

    // On SQLite there is one writer, so numbers are in commit order by nature.
    async fn rel_022_a_change_that_commits_late_is_planned_too(store: Store) {
        if store.backend() == Backend::Sqlite {
            return Ok(());
        }
        let mut tx = store.write().await?;
        tx.put_partner(&partner("bordeaux.example")).await?;
        tx.save().await?;
        let mut slow = store.write().await?;
        slow.put_records(&[created(consultation("slow"), second(1))]).await?;
        put(&store, &[created(consultation("fast"), second(2))]).await?;
        let mut tx = store.write().await?;
        let claimed = tx.claim_unplanned(10).await?;
        assert_eq!(claimed.len(), 1);
        tx.plan(&claimed, second(3)).await?;
        tx.mark_planned(&claimed.iter().map(|change| change.number).collect::<Vec<_>>()).await?;
        tx.save().await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        slow.save().await?;
        let mut tx = store.write().await?;
        let late = tx.claim_unplanned(10).await?;
        assert_eq!(late.len(), 1, "the earlier number is not forgotten");
        assert!(late[0].number < claimed[0].number);
        tx.plan(&late, second(4)).await?;
        tx.mark_planned(&[late[0].number]).await?;
        let request = ClaimRequest { now: second(5), limit: 9, per_partner: 9, ahead: 9, lease_until: second(60), holder: "worker" };
        let due = tx.claim_disclosures(&request).await?;
        assert!(due.iter().any(|due| due.record == late[0].record), "item 10 is delivered");
    }

    async fn eight_planners_share_the_changes(store: Store) {
        let writes: Vec<_> = (0..400).map(|n| created(consultation(&format!("p{n}")), second(1))).collect();
        put(&store, &writes).await?;
        let workers = (0..8).map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let mut tx = store.write().await?;
                    let claimed: Vec<i64> = tx.claim_unplanned(7).await?.into_iter().map(|change| change.number).collect();
                    if claimed.is_empty() {
                        // Others may still hold some: only an empty table is the end.
                        if tx.unplanned_changes().await?.0 == 0 {
                            return anyhow::Ok(mine);
                        }
                        drop(tx);
                        tokio::task::yield_now().await;
                        continue;
                    }
                    tx.mark_planned(&claimed).await?;
                    tx.save().await?;
                    mine.extend(claimed);
                }
            })
        });
        let mut all = Vec::new();
        for worker in futures_util::future::join_all(workers).await {
            all.extend(worker??);
        }
        all.sort_unstable();
        let before = all.len();
        all.dedup();
        assert_eq!((before, all.len()), (400, 400), "each change once");
    }
}
