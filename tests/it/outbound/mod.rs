//! The only way out, against servers that do what servers do on bad days.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod addresses;
mod bombs;
pub mod lists;
mod names;
mod tls;
mod world;

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use passerelle::outbound::{Client, Limits, OutboundError, Policy, Redirects, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// A server that answers every connection with the same bytes, and counts connections.
struct Raw {
    url: Url,
    connections: Arc<AtomicUsize>,
}

impl Raw {
    async fn answering(bytes: Vec<u8>) -> Self {
        Self::with(move |mut stream| {
            let bytes = bytes.clone();
            async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            }
        })
        .await
    }

    async fn with<F>(answer: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(answer(stream));
            }
        });
        Self { url, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn client() -> Client {
    Client::new(Policy::with_loopback()).unwrap()
}

/// So many times the same letter, compressed.
fn gzip(unpacked: usize) -> Vec<u8> {
    let letters = std::io::repeat(b'a').take(unpacked as u64);
    let mut packed = Vec::new();
    flate2::read::GzEncoder::new(letters, flate2::Compression::best()).read_to_end(&mut packed).unwrap();
    packed
}

#[tokio::test]
async fn the_cap_on_a_body_counts_what_comes_out_of_the_compression() {
    let bomb = gzip(64 << 20);
    assert!(bomb.len() < 1 << 20);
    let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len()).into_bytes();
    answer.extend(bomb);
    let server = Raw::answering(answer).await;
    let error = client().send(Request::get(server.url.clone())).await.unwrap_err();
    assert_eq!(error, OutboundError::TooLarge { host: host(&server), limit: Limits::OBJECT.body });
    assert!(!error.is_transient());
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_not_read() {
    let server = Raw::answering(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_vec()).await;
    let begun = Instant::now();
    let error = client().send(Request::get(server.url.clone())).await.unwrap_err();
    assert!(matches!(error, OutboundError::TooLarge { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn one_deadline_covers_an_answer_that_drips() {
    let server = Raw::with(|mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await;
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if stream.write_all(b"x").await.is_err() {
                return;
            }
        }
    })
    .await;
    let limits = Limits { deadline: Duration::from_millis(300), body: 1 << 20 };
    let error = client().send(Request::get(server.url.clone()).within(limits)).await.unwrap_err();
    assert_eq!(error, OutboundError::Timeout { host: host(&server), after: limits.deadline });
    assert!(error.is_transient());
}

#[tokio::test]
async fn an_answer_cut_short_or_that_is_no_http_is_broken_and_may_be_tried_again() {
    for bytes in [&b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort"[..], b"\x16\x03\x01 garbage\r\n\r\n", b""] {
        let server = Raw::answering(bytes.to_vec()).await;
        let error = client().send(Request::get(server.url.clone())).await.unwrap_err();
        assert!(matches!(error, OutboundError::Broken { .. }) && error.is_transient(), "{error}");
    }
}

#[tokio::test]
async fn headers_beyond_reason_are_refused() {
    let many = "x-again: 1\r\n".repeat(150);
    let long = format!("x-long: {}\r\n", "a".repeat(100_000));
    for headers in [many, long] {
        let server = Raw::answering(format!("HTTP/1.1 200 OK\r\n{headers}content-length: 0\r\n\r\n").into_bytes()).await;
        let error = client().send(Request::get(server.url.clone())).await.unwrap_err();
        assert!(matches!(error, OutboundError::TooManyHeaders { .. } | OutboundError::Broken { .. }), "{error}");
    }
}

#[tokio::test]
async fn sec_100_a_redirect_is_an_answer_unless_it_is_followed_on_purpose() {
    let target = Raw::answering(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    let answer = format!("HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", target.url);
    let server = Raw::answering(answer.into_bytes()).await;
    let kept = client().send(Request::get(server.url.clone())).await.unwrap();
    assert_eq!(kept.status.as_u16(), 302);
    let error = client().send(Request::get(server.url.clone()).redirects(Redirects::SameOrigin(3))).await.unwrap_err();
    assert!(matches!(error, OutboundError::Redirect { .. }), "another port is another origin: {error}");
    let posted = client().send(Request::post(server.url.clone(), "x").redirects(Redirects::SameOrigin(3))).await.unwrap();
    assert_eq!(posted.status.as_u16(), 302, "a POST is never sent twice");
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn sec_100_redirects_to_other_schemes_in_circles_or_to_nowhere_end_in_an_error() {
    for location in
        ["file:///etc/passwd", "gopher://x/", "data:text/plain,x", "http://169.254.169.254/", "//evil.example/", "/", ""]
    {
        let answer = format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let server = Raw::answering(answer.into_bytes()).await;
        let error = client().send(Request::get(server.url.clone()).redirects(Redirects::SameOrigin(3))).await.unwrap_err();
        assert!(matches!(error, OutboundError::Redirect { .. }), "{location}: {error}");
        assert_eq!(server.connections(), 1, "{location}");
    }
    let long = "HTTP/1.1 302 Found\r\nlocation: ?again\r\ncontent-length: 0\r\n\r\n";
    let server = Raw::answering(long.as_bytes().to_vec()).await;
    let error = client().send(Request::get(server.url.clone()).redirects(Redirects::SameOrigin(2))).await.unwrap_err();
    assert!(matches!(error, OutboundError::Redirect { .. }), "{error}");
    assert!(server.connections() <= 3);
}

#[tokio::test]
async fn sec_094_no_connection_is_made_to_what_a_name_may_not_mean() {
    let server = Raw::answering(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    let port = server.url.port().unwrap();
    for address in ["127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0", "::1", "10.0.0.1", "169.254.169.254"] {
        let mut policy = Policy::strict();
        policy.answers.insert("city-b.test".to_owned(), vec![address.parse().unwrap()]);
        let url: Url = format!("https://city-b.test:{port}/").parse().unwrap();
        let error = Client::new(policy).unwrap().send(Request::get(url)).await.unwrap_err();
        assert!(matches!(error, OutboundError::Denied { .. }), "{address}: {error}");
        assert!(error.to_string().contains("allow_private"), "the way out is named: {error}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn sec_115_nothing_is_sent_that_was_not_asked_for() {
    let (told, mut heard) = tokio::sync::mpsc::channel(1);
    let server = Raw::with(move |mut stream| {
        let told = told.clone();
        async move {
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            let _ = told.send(String::from_utf8_lossy(&request[..length]).to_lowercase()).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n").await;
        }
    })
    .await;
    let client = client();
    for _ in 0..2 {
        client.send(Request::get(server.url.clone())).await.unwrap();
        let request = heard.recv().await.unwrap();
        assert!(request.contains("user-agent: passerelle/"), "{request}");
        for header in ["cookie:", "referer:", "authorization:", "signature:"] {
            assert!(!request.contains(header), "{request}");
        }
    }
}

#[tokio::test]
async fn a_closed_port_is_unreachable_and_may_be_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let error = client().send(Request::get(url)).await.unwrap_err();
    assert!(matches!(error, OutboundError::Unreachable { .. }) && error.is_transient(), "{error}");
}

#[tokio::test]
async fn sec_f9_errors_hold_neither_bodies_nor_the_query_of_an_address() {
    let server = Raw::answering(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsecret words".to_vec()).await;
    let url = server.url.join("/path?token=secret").unwrap();
    let error = client().send(Request::get(url)).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
}

fn host(server: &Raw) -> String {
    format!("127.0.0.1:{}", server.url.port().unwrap())
}
