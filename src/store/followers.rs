//! Who of the Fediverse follows what: the authority, or one consultation (FEP-efda). A server is pushed
//! to while one of its accounts follows; its row among the partners says so in the same transaction.

use std::collections::BTreeMap;

use sqlx::QueryBuilder;

use super::columns::{unsigned, whole};
use super::{CHUNK, StoreError, Tx, on_backend, rounded};
use crate::domain::account::Account;
use crate::domain::partner::FollowState;
use crate::domain::{ActorId, PartnerDomain, RecordId, Timestamp};

/// An inbox of a reader server that is due something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReaderInbox {
    /// Its address.
    pub address: String,
    /// Whether the accounts of its server share it: then it speaks for the server.
    pub shared: bool,
}

/// How `process` stands in the table.
fn column(process: Option<&RecordId>) -> &str {
    process.map_or("", RecordId::as_str)
}

impl Tx {
    /// The account follows a consultation, or with none the authority; `activity` is its Follow, by which
    /// it may be undone.
    pub async fn put_follower(
        &mut self,
        account: &Account,
        process: Option<&RecordId>,
        activity: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        on_backend!(&mut *self, conn => {
            sqlx::query(
                "INSERT INTO follower (actor, process, partner, activity, since)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (actor, process) DO UPDATE SET activity = excluded.activity",
            )
            .bind(&account.actor)
            .bind(column(process))
            .bind(&account.partner)
            .bind(whole("an activity's address", activity)?)
            .bind(at)
            .execute(conn)
            .await?;
        });
        self.set_follows_us(&account.partner, FollowState::Accepted).await
    }

    /// The account follows this no more. `false` when it did not.
    pub async fn remove_follower(
        &mut self,
        partner: &PartnerDomain,
        actor: &ActorId,
        process: Option<&RecordId>,
    ) -> Result<bool, StoreError> {
        let done = on_backend!(&mut *self, conn => {
            sqlx::query("DELETE FROM follower WHERE actor = $1 AND process = $2")
                .bind(actor)
                .bind(column(process))
                .execute(conn)
                .await?
                .rows_affected()
        });
        self.after_removal(partner).await?;
        Ok(done > 0)
    }

    /// The account takes back the Follow that had this address. `false` when there is none.
    pub async fn undo_follow(&mut self, partner: &PartnerDomain, actor: &ActorId, activity: &str) -> Result<bool, StoreError> {
        let done = on_backend!(&mut *self, conn => {
            sqlx::query("DELETE FROM follower WHERE actor = $1 AND activity = $2")
                .bind(actor)
                .bind(activity)
                .execute(conn)
                .await?
                .rows_affected()
        });
        self.after_removal(partner).await?;
        Ok(done > 0)
    }

    /// The account is gone: nothing of it stays, not in what it sent and not in what it was answered.
    pub async fn forget_account(&mut self, partner: &PartnerDomain, actor: &ActorId) -> Result<bool, StoreError> {
        // As it stands in the activities, whose texts the two databases search in the same way only so.
        let quoted = format!("\"{actor}\"");
        on_backend!(&mut *self, conn => {
            sqlx::query("DELETE FROM follower WHERE actor = $1").bind(actor).execute(&mut *conn).await?;
            sqlx::query("DELETE FROM letter WHERE partner = $1 AND inbox IS NOT NULL AND REPLACE(body, $2, '') <> body")
                .bind(partner)
                .bind(&quoted)
                .execute(&mut *conn)
                .await?;
            sqlx::query(
                "UPDATE journal
                    SET body = NULL
                  WHERE partner = $1 AND body IS NOT NULL AND state NOT IN ('pending', 'working') AND REPLACE(body, $2, '') <> body",
            )
            .bind(partner)
            .bind(&quoted)
            .execute(conn)
            .await?;
        });
        self.words_were_erased();
        let done = on_backend!(&mut *self, conn => {
            sqlx::query("DELETE FROM account WHERE actor = $1").bind(actor).execute(conn).await?.rows_affected()
        });
        self.after_removal(partner).await?;
        Ok(done > 0)
    }

