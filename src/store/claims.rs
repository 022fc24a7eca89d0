//! Claiming disclosures: which rows a worker takes next, so that every partner gets its share and one
//! that fails gets one probe.

use std::collections::BTreeMap;

use sqlx::{FromRow, QueryBuilder};

use super::columns::{remark, small, unsigned};
use super::disclosures::DisclosureState;
use super::{StoreError, Tx, on_backend, partner_may_be_asked, skip_locked};
use crate::domain::change::ChangeKind;
use crate::domain::digest::Digest;
use crate::domain::partner::FollowState;
use crate::domain::{Class, PartnerDomain, RecordId, Revision, Timestamp};

/// Longest name of a worker, in characters.
const HOLDER: usize = 100;

/// What a worker asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRequest<'w> {
    /// The present instant.
    pub now: Timestamp,
    /// How many rows at most.
    pub limit: u32,
    /// How many rows of one partner may be on their way at once.
    pub per_partner: u32,
    /// Until when they are held: longer than every deadline of a request.
    pub lease_until: Timestamp,
    /// The worker's name, for people who look.
    pub holder: &'w str,
}

/// A row that is ours until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// To whom.
    pub partner: PartnerDomain,
    /// Of what.
    pub record: RecordId,
    /// Its class.
    pub class: Class,
    /// The revision that was due at the claim.
    pub due_revision: Revision,
    /// How it is told.
    pub due_kind: ChangeKind,
    /// The revision the partner acknowledged last.
    pub acked_revision: Option<Revision>,
    /// Its digest.
    pub acked_digest: Option<Digest>,
    /// Where it stood before the claim: `Unconfirmed` was sent once already.
    pub before: DisclosureState,
    /// How often what is due was tried, this time included.
    pub attempts: u32,
    /// Since when it is due.
    pub planned_at: Timestamp,
    pub(super) fence: i64,
}

#[derive(FromRow)]
struct Row {
    partner: PartnerDomain,
    record: RecordId,
    class: Class,
    due_revision: i64,
    due_kind: ChangeKind,
    acked_revision: Option<i64>,
    acked_digest: Option<Digest>,
    state: DisclosureState,
    attempts: i64,
    planned_at: Timestamp,
    fence: i64,
}

impl From<Row> for Claimed {
    fn from(row: Row) -> Self {
        Self {
            partner: row.partner,
            record: row.record,
            class: row.class,
            due_revision: unsigned(row.due_revision),
            due_kind: row.due_kind,
            acked_revision: row.acked_revision.map(unsigned),
            acked_digest: row.acked_digest,
            before: row.state,
            attempts: small(row.attempts + 1),
            planned_at: row.planned_at,
            fence: row.fence + 1,
        }
    }
}

/// What decides how much a partner may be sent.
#[derive(FromRow)]
struct Gate {
    follows_us: FollowState,
    blocked: Option<String>,
    next_probe: Option<Timestamp>,
}

/// How many rows of a partner may be taken, Deletes and others apart.
struct Room {
    deletes: u32,
    any: u32,
}

/// Which rows of a partner are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// What is ready.
    Everything,
    /// Recalls that are ready.
    Recalls,
    /// Recalls, whether it is their turn or not: the probe of a partner that was away is one of them.
    RecallsNow,
}

impl Gate {
    /// Healthy: its share. Failing: one probe when it is time, else nothing. Blocked: one probe when it
    /// is time, and Deletes always.
    fn room(&self, now: Timestamp, share: u32, at_once: u32, on_their_way: u32) -> Room {
        let free = at_once.saturating_sub(on_their_way).min(share);
        match self.next_probe {
            None => Room { deletes: 0, any: free },
            Some(at) => {
                let probe = if at <= now { 1_u32.saturating_sub(on_their_way) } else { 0 };
                let deletes = if self.blocked.is_some() { free } else { 0 };
                Room { deletes, any: probe }
            }
        }
    }
}

impl Tx {
    /// Claims rows that are due: recalls before anything else (what is deleted or hidden: nothing leaves
    /// while one is ready or on its way, GDPR-03), then by class (a parent before its children), then by
    /// age; every partner that is due gets an equal share of `limit`, those served longest ago first.
    /// Unless the partner follows us, only recalls.
    pub async fn claim_disclosures(&mut self, request: &ClaimRequest<'_>) -> Result<Vec<Claimed>, StoreError> {
        let ready = self.ready_partners(request.now).await?;
        let partners = u32::try_from(ready.len()).unwrap_or(u32::MAX).max(1);
        let share = request.limit.div_ceil(partners).max(1);
        let served = usize::try_from(request.limit.div_ceil(share)).unwrap_or(usize::MAX);
        let mut chosen: Vec<PartnerDomain> = ready.into_iter().take(served).collect();
        // Always locked in the same order, so that two workers never wait for each other in a circle.
        chosen.sort();
        let mut claimed = Vec::new();
        for partner in chosen {
            let left = request.limit.saturating_sub(u32::try_from(claimed.len()).unwrap_or(u32::MAX));
            if left == 0 {
                break;
            }
            let Some(gate) = self.pass_gate(&partner, request.now).await? else { continue };
            let on_their_way = self.on_their_way(&partner, request.now).await?;
            let room = gate.room(request.now, share.min(left), request.per_partner, on_their_way);
            let probe = gate.next_probe.is_some() && gate.blocked.is_none();
            let others = gate.follows_us == FollowState::Accepted && !self.recalls_go_first(&partner, request.now, probe).await?;
            if room.deletes > 0 {
                claimed.extend(self.take(&partner, request, room.deletes, Taken::Recalls).await?);
            }
            if room.any > 0 {
                let taken = match (others, probe) {
                    (true, _) => Taken::Everything,
                    (false, false) => Taken::Recalls,
                    (false, true) => Taken::RecallsNow,
                };
                claimed.extend(self.take(&partner, request, room.any, taken).await?);
            }
        }
        Ok(claimed)
    }

