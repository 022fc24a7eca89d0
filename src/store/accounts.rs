//! Accounts of reader servers: keys and inboxes, fetched from their own host.

use sqlx::{FromRow, QueryBuilder};

use super::columns::whole;
use super::{CHUNK, StoreError, Tx, on_backend, rounded};
use crate::domain::account::Account;
use crate::domain::{ActorId, PartnerDomain, Timestamp};

/// How many accounts of one server are remembered that follow nothing: what they send is ignored anyway.
const STRANGERS: i64 = 1000;

#[derive(FromRow)]
struct Row {
    actor: ActorId,
    partner: PartnerDomain,
    inbox: String,
    shared_inbox: Option<String>,
    key_id: String,
    key: String,
    seen_at: Timestamp,
}

impl From<Row> for Account {
    fn from(row: Row) -> Self {
        Self {
            actor: row.actor,
            partner: row.partner,
            inbox: row.inbox,
            shared_inbox: row.shared_inbox,
            key_id: row.key_id,
            key: row.key,
            seen_at: row.seen_at,
        }
    }
}

/// The columns of an account, in one place for the statements below.
macro_rules! select_accounts {
    ($rest:literal) => {
        concat!("SELECT actor, partner, inbox, shared_inbox, key_id, key, seen_at FROM account ", $rest)
    };
}

impl Tx {
    /// Remembers an account, or replaces what is known of it. Of those that follow nothing the server's
    /// oldest are forgotten.
    pub async fn put_account(&mut self, account: &Account) -> Result<(), StoreError> {
        let inbox = whole("an inbox", &account.inbox)?;
        let shared = account.shared_inbox.as_deref().map(|shared| whole("an inbox", shared)).transpose()?;
        let (key_id, key) = (whole("a key id", &account.key_id)?, whole("a key", &account.key)?);
        on_backend!(self, conn => {
            sqlx::query(
                "INSERT INTO account (actor, partner, inbox, shared_inbox, key_id, key, seen_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (actor) DO UPDATE
                    SET partner = excluded.partner, inbox = excluded.inbox, shared_inbox = excluded.shared_inbox,
                        key_id = excluded.key_id, key = excluded.key, seen_at = excluded.seen_at",
            )
            .bind(&account.actor)
            .bind(&account.partner)
            .bind(inbox)
            .bind(shared)
            .bind(key_id)
            .bind(key)
            .bind(account.seen_at)
            .execute(&mut *conn)
            .await?;
            sqlx::query(
                "DELETE FROM account
                  WHERE actor IN (SELECT stranger.actor
                                    FROM account AS stranger
                                   WHERE stranger.partner = $1 AND stranger.actor <> $2
                                     AND NOT EXISTS (SELECT 1 FROM follower WHERE follower.actor = stranger.actor)
                                   ORDER BY stranger.seen_at DESC, stranger.actor
                                   LIMIT 1000000 OFFSET $3)",
            )
            .bind(&account.partner)
            .bind(&account.actor)
            .bind(STRANGERS)
            .execute(conn)
            .await?;
        });
        Ok(())
    }

    /// An account by its actor.
    pub async fn lookup_account(&mut self, actor: &ActorId) -> Result<Option<Account>, StoreError> {
        let row: Option<Row> = on_backend!(self, conn => {
            sqlx::query_as(select_accounts!("WHERE actor = $1")).bind(actor).fetch_optional(conn).await?
        });
        Ok(row.map(Account::from))
    }

    /// Those of these accounts that are known, in no particular order.
    pub async fn lookup_accounts(&mut self, actors: &[&ActorId]) -> Result<Vec<Account>, StoreError> {
        let mut found = Vec::with_capacity(actors.len());
        for chunk in actors.chunks(CHUNK) {
            let rows: Vec<Row> = on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(select_accounts!("WHERE actor IN ("));
                let mut list = query.separated(", ");
                for actor in rounded(chunk) {
                    list.push_bind(actor);
                }
                query.push(")");
                query.build_query_as().fetch_all(conn).await?
            });
            found.extend(rows.into_iter().map(Account::from));
        }
        Ok(found)
    }
}
