//! Packed answers: made once, chosen by the reader, the same in meaning.

use std::io::Read;

use axum::body::Body;
use axum::http::StatusCode;
use flate2::read::GzDecoder;
use passerelle::store::Store;

use crate::store_tests;
use crate::web::city::{Gateway, Seen, fill};

const MACHINE: (&str, &str) = ("accept", "application/activity+json");

fn unpacked(seen: &Seen) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(&*seen.body).read_to_end(&mut bytes).expect("gzip");
    bytes
}

store_tests! {
    async fn each_reader_gets_the_coding_that_it_asks_for(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        for form in [("accept", "text/html"), MACHINE] {
            let plain = site.ask("/contributions/barriere", &[form]).await;
            assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "Accept, Accept-Language, Accept-Encoding"));
            // The first reader has it packed, the second gets the same bytes.
            for _ in 0..2 {
                let gzip = site.ask("/contributions/barriere", &[form, ("accept-encoding", "gzip, br;q=0.5")]).await;
                assert_eq!((gzip.status, gzip.header("content-encoding")), (StatusCode::OK, "gzip"));
                assert_eq!(gzip.header("content-length"), gzip.body.len().to_string());
                assert_eq!(unpacked(&gzip), plain.body);
                let brotli = site.ask("/contributions/barriere", &[form, ("accept-encoding", "gzip, deflate, br")]).await;
                assert_eq!(brotli.header("content-encoding"), "br");
                assert_eq!(brotli.header("content-length"), brotli.body.len().to_string());
                assert!(brotli.body.len() < plain.body.len() && brotli.body != gzip.body);
                for packed in [gzip, brotli] {
                    assert_eq!(packed.header("vary"), plain.header("vary"));
                    for name in ["content-type", "cache-control", "content-language", "content-security-policy", "x-frame-options"] {
                        assert_eq!(packed.header(name), plain.header(name), "{name}");
                    }
                }
            }
            let again = site.ask("/contributions/barriere", &[form]).await;
            assert_eq!((&again.body, again.header("content-encoding")), (&plain.body, ""));
        }
    }

    async fn a_packed_answer_has_a_weak_tag_and_is_not_sent_twice(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let brotli = ("accept-encoding", "br");
        let plain = site.ask("/contributions/barriere", &[MACHINE]).await;
        let packed = site.ask("/contributions/barriere", &[MACHINE, brotli]).await;
        assert_eq!(packed.header("etag"), format!("W/{}", plain.header("etag")), "other bytes, the same meaning");
        for tag in [plain.header("etag"), packed.header("etag")] {
            let again = site.ask("/contributions/barriere", &[MACHINE, brotli, ("if-none-match", tag)]).await;
            assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
            assert_eq!((again.header("etag"), again.header("vary")), (packed.header("etag"), packed.header("vary")));
            assert_eq!(again.header("content-encoding"), "");
        }
        let head = site.send("HEAD", "/contributions/barriere", &[MACHINE, brotli], Body::empty()).await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
        assert_eq!(head.header("content-length"), packed.body.len().to_string());
        assert_eq!(head.header("content-encoding"), "br");
    }

    async fn who_refuses_every_coding_is_told_so_however_often(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        for _ in 0..2 {
            let refused = site.ask("/contributions/barriere", &[("accept-encoding", "identity;q=0")]).await;
            assert_eq!(refused.status, StatusCode::NOT_ACCEPTABLE);
            assert_eq!(site.ask("/contributions/barriere", &[]).await.status, StatusCode::OK);
        }
    }
}
