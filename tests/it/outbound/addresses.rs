//! Where a strict client goes, and where it does not: SEC-094 … SEC-102, SEC-115, over TLS with nothing relaxed.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use http::header::{HeaderName, HeaderValue};
use passerelle::outbound::{Client, Names, OutboundError, Policy, Redirects, Request};
use url::Url;

use super::lists::{ADDRESSES, LITERALS, NAMES};
use super::world::{City, ELSEWHERE, PUBLIC, Trap, url};

fn addresses() -> Vec<IpAddr> {
    ADDRESSES.split_whitespace().map(|text| text.parse().unwrap()).collect()
}

/// Every name has these addresses.
fn all_at(addresses: &[IpAddr]) -> Names {
    let addresses = addresses.to_vec();
    Names::by(move |_| Ok(addresses.clone()))
}

#[tokio::test]
async fn sec_094_no_name_leads_to_an_address_that_is_not_public() {
    let city = City::closing().await;
    let trap = Trap::beside(&city).await;
    for address in addresses() {
        let client = city.client(all_at(&[address]));
        let place = url("city-b.test", trap.address.port(), "/actor");
        for request in [Request::get(place.clone()), Request::post(place.clone(), "{}")] {
            let error = client.send(request).await.unwrap_err();
            assert!(matches!(error, OutboundError::Denied { .. }), "{address}: {error}");
            assert!(!error.is_transient(), "{address}");
        }
    }
    assert_eq!((city.connections(), trap.connections()), (0, 0));
    assert!(city.client(all_at(&[PUBLIC])).send(Request::get(url("city-b.test", 443, "/"))).await.is_ok());
}

#[tokio::test]
async fn sec_095_no_spelling_of_an_address_is_asked_or_looked_up() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let names = Names::by(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(vec![PUBLIC])
    });
    let city = City::closing().await;
    let trap = Trap::beside(&city).await;
    let client = city.client(names);
    for literal in LITERALS {
        for scheme in ["https", "http"] {
            // What is no address at all cannot even be asked for.
            let Ok(url) = format!("{scheme}://{literal}:{}/actor", trap.address.port()).parse::<Url>() else { continue };
            for request in [Request::get(url.clone()), Request::post(url, "{}")] {
                let error = client.send(request).await.unwrap_err();
                assert!(matches!(error, OutboundError::Denied { .. } | OutboundError::Url { .. }), "{literal}: {error}");
            }
        }
    }
    assert_eq!((asked.load(Ordering::SeqCst), city.connections(), trap.connections()), (0, 0, 0));
}

#[tokio::test]
async fn sec_095_no_redirect_leads_to_a_spelling_of_an_address() {
    let trap = Trap::set().await;
    for literal in LITERALS {
        let answer = format!(
            "HTTP/1.1 302 Found\r\nlocation: https://{literal}:{}/\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
            trap.address.port()
        );
        let city = City::answering(move |_| answer.clone()).await;
        let request = Request::get(url("city-b.test", 443, "/")).redirects(Redirects::SameOrigin(2));
        let error = city.client(all_at(&[PUBLIC])).send(request).await.unwrap_err();
        assert!(matches!(error, OutboundError::Redirect { .. }), "{literal}: {error}");
        assert_eq!(city.requests().len(), 1, "{literal}");
    }
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn sec_096_names_for_local_use_and_our_own_are_not_even_looked_up() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let names = Names::by(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(vec![PUBLIC])
    });
    let city = City::closing().await;
    let client = city.client(names);
    for name in NAMES {
        for port in [443, 8443] {
            let error = client.send(Request::get(url(name, port, "/"))).await.unwrap_err();
            assert!(matches!(error, OutboundError::Denied { .. } | OutboundError::Url { .. }), "{name}: {error}");
        }
    }
    assert_eq!((asked.load(Ordering::SeqCst), city.connections()), (0, 0));
}

