//! Claiming disclosures: which rows a worker takes next, so that every partner gets its share and one
//! that fails gets one probe.
//!
//! A worker claims more than it can send at once, because a claim costs as much for many rows as for one.
//! What waits for its departure is asked about again just before it leaves ([`Gate`]), and given back when
//! it may not leave any more.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{FromRow, QueryBuilder};

use super::columns::{number, remark, small, unsigned};
use super::disclosures::DisclosureState;
use super::{Backend, CHUNK, StoreError, Tx, comes_again, on_backend, rounded};
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
    /// How many rows of one partner may be on their way at once, over all workers.
    pub per_partner: u32,
    /// How many rows of a partner one worker may take for a while, when no other has any of it.
    pub ahead: u32,
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
    /// It takes something back: a Delete, or what is hidden or withdrawn.
    pub recall: bool,
    /// The one attempt that a partner which fails is given.
    pub probe: bool,
    /// Whether the partner was ever offered it before, over this way or another.
    pub offered: bool,
    next_at: Timestamp,
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
    next_at: Timestamp,
    priority: i64,
    offered: bool,
    fence: i64,
}

impl Row {
    fn claimed(self, probe: bool) -> Claimed {
        let row = self;
        Claimed {
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
            recall: row.priority == 0,
            probe,
            offered: row.offered,
            next_at: row.next_at,
            fence: row.fence + 1,
        }
    }
}

/// What decides how much a partner may be sent, and what.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Gate {
    domain: PartnerDomain,
    follows_us: FollowState,
    blocked: Option<String>,
    next_probe: Option<Timestamp>,
    on_their_way: i64,
    /// A recall is ready or on its way.
    recall_goes_first: bool,
    /// A recall waits for its turn.
    recall_waits: bool,
}

/// How many rows of a partner may be taken, Deletes and others apart.
struct Room {
    deletes: u32,
    any: u32,
}

/// Which rows of a partner are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Taken {
    /// What is ready.
    Everything,
    /// Recalls that are ready.
    Recalls,
    /// Recalls, whether it is their turn or not: the probe of a partner that was away is one of them.
    RecallsNow,
}

impl Gate {
    /// Healthy: its share; as much as one worker may have at a time, if no other has any. Failing: one probe
    /// when it is time, else nothing. Blocked: one probe when it is time, and Deletes always.
    fn room(&self, request: &ClaimRequest<'_>, share: u32) -> Room {
        let on_their_way = small(self.on_their_way);
        let at_once = if on_their_way == 0 && self.next_probe.is_none() {
            request.ahead.max(request.per_partner)
        } else {
            request.per_partner
        };
        let free = at_once.saturating_sub(on_their_way).min(share);
        match self.next_probe {
            None => Room { deletes: 0, any: free },
            Some(at) => {
                let probe = if at <= request.now { 1_u32.saturating_sub(on_their_way) } else { 0 };
                let deletes = if self.blocked.is_some() { free } else { 0 };
                Room { deletes, any: probe }
            }
        }
    }

    /// The next attempt is the probe of a partner that was away.
    fn probes(&self) -> bool {
        self.next_probe.is_some() && self.blocked.is_none()
    }

    /// Nothing but a recall leaves: one goes first (GDPR-03), or the partner does not follow us.
    fn only_recalls(&self) -> bool {
        self.follows_us != FollowState::Accepted || self.recall_goes_first || (self.probes() && self.recall_waits)
    }

    /// Whether what was claimed a while ago may leave now; `recall`: it takes something back, as it is now.
    #[must_use]
    pub fn lets_out(&self, claimed: &Claimed, recall: bool) -> bool {
        let healthy = self.next_probe.is_none() || claimed.probe;
        healthy && (recall || !self.only_recalls())
    }
}

