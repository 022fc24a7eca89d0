//! What the last scans saw of each item of a platform: enough to tell what changed, what is missing and
//! what is held back. Never a text of the item.

use sqlx::{FromRow, QueryBuilder};
use url::Url;

use super::columns::{remark, small, text_column, whole};
use super::{CHUNK, StoreError, Tx, comes_again, on_backend, rounded};
use crate::domain::PlatformName;
use crate::words;

words! {
    /// What became of an item in the last scan that saw it or missed it (architecture §4.6).
    ItemState {
        Public = "public",
        Held = "held",
        Withheld = "withheld",
        Missing = "missing",
        Gone = "gone",
    }
}
text_column!(ItemState);

/// Longest reason kept, in characters.
const REASON: usize = 300;

/// One item of a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The configured platform.
    pub platform: PlatformName,
    /// The platform's own type word.
    pub entity: String,
    /// The platform's own id.
    pub local_id: String,
    /// SHA-256 of what was read of it, but for what passes, and of what else its records depend on; zeros where it has
    /// to be mapped again.
    pub fingerprint: [u8; 32],
    /// Where it stands.
    pub state: ItemState,
    /// Why it is held back, for the person who looks.
    pub reason: Option<String>,
    /// In how many complete scans in a row it was absent.
    pub missing_scans: u32,
    /// The run that saw it last.
    pub seen_run: i64,
    /// Its own public page.
    pub url: Option<Url>,
}

#[derive(FromRow)]
struct Row {
    platform: PlatformName,
    entity: String,
    local_id: String,
    fingerprint: Vec<u8>,
    state: ItemState,
    reason: Option<String>,
    missing_scans: i64,
    seen_run: i64,
    url: Option<String>,
}

impl TryFrom<Row> for Item {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let inconsistent = |column, reason: String| StoreError::Inconsistent {
            table: "item",
            column,
            id: format!("{}/{}/{}", row.platform, row.entity, row.local_id),
            reason,
        };
        let fingerprint = <[u8; 32]>::try_from(row.fingerprint.as_slice())
            .map_err(|_| inconsistent("fingerprint", format!("{} bytes instead of 32", row.fingerprint.len())))?;
        let url = row.url.as_deref().map(Url::parse).transpose().map_err(|error| inconsistent("url", error.to_string()))?;
        Ok(Self {
            platform: row.platform,
            entity: row.entity,
            local_id: row.local_id,
            fingerprint,
            state: row.state,
            reason: row.reason,
            missing_scans: small(row.missing_scans),
            seen_run: row.seen_run,
            url,
        })
    }
}

fn items(rows: Vec<Row>) -> Result<Vec<Item>, StoreError> {
    rows.into_iter().map(Item::try_from).collect()
}

