//! Whose request a reverse proxy brings.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client that the nearest proxy saw: the last address in `X-Forwarded-For` that is not a proxy of ours.
/// What stands before it was written by the client itself and proves nothing.
pub(super) fn client(headers: &HeaderMap, is_proxy: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
    // Bytes, not text: what the client wrote may be neither, and must not take along what stands behind it.
    let entries = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    entries.map(read).find(|address| !address.is_some_and(&is_proxy))?
}

/// An address, with or without a port.
fn read(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn seen<L: AsRef<[u8]>>(lines: &[L]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line.as_ref()).expect("a header"));
        }
        let proxy: IpAddr = "10.0.0.1".parse().expect("an address");
        client(&headers, |address| address == proxy).map(|address| address.to_string())
    }

    #[test]
    fn what_the_client_claims_is_passed_over() {
        assert_eq!(seen(&["192.0.2.1"]).as_deref(), Some("192.0.2.1"));
        assert_eq!(seen(&["198.51.100.7, 192.0.2.1, 10.0.0.1"]).as_deref(), Some("192.0.2.1"));
        assert_eq!(seen(&["198.51.100.7", "192.0.2.1"]).as_deref(), Some("192.0.2.1"));
        assert_eq!(seen(&["[2001:db8::1]:4711"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(seen(&["192.0.2.1:80"]).as_deref(), Some("192.0.2.1"));
        for nobody in [&[][..], &["10.0.0.1"], &["198.51.100.7, unknown"], &["198.51.100.7,"]] {
            assert_eq!(seen(nobody), None, "{nobody:?}");
        }
    }

    #[test]
    fn sec_123_bytes_that_are_no_text_hide_nobody() {
        assert_eq!(seen(&["\u{e9}, 192.0.2.1"]).as_deref(), Some("192.0.2.1"));
        assert_eq!(seen(&[&b"\xff\xfe, 192.0.2.1, 10.0.0.1"[..]]).as_deref(), Some("192.0.2.1"));
        assert_eq!(seen(&[&b"\xff"[..], b"192.0.2.1"]).as_deref(), Some("192.0.2.1"));
        assert_eq!(seen(&[&b"192.0.2.1"[..], b"\xff"]), None, "the nearest proxy wrote it: nobody is named");
    }
}