#[tokio::test]
async fn sec_097_mixed_mapped_and_endless_answers_are_refused() {
    let city = City::closing().await;
    let trap = Trap::beside(&city).await;
    let private: IpAddr = trap.address.ip();
    let mapped: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
    let many: Vec<IpAddr> = (0..100_u8).map(|n| IpAddr::from([93, 184, 217, n])).collect();
    for (answer, word) in [
        (vec![PUBLIC, private], "mixed_answer"),
        (vec![private, PUBLIC], "mixed_answer"),
        (vec![mapped], "a private address"),
        (many, "100 addresses"),
    ] {
        let place = url("city-b.test", trap.address.port(), "/");
        let error = city.client(all_at(&answer)).send(Request::get(place)).await.unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
    assert_eq!((city.connections(), trap.connections()), (0, 0));
    // One address told twice is one address.
    assert!(city.client(all_at(&[PUBLIC; 40])).send(Request::get(url("city-b.test", 443, "/"))).await.is_ok());
}

#[tokio::test]
async fn sec_098_a_name_that_changes_with_every_question_reaches_nothing_private() {
    let city = City::closing().await;
    let trap = Trap::beside(&city).await;
    let turn = AtomicUsize::new(0);
    let private = trap.address.ip();
    let names =
        Names::by(move |_| Ok(vec![if turn.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) { PUBLIC } else { private }]));
    let client = city.client(names);
    let tries = if std::env::var_os("PASSERELLE_LONG").is_some() { 10_000 } else { 200 };
    let (mut reached, mut denied) = (0, 0);
    for _ in 0..tries {
        match client.send(Request::get(url("city-b.test", trap.address.port(), "/"))).await {
            Ok(_) => reached += 1,
            Err(OutboundError::Denied { .. }) => denied += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(reached > 0 && denied > 0, "{reached} reached, {denied} denied");
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn sec_099_after_its_connection_ended_a_name_is_checked_again() {
    let closed = Arc::new(AtomicBool::new(false));
    let closing = Arc::clone(&closed);
    let city = City::answering(move |_| {
        let close = if closing.load(Ordering::SeqCst) { "connection: close\r\n" } else { "" };
        format!("HTTP/1.1 200 OK\r\n{close}content-length: 2\r\n\r\nok")
    })
    .await;
    let trap = Trap::beside(&city).await;
    let moved = Arc::new(AtomicBool::new(false));
    let (private, reads) = (trap.address.ip(), Arc::clone(&moved));
    let client = city.client(Names::by(move |_| Ok(vec![if reads.load(Ordering::SeqCst) { private } else { PUBLIC }])));
    let get = || client.send(Request::get(url("city-b.test", trap.address.port(), "/")));
    assert!(get().await.is_ok());
    moved.store(true, Ordering::SeqCst);
    assert!(get().await.is_ok(), "the connection that was checked is still the one");
    assert_eq!(city.connections(), 1);
    closed.store(true, Ordering::SeqCst);
    assert!(get().await.is_ok());
    let error = get().await.unwrap_err();
    assert!(matches!(error, OutboundError::Denied { .. }), "{error}");
    assert_eq!((city.connections(), trap.connections()), (1, 0));
}

#[tokio::test]
async fn sec_100_at_most_two_hops_within_one_origin_and_no_signature_leaves_it() {
    let there = |to: &str| format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    for (name, first, second) in [
        ("a circle", "/b", "/a"),
        ("to another city", "https://city-c.test/", "/a"),
        ("to plain http", "http://city-b.test/", "/a"),
        ("to another port", "https://city-b.test:8443/", "/a"),
        ("to itself", "/a", "/a"),
        ("to a file", "file:///etc/passwd", "/a"),
        ("with a password", "https://me:secret@city-b.test/x", "/a"),
        ("beyond the last hop", "?1", "?2"),
    ] {
        let (first, second) = (there(first), there(second));
        let city =
            City::answering(move |request| if request.starts_with("get /b") { second.clone() } else { first.clone() }).await;
        let other = City::closing().await;
        let mut policy = city.client(all_at(&[PUBLIC])).policy().clone();
        policy.routes.insert(ELSEWHERE, other.address);
        policy.names = Names::by(|host| Ok(vec![if host == "city-c.test" { ELSEWHERE } else { PUBLIC }]));
        let request = Request::get(url("city-b.test", 443, "/a"))
            .header(HeaderName::from_static("signature"), HeaderValue::from_static("sig1=:AA==:"))
            .redirects(Redirects::SameOrigin(2));
        let error = Client::new(policy).unwrap().send(request).await.unwrap_err();
        assert!(matches!(error, OutboundError::Redirect { .. } | OutboundError::Url { .. }), "{name}: {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(city.requests().len() <= 3, "{name}: {}", city.requests().len());
        assert_eq!(other.connections(), 0, "{name}");
    }
}

#[tokio::test]
async fn sec_100_a_post_is_sent_once_whatever_the_redirect() {
    for status in [301, 302, 303, 307, 308] {
        let answer = format!("HTTP/1.1 {status} Elsewhere\r\nlocation: /other\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        let city = City::answering(move |_| answer.clone()).await;
        let request = Request::post(url("city-b.test", 443, "/inbox"), "{}").redirects(Redirects::SameOrigin(2));
        let response = city.client(all_at(&[PUBLIC])).send(request).await.unwrap();
        assert_eq!((response.status.as_u16(), city.requests().len()), (status, 1));
    }
}

#[tokio::test]
async fn sec_115_over_tls_too_nothing_is_sent_that_was_not_asked_for() {
    let city = City::answering(|_| "HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 2\r\n\r\nok".to_owned()).await;
    let client = city.client(all_at(&[PUBLIC]));
    for path in ["/first", "/second"] {
        client.send(Request::get(url("city-b.test", 443, path))).await.unwrap();
    }
    for request in city.requests() {
        let names: Vec<&str> = request.lines().skip(1).filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
        let expected = ["user-agent", "accept", "accept-encoding", "host"];
        assert!(names.iter().all(|name| expected.contains(name)), "{request}");
    }
    assert_eq!(city.requests().len(), 2);
    assert!(Policy::strict().user_agent.is_empty());
}