    /// An account's own inbox is gone for good: who was reached there follows no more, and what it held
    /// went with it. Returns how many accounts.
    pub async fn forget_inbox(&mut self, partner: &PartnerDomain, inbox: &str) -> Result<u64, StoreError> {
        let actors: Vec<(ActorId,)> = on_backend!(&mut *self, conn => {
            sqlx::query_as("SELECT actor FROM account WHERE partner = $1 AND inbox = $2 AND shared_inbox IS NULL")
                .bind(partner)
                .bind(inbox)
                .fetch_all(conn)
                .await?
        });
        for (actor,) in &actors {
            self.forget_account(partner, actor).await?;
        }
        on_backend!(self, conn => {
            sqlx::query("DELETE FROM reached WHERE partner = $1 AND inbox = $2").bind(partner).bind(inbox).execute(conn).await?;
        });
        Ok(u64::try_from(actors.len()).unwrap_or(u64::MAX))
    }

    /// Nobody of this server follows us any more, whoever did: it is listed as something else now.
    pub async fn forget_followers(&mut self, partner: &PartnerDomain) -> Result<(), StoreError> {
        on_backend!(self, conn => {
            sqlx::query("DELETE FROM follower WHERE partner = $1").bind(partner).execute(&mut *conn).await?;
            sqlx::query("DELETE FROM account WHERE partner = $1").bind(partner).execute(conn).await?;
        });
        Ok(())
    }

    async fn after_removal(&mut self, partner: &PartnerDomain) -> Result<(), StoreError> {
        on_backend!(self, conn => {
            sqlx::query(
                "UPDATE partner
                    SET follows_us = $2
                  WHERE domain = $1 AND NOT EXISTS (SELECT 1 FROM follower WHERE follower.partner = $1)",
            )
            .bind(partner)
            .bind(FollowState::None)
            .execute(conn)
            .await?;
        });
        Ok(())
    }

    /// The inboxes through which a server's followers of a consultation are reached, each address once: whether
    /// accounts share it is told with it. One account may call its own what another says is shared.
    pub async fn reader_inboxes(
        &mut self,
        pairs: &[(&PartnerDomain, &RecordId)],
    ) -> Result<BTreeMap<(PartnerDomain, RecordId), BTreeMap<String, bool>>, StoreError> {
        let mut found: BTreeMap<_, BTreeMap<String, bool>> = BTreeMap::new();
        for chunk in pairs.chunks(CHUNK) {
            let rows: Vec<(PartnerDomain, RecordId, String, bool)> = on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("WITH wanted (partner, process) AS (");
                query.push_values(rounded(chunk), |mut row, (partner, process)| {
                    row.push_bind(partner).push_bind(process);
                });
                query.push(
                    ") SELECT DISTINCT wanted.partner, wanted.process, COALESCE(account.shared_inbox, account.inbox),
                              account.shared_inbox IS NOT NULL
                         FROM wanted
                         JOIN follower ON follower.partner = wanted.partner AND follower.process IN ('', wanted.process)
                         JOIN account ON account.actor = follower.actor",
                );
                query.build_query_as().fetch_all(conn).await?
            });
            for (partner, process, address, shared) in rows {
                *found.entry((partner, process)).or_default().entry(address).or_default() |= shared;
            }
        }
        Ok(found)
    }

    /// How many accounts of each server follow anything.
    pub async fn follower_counts(&mut self) -> Result<BTreeMap<PartnerDomain, u64>, StoreError> {
        let rows: Vec<(PartnerDomain, i64)> = on_backend!(self, conn => {
            sqlx::query_as("SELECT partner, COUNT(DISTINCT actor) FROM follower GROUP BY partner").fetch_all(conn).await?
        });
        Ok(rows.into_iter().map(|(partner, count)| (partner, unsigned(count))).collect())
    }

    /// How many accounts follow a consultation by itself, or with none the authority.
    pub async fn count_followers(&mut self, process: Option<&RecordId>) -> Result<u64, StoreError> {
        let count: i64 = on_backend!(self, conn => {
            sqlx::query_scalar("SELECT COUNT(*) FROM follower WHERE process = $1")
                .bind(column(process))
                .fetch_one(conn)
                .await?
        });
        Ok(unsigned(count))
    }
}