    /// Whether something is to be taken back from this partner before anything else is sent to it.
    async fn recalls_go_first(&mut self, partner: &PartnerDomain, now: Timestamp, probe: bool) -> Result<bool, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1
                                  FROM disclosure
                                 WHERE partner = $1 AND priority = 0
                                   AND (state = 'sending' OR (state = 'due' AND (next_at <= $2 OR $3))))",
            )
            .bind(partner)
            .bind(now)
            .bind(probe)
            .fetch_one(conn)
            .await?)
        })
    }

    /// Parks what has been due since before `since` and is no recall, whether it had its turn or not: a
    /// partner that is away gets one probe at a time. Returns how many rows of which partner.
    pub async fn park_overdue(&mut self, since: Timestamp) -> Result<BTreeMap<PartnerDomain, u64>, StoreError> {
        let rows: Vec<(PartnerDomain,)> = on_backend!(self, conn => {
            sqlx::query_as(
                "UPDATE disclosure
                    SET state = 'parked'
                  WHERE state IN ('due', 'unconfirmed') AND priority > 0 AND planned_at <= $1
                 RETURNING partner",
            )
            .bind(since)
            .fetch_all(conn)
            .await?
        });
        let mut parked = BTreeMap::new();
        for (partner,) in rows {
            *parked.entry(partner).or_default() += 1;
        }
        Ok(parked)
    }

    /// Partners to whom something is due, those served longest ago first.
    pub(super) async fn ready_partners(&mut self, now: Timestamp) -> Result<Vec<PartnerDomain>, StoreError> {
        let mut rows: Vec<(PartnerDomain, Option<Timestamp>)> = on_backend!(self, conn => {
            sqlx::query_as(concat!(
                "SELECT domain, claimed_at
                   FROM partner
                  WHERE ",
                partner_may_be_asked!(),
                " AND EXISTS (SELECT 1
                                  FROM disclosure
                                 WHERE disclosure.partner = partner.domain
                                   AND disclosure.state IN ('due', 'sending', 'unconfirmed', 'purge-asked')
                                   AND disclosure.next_at <= $1
                                   AND (partner.follows_us = 'accepted' OR disclosure.priority = 0))"
            ))
            .bind(now)
            .fetch_all(conn)
            .await?
        });
        rows.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        Ok(rows.into_iter().map(|(domain, _)| domain).collect())
    }

    /// Locks the partner's row for the rest of the transaction: how much it may be sent is decided by
    /// one worker at a time.
    async fn pass_gate(&mut self, partner: &PartnerDomain, now: Timestamp) -> Result<Option<Gate>, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_as("UPDATE partner SET claimed_at = $2 WHERE domain = $1 RETURNING follows_us, blocked, next_probe")
                .bind(partner)
                .bind(now)
                .fetch_optional(conn)
                .await?)
        })
    }

    async fn on_their_way(&mut self, partner: &PartnerDomain, now: Timestamp) -> Result<u32, StoreError> {
        let count: i64 = on_backend!(self, conn => {
            sqlx::query_scalar("SELECT COUNT(*) FROM disclosure WHERE partner = $1 AND state = 'sending' AND lease_until > $2")
                .bind(partner)
                .bind(now)
                .fetch_one(conn)
                .await?
        });
        Ok(small(count))
    }

    async fn take(
        &mut self,
        partner: &PartnerDomain,
        request: &ClaimRequest<'_>,
        limit: u32,
        taken: Taken,
    ) -> Result<Vec<Claimed>, StoreError> {
        let text = skip_locked!(
            self,
            "SELECT partner, record, class, due_revision, due_kind, acked_revision, acked_digest, state, attempts, planned_at, fence
               FROM disclosure
              WHERE partner = $1
                AND state IN ('due', 'sending', 'unconfirmed', 'purge-asked')
                AND (next_at <= $2 OR ($5 AND state = 'due'))
                AND priority <= $3
              ORDER BY priority, next_at
              LIMIT $4",
            ""
        );
        let rows: Vec<Row> = on_backend!(&mut *self, conn => {
            sqlx::query_as(text)
                .bind(partner)
                .bind(request.now)
                .bind(if taken == Taken::Everything { i64::MAX } else { 0 })
                .bind(i64::from(limit))
                .bind(taken == Taken::RecallsNow)
                .fetch_all(conn)
                .await?
        });
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        on_backend!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("UPDATE disclosure SET state = 'sending', offered = TRUE, attempts = attempts + 1, fence = fence + 1, next_at = ");
            query
                .push_bind(request.lease_until)
                .push(", lease_until = ")
                .push_bind(request.lease_until)
                .push(", lease_holder = ")
                .push_bind(remark(request.holder, HOLDER))
                .push(" WHERE partner = ")
                .push_bind(partner)
                .push(" AND record IN (");
            let mut list = query.separated(", ");
            for row in &rows {
                list.push_bind(&row.record);
            }
            query.push(")");
            query.build().execute(conn).await?;
        });
        Ok(rows.into_iter().map(Claimed::from).collect())
    }
}