/// A statement over the partners to whom something is due at `$1`.
macro_rules! ready_partners {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            $crate::store::partner_may_be_asked!(),
            " AND EXISTS (SELECT 1
                            FROM disclosure
                           WHERE disclosure.partner = partner.domain
                             AND disclosure.state IN ('due', 'sending', 'unconfirmed', 'purge-asked')
                             AND disclosure.next_at <= $1
                             AND (partner.follows_us = 'accepted' OR disclosure.priority = 0))",
            $after
        )
    };
}

impl Tx {
    /// Claims rows that are due: recalls before anything else (what is deleted or hidden: nothing leaves
    /// while one is ready or on its way, GDPR-03), then by class (a parent before its children), then by
    /// age; every partner that is due gets an equal share of `limit`, those served longest ago first.
    /// Unless the partner follows us, only recalls.
    pub async fn claim_disclosures(&mut self, request: &ClaimRequest<'_>) -> Result<Vec<Claimed>, StoreError> {
        let ready = self.lock_ready_partners(request).await?;
        let partners = u32::try_from(ready.len()).unwrap_or(u32::MAX).max(1);
        let share = request.limit.div_ceil(partners).max(1);
        let served = usize::try_from(request.limit.div_ceil(share)).unwrap_or(usize::MAX);
        let chosen: Vec<PartnerDomain> = ready.into_iter().take(served).collect();
        let gates = self.gates(&chosen, request.now).await?;
        let mut left = request.limit;
        let mut wishes: BTreeMap<(Taken, u32), Vec<&PartnerDomain>> = BTreeMap::new();
        for (partner, gate) in chosen.iter().filter_map(|partner| Some((partner, gates.get(partner)?))) {
            let room = gate.room(request, share.min(left));
            left = left.saturating_sub(room.deletes.max(room.any));
            if room.deletes > 0 {
                wishes.entry((Taken::Recalls, room.deletes)).or_default().push(partner);
            }
            if room.any > 0 {
                let which = match (gate.only_recalls(), gate.probes()) {
                    (false, _) => Taken::Everything,
                    (true, false) => Taken::Recalls,
                    (true, true) => Taken::RecallsNow,
                };
                wishes.entry((which, room.any)).or_default().push(partner);
            }
        }
        let mut taken: BTreeMap<PartnerDomain, Vec<Row>> = BTreeMap::new();
        for ((which, limit), partners) in wishes {
            for row in self.take(&partners, request, limit, which).await? {
                let of_partner = taken.entry(row.partner.clone()).or_default();
                // What a blocked partner is told to delete may be taken by both of its wishes.
                if !of_partner.iter().any(|one| one.record == row.record) {
                    of_partner.push(row);
                }
            }
        }
        let mut claimed: Vec<Claimed> = Vec::new();
        for partner in &chosen {
            let probe = gates.get(partner).is_some_and(|gate| gate.next_probe.is_some());
            claimed.extend(taken.remove(partner).unwrap_or_default().into_iter().map(|row| row.claimed(probe)));
        }
        self.lease(&claimed, request).await?;
        self.note_turn(&chosen, request.now).await?;
        Ok(claimed)
    }

    /// Gives back what was claimed and did not leave: it stands where it stood, and its partner has its turn next.
    pub async fn give_back_disclosures(&mut self, claimed: &[&Claimed]) -> Result<(), StoreError> {
        for one in claimed {
            on_backend!(&mut *self, conn => {
                // Nobody was offered it, and there is nothing to offer any more: the planner would have withdrawn it.
                sqlx::query(
                    "DELETE FROM disclosure
                      WHERE partner = $1 AND record = $2 AND fence = $3 AND state = 'sending' AND NOT $4 AND pass IS NULL
                        AND EXISTS (SELECT 1 FROM record WHERE record.id = $2 AND record.standing <> 'live')",
                )
                .bind(&one.partner)
                .bind(&one.record)
                .bind(one.fence)
                .bind(one.offered)
                .execute(&mut *conn)
                .await?;
                sqlx::query(
                    // What was planned meanwhile stays due; what was never offered, by a page neither, is so again.
                    "UPDATE disclosure
                        SET state = CASE WHEN due_revision > $4 THEN 'due' ELSE $5 END,
                            attempts = CASE WHEN due_revision > $4 THEN 0 ELSE attempts - 1 END,
                            offered = CASE WHEN due_revision > $4 OR pass IS NOT NULL THEN offered ELSE $6 END,
                            next_at = $7, lease_until = NULL, lease_holder = NULL
                      WHERE partner = $1 AND record = $2 AND fence = $3 AND state = 'sending'",
                )
                .bind(&one.partner)
                .bind(&one.record)
                .bind(one.fence)
                .bind(number(one.due_revision))
                .bind(if one.before == DisclosureState::Sending { DisclosureState::Due } else { one.before })
                .bind(one.offered)
                .bind(one.next_at)
                .execute(conn)
                .await?;
            });
        }
        let partners: BTreeSet<&PartnerDomain> = claimed.iter().map(|one| &one.partner).collect();
        for partner in partners {
            on_backend!(&mut *self, conn => {
                sqlx::query("UPDATE partner SET claimed_at = NULL WHERE domain = $1").bind(partner).execute(conn).await?;
            });
        }
        Ok(())
    }

