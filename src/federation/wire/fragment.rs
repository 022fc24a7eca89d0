//! Names of parts of a process: `{process}#{fragment}`.

use super::WireError;
use crate::domain::RecordId;

/// The address of a part.
#[must_use]
pub fn write(process: &RecordId, fragment: &str) -> String {
    format!("{process}#{fragment}")
}

/// The fragment of a part of `process`.
///
/// # Errors
/// When the address is not within the process, or the fragment holds more than letters, digits, `-`,
/// `_`, `.`, `~`.
pub fn read(process: &RecordId, address: &str, path: &str) -> Result<String, WireError> {
    let fragment = address.strip_prefix(process.as_str()).and_then(|rest| rest.strip_prefix('#')).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    if fragment.is_empty() || fragment.len() > 100 || !fragment.chars().all(plain) {
        return Err(WireError::new(path, "not the process's own address with a fragment"));
    }
    Ok(fragment.to_owned())
}
