//! Listed partners and readers: their pinned facts, whether they can be reached, and how far we are
//! with reading their records.

use std::collections::BTreeSet;

use sqlx::{FromRow, QueryBuilder};

use super::columns::{remark, small, unsigned};
use super::{CHUNK, StoreError, Tx, on_backend, rounded};
use crate::domain::partner::{FollowState, Multikey, Partner, PartnerKind};
use crate::domain::{ActorId, PartnerDomain, Timestamp};

/// Longest reason kept, in characters.
const REASON: usize = 300;

/// Whether a partner can be reached, as far as we know.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PartnerHealth {
    /// Which partner.
    pub domain: PartnerDomain,
    /// Failed attempts in a row.
    #[sqlx(try_from = "i64")]
    pub failures: Failures,
    /// Since when it fails.
    pub failing_since: Option<Timestamp>,
    /// Why everything but Deletes waits for a person or for the partner (401, 403 about us, 404 …).
    pub blocked: Option<String>,
    /// Nothing is tried before this.
    pub next_probe: Option<Timestamp>,
    /// When it last answered well.
    pub last_success: Option<Timestamp>,
}

/// Failed attempts in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Failures(pub u32);

impl From<i64> for Failures {
    fn from(value: i64) -> Self {
        Self(small(value))
    }
}

#[derive(FromRow)]
struct Row {
    domain: PartnerDomain,
    kind: PartnerKind,
    actor: ActorId,
    name: String,
    inbox: String,
    records: Option<String>,
    key: Option<Multikey>,
    key_id: Option<String>,
    rsa: Option<String>,
    rsa_id: Option<String>,
    follows_us: FollowState,
    followed: FollowState,
    since: Timestamp,
}

impl From<Row> for Partner {
    fn from(row: Row) -> Self {
        Self {
            domain: row.domain,
            kind: row.kind,
            actor: row.actor,
            name: row.name,
            inbox: row.inbox,
            records: row.records,
            key: row.key,
            key_id: row.key_id,
            rsa: row.rsa.zip(row.rsa_id),
            follows_us: row.follows_us,
            followed: row.followed,
            since: row.since,
        }
    }
}

/// The columns of a partner, in one place for the statements below.
macro_rules! select_partners {
    ($rest:literal) => {
        concat!(
            "SELECT domain, kind, actor, name, inbox, records, key, key_id, rsa, rsa_id, follows_us, followed, since
               FROM partner ",
            $rest
        )
    };
}

impl Tx {
    /// Lists a partner, or replaces what is pinned about it. Its health and our place in its records stay.
    pub async fn put_partner(&mut self, partner: &Partner) -> Result<(), StoreError> {
        on_backend!(self, conn => {
            sqlx::query(
                "INSERT INTO partner (domain, kind, actor, name, inbox, records, key, key_id, rsa, rsa_id, follows_us, followed, since)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                 ON CONFLICT (domain) DO UPDATE
                    SET kind = excluded.kind, actor = excluded.actor, name = excluded.name, inbox = excluded.inbox,
                        records = excluded.records, key = excluded.key, key_id = excluded.key_id, rsa = excluded.rsa,
                        rsa_id = excluded.rsa_id, follows_us = excluded.follows_us, followed = excluded.followed,
                        since = excluded.since",
            )
            .bind(&partner.domain)
            .bind(partner.kind)
            .bind(&partner.actor)
            .bind(remark(&partner.name, REASON))
            .bind(&partner.inbox)
            .bind(&partner.records)
            .bind(&partner.key)
            .bind(&partner.key_id)
            .bind(partner.rsa.as_ref().map(|(pem, _)| pem))
            .bind(partner.rsa.as_ref().map(|(_, id)| id))
            .bind(partner.follows_us)
            .bind(partner.followed)
            .bind(partner.since)
            .execute(conn)
            .await?;
        });
        Ok(())
    }

    /// A partner by its domain.
    pub async fn lookup_partner(&mut self, domain: &PartnerDomain) -> Result<Option<Partner>, StoreError> {
        let row: Option<Row> = on_backend!(self, conn => {
            sqlx::query_as(select_partners!("WHERE domain = $1")).bind(domain).fetch_optional(conn).await?
        });
        Ok(row.map(Partner::from))
    }

