//! Leases: one holder at a time for a named piece of work, for a while, over any number of processes.
//!
//! Each taking raises the fence; who was too slow finds its fence outdated and must not write any more.

use super::{StoreError, Tx, on_backend};
use crate::domain::Timestamp;

/// Longest name of a holder, in characters.
const HOLDER: usize = 100;

/// This process as a holder, for people who look into the database.
#[must_use]
pub fn this_process() -> String {
    format!("process {}", std::process::id())
}

/// A lease as it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What is leased.
    pub name: String,
    /// How often it was taken until now.
    pub fence: i64,
}

impl Tx {
    /// Takes a lease that nobody holds at `now`, until `until`; none while another holder has it.
    pub async fn take_lease(
        &mut self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        let fence: Option<i64> = on_backend!(self, conn => {
            sqlx::query_scalar(
                "INSERT INTO lease (name, holder, fence, until)
                 VALUES ($1, $2, 1, $4)
                 ON CONFLICT (name) DO UPDATE
                    SET holder = excluded.holder, fence = lease.fence + 1, until = excluded.until
                  WHERE lease.until <= $3
                 RETURNING fence",
            )
            .bind(name)
            .bind(super::columns::remark(holder, HOLDER))
            .bind(now)
            .bind(until)
            .fetch_optional(conn)
            .await?
        });
        Ok(fence.map(|fence| Lease { name: name.to_owned(), fence }))
    }

    /// Holds a lease longer, or gives it back (`until` the present instant). `false` when another holder
    /// took it meanwhile: stop writing. Called in the transaction that writes, it also keeps another holder
    /// out until that transaction ends.
    pub async fn hold_lease(&mut self, lease: &Lease, until: Timestamp) -> Result<bool, StoreError> {
        let done = on_backend!(self, conn => {
            sqlx::query("UPDATE lease SET until = $3 WHERE name = $1 AND fence = $2")
                .bind(&lease.name)
                .bind(lease.fence)
                .bind(until)
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(done == 1)
    }

    /// Gives back a lease of `holder` that is stopping, so that the next one need not wait until it ends.
    pub async fn give_back(&mut self, name: &str, holder: &str, now: Timestamp) -> Result<(), StoreError> {
        on_backend!(self, conn => {
            sqlx::query("UPDATE lease SET until = $3 WHERE name = $1 AND holder = $2 AND until > $3")
                .bind(name)
                .bind(super::columns::remark(holder, HOLDER))
                .bind(now)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Who holds a lease at `now`.
    pub async fn lease_holder(&mut self, name: &str, now: Timestamp) -> Result<Option<String>, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_scalar("SELECT holder FROM lease WHERE name = $1 AND until > $2")
                .bind(name)
                .bind(now)
                .fetch_optional(conn)
                .await?)
        })
    }
}