impl Tx {
    /// The items of one type in the order of their ids, beginning after `after`.
    pub async fn items(
        &mut self,
        platform: &PlatformName,
        entity: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Item>, StoreError> {
        let rows = on_backend!(self, conn => {
            sqlx::query_as(
                "SELECT platform, entity, local_id, fingerprint, state, reason, missing_scans, seen_run, url
                   FROM item
                  WHERE platform = $1 AND entity = $2 AND local_id > $3
                  ORDER BY local_id
                  LIMIT $4",
            )
            .bind(platform)
            .bind(entity)
            .bind(after.unwrap_or_default())
            .bind(i64::from(limit))
            .fetch_all(conn)
            .await?
        });
        items(rows)
    }

    /// Those of these items that are known.
    pub async fn items_by_id(
        &mut self,
        platform: &PlatformName,
        entity: &str,
        local_ids: &[String],
    ) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::with_capacity(local_ids.len());
        for chunk in local_ids.chunks(CHUNK) {
            let rows: Vec<Row> = on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "SELECT platform, entity, local_id, fingerprint, state, reason, missing_scans, seen_run, url
                       FROM item
                      WHERE platform = ",
                );
                query.push_bind(platform).push(" AND entity = ").push_bind(entity).push(" AND local_id IN (");
                let mut list = query.separated(", ");
                for id in chunk {
                    list.push_bind(id);
                }
                query.push(")");
                query.build_query_as().persistent(comes_again(chunk.len())).fetch_all(conn).await?
            });
            found.extend(items(rows)?);
        }
        Ok(found)
    }

    /// Writes down what a scan saw, replacing what is known of the same items.
    pub async fn put_items(&mut self, seen: &[Item]) -> Result<(), StoreError> {
        for item in seen {
            whole("a platform's id", &item.local_id)?;
            whole("a platform's type", &item.entity)?;
        }
        for chunk in seen.chunks(CHUNK) {
            on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "INSERT INTO item (platform, entity, local_id, fingerprint, state, reason, missing_scans, seen_run, url) ",
                );
                query.push_values(chunk, |mut row, item| {
                    row.push_bind(&item.platform)
                        .push_bind(&item.entity)
                        .push_bind(&item.local_id)
                        .push_bind(item.fingerprint.to_vec())
                        .push_bind(item.state)
                        .push_bind(item.reason.as_deref().map(|reason| remark(reason, REASON)))
                        .push_bind(i64::from(item.missing_scans))
                        .push_bind(item.seen_run)
                        .push_bind(item.url.as_ref().map(Url::as_str));
                });
                query.push(
                    " ON CONFLICT (platform, entity, local_id) DO UPDATE
                         SET fingerprint = excluded.fingerprint, state = excluded.state, reason = excluded.reason,
                             missing_scans = excluded.missing_scans, seen_run = excluded.seen_run, url = excluded.url",
                );
                query.build().persistent(comes_again(chunk.len())).execute(conn).await?;
            });
        }
        Ok(())
    }

    /// Writes down that a run saw these items just as they are known.
    pub async fn see_items(
        &mut self,
        platform: &PlatformName,
        entity: &str,
        local_ids: &[&str],
        run: i64,
    ) -> Result<(), StoreError> {
        for chunk in local_ids.chunks(CHUNK) {
            on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("UPDATE item SET seen_run = ");
                query.push_bind(run).push(" WHERE platform = ").push_bind(platform);
                query.push(" AND entity = ").push_bind(entity).push(" AND local_id IN (");
                let mut list = query.separated(", ");
                for id in rounded(chunk) {
                    list.push_bind(id);
                }
                query.push(")");
                query.build().execute(conn).await?;
            });
        }
        Ok(())
    }

    /// The items of one type that run `run` did not see and that are not gone already.
    pub async fn items_not_seen_in(&mut self, platform: &PlatformName, entity: &str, run: i64) -> Result<Vec<Item>, StoreError> {
        let rows = on_backend!(self, conn => {
            sqlx::query_as(
                "SELECT platform, entity, local_id, fingerprint, state, reason, missing_scans, seen_run, url
                   FROM item
                  WHERE platform = $1 AND entity = $2 AND seen_run <> $3 AND state <> 'gone'
                  ORDER BY local_id",
            )
            .bind(platform)
            .bind(entity)
            .bind(run)
            .fetch_all(conn)
            .await?
        });
        items(rows)
    }

    /// How many items of one type stand where.
    pub async fn item_counts(&mut self, platform: &PlatformName, entity: &str) -> Result<Vec<(ItemState, u64)>, StoreError> {
        let rows: Vec<(ItemState, i64)> = on_backend!(self, conn => {
            sqlx::query_as(
                "SELECT state, COUNT(*)
                   FROM item
                  WHERE platform = $1 AND entity = $2
                  GROUP BY state
                  ORDER BY state",
            )
            .bind(platform)
            .bind(entity)
            .fetch_all(conn)
            .await?
        });
        Ok(rows.into_iter().map(|(state, count)| (state, super::columns::unsigned(count))).collect())
    }
}