    /// Those of these domains that are listed, in no particular order.
    pub async fn lookup_partners(&mut self, domains: &[&PartnerDomain]) -> Result<Vec<Partner>, StoreError> {
        let mut found = Vec::with_capacity(domains.len());
        for chunk in domains.chunks(CHUNK) {
            let rows: Vec<Row> = on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(select_partners!("WHERE domain IN ("));
                let mut list = query.separated(", ");
                for domain in rounded(chunk) {
                    list.push_bind(domain);
                }
                query.push(")");
                query.build_query_as().fetch_all(conn).await?
            });
            found.extend(rows.into_iter().map(Partner::from));
        }
        Ok(found)
    }

    /// A partner by its actor.
    pub async fn find_partner_by_actor(&mut self, actor: &ActorId) -> Result<Option<Partner>, StoreError> {
        let row: Option<Row> = on_backend!(self, conn => {
            sqlx::query_as(select_partners!("WHERE actor = $1")).bind(actor).fetch_optional(conn).await?
        });
        Ok(row.map(Partner::from))
    }

    /// Every listed partner, by domain.
    pub async fn list_partners(&mut self) -> Result<Vec<Partner>, StoreError> {
        let rows: Vec<Row> = on_backend!(self, conn => {
            sqlx::query_as(select_partners!("ORDER BY domain")).fetch_all(conn).await?
        });
        Ok(rows.into_iter().map(Partner::from).collect())
    }

    /// Whether the partner follows us.
    pub async fn set_follows_us(&mut self, domain: &PartnerDomain, state: FollowState) -> Result<(), StoreError> {
        let done = on_backend!(self, conn => {
            sqlx::query("UPDATE partner SET follows_us = $2 WHERE domain = $1")
                .bind(domain)
                .bind(state)
                .execute(conn)
                .await?
                .rows_affected()
        });
        StoreError::affected("noting that a partner follows us", 1, done)
    }

    /// Whether we follow the partner.
    pub async fn set_followed(&mut self, domain: &PartnerDomain, state: FollowState) -> Result<(), StoreError> {
        let done = on_backend!(self, conn => {
            sqlx::query("UPDATE partner SET followed = $2 WHERE domain = $1")
                .bind(domain)
                .bind(state)
                .execute(conn)
                .await?
                .rows_affected()
        });
        StoreError::affected("noting that we follow a partner", 1, done)
    }

    /// Whether a partner can be reached.
    pub async fn partner_health(&mut self, domain: &PartnerDomain) -> Result<Option<PartnerHealth>, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_as(
                "SELECT domain, failures, failing_since, blocked, next_probe, last_success
                   FROM partner
                  WHERE domain = $1",
            )
            .bind(domain)
            .fetch_optional(conn)
            .await?)
        })
    }

    /// The partners answered well: nothing holds their queues any more.
    pub async fn note_success(&mut self, domains: &BTreeSet<PartnerDomain>, at: Timestamp) -> Result<(), StoreError> {
        if domains.is_empty() {
            return Ok(());
        }
        let failing: Vec<PartnerDomain> = on_backend!(&mut *self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("SELECT domain FROM partner WHERE failing_since IS NOT NULL AND domain IN (");
            let mut list = query.separated(", ");
            for domain in domains {
                list.push_bind(domain);
            }
            query.push(") ORDER BY domain");
            query.build_query_scalar().fetch_all(conn).await?
        });
        for domain in failing {
            // What it could not be told to erase meanwhile is told next, before anything else (GDPR-03).
            on_backend!(&mut *self, conn => {
                sqlx::query(
                    "UPDATE disclosure
                        SET next_at = $2
                      WHERE partner = $1 AND priority = 0 AND state = 'due' AND next_at > $2
                        AND state IN ('due', 'sending', 'unconfirmed', 'purge-asked')",
                )
                .bind(&domain)
                .bind(at)
                .execute(conn)
                .await?;
            });
        }
        let done = on_backend!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "UPDATE partner SET failures = 0, failing_since = NULL, blocked = NULL, next_probe = NULL, last_success = ",
            );
            query.push_bind(at).push(" WHERE domain IN (");
            let mut list = query.separated(", ");
            for domain in domains {
                list.push_bind(domain);
            }
            query.push(")");
            query.build().execute(conn).await?.rows_affected()
        });
        StoreError::affected("noting that partners answered", domains.len(), done)
    }

    /// The partner did not answer well: nothing is tried before `next_probe`, and then one attempt.
    /// `blocked` says why everything but Deletes waits, where that is so. Attempts that were under way
    /// already when it began to fail (`began`) fail with the first of them: one failure, not several, or a
    /// second of silence would count as minutes of it.
    pub async fn note_failure(
        &mut self,
        domain: &PartnerDomain,
        began: Timestamp,
        at: Timestamp,
        next_probe: Timestamp,
        blocked: Option<&str>,
    ) -> Result<(), StoreError> {
        let done = on_backend!(self, conn => {
            sqlx::query(
                "UPDATE partner
                    SET failures = CASE WHEN failing_since >= $2 THEN failures ELSE failures + 1 END,
                        next_probe = CASE WHEN failing_since >= $2 AND next_probe > $4 THEN next_probe ELSE $4 END,
                        blocked = CASE WHEN failing_since >= $2 THEN COALESCE(blocked, $5) ELSE $5 END,
                        failing_since = COALESCE(failing_since, $3)
                  WHERE domain = $1",
            )
            .bind(domain)
            .bind(began)
            .bind(at)
            .bind(next_probe)
            .bind(blocked.map(|reason| remark(reason, REASON)))
            .execute(conn)
            .await?
            .rows_affected()
        });
        StoreError::affected("noting that a partner failed", 1, done)
    }

    /// Something came from the partner, or an operator said "retry": its queue is tried again now, and with
    /// it what failed and waits for its own turn. Returns whether the partner was waiting.
    pub async fn wake_partner(&mut self, domain: &PartnerDomain, at: Timestamp) -> Result<bool, StoreError> {
        let done = on_backend!(self, conn => {
            sqlx::query(
                "UPDATE disclosure
                    SET next_at = $2
                  WHERE partner = $1 AND state IN ('due', 'unconfirmed') AND next_at > $2 AND attempts > 0
                    AND state IN ('due', 'sending', 'unconfirmed', 'purge-asked')
                    AND EXISTS (SELECT 1 FROM partner WHERE domain = $1 AND failures > 0)",
            )
            .bind(domain)
            .bind(at)
            .execute(&mut *conn)
            .await?;
            sqlx::query(
                "UPDATE letter
                    SET next_at = $2
                  WHERE partner = $1 AND state = 'due' AND next_at > $2 AND attempts > 0
                    AND EXISTS (SELECT 1 FROM partner WHERE domain = $1 AND failures > 0)",
            )
            .bind(domain)
            .bind(at)
            .execute(&mut *conn)
            .await?;
            sqlx::query("UPDATE partner SET next_probe = $2 WHERE domain = $1 AND next_probe > $2")
                .bind(domain)
                .bind(at)
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(done > 0)
    }

    /// How far we are with reading the partner's records: the address of the next page, and when we
    /// asked last.
    pub async fn backfill_cursor(&mut self, domain: &PartnerDomain) -> Result<(Option<String>, Option<Timestamp>), StoreError> {
        let row: Option<(Option<String>, Option<Timestamp>)> = on_backend!(self, conn => {
            sqlx::query_as("SELECT backfill_next, backfill_at FROM partner WHERE domain = $1").bind(domain).fetch_optional(conn).await?
        });
        Ok(row.unwrap_or_default())
    }

    /// Writes down how far we are with reading the partner's records.
    pub async fn set_backfill_cursor(
        &mut self,
        domain: &PartnerDomain,
        next: Option<&str>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let done = on_backend!(self, conn => {
            sqlx::query("UPDATE partner SET backfill_next = $2, backfill_at = $3 WHERE domain = $1")
                .bind(domain)
                .bind(next)
                .bind(at)
                .execute(conn)
                .await?
                .rows_affected()
        });
        StoreError::affected("noting how far a partner's records are read", 1, done)
    }

    /// How many partners are listed.
    pub async fn count_partners(&mut self) -> Result<u64, StoreError> {
        let count: i64 = on_backend!(self, conn => {
            sqlx::query_scalar("SELECT COUNT(*) FROM partner").fetch_one(conn).await?
        });
        Ok(unsigned(count))
    }
}
