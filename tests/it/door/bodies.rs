//! Requests that are no honest HTTP/1.1: SEC-124 … SEC-126, SEC-129, SEC-130, each over a real socket.

use std::io::Write;
use std::time::{Duration, Instant};

use passerelle::federation::strict_json::MAX_BYTES;
use tokio::io::AsyncWriteExt;

use super::house::{HONEST, House, deadlines, drip, over_by, parse, read_reply, until_closed, wire};
use crate::store_tests;
use crate::support::peer::Knock;
use crate::support::stores::Databases;

/// The head of a POST to the inbox with these headers more.
fn head(more: &str) -> String {
    format!("POST /actor/inbox HTTP/1.1\r\nhost: a.example\r\ncontent-type: application/activity+json\r\n{more}\r\n")
}

store_tests! {
    async fn sec_124_who_speaks_http_2_is_told_that_we_do_not(databases: Databases) {
        let house = House::wide(&databases).await?;
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        for flood in [0, 10_000] {
            let mut stream = house.connect(HONEST).await?;
            let begun = Instant::now();
            let mut bytes = preface.clone();
            bytes.extend(settings.repeat(flood));
            let _closed = stream.write_all(&bytes).await;
            let (time, heard) = until_closed(stream, begun).await;
            assert!(time < over_by(deadlines().head), "{time:?}");
            if !heard.is_empty() {
                assert!(matches!(parse(&heard)?.status, 400 | 505), "{:?}", String::from_utf8_lossy(&heard));
            }
        }
        house.empties().await;
        // An upgrade is not taken up.
        let mut knock = Knock::get("/healthz", house.rig.now());
        knock.set("upgrade", "h2c");
        knock.set("http2-settings", "AAMAAABkAAQCAAAAAAIAAAAA");
        assert_eq!(house.ask(HONEST, &knock).await?.status, 200);
    }

    async fn sec_125_a_body_beyond_the_limit_is_refused_however_it_is_announced(databases: Databases) {
        let house = House::wide(&databases).await?;
        let before = house.rig.state().await?;
        // Announced: before a byte of it is read.
        let mut stream = house.connect(HONEST).await?;
        stream.write_all(head(&format!("content-length: {}\r\nconnection: close\r\n", MAX_BYTES + 1)).as_bytes()).await?;
        assert_eq!(read_reply(&mut stream).await?.status, 413);
        // Announced, and sent all the same: the answer is there to be read.
        let mut knock = Knock::post(vec![b' '; MAX_BYTES + 1], house.rig.now());
        assert_eq!(house.ask(HONEST, &knock).await?.status, 413);
        // In chunks, without an announcement.
        knock.drop("content-length");
        knock.set("transfer-encoding", "chunked");
        let chunk = [format!("{:x}\r\n", 64 * 1024).as_bytes(), &vec![b' '; 64 * 1024], b"\r\n"].concat();
        knock.body = [chunk.repeat(MAX_BYTES / (64 * 1024)), b"1\r\n \r\n0\r\n\r\n".to_vec()].concat();
        assert_eq!(house.ask(HONEST, &knock).await?.status, 413);
        // Chunks that never end.
        knock.body = chunk.repeat(200);
        assert_eq!(house.ask(HONEST, &knock).await?.status, 413);
        assert_eq!(house.rig.state().await?, before);
    }

    async fn sec_125_a_length_that_lies_is_refused(databases: Databases) {
        let house = House::wide(&databases).await?;
        let before = house.rig.state().await?;
        let honest = house.rig.b.post(&house.rig.create(), house.rig.now());
        // Shorter than the body: what is left over is no request.
        let mut short = honest.clone();
        short.set("content-length", "100");
        let reply = house.ask(HONEST, &short).await?;
        assert!(matches!(reply.status, 400 | 401), "{reply:?}");
        // Longer, and then the sender closes its half.
        let mut long = honest.clone();
        long.set("content-length", &(honest.body.len() + 100).to_string());
        let mut stream = house.connect(HONEST).await?;
        stream.write_all(&wire(&long)).await?;
        stream.shutdown().await?;
        let (_, heard) = until_closed(stream, Instant::now()).await;
        if !heard.is_empty() {
            assert_eq!(parse(&heard)?.status, 400);
        }
        // Longer, and then nothing.
        let stream = house.connect(HONEST).await?;
        let (time, heard) = drip(stream, &wire(&long), Duration::from_mins(1), Instant::now()).await;
        assert_eq!(parse(&heard)?.status, 408);
        assert!(time < over_by(deadlines().body), "{time:?}");
        // Both ways of saying how long it is.
        let mut both = honest.clone();
        both.add("transfer-encoding", "chunked");
        assert!(matches!(house.ask(HONEST, &both).await?.status, 400 | 401));
        assert_eq!(house.rig.state().await?, before);
        assert_eq!(house.ask(HONEST, &honest).await?.status, 202, "the honest one is taken");
    }

    async fn sec_126_compressed_requests_are_not_unpacked(databases: Databases) {
        let house = House::wide(&databases).await?;
        let before = house.rig.state().await?;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(house.rig.create().to_string().as_bytes())?;
        let packed = gzip.finish()?;
        let mut twice = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        twice.write_all(&packed)?;
        for (encoding, body) in [
            ("gzip", packed.clone()),
            ("gzip, gzip", twice.finish()?),
            ("br", packed.clone()),
            ("zstd", packed.clone()),
            ("deflate", packed),
            ("identity", house.rig.create().to_string().into_bytes()),
        ] {
            let mut knock = Knock::post(body, house.rig.now());
            knock.set("content-encoding", encoding);
            knock.rfc9421(&house.rig.b, &crate::support::peer::Rfc9421::usual(&house.rig.b, house.rig.now()));
            let reply = house.ask(HONEST, &knock).await?;
            assert_eq!(reply.status, 415, "{encoding}: {reply:?}");
        }
        assert_eq!(house.rig.state().await?, before);
    }

    async fn sec_129_heads_beyond_reason_are_refused(databases: Databases) {
        let house = House::wide(&databases).await?;
        let asked = async |head: String| {
            let mut stream = house.connect(HONEST).await?;
            // It may be refused before it is sent completely.
            let _closed = stream.write_all(head.as_bytes()).await;
            anyhow::Ok(read_reply(&mut stream).await?.status)
        };
        let many = (0..1000).map(|n| format!("x-{n}: 1\r\n")).collect::<Vec<_>>().concat();
        let get = |target: &str, more: &str| format!("GET {target} HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n{more}\r\n");
        assert_eq!(asked(get("/aide", &many)).await?, 431);
        assert_eq!(asked(get("/aide", &format!("x-long: {}\r\n", "a".repeat(100 * 1024)))).await?, 431);
        assert_eq!(asked(get(&format!("/{}", "a".repeat(16 * 1024)), "")).await?, 414);
        assert_eq!(asked(get(&format!("/?{}", "a".repeat(16 * 1024)), "")).await?, 414);
        assert!(matches!(asked(get(&format!("/{}", "a".repeat(100 * 1024)), "")).await?, 414 | 431));
        // What people and partners really send passes.
        let usual = (0..60).map(|n| format!("x-{n}: {}\r\n", "a".repeat(100))).collect::<Vec<_>>().concat();
        assert_eq!(asked(get(&format!("/aide?x={}", "a".repeat(4000)), &usual)).await?, 200);
    }

    async fn sec_130_deep_nesting_is_refused_without_a_stack_overflow(databases: Databases) {
        let house = House::wide(&databases).await?;
        let before = house.rig.state().await?;
        for depth in [33, 200, 200_000] {
            let arrays = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
            let objects = format!("{}1{}", "{\"\":".repeat(depth), "}".repeat(depth));
            let mixed = format!("{}1{}", "[{\"a\":".repeat(depth / 2), "}]".repeat(depth / 2));
            let open = "[".repeat(depth);
            for nested in [arrays, objects, mixed, open] {
                let text = house.rig.create().to_string();
                let body = text.replacen('{', &format!("{{\"x\":{nested},"), 1);
                assert!(body.len() <= MAX_BYTES, "it is the nesting that is refused");
                let mut knock = Knock::post(body.into_bytes(), house.rig.now());
                knock.rfc9421(&house.rig.b, &crate::support::peer::Rfc9421::usual(&house.rig.b, house.rig.now()));
                let reply = house.ask(HONEST, &knock).await?;
                assert_eq!(reply.status, 400, "{depth}: {reply:?}");
            }
        }
        assert_eq!(house.rig.state().await?, before);
    }
}