    /// What decides now how much these partners may be sent, and what. Who is not listed is missing.
    pub async fn gates(
        &mut self,
        partners: &[PartnerDomain],
        now: Timestamp,
    ) -> Result<BTreeMap<PartnerDomain, Gate>, StoreError> {
        let mut gates = BTreeMap::new();
        for chunk in partners.chunks(CHUNK) {
            let rows: Vec<Gate> = on_backend!(&mut *self, conn: Db => {
                // The list of states is that of the index, which no database finds by itself.
                let mut query = QueryBuilder::<Db>::new(
                    "SELECT domain, follows_us, blocked, next_probe,
                            (SELECT COUNT(*)
                               FROM disclosure
                              WHERE partner = domain AND state = 'sending' AND lease_until > ",
                );
                query.push_bind(now).push(
                    ") AS on_their_way,
                            EXISTS (SELECT 1
                                      FROM disclosure
                                     WHERE partner = domain AND priority = 0
                                       AND state IN ('due', 'sending', 'unconfirmed', 'purge-asked')
                                       AND (state = 'sending' OR (state = 'due' AND next_at <= ",
                );
                query.push_bind(now).push(
                    "))) AS recall_goes_first,
                            EXISTS (SELECT 1
                                      FROM disclosure
                                     WHERE partner = domain AND priority = 0
                                       AND state IN ('due', 'sending', 'unconfirmed', 'purge-asked')
                                       AND state = 'due') AS recall_waits
                       FROM partner
                      WHERE domain IN (",
                );
                let mut list = query.separated(", ");
                for partner in rounded(&chunk.iter().collect::<Vec<_>>()) {
                    list.push_bind(partner);
                }
                query.push(")");
                query.build_query_as().fetch_all(conn).await?
            });
            gates.extend(rows.into_iter().map(|gate| (gate.domain.clone(), gate)));
        }
        Ok(gates)
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

    /// Partners to whom something is due, those served longest ago first, and as many as rows are asked for.
    /// PostgreSQL locks them for the rest of the transaction: how much a partner may be sent is decided by one
    /// worker at a time; another one takes other partners.
    async fn lock_ready_partners(&mut self, request: &ClaimRequest<'_>) -> Result<Vec<PartnerDomain>, StoreError> {
        let text = match self.backend() {
            Backend::Sqlite => {
                ready_partners!("SELECT domain FROM partner WHERE ", " ORDER BY claimed_at NULLS FIRST, domain LIMIT $2")
            }
            Backend::Postgres => ready_partners!(
                "SELECT domain FROM partner WHERE ",
                " ORDER BY claimed_at NULLS FIRST, domain LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED"
            ),
        };
        Ok(on_backend!(self, conn => {
            sqlx::query_scalar(text).bind(request.now).bind(i64::from(request.limit)).fetch_all(conn).await?
        }))
    }

    /// Whether something is due to any partner.
    pub(super) async fn disclosure_is_due(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_scalar(ready_partners!("SELECT EXISTS (SELECT 1 FROM partner WHERE ", ")"))
                .bind(now)
                .fetch_one(conn)
                .await?)
        })
    }

    async fn note_turn(&mut self, partners: &[PartnerDomain], now: Timestamp) -> Result<(), StoreError> {
        for chunk in partners.chunks(CHUNK) {
            on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("UPDATE partner SET claimed_at = ");
                query.push_bind(now).push(" WHERE domain IN (");
                let mut list = query.separated(", ");
                for partner in rounded(&chunk.iter().collect::<Vec<_>>()) {
                    list.push_bind(partner);
                }
                query.push(")");
                query.build().execute(conn).await?;
            });
        }
        Ok(())
    }

    /// Of each of these partners the first `limit` rows that are ready, in one statement.
    async fn take(
        &mut self,
        partners: &[&PartnerDomain],
        request: &ClaimRequest<'_>,
        limit: u32,
        taken: Taken,
    ) -> Result<Vec<Row>, StoreError> {
        // SQLite joins nothing to a list that depends on the row before it, and finds rows by their number.
        let (before, after) = match self.backend() {
            Backend::Sqlite => ("disclosure AS mine ON mine.rowid IN (SELECT rowid", ")"),
            Backend::Postgres => ("LATERAL (SELECT *", " FOR UPDATE SKIP LOCKED) AS mine ON TRUE"),
        };
        let mut rows = Vec::new();
        for chunk in partners.chunks(CHUNK) {
            let found: Vec<Row> = on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("WITH listed (domain) AS (");
                query.push_values(rounded(chunk), |mut row, partner| {
                    row.push_bind(partner);
                });
                query.push(
                    "), chosen AS (SELECT DISTINCT domain FROM listed)
                       SELECT mine.partner, mine.record, mine.class, mine.due_revision, mine.due_kind, mine.acked_revision,
                              mine.acked_digest, mine.state, mine.attempts, mine.planned_at, mine.next_at, mine.priority,
                              mine.offered, mine.fence
                         FROM chosen
                         JOIN ",
                );
                query.push(before).push(
                    " FROM disclosure
                     WHERE partner = chosen.domain
                       AND state IN ('due', 'sending', 'unconfirmed', 'purge-asked')
                       AND (next_at <= ",
                );
                query.push_bind(request.now);
                query.push(" OR (").push_bind(taken == Taken::RecallsNow).push(" AND state = 'due')) AND priority <= ");
                query.push_bind(if taken == Taken::Everything { i64::MAX } else { 0 });
                query.push(" ORDER BY priority, next_at LIMIT ").push_bind(i64::from(limit)).push(after);
                query.push(" ORDER BY mine.priority, mine.next_at");
                query.build_query_as().fetch_all(conn).await?
            });
            rows.extend(found);
        }
        Ok(rows)
    }

    async fn lease(&mut self, claimed: &[Claimed], request: &ClaimRequest<'_>) -> Result<(), StoreError> {
        for chunk in claimed.chunks(CHUNK) {
            on_backend!(&mut *self, conn: Db => {
                // Joined: SQLite would walk the whole table for a list of pairs.
                let mut query = QueryBuilder::<Db>::new("WITH mine (partner, record) AS (");
                query.push_values(chunk, |mut row, one| {
                    row.push_bind(&one.partner).push_bind(&one.record);
                });
                query
                    .push(
                        ") UPDATE disclosure
                              SET state = 'sending', offered = TRUE, attempts = attempts + 1, fence = fence + 1, next_at = ",
                    )
                    .push_bind(request.lease_until)
                    .push(", lease_until = ")
                    .push_bind(request.lease_until)
                    .push(", lease_holder = ")
                    .push_bind(remark(request.holder, HOLDER))
                    .push(" FROM mine WHERE disclosure.partner = mine.partner AND disclosure.record = mine.record");
                query.build().persistent(comes_again(chunk.len())).execute(conn).await?;
            });
        }
        Ok(())
    }
}
