//! How domain values become columns, once for both databases.
//!
//! Words, ids and digests are TEXT through `Display` and `FromStr`. A `Timestamp` is INTEGER
//! microseconds in SQLite and TIMESTAMPTZ in PostgreSQL. Our own documents are JSON in TEXT or JSONB;
//! received documents are TEXT or bytes, untouched.

use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef};
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::types::Json;
use sqlx::{Database, Decode, Encode, Postgres, Sqlite, Type};

use super::StoreError;
use crate::domain::change::ChangeKind;
use crate::domain::digest::Digest;
use crate::domain::partner::{FollowState, Multikey, PartnerKind};
use crate::domain::{ActorId, Class, Key, PartnerDomain, PlatformName, RecordId, Timestamp};

/// Stores a type as TEXT through `Display` and `FromStr`, in any database.
macro_rules! text_column {
    ($($name:ty),+ $(,)?) => {$(
        impl<DB: sqlx::Database> sqlx::Type<DB> for $name where String: sqlx::Type<DB> {
            fn type_info() -> DB::TypeInfo { <String as sqlx::Type<DB>>::type_info() }
            fn compatible(ty: &DB::TypeInfo) -> bool { <String as sqlx::Type<DB>>::compatible(ty) }
        }
        impl<'q, DB: sqlx::Database> sqlx::Encode<'q, DB> for $name where String: sqlx::Encode<'q, DB> {
            fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                <String as sqlx::Encode<'q, DB>>::encode(self.to_string(), buffer)
            }
        }
        impl<'r, DB: sqlx::Database> sqlx::Decode<'r, DB> for $name where &'r str: sqlx::Decode<'r, DB> {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                Ok(<&str as sqlx::Decode<'r, DB>>::decode(value)?.parse()?)
            }
        }
    )+};
}
pub(super) use text_column;

text_column!(RecordId, ActorId, Key, PartnerDomain, PlatformName, Class, Digest, Multikey, ChangeKind, PartnerKind, FollowState);

/// Microseconds from 1970 to 2000, where PostgreSQL counts from.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

impl Type<Sqlite> for Timestamp {
    fn type_info() -> SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }
    fn compatible(ty: &SqliteTypeInfo) -> bool {
        <i64 as Type<Sqlite>>::compatible(ty)
    }
}

impl Encode<'_, Sqlite> for Timestamp {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<'_, Sqlite>>::encode(self.micros(), buffer)
    }
}

impl<'r> Decode<'r, Sqlite> for Timestamp {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        Self::from_micros(<i64 as Decode<'r, Sqlite>>::decode(value)?).ok_or_else(|| "outside of the years 1 to 9999".into())
    }
}

impl Type<Postgres> for Timestamp {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("timestamptz")
    }
}

impl Encode<'_, Postgres> for Timestamp {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<'_, Postgres>>::encode(self.micros() - POSTGRES_EPOCH, buffer)
    }
}

impl<'r> Decode<'r, Postgres> for Timestamp {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let micros = <i64 as Decode<'r, Postgres>>::decode(value)?.saturating_add(POSTGRES_EPOCH);
        Self::from_micros(micros).ok_or_else(|| "outside of the years 1 to 9999".into())
    }
}

/// A document of ours, ready to be bound; refused when a text in it holds NUL.
pub(super) fn json<T: Serialize>(what: &'static str, value: &T) -> Result<Json<Box<RawValue>>, StoreError> {
    let raw = serde_json::value::to_raw_value(value).map_err(|source| StoreError::Json { what, source })?;
    // A NUL is always written as this escape; the same six characters of a text are written `\\u0000`.
    let text = raw.get();
    let holds_nul = text.match_indices("\\u0000").any(|(at, _)| {
        let backslashes = text[..at].bytes().rev().take_while(|&b| b == b'\\').count();
        backslashes % 2 == 0
    });
    if holds_nul { Err(StoreError::Nul { what }) } else { Ok(Json(raw)) }
}

/// Text that must be stored as it is: refused when it holds NUL.
pub(super) fn whole<'t>(what: &'static str, text: &'t str) -> Result<&'t str, StoreError> {
    if text.contains('\0') { Err(StoreError::Nul { what }) } else { Ok(text) }
}

/// A remark for people, at most `max` characters, without NUL.
pub(super) fn remark(text: &str, max: usize) -> String {
    text.chars().filter(|&c| c != '\0').take(max).collect()
}

/// A revision or count as a column; the highest value means "all".
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A column as a revision or count.
pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A column as a small count.
pub(super) fn small(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(if value < 0 { 0 } else { u32::MAX })
}

/// A column as an HTTP status.
pub(super) fn status(value: Option<i64>) -> Option<u16> {
    value.and_then(|status| u16::try_from(status).ok())
}

/// Keeps the compiler honest that both drivers are covered.
const _: () = {
    const fn stored_by<DB: Database, T: Type<DB>>() {}
    stored_by::<Sqlite, Timestamp>();
    stored_by::<Postgres, Timestamp>();
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_inside_a_document_is_found_and_an_escaped_backslash_is_not() {
        assert!(matches!(json("x", &"a\0b"), Err(StoreError::Nul { .. })));
        assert!(matches!(json("x", &"\\\0"), Err(StoreError::Nul { .. })));
        assert!(json("x", &"\\u0000").is_ok());
        assert!(json("x", &"plain").is_ok());
    }
}
