//! How the bytes of an answer are packed (RFC 9110 §8.4): as they are, with Brotli or with gzip.

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_http::compression::CompressionLayer;

use super::negotiate::weight;

/// A header with more codings than this is read up to here.
const MAX_CODINGS: usize = 32;

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coding {
    /// The bytes themselves.
    Plain,
    /// `gzip`.
    Gzip,
    /// `br`.
    Brotli,
}

impl Coding {
    const ALL: [Self; 3] = [Self::Plain, Self::Gzip, Self::Brotli];

    /// Its name in a header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
        }
    }

    /// The coding that these headers ask for: the greatest weight, of equal ones the smallest bytes. None
    /// when they refuse every coding there is, the plain bytes included.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let (mut named, mut others) = ([None; 3], None);
        for range in lines.flat_map(|line| line.split(',')).take(MAX_CODINGS) {
            let mut parts = range.split(';');
            let name = parts.next().unwrap_or_default().trim();
            let known = Self::ALL.iter().position(|coding| name.eq_ignore_ascii_case(coding.name()));
            match known {
                Some(place) => named[place] = Some(weight(parts)),
                None if name == "*" => others = Some(weight(parts)),
                None if name.eq_ignore_ascii_case("x-gzip") => named[1] = Some(weight(parts)),
                None => {}
            }
        }
        let refused = (named[0].or(others)) == Some(0);
        let weighed = Self::ALL.into_iter().zip(named.map(|weight| weight.or(others).unwrap_or(0)));
        let best = weighed.filter(|(_, weight)| *weight > 0).max_by_key(|(coding, weight)| (*weight, *coding));
        best.map(|(coding, _)| coding).or_else(|| (!refused).then_some(Self::Plain))
    }

    /// Packs bytes of a media type, as the layer does that packs what is not kept; none when it would not,
    /// or when nothing is won.
    pub async fn pack(self, content_type: &'static str, bytes: &Bytes) -> Option<Bytes> {
        let request = Request::builder().header(ACCEPT_ENCODING, self.name()).body(()).ok()?;
        let plain = bytes.clone();
        let answer = service_fn(move |_| {
            let mut answer = Response::new(Body::from(plain.clone()));
            answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            async { Ok::<_, std::convert::Infallible>(answer) }
        });
        let packed = CompressionLayer::new().layer(answer).oneshot(request).await.ok()?;
        packed.headers().get(CONTENT_ENCODING).filter(|name| *name == self.name())?;
        let packed = to_bytes(Body::new(packed.into_body()), bytes.len()).await.ok()?;
        (packed.len() < bytes.len()).then_some(packed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_weight_wins_and_of_equal_ones_the_smallest_bytes() {
        use Coding::{Brotli, Gzip, Plain};
        for (accepted, coding) in [
            ("", Some(Plain)),
            ("gzip, deflate, br, zstd", Some(Brotli)),
            ("gzip, deflate", Some(Gzip)),
            ("GZIP", Some(Gzip)),
            ("x-gzip", Some(Gzip)),
            ("br;q=0.5, gzip;q=0.8", Some(Gzip)),
            ("br;q=0, gzip;q=0", Some(Plain)),
            ("identity, br;q=0.9", Some(Plain)),
            ("zstd", Some(Plain)),
            ("*", Some(Brotli)),
            ("br;q=0, *", Some(Gzip)),
            ("identity;q=0", None),
            ("*;q=0", None),
            ("identity;q=0, gzip", Some(Gzip)),
            ("*;q=0, identity", Some(Plain)),
            (";;,,q=1", Some(Plain)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, accepted.parse().expect("a header value"));
            assert_eq!(Coding::of(&headers), coding, "Accept-Encoding: {accepted}");
        }
        assert_eq!(Coding::of(&HeaderMap::new()), Some(Plain));
    }
}
