//! The exchange log as evidence (I10): per partner a chain, each row with the digest of the row before it
//! and of its own content. Whoever noted one digest can prove later that nothing before it was changed,
//! taken out or moved; whoever noted none still finds each such change that did not rewrite the whole chain.

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::{FromRow, QueryBuilder};

use super::columns::{number, unsigned};
use super::exchanges::Exchange;
use super::{Backend, StoreError, Tx, on_backend};
use crate::domain::digest::Digest;
use crate::domain::{PartnerDomain, Timestamp};

/// Rows read at a time.
const AT_A_TIME: i64 = 1000;

/// One end of a chain: a row of the log and the digest of it and everything before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainEnd {
    /// The number of the row.
    pub row: i64,
    /// Its digest.
    pub digest: Digest,
}

/// The first row at which a chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its number; where rows are missing at the end, the last one that is there (0 for none).
    pub row: i64,
    /// What is wrong, in a sentence.
    pub problem: String,
}

/// What walking the chain of one partner found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Whose.
    pub partner: PartnerDomain,
    /// How many rows are in it.
    pub rows: u64,
    /// How many rows are older than the chain, and not covered by it.
    pub before: u64,
    /// Its end, as far as it holds.
    pub end: Option<ChainEnd>,
    /// Where it does not hold.
    pub broken: Option<Broken>,
}

/// A row as it lies in the database, whatever it says.
#[derive(Debug, FromRow)]
struct Raw {
    number: i64,
    record: Option<String>,
    revision: Option<i64>,
    digest: Option<String>,
    activity: String,
    at: Timestamp,
    status: Option<i64>,
    answer: Option<String>,
    chain: Option<String>,
}

#[derive(FromRow)]
struct Head {
    domain: PartnerDomain,
    #[sqlx(rename = "log_head")]
    end: Option<String>,
    #[sqlx(rename = "log_rows")]
    rows: i64,
}

/// What a row adds: the digest of a JSON array (its RFC 8785 form) of the digest before it, the partner, and its
/// columns in their order; `at` in microseconds since 1970, what is absent as null.
fn link(previous: Option<&str>, partner: &PartnerDomain, row: &Raw) -> Digest {
    let Raw { record, revision, digest, activity, at, status, answer, .. } = row;
    let content = json!([previous, partner, record, revision, digest, activity, at.micros(), status, answer]);
    Digest::of(content.to_string().as_bytes())
}

impl From<&Exchange> for Raw {
    fn from(exchange: &Exchange) -> Self {
        Self {
            number: 0,
            record: exchange.record.as_ref().map(ToString::to_string),
            revision: exchange.revision.map(number),
            digest: exchange.digest.as_ref().map(ToString::to_string),
            activity: exchange.activity.clone(),
            at: exchange.at,
            status: exchange.status.map(i64::from),
            answer: exchange.answer.clone(),
            chain: None,
        }
    }
}

