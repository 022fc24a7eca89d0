//! The checker finds what it is for: each planted fault is named, and nothing else.

use passerelle::domain::{Class, Timestamp};
use passerelle::store::Store;
use sqlx::AssertSqlSafe;

use super::journeys::{small_city, sound};
use crate::store_tests;
use crate::support::checker::{Finding, Side, check};
use crate::support::content::{contribution, id, text};
use crate::support::gateway::{TestGateway, morning, settle};
use crate::support::stores::{Databases, TestResult};

/// Two cities after an ordinary day: records, an edit, a proven deletion.
async fn after_a_day(databases: &Databases) -> anyhow::Result<(TestGateway, TestGateway)> {
    let (lyon, bordeaux) = TestGateway::two_paired(databases, &morning()).await?;
    lyon.publish(&small_city(&lyon)).await?;
    settle(&[&lyon, &bordeaux]).await?;
    lyon.edit(&id(&lyon.url, Class::Contribution, 2), |record| record.content = text("Deux.")).await?;
    lyon.delete(&id(&lyon.url, Class::Contribution, 3)).await?;
    settle(&[&lyon, &bordeaux]).await?;
    sound(&lyon, &bordeaux).await?;
    Ok((lyon, bordeaux))
}

/// Changes a database behind everybody's back.
async fn plant(store: &Store, sql: String) -> TestResult {
    let changed = match store {
        Store::Sqlite(store) => sqlx::query(AssertSqlSafe(sql)).execute(store.pools().0).await?.rows_affected(),
        Store::Postgres(pool) => sqlx::query(AssertSqlSafe(sql)).execute(pool).await?.rows_affected(),
    };
    anyhow::ensure!(changed > 0, "nothing was planted");
    Ok(())
}

async fn findings(lyon: &TestGateway, bordeaux: &TestGateway) -> anyhow::Result<Vec<Finding>> {
    let origin = Side { store: &lyon.federation.store, domain: lyon.domain.clone() };
    let holder = Side { store: &bordeaux.federation.store, domain: bordeaux.domain.clone() };
    let now: Timestamp = lyon.federation.now();
    check(&origin, &holder, now).await
}

store_tests! {
    async fn a_record_that_nobody_planned_is_found(databases: Databases) {
        let (lyon, bordeaux) = after_a_day(&databases).await?;
        lyon.publish(&[contribution(&lyon.url, 9)]).await?;
        assert_eq!(findings(&lyon, &bordeaux).await?, [Finding::Undelivered(id(&lyon.url, Class::Contribution, 9))]);
        settle(&[&lyon, &bordeaux]).await?;
        assert_eq!(findings(&lyon, &bordeaux).await?, []);
    }

    async fn a_deleted_copy_is_found(databases: Databases) {
        let (lyon, bordeaux) = after_a_day(&databases).await?;
        let lost = id(&lyon.url, Class::Contribution, 1);
        plant(&bordeaux.federation.store, format!("DELETE FROM copy WHERE id = '{lost}'")).await?;
        assert_eq!(findings(&lyon, &bordeaux).await?, [Finding::Lost(lost)]);
    }

    async fn a_doubled_copy_is_found(databases: Databases) {
        let (lyon, bordeaux) = after_a_day(&databases).await?;
        let doubled = id(&lyon.url, Class::Contribution, 1);
        plant(
            &bordeaux.federation.store,
            format!(
                "INSERT INTO copy (id, domain, authority, class, segment, key, process, parent, revision, standing, record, sealed,
                                   digest, dated_at, received_at, confirmed_at)
                 SELECT id || '-again', domain, authority, class, segment, key || '2', process, parent, revision, standing, record,
                        sealed, digest, dated_at, received_at, confirmed_at
                   FROM copy WHERE id = '{doubled}'"
            ),
        )
        .await?;
        assert_eq!(findings(&lyon, &bordeaux).await?, [Finding::Doubled(format!("{doubled}-again").parse()?)]);
    }

    async fn an_older_revision_is_found(databases: Databases) {
        let (lyon, bordeaux) = after_a_day(&databases).await?;
        let older = id(&lyon.url, Class::Contribution, 2);
        let first = lyon.federation.store.read().await?.revisions_of(&older).await?[0].digest.clone();
        plant(&bordeaux.federation.store, format!("UPDATE copy SET revision = 1, digest = '{first}' WHERE id = '{older}'")).await?;
        assert_eq!(findings(&lyon, &bordeaux).await?, [Finding::OutOfOrder(older)]);
    }

    async fn a_resurrected_record_is_found(databases: Databases) {
        let (lyon, bordeaux) = after_a_day(&databases).await?;
        let back = id(&lyon.url, Class::Contribution, 3);
        plant(&bordeaux.federation.store, format!("UPDATE copy SET standing = 'live', revision = 1 WHERE id = '{back}'")).await?;
        assert_eq!(findings(&lyon, &bordeaux).await?, [Finding::Resurrected(back)]);
    }

    async fn an_acknowledgement_without_an_answer_is_found(databases: Databases) {
        let (lyon, bordeaux) = after_a_day(&databases).await?;
        let claimed = id(&lyon.url, Class::Contribution, 2);
        let third = lyon.edit(&claimed, |record| record.content = text("Trois.")).await?;
        let digest = lyon.record(&claimed).await?.digest;
        // The change is marked as planned and acknowledged, but nothing ever left.
        plant(&lyon.federation.store, format!("UPDATE change SET planned = TRUE WHERE record = '{claimed}' AND revision = 3")).await?;
        plant(
            &lyon.federation.store,
            format!(
                "UPDATE disclosure SET due_revision = 3, acked_revision = 3, acked_digest = '{digest}'
                  WHERE record = '{claimed}' AND partner = '{}'",
                bordeaux.domain
            ),
        )
        .await?;
        assert_eq!(third.revision, 3);
        let found = findings(&lyon, &bordeaux).await?;
        assert_eq!(found, [Finding::OutOfOrder(claimed.clone()), Finding::Unproven(claimed)]);
    }

    async fn a_purge_without_a_receipt_that_holds_is_found(databases: Databases) {
        let (lyon, bordeaux) = after_a_day(&databases).await?;
        let purged = id(&lyon.url, Class::Contribution, 3);
        let forged = "UPDATE disclosure_receipt SET purge_receipt = replace(purge_receipt, 'store', 'stare')";
        plant(&lyon.federation.store, forged.to_owned()).await?;
        assert_eq!(findings(&lyon, &bordeaux).await?, [Finding::Unproven(purged)]);
    }

    async fn what_is_due_and_what_is_unfinished_is_found(databases: Databases) {
        let (lyon, bordeaux) = after_a_day(&databases).await?;
        let due = id(&lyon.url, Class::Contribution, 1);
        plant(&lyon.federation.store, format!("UPDATE disclosure SET state = 'due' WHERE record = '{due}'")).await?;
        let numbers = "(SELECT MAX(number) FROM journal)";
        plant(&bordeaux.federation.store, format!("UPDATE journal SET state = 'pending' WHERE number = {numbers}")).await?;
        let found = findings(&lyon, &bordeaux).await?;
        assert!(found.contains(&Finding::Undelivered(due)), "{found:?}");
        assert!(found.iter().any(|finding| matches!(finding, Finding::Unfinished(_))), "{found:?}");
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
