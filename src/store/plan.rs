//! Planning: what each partner is due after a batch of changes, in one statement whatever their number.

use sqlx::QueryBuilder;

use super::{Backend, CHUNK, StoreError, Tx, on_backend};
use crate::domain::change::Change;
use crate::domain::{RecordId, Timestamp};

impl Tx {
    /// Writes what every partner is due after these changes, from the *present* state of their records
    /// (so superseded updates collapse into one). Returns how many disclosures became due.
    ///
    /// Who is told what:
    /// - a visible record goes to every partner that follows us, and to every reader server of which an account follows
    ///   us or its consultation;
    /// - one that is deleted or hidden, or whose author withdrew it, goes before all others to whoever holds
    ///   it or may hold it, follower or not (R8, GDPR-02, GDPR-19): a recall;
    /// - what was never on its way to a partner is withdrawn without a word.
    pub async fn plan(&mut self, changes: &[Change], at: Timestamp) -> Result<u64, StoreError> {
        let order = match self.backend() {
            // As they are claimed and finished: what is done together lies together. SQLite has one writer.
            Backend::Sqlite => "due.id, due.domain",
            // As whoever locks several rows does (`lock_ledger`).
            Backend::Postgres => "due.domain, due.id",
        };
        let mut planned = 0;
        for chunk in changes.chunks(CHUNK) {
            planned += on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "WITH told AS (
                         SELECT id, class, process, revision, standing,
                                standing <> 'live' OR COALESCE(record.record -> 'body' ->> 'author_state', '') = 'withdrawn' AS taken_back
                           FROM record
                          WHERE id IN (",
                );
                let mut list = query.separated(", ");
                for change in chunk {
                    list.push_bind(&change.record);
                }
                query.push(
                    ")), due AS (
                         SELECT partner.domain, told.id, told.class, told.revision, told.standing, told.taken_back
                           FROM told
                          CROSS JOIN partner
                          WHERE told.standing = 'live' AND partner.follows_us = 'accepted'
                            AND (partner.kind = 'partner'
                                 OR EXISTS (SELECT 1
                                              FROM follower
                                             WHERE follower.partner = partner.domain AND follower.process IN ('', told.process)))
                          UNION
                         SELECT held.partner, told.id, told.class, told.revision, told.standing, told.taken_back
                           FROM told
                           JOIN disclosure AS held ON held.record = told.id AND held.offered
                          WHERE told.taken_back
                     )
                     INSERT INTO disclosure (partner, record, class, due_revision, due_kind, priority, state, planned_at, next_at)
                     SELECT due.domain, due.id, due.class, due.revision,
                            CASE WHEN due.standing = 'deleted' THEN 'deleted' ELSE 'created' END,
                            CASE WHEN due.taken_back AND COALESCE(mine.offered, FALSE) THEN 0
                                 WHEN due.class = 'Consultation' THEN 1
                                 WHEN due.class = 'Contribution' THEN 2
                                 ELSE 3 END,
                            'due', ",
                );
                query.push_bind(at).push(", ").push_bind(at);
                // Always in the same order, so that two processes never wait for each other in a circle.
                // A row that is on its way keeps its lease: what is due next is looked at when it is done.
                query.push(
                    " FROM due
                      LEFT JOIN disclosure AS mine ON mine.partner = due.domain AND mine.record = due.id
                      WHERE TRUE
                      ORDER BY ",
                );
                query.push(order);
                query.push(
                    "    ON CONFLICT (partner, record) DO UPDATE
                          SET class = excluded.class,
                              due_revision = excluded.due_revision,
                              due_kind = CASE WHEN excluded.due_kind = 'deleted' THEN 'deleted'
                                              WHEN disclosure.acked_revision IS NULL THEN 'created'
                                              ELSE 'updated' END,
                              priority = excluded.priority,
                              state = CASE WHEN disclosure.state = 'sending' THEN disclosure.state ELSE 'due' END,
                              attempts = CASE WHEN disclosure.state = 'sending' THEN disclosure.attempts ELSE 0 END,
                              next_at = CASE WHEN disclosure.state = 'sending' THEN disclosure.next_at ELSE excluded.next_at END,
                              -- A recall is due since it is one, not since the news that it overtakes.
                              planned_at = CASE WHEN excluded.priority = 0 AND disclosure.priority > 0 THEN excluded.planned_at
                                                WHEN disclosure.state IN ('due', 'sending', 'unconfirmed') THEN disclosure.planned_at
                                                ELSE excluded.planned_at END
                        WHERE excluded.due_revision > disclosure.due_revision",
                );
                query.build().execute(conn).await?.rows_affected()
            });
            self.withdraw(chunk).await?;
        }
        Ok(planned)
    }

    /// Takes back what was planned but never on its way, of records that are not visible any more.
    async fn withdraw(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let unseen: Vec<(RecordId,)> = on_backend!(&mut *self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("SELECT id FROM record WHERE standing <> 'live' AND id IN (");
            let mut list = query.separated(", ");
            for change in changes {
                list.push_bind(&change.record);
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await?
        });
        if unseen.is_empty() {
            return Ok(());
        }
        on_backend!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("DELETE FROM disclosure WHERE NOT offered AND state = 'due' AND record IN (");
            let mut list = query.separated(", ");
            for (id,) in &unseen {
                list.push_bind(id);
            }
            query.push(")");
            query.build().execute(conn).await?;
        });
        Ok(())
    }
}