impl Tx {
    /// The digests that exchanges add to the chains of their partners, which end with the last of them then.
    /// The partners' rows are locked for the rest of the transaction, so that no two writers continue the same
    /// end, and always in the same order, so that they never wait for each other in a circle.
    pub(super) async fn continue_chains(
        &mut self,
        exchanges: &BTreeMap<&PartnerDomain, Vec<Exchange>>,
    ) -> Result<Vec<Digest>, StoreError> {
        let lock = match self.backend() {
            Backend::Sqlite => "",
            Backend::Postgres => " ORDER BY domain FOR NO KEY UPDATE",
        };
        let heads: Vec<Head> = on_backend!(&mut *self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("SELECT domain, log_head, log_rows FROM partner WHERE domain IN (");
            let mut list = query.separated(", ");
            for partner in exchanges.keys() {
                list.push_bind(*partner);
            }
            query.push(")").push(lock);
            query.build_query_as().fetch_all(conn).await?
        });
        let mut heads: BTreeMap<PartnerDomain, Option<String>> = heads.into_iter().map(|head| (head.domain, head.end)).collect();
        let unlisted = StoreError::Affected { what: "logging an exchange with a partner", expected: 1, actual: 0 };
        let mut digests = Vec::new();
        for (partner, exchanges) in exchanges {
            let Some(end) = heads.get_mut(*partner) else { return Err(unlisted) };
            for exchange in exchanges {
                let digest = link(end.as_deref(), partner, &Raw::from(exchange));
                *end = Some(digest.to_string());
                digests.push(digest);
            }
        }
        on_backend!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("WITH new (domain, log_head, rows) AS (");
            query.push_values(exchanges, |mut row, (partner, exchanges)| {
                let added = i64::try_from(exchanges.len()).unwrap_or(i64::MAX);
                row.push_bind(*partner).push_bind(heads.get(*partner).cloned().flatten()).push_bind(added);
            });
            query.push(
                ") UPDATE partner
                      SET log_head = new.log_head, log_rows = partner.log_rows + new.rows
                     FROM new
                    WHERE partner.domain = new.domain",
            );
            query.build().execute(conn).await?;
        });
        Ok(digests)
    }

    /// Walks the chain of every partner from its beginning to its end.
    pub async fn verify_exchanges(&mut self) -> Result<Vec<Chain>, StoreError> {
        let partners: Vec<PartnerDomain> = on_backend!(&mut *self, conn => {
            sqlx::query_scalar("SELECT domain FROM partner WHERE log_rows > 0 UNION SELECT partner FROM exchange ORDER BY 1")
                .fetch_all(conn)
                .await?
        });
        let mut chains = Vec::with_capacity(partners.len());
        for partner in partners {
            chains.push(self.walk(partner).await?);
        }
        Ok(chains)
    }

    /// The digest that a row of the log carries; `None` when there is no such row or it has none.
    pub async fn exchange_digest(&mut self, row: i64) -> Result<Option<String>, StoreError> {
        let found: Option<Option<String>> = on_backend!(self, conn => {
            sqlx::query_scalar("SELECT chain FROM exchange WHERE number = $1").bind(row).fetch_optional(conn).await?
        });
        Ok(found.flatten())
    }

    async fn walk(&mut self, partner: PartnerDomain) -> Result<Chain, StoreError> {
        let mut chain = Chain { partner, rows: 0, before: 0, end: None, broken: None };
        let mut after = i64::MIN;
        while let rows = self.rows_of(&chain.partner, after).await?
            && let Some(last) = rows.last()
        {
            after = last.number;
            for row in &rows {
                if let Err(problem) = chain.take(row) {
                    chain.broken = Some(Broken { row: row.number, problem: problem.to_owned() });
                    return Ok(chain);
                }
            }
        }
        let head: Option<Head> = on_backend!(self, conn => {
            sqlx::query_as("SELECT domain, log_head, log_rows FROM partner WHERE domain = $1")
                .bind(&chain.partner)
                .fetch_optional(conn)
                .await?
        });
        chain.expect_end(head.as_ref());
        Ok(chain)
    }

    async fn rows_of(&mut self, partner: &PartnerDomain, after: i64) -> Result<Vec<Raw>, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_as(
                "SELECT number, record, revision, digest, activity, at, status, answer, chain
                   FROM exchange
                  WHERE partner = $1 AND number > $2
                  ORDER BY number
                  LIMIT $3",
            )
            .bind(partner)
            .bind(after)
            .bind(AT_A_TIME)
            .fetch_all(conn)
            .await?)
        })
    }
}

impl Chain {
    fn take(&mut self, row: &Raw) -> Result<(), &'static str> {
        let Some(carried) = &row.chain else {
            if self.end.is_some() {
                return Err("it carries no digest, but the row before it does");
            }
            self.before += 1;
            return Ok(());
        };
        let digest = link(self.end.as_ref().map(|end| end.digest.as_str()), &self.partner, row);
        if digest.as_str() != carried {
            return Err("it is not what was logged, or a row before it was changed, taken out or moved");
        }
        self.rows += 1;
        self.end = Some(ChainEnd { row: row.number, digest });
        Ok(())
    }

    /// Rows that are taken out at the end leave a chain that holds, but not the one that the partner's row knows.
    fn expect_end(&mut self, head: Option<&Head>) {
        let (logged, last) = head.map_or((0, None), |head| (unsigned(head.rows), head.end.as_deref()));
        if logged != self.rows || last != self.end.as_ref().map(|end| end.digest.as_str()) {
            let there = self.rows;
            let problem = format!("the chain does not end as it was written: {logged} rows were logged, {there} are there");
            self.broken = Some(Broken { row: self.end.as_ref().map_or(0, |end| end.row), problem });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever verifies with another program needs these bytes; they never change.
    #[test]
    fn the_canonical_content_of_a_row_is_fixed() {
        let row = Raw {
            number: 7,
            record: Some("https://a.example/contributions/1".to_owned()),
            revision: Some(2),
            digest: None,
            activity: "https://a.example/activities/1".to_owned(),
            at: "2026-09-15T06:30:00Z".parse().expect("an instant"),
            status: Some(202),
            answer: Some("é\"\n".to_owned()),
            chain: None,
        };
        let partner = "b.example".parse().expect("a domain");
        let bytes = r#"[null,"b.example","https://a.example/contributions/1",2,null,"https://a.example/activities/1",1789453800000000,202,"é\"\n"]"#;
        assert_eq!(link(None, &partner, &row), Digest::of(bytes.as_bytes()));
        assert_ne!(link(Some("zQm"), &partner, &row), link(None, &partner, &row));
    }
}
