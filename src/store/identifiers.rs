//! The persistent table behind our addresses: (platform, type, local id, path) keeps its key for ever,
//! through a change of host, of locale in URLs, or of the platform's own addresses (architecture §4.2).

use std::collections::{HashMap, HashSet};

use rand::Rng;
use sqlx::{FromRow, QueryBuilder};

use super::columns::whole;
use super::{CHUNK, StoreError, Tx, comes_again, on_backend};
use crate::domain::{Class, Key, LocalId, PlatformName};

#[derive(FromRow)]
struct Row {
    platform: PlatformName,
    entity: String,
    local_id: String,
    class: Class,
    key: Key,
}

/// An argument and a comment share a path, so an item keeps its key when its stance becomes known.
type Name<'i> = (&'i PlatformName, &'i str, &'i str, &'static str);

fn name(id: &LocalId) -> Name<'_> {
    (&id.platform, &id.entity, &id.id, id.class.segment())
}

impl Tx {
    /// The keys of these items, made now (16 random bytes) where they are not known yet.
    pub async fn mint(&mut self, ids: &[LocalId], rng: &mut (dyn Rng + Send)) -> Result<HashMap<LocalId, Key>, StoreError> {
        let mut keys = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            for id in chunk {
                whole("a platform's id", &id.id)?;
                whole("a platform's type", &id.entity)?;
            }
            self.known_keys(chunk, &mut keys).await?;
            let mut named = HashSet::new();
            let missing: Vec<(&LocalId, Key)> = chunk
                .iter()
                .filter(|id| !keys.contains_key(*id) && named.insert(name(id)))
                .map(|id| {
                    let mut bytes = [0_u8; 16];
                    rng.fill_bytes(&mut bytes);
                    (id, Key::from_bytes(&bytes))
                })
                .collect();
            if self.add_keys(&missing).await? == missing.len() as u64 {
                // Two classes of one item may share a name.
                let made: HashMap<Name<'_>, &Key> = missing.iter().map(|(id, key)| (name(id), key)).collect();
                let new = chunk.iter().filter_map(|id| Some((id.clone(), (*made.get(&name(id))?).clone())));
                keys.extend(new);
            } else {
                // Another process was faster with some of them.
                self.known_keys(chunk, &mut keys).await?;
            }
        }
        Ok(keys)
    }

    /// The keys of those of these items that have one; makes none.
    pub async fn minted(&mut self, ids: &[LocalId]) -> Result<HashMap<LocalId, Key>, StoreError> {
        let mut keys = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            self.known_keys(chunk, &mut keys).await?;
        }
        Ok(keys)
    }

    /// The item behind one of our addresses, by its path segment and key.
    pub async fn local_id_of(&mut self, segment: &str, key: &Key) -> Result<Option<LocalId>, StoreError> {
        let row: Option<Row> = on_backend!(self, conn => {
            sqlx::query_as(
                "SELECT platform, entity, local_id, class, key
                   FROM identifier
                  WHERE segment = $1 AND key = $2",
            )
            .bind(segment)
            .bind(key)
            .fetch_optional(conn)
            .await?
        });
        Ok(row.map(|row| LocalId { platform: row.platform, entity: row.entity, id: row.local_id, class: row.class }))
    }

    async fn known_keys(&mut self, ids: &[LocalId], keys: &mut HashMap<LocalId, Key>) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let rows: Vec<Row> = on_backend!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("WITH wanted (platform, entity, local_id, segment) AS (");
            query.push_values(ids, |mut row, id| {
                row.push_bind(&id.platform).push_bind(&id.entity).push_bind(&id.id).push_bind(id.class.segment());
            });
            query.push(
                ") SELECT identifier.platform, identifier.entity, identifier.local_id, identifier.class, identifier.key
                     FROM wanted
                     JOIN identifier
                       ON identifier.platform = wanted.platform AND identifier.entity = wanted.entity
                      AND identifier.local_id = wanted.local_id AND identifier.segment = wanted.segment",
            );
            query.build_query_as().persistent(comes_again(ids.len())).fetch_all(conn).await?
        });
        let found: HashMap<Name<'_>, &Key> = rows
            .iter()
            .map(|row| ((&row.platform, row.entity.as_str(), row.local_id.as_str(), row.class.segment()), &row.key))
            .collect();
        for id in ids {
            if let Some(key) = found.get(&name(id)) {
                keys.insert(id.clone(), (*key).clone());
            }
        }
        Ok(())
    }

    /// Adds names that nobody has; returns how many were added.
    async fn add_keys(&mut self, keys: &[(&LocalId, Key)]) -> Result<u64, StoreError> {
        if keys.is_empty() {
            return Ok(0);
        }
        let added = on_backend!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("INSERT INTO identifier (platform, entity, local_id, segment, class, key) ");
            query.push_values(keys, |mut row, (id, key)| {
                row.push_bind(&id.platform)
                    .push_bind(&id.entity)
                    .push_bind(&id.id)
                    .push_bind(id.class.segment())
                    .push_bind(id.class)
                    .push_bind(key);
            });
            query.push(" ON CONFLICT (platform, entity, local_id, segment) DO NOTHING");
            query.build().persistent(comes_again(keys.len())).execute(conn).await?.rows_affected()
        });
        Ok(added)
    }
}
