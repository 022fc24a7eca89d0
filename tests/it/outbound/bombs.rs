//! Answers that are too much or never end: SEC-127, SEC-128.

use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use passerelle::outbound::{Client, Limits, OutboundError, Policy, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

use super::Raw;

/// What a bomb holds.
fn unpacked() -> usize {
    if std::env::var_os("PASSERELLE_LONG").is_some() { 512 << 20 } else { 64 << 20 }
}

/// An answer whose body becomes very long.
fn bomb(status: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let chunk = vec![b'a'; 1 << 20];
    for _ in 0..(unpacked() >> 20) {
        encoder.write_all(&chunk).unwrap();
    }
    let body = encoder.finish().unwrap();
    assert!(body.len() < 1 << 20);
    let mut answer = format!(
        "HTTP/1.1 {status}\r\ncontent-encoding: gzip\r\ncontent-type: application/activity+json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend(body);
    answer
}

#[tokio::test]
async fn sec_127_a_bomb_is_dropped_before_it_fills_the_memory() {
    // Memory is measured in a process of its own.
    let (good, bad) = (Raw::answering(bomb("200 OK")).await, Raw::answering(bomb("500 Internal Server Error")).await);
    let (good, bad) = (good.url.to_string(), bad.url.to_string());
    let child = tokio::task::spawn_blocking(move || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "outbound::bombs::a_child_under_bombs"])
            .env("PASSERELLE_TEST_BOMB", good)
            .env("PASSERELLE_TEST_BAD_BOMB", bad)
            .status()
            .unwrap()
    });
    assert!(child.await.unwrap().success());
}

#[tokio::test]
async fn a_child_under_bombs() {
    let Ok(good) = std::env::var("PASSERELLE_TEST_BOMB") else { return };
    let bad = std::env::var("PASSERELLE_TEST_BAD_BOMB").unwrap();
    let client = Client::new(Policy::with_loopback()).unwrap();
    let ask = async |url: &str, limits: Limits| {
        let url: Url = url.parse().unwrap();
        let error = client.send(Request::get(url).within(limits)).await.unwrap_err();
        assert!(matches!(error, OutboundError::TooLarge { .. }), "{error}");
    };
    // The first one loads what every request needs.
    ask(&good, Limits::DELIVERY).await;
    let before = memory();
    for url in [&good, &bad] {
        ask(url, Limits::OBJECT).await;
        ask(url, Limits::DELIVERY).await;
    }
    let grown = memory().saturating_sub(before);
    assert!(grown < 8 << 10, "{grown} KiB for documents");
    let before = memory();
    ask(&good, Limits::PAGE).await;
    let grown = memory().saturating_sub(before);
    assert!(grown < 48 << 10, "{grown} KiB for a page of at most 16 MiB");
}

/// The most memory this process has had, in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn sec_128_every_way_of_never_ending_ends_at_the_deadline() {
    let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let limits = Limits { deadline: Duration::from_millis(600), body: 1 << 20 };
    let endless: [(&str, &'static [u8], &'static [u8]); 6] = [
        ("nothing at all", b"", b""),
        ("half a head", b"HTTP/1.1 200 OK\r\nx: ", b"y"),
        ("a head and silence", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", b""),
        ("a drip", b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", b"x"),
        ("chunks without end", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        ("100 Continue without end", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ];
    for (name, first, then) in endless {
        let server = Raw::with(move |mut stream| async move {
            let _request = stream.read(&mut [0; 4096]).await;
            if stream.write_all(first).await.is_err() {
                return;
            }
            let pause = if name.starts_with("100") { Duration::ZERO } else { Duration::from_millis(30) };
            loop {
                tokio::time::sleep(pause).await;
                let gone = async { stream.read(&mut [0; 64]).await.is_ok_and(|length| length == 0) };
                if tokio::time::timeout(Duration::from_millis(1), gone).await.is_ok_and(|gone| gone) {
                    return;
                }
                if stream.write_all(then).await.is_err() {
                    return;
                }
            }
        })
        .await;
        let client = Client::new(Policy::with_loopback()).unwrap();
        for request in [Request::get(server.url.clone()), Request::post(server.url.clone(), "{}")] {
            let begun = Instant::now();
            let error = client.send(request.within(limits)).await.unwrap_err();
            assert!(matches!(error, OutboundError::Timeout { .. } | OutboundError::Broken { .. }), "{name}: {error}");
            assert!(error.is_transient(), "{name}: {error}");
            assert!(begun.elapsed() < limits.deadline + Duration::from_secs(3), "{name}: {:?}", begun.elapsed());
        }
    }
    // Nothing of ours goes on; six tests' listeners do.
    let over = async {
        while tokio::runtime::Handle::current().metrics().num_alive_tasks() > before + 6 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    tokio::time::timeout(Duration::from_secs(10), over).await.unwrap_or_else(|_| panic!("{} tasks instead of {before}", alive()));
}
