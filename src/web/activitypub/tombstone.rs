//! What a page says of a tombstone: when and why.

use crate::domain::record::ReasonCode;
use crate::domain::time::Timestamp;

/// When and why something was deleted, as far as its tombstone says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub deleted: Option<Timestamp>,
    /// Why.
    pub reason: Option<ReasonCode>,
}

/// Reads the sealed bytes of a tombstone; what cannot be read is not told.
#[must_use]
pub fn read(sealed: &[u8]) -> Told {
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(sealed) else { return Told::default() };
    let text = |name: &str| json.get(name).and_then(serde_json::Value::as_str);
    Told {
        deleted: text("deleted").and_then(|at| at.parse().ok()),
        reason: text("reasonCode").and_then(|code| {
            ReasonCode::ALL.iter().copied().find(|reason| code == reason.word() || code.ends_with(&format!("reason-{reason}")))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tombstone_tells_when_and_why() {
        let told = read(br#"{"deleted":"2027-01-03T08:00:00Z","reasonCode":"pv:reason-personal-data"}"#);
        assert_eq!(told.deleted.map(|at| at.to_string()).as_deref(), Some("2027-01-03T08:00:00Z"));
        assert_eq!(told.reason, Some(ReasonCode::PersonalData));
        assert_eq!(read(b"not json"), Told::default());
    }
}
