//! Where a platform keeps the files of documents now. It is kept beside what is signed, and changing it is
//! no revision (architecture §4.7).

use super::columns::{json, number};
use super::{StoreError, Tx, on_backend};
use crate::domain::Record;

impl Tx {
    /// Keeps `record`, which is stored under the same revision and differs from it only in what is not
    /// signed. Whether it was still there.
    pub async fn keep_unsigned(&mut self, record: &Record) -> Result<bool, StoreError> {
        let document = json("a record", record)?;
        let done = on_backend!(self, conn => {
            sqlx::query("UPDATE record SET record = $2 WHERE id = $1 AND revision = $3 AND standing = 'live'")
                .bind(&record.id)
                .bind(document)
                .bind(number(record.revision))
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(done == 1)
    }
}
