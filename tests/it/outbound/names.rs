//! Resolvers on bad days: SEC-113.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use passerelle::outbound::{Names, OutboundError, Request};

use super::world::{City, PUBLIC, url};

#[tokio::test]
async fn sec_113_two_hundred_names_that_never_answer_delay_nobody() {
    let city = City::closing().await;
    let released = Arc::new((Mutex::new(false), Condvar::new()));
    let waits = Arc::clone(&released);
    let names = Names::by(move |host| {
        if host.starts_with("slow") {
            let (over, told) = &*waits;
            let guard = over.lock().unwrap_or_else(PoisonError::into_inner);
            drop(told.wait_while(guard, |over| !*over).unwrap_or_else(PoisonError::into_inner));
        }
        Ok(vec![PUBLIC])
    });
    let client = city.client(names);
    let slow = (0..200).map(|n| {
        let client = client.clone();
        async move {
            let begun = Instant::now();
            let error = client.send(Request::get(url(&format!("slow{n}.test"), 443, "/"))).await.unwrap_err();
            (begun.elapsed(), error)
        }
    });
    let slow = tokio::spawn(join_all(slow));
    tokio::time::sleep(Duration::from_millis(300)).await;
    // Neither the names of others nor the threads that files need wait for them.
    for _ in 0..5 {
        let begun = Instant::now();
        assert!(client.send(Request::get(url("city-b.test", 443, "/"))).await.is_ok());
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
    for (time, error) in slow.await.unwrap() {
        assert!(matches!(error, OutboundError::Unresolved { .. } | OutboundError::Timeout { .. }), "{error}");
        assert!(error.is_transient(), "{error}");
        assert!(time > Duration::from_secs(4) && time < Duration::from_secs(9), "{time:?}");
    }
    *released.0.lock().unwrap() = true;
    released.1.notify_all();
}

#[tokio::test]
async fn sec_113_a_resolver_that_fails_or_says_too_much_is_an_error_of_that_host() {
    let city = City::closing().await;
    let names = Names::by(|host| match host {
        "fails.test" => Err(io::Error::other("SERVFAIL")),
        "nothing.test" => Ok(Vec::new()),
        "much.test" => Ok((0..4096_u32).map(|n| IpAddr::from((0x5db8_0000 + n).to_be_bytes())).collect()),
        _ => Ok(vec![PUBLIC]),
    });
    let client = city.client(names);
    for (host, transient) in [("fails.test", true), ("nothing.test", true), ("much.test", false)] {
        let error = client.send(Request::get(url(host, 443, "/"))).await.unwrap_err();
        assert_eq!(error.is_transient(), transient, "{error}");
    }
    assert_eq!(city.connections(), 0);
    assert!(client.send(Request::get(url("city-b.test", 443, "/"))).await.is_ok());
}
