//! Claiming the journal: whose activities are applied next, so that every partner has its turn and a flood
//! from one delays no other (SEC-140).

use sqlx::QueryBuilder;

use super::columns::unsigned;
use super::journal::{ATTEMPTS, JournalRow, JournalState, Row};
use super::{StoreError, Tx, on_backend, skip_locked};
use crate::domain::{PartnerDomain, Timestamp};

impl Tx {
    /// Claims activities whose effect is due and holds them until `lease_until`: of every partner an equal
    /// share of `limit`, its oldest first; what some leave of it goes to those that have more. Save this
    /// claim before working: an attempt that kills the process counts too. One whose worker did not come
    /// back is claimed alone, so that it takes nobody along (SEC-153); one that was tried [`ATTEMPTS`] times
    /// without an end is quarantined instead.
    pub async fn claim_journal(
        &mut self,
        now: Timestamp,
        limit: u32,
        lease_until: Timestamp,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let chosen = self.choose(now, limit).await?;
        if chosen.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows: Vec<Row> = on_backend!(&mut *self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "SELECT number, partner, activity_id, body, object, received_at, receipt, state, attempts, problem, fence
                   FROM journal
                  WHERE number IN (",
            );
            let mut list = query.separated(", ");
            for number in &chosen {
                list.push_bind(number);
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await?
        });
        rows.sort_by_key(|row| chosen.iter().position(|number| *number == row.number));
        let (poison, mut due): (Vec<JournalRow>, Vec<JournalRow>) =
            rows.into_iter().map(JournalRow::from).partition(|row| row.attempts >= ATTEMPTS);
        for row in poison {
            let problem = row.problem.as_deref().unwrap_or("five attempts did not come to an end");
            self.finish_journal(&row, JournalState::Quarantined, Some(problem), now).await?;
        }
        if let Some(place) = due.iter().position(|row| row.state == JournalState::Working) {
            due.truncate(place.max(1));
        }
        if due.is_empty() {
            return Ok(due);
        }
        on_backend!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "UPDATE journal SET state = 'working', attempts = attempts + 1, fence = fence + 1, next_at = ",
            );
            query.push_bind(lease_until).push(" WHERE number IN (");
            let mut list = query.separated(", ");
            for row in &due {
                list.push_bind(row.number);
            }
            query.push(")");
            query.build().execute(conn).await?;
        });
        for row in &mut due {
            row.claimed();
        }
        due.sort_by_key(|row| row.number);
        Ok(due)
    }

    /// The numbers of what is to be claimed, partner by partner.
    async fn choose(&mut self, now: Timestamp, limit: u32) -> Result<Vec<i64>, StoreError> {
        let partners = self.waiting_partners(now, limit).await?;
        let share = limit.div_ceil(u32::try_from(partners.len()).unwrap_or(u32::MAX).max(1));
        let mut chosen = Vec::new();
        let mut have_more = Vec::new();
        let left = |chosen: &[i64]| limit.saturating_sub(u32::try_from(chosen.len()).unwrap_or(u32::MAX));
        for partner in partners {
            let wanted = share.min(left(&chosen));
            let due = self.due_of(&partner, now, wanted).await?;
            if u32::try_from(due.len()).unwrap_or(u32::MAX) == wanted {
                have_more.push((partner, wanted));
            }
            chosen.extend(due);
        }
        for (partner, had) in have_more {
            let left = left(&chosen);
            if left > 0 {
                // What it had stands first again.
                let more = self.due_of(&partner, now, had.saturating_add(left)).await?;
                chosen.extend(more.into_iter().skip(usize::try_from(had).unwrap_or(usize::MAX)));
            }
        }
        Ok(chosen)
    }

    /// Partners with something due, those who wait longest first. Steps from partner to partner along the
    /// index, however much each of them has waiting.
    async fn waiting_partners(&mut self, now: Timestamp, limit: u32) -> Result<Vec<PartnerDomain>, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_scalar(
                "WITH RECURSIVE waiting (partner) AS (
                     SELECT (SELECT MIN(journal.partner) FROM journal WHERE journal.state IN ('pending', 'working'))
                     UNION ALL
                     SELECT (SELECT MIN(journal.partner)
                               FROM journal
                              WHERE journal.state IN ('pending', 'working') AND journal.partner > waiting.partner)
                       FROM waiting
                      WHERE waiting.partner IS NOT NULL),
                 since (partner, next_at) AS (
                     SELECT waiting.partner,
                            (SELECT MIN(journal.next_at)
                               FROM journal
                              WHERE journal.state IN ('pending', 'working') AND journal.partner = waiting.partner)
                       FROM waiting
                      WHERE waiting.partner IS NOT NULL)
                 SELECT partner FROM since WHERE next_at <= $1 ORDER BY next_at, partner LIMIT $2",
            )
            .bind(now)
            .bind(i64::from(limit))
            .fetch_all(conn)
            .await?)
        })
    }

    /// The numbers of a partner's oldest activities that are due.
    async fn due_of(&mut self, partner: &PartnerDomain, now: Timestamp, limit: u32) -> Result<Vec<i64>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let text = skip_locked!(
            self,
            "SELECT number
               FROM journal
              WHERE partner = $1 AND state IN ('pending', 'working') AND next_at <= $2
              ORDER BY next_at, number
              LIMIT $3",
            ""
        );
        on_backend!(self, conn => {
            Ok(sqlx::query_scalar(text).bind(partner).bind(now).bind(i64::from(limit)).fetch_all(conn).await?)
        })
    }

    /// How many of a partner's activities wait for their effect; not counted beyond `most`.
    pub async fn waiting_of(&mut self, partner: &PartnerDomain, most: u64) -> Result<u64, StoreError> {
        let count: i64 = on_backend!(self, conn => {
            sqlx::query_scalar(
                "SELECT COUNT(*)
                   FROM (SELECT 1 AS one
                           FROM journal
                          WHERE partner = $1 AND state IN ('pending', 'working')
                          LIMIT $2) AS waiting",
            )
            .bind(partner)
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_one(conn)
            .await?
        });
        Ok(unsigned(count))
    }
}
