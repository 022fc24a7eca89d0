//! How each server of the Fediverse wants our requests to be signed, as far as it showed it: one row a
//! host, for a while. A host without a row is signed for with draft-cavage, which everybody reads.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::{FromRow, QueryBuilder};

use super::columns::text_column;
use super::{CHUNK, StoreError, Tx, on_backend, rounded};
use crate::domain::{PartnerDomain, Timestamp};
use crate::words;

words! {
    /// A scheme of HTTP signatures.
    Scheme {
        Cavage = "draft-cavage",
        Rfc9421 = "rfc9421",
    }
}

words! {
    /// How a host showed its scheme: it signed so itself, it asked for it (`Accept-Signature`), or it took
    /// this scheme after it had refused the other.
    Evidence {
        Sent = "sent",
        Asked = "asked",
        Taken = "taken",
    }
}
text_column!(Scheme, Evidence);

/// How long what a host showed is remembered.
pub const REMEMBERED: Duration = Duration::from_hours(30 * 24);

/// What is remembered of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Preference {
    /// Its scheme.
    pub scheme: Scheme,
    /// How it showed it.
    pub evidence: Evidence,
    /// Until when that counts.
    pub valid_until: Timestamp,
}

#[derive(FromRow)]
struct Row {
    host: PartnerDomain,
    #[sqlx(flatten)]
    preference: Preference,
}

impl Preference {
    /// Whether new evidence changes what is remembered: it says something else, is stronger, or what is
    /// remembered is half over. A hint does not overrule what an answer proved.
    #[must_use]
    pub fn yields_to(&self, scheme: Scheme, evidence: Evidence, now: Timestamp) -> bool {
        let proven = evidence == Evidence::Taken;
        if self.evidence == Evidence::Taken && !proven && self.scheme != scheme {
            return false;
        }
        self.scheme != scheme || (proven && self.evidence != Evidence::Taken) || now.plus(REMEMBERED / 2) >= self.valid_until
    }
}

impl Tx {
    /// What these hosts showed, as long as it counts.
    pub async fn preferred_schemes(
        &mut self,
        hosts: &[&PartnerDomain],
        now: Timestamp,
    ) -> Result<BTreeMap<PartnerDomain, Preference>, StoreError> {
        let mut found = BTreeMap::new();
        for chunk in hosts.chunks(CHUNK) {
            let rows: Vec<Row> = on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("SELECT host, scheme, evidence, valid_until FROM scheme WHERE valid_until > ");
                query.push_bind(now).push(" AND host IN (");
                let mut list = query.separated(", ");
                for host in rounded(chunk) {
                    list.push_bind(host);
                }
                query.push(")");
                query.build_query_as().fetch_all(conn).await?
            });
            found.extend(rows.into_iter().map(|row| (row.host, row.preference)));
        }
        Ok(found)
    }

    /// Remembers what a host showed.
    pub async fn put_scheme(
        &mut self,
        host: &PartnerDomain,
        scheme: Scheme,
        evidence: Evidence,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on_backend!(self, conn => {
            sqlx::query(
                "INSERT INTO scheme (host, scheme, evidence, valid_until)
                 VALUES ($1, $2, $3, $4)
                 ON CONFLICT (host) DO UPDATE
                    SET scheme = excluded.scheme, evidence = excluded.evidence, valid_until = excluded.valid_until",
            )
            .bind(host)
            .bind(scheme)
            .bind(evidence)
            .bind(now.plus(REMEMBERED))
            .execute(conn)
            .await?;
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_does_not_overrule_what_an_answer_proved() {
        let now = Timestamp::from_seconds(1_790_000_000).expect("a time");
        let known = |scheme, evidence| Preference { scheme, evidence, valid_until: now.plus(REMEMBERED) };
        let refused = known(Scheme::Cavage, Evidence::Taken);
        assert!(!refused.yields_to(Scheme::Rfc9421, Evidence::Asked, now));
        assert!(!refused.yields_to(Scheme::Rfc9421, Evidence::Sent, now));
        assert!(refused.yields_to(Scheme::Rfc9421, Evidence::Taken, now));
        let hinted = known(Scheme::Rfc9421, Evidence::Sent);
        assert!(hinted.yields_to(Scheme::Cavage, Evidence::Taken, now));
        assert!(!hinted.yields_to(Scheme::Rfc9421, Evidence::Asked, now), "nothing new");
        assert!(hinted.yields_to(Scheme::Rfc9421, Evidence::Asked, now.plus(REMEMBERED / 2)), "half over");
    }
}
