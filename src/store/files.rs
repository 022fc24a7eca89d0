//! Where a platform keeps the files of documents now. It is kept beside what is signed, and changing it is
//! no revision (architecture §4.7).

use sqlx::QueryBuilder;

use super::columns::{json, number};
use super::{CHUNK, StoreError, Tx, comes_again, on_backend};
use crate::domain::Record;

impl Tx {
    /// Keeps these records, which are stored under the same revisions and differ from that only in what is not
    /// signed. Returns how many were still there.
    pub async fn keep_unsigned(&mut self, records: &[Record]) -> Result<u64, StoreError> {
        let mut kept = 0;
        for chunk in records.chunks(CHUNK) {
            let documents = chunk.iter().map(|record| json("a record", record)).collect::<Result<Vec<_>, _>>()?;
            kept += on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("WITH moved (id, revision, document) AS (");
                query.push_values(chunk.iter().zip(documents), |mut row, (record, document)| {
                    row.push_bind(&record.id).push_bind(number(record.revision)).push_bind(document);
                });
                query.push(
                    ") UPDATE record
                          SET record = moved.document
                         FROM moved
                        WHERE record.id = moved.id AND record.revision = moved.revision AND record.standing = 'live'",
                );
                query.build().persistent(comes_again(chunk.len())).execute(conn).await?.rows_affected()
            });
        }
        Ok(kept)
    }
}
