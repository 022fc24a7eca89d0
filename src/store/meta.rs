//! Facts about the database itself: whose it is, and single values that fit no table.

use url::Url;

use super::columns::whole;
use super::{StoreError, Tx, on_backend};

/// Under which name the owner's address is kept.
const PUBLIC_URL: &str = "public_url";

impl Tx {
    /// Says that this database belongs to the gateway at `public_url`: writes it down the first time,
    /// compares ever after.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] when it belongs to another gateway.
    pub async fn belong_to(&mut self, public_url: &Url) -> Result<(), StoreError> {
        on_backend!(&mut *self, conn => {
            sqlx::query(
                "INSERT INTO meta (name, value)
                 VALUES ($1, $2)
                 ON CONFLICT (name) DO NOTHING",
            )
            .bind(PUBLIC_URL)
            .bind(public_url.as_str())
            .execute(conn)
            .await?;
        });
        match self.owner().await? {
            Some(theirs) if theirs != public_url.as_str() => Err(StoreError::Foreign { ours: public_url.to_string(), theirs }),
            _ => Ok(()),
        }
    }

    /// The public address of the gateway that this database belongs to, once there is one.
    pub async fn owner(&mut self) -> Result<Option<String>, StoreError> {
        self.fact(PUBLIC_URL).await
    }

    /// A single value by its name.
    pub async fn fact(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_scalar("SELECT value FROM meta WHERE name = $1").bind(name).fetch_optional(conn).await?)
        })
    }

    /// Writes a single value under a name, replacing what was there.
    pub async fn put_fact(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        let value = whole("a fact", value)?;
        on_backend!(self, conn => {
            sqlx::query(
                "INSERT INTO meta (name, value)
                 VALUES ($1, $2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            )
            .bind(name)
            .bind(value)
            .execute(conn)
            .await?;
        });
        Ok(())
    }
}
