//! Answers that are too much or never end: SEC-127, SEC-128.

use std::process::Command;
use std::time::{Duration, Instant};

use passerelle::outbound::{Client, Limits, OutboundError, Policy, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

use super::{Raw, gzip};

/// What a bomb holds.
fn unpacked() -> usize {
    if std::env::var_os("PASSERELLE_LONG").is_some() { 512 << 20 } else { 64 << 20 }
}

/// A compressed answer with a body of this length.
fn packed(status: &str, length: usize) -> Vec<u8> {
    let body = gzip(length);
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
    let harmless = Raw::answering(packed("200 OK", HARMLESS)).await;
    let bomb = Raw::answering(packed("200 OK", unpacked())).await;
    let bad = Raw::answering(packed("500 Internal Server Error", unpacked())).await;
    let urls = [&harmless, &bomb, &bad].map(|server| server.url.to_string()).join(" ");
    let child = tokio::task::spawn_blocking(move || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "outbound::bombs::a_child_under_bombs"])
            .env(BOMBS, urls)
            .output()
            .unwrap()
    });
    let child = child.await.unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

/// Where the child finds a harmless answer, a bomb, and a bomb that is an error.
const BOMBS: &str = "PASSERELLE_TEST_BOMBS";
/// Bytes of the harmless answer.
const HARMLESS: usize = 1 << 15;

#[tokio::test]
async fn a_child_under_bombs() {
    let Ok(urls) = std::env::var(BOMBS) else { return };
    let urls: Vec<Url> = urls.split(' ').map(|url| url.parse().unwrap()).collect();
    let [harmless, bomb, bad] = urls.as_slice() else { panic!("{urls:?}") };
    let client = Client::new(Policy::with_loopback()).unwrap();
    let ask = async |url: &Url, limits: Limits| {
        let error = client.send(Request::get(url.clone()).within(limits)).await.unwrap_err();
        assert!(matches!(error, OutboundError::TooLarge { .. }), "{error}");
    };
    // What every answer needs is there before the first bomb: the most memory ever held never falls again.
    let answer = client.send(Request::get(harmless.clone()).within(Limits::DELIVERY)).await.unwrap();
    assert_eq!(answer.body.len(), HARMLESS);
    let before = memory();
    for url in [bomb, bad] {
        ask(url, Limits::OBJECT).await;
        ask(url, Limits::DELIVERY).await;
    }
    let grown = memory().saturating_sub(before);
    assert!(grown < 8 << 10, "{grown} KiB for documents");
    let before = memory();
    ask(bomb, Limits::PAGE).await;
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
