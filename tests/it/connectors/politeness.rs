//! Pace, patience, and what becomes of a reading when the platform does not keep up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use passerelle::connectors::{ConnectorError, Courtesy};
use passerelle::demo::platform::{Fault, When};
use passerelle::domain::time::ManualClock;
use passerelle::outbound::Policy;

use super::reading::{bordeaux, lyon};
use super::{clock, connector_with, plan, read, read_with};

#[tokio::test]
async fn two_requests_are_never_closer_than_agreed() {
    let platform = bordeaux().await;
    let courtesy = Courtesy { between: Duration::from_millis(40), ..Courtesy::none() };
    let begun = Instant::now();
    let reading = read_with(connector_with(&platform.url(), Policy::with_loopback(), courtesy, clock()), plan()).await;
    let requests = u32::try_from(reading.report().requests).unwrap();
    assert!(requests > 5);
    assert!(begun.elapsed() >= courtesy.between * (requests - 1), "{requests} requests in {:?}", begun.elapsed());
}

#[tokio::test]
async fn one_second_lies_between_requests_unless_configured_otherwise() {
    assert_eq!(Courtesy::default().between, Duration::from_secs(1));
}

#[tokio::test]
async fn too_many_requests_are_waited_out_to_the_next_minute_when_the_platform_says_nothing() {
    let platform = bordeaux().await;
    // The clock of the reader stands shortly before the minute is over.
    let late = Arc::new(ManualClock::at("2026-11-24T10:00:59.9Z".parse().unwrap()));
    platform.misbehave(Some((Fault::TooManyRequests, When::Only(4))));
    let begun = Instant::now();
    let reading = read_with(connector_with(&platform.url(), Policy::with_loopback(), Courtesy::none(), late), plan()).await;
    assert!(begun.elapsed() >= Duration::from_millis(100));
    assert!(reading.report().entities.values().all(|report| report.complete));
}

#[tokio::test]
async fn a_platform_that_only_says_too_many_ends_the_reading_and_not_the_memory() {
    let platform = bordeaux().await;
    platform.misbehave(Some((Fault::TooManyRequests, When::From(6))));
    let late = Arc::new(ManualClock::at("2026-11-24T10:00:59.99Z".parse().unwrap()));
    let reading = read_with(connector_with(&platform.url(), Policy::with_loopback(), Courtesy::none(), late), plan()).await;
    let report = reading.report();
    let incomplete: Vec<_> = report.entities.values().filter(|report| !report.complete).collect();
    assert!(!incomplete.is_empty());
    assert!(incomplete.iter().all(|report| report.why_incomplete.as_deref().unwrap().contains("429")));
}

#[tokio::test]
async fn a_passing_breakdown_is_tried_again_and_leaves_no_trace() {
    for fault in [Fault::ServerError, Fault::HangUp, Fault::TruncatedJson] {
        let platform = lyon().await;
        let healthy = read(&platform.url()).await;
        platform.misbehave(Some((fault, When::Only(5))));
        let reading = read(&platform.url()).await;
        assert_eq!(reading.ids("proposal"), healthy.ids("proposal"), "{fault:?}");
        assert_eq!(reading.ids("comment"), healthy.ids("comment"), "{fault:?}");
        assert!(reading.report().entities.values().all(|report| report.complete), "{fault:?}");
    }
}

#[tokio::test]
async fn a_lasting_breakdown_mid_run_makes_the_reading_incomplete_and_keeps_what_was_read() {
    for fault in [Fault::ServerError, Fault::HangUp, Fault::TruncatedJson, Fault::LoginPage] {
        let platform = lyon().await;
        platform.misbehave(Some((fault, When::From(9))));
        let reading = read(&platform.url()).await;
        let proposals = &reading.report().entities["proposal"];
        assert!(!proposals.complete, "{fault:?}");
        let why = proposals.why_incomplete.as_deref().unwrap();
        assert!(why.contains(&platform.url()), "{fault:?}: {why}");
        assert!(reading.report().entities["participatory_process"].complete, "{fault:?}");
        assert!(!reading.ids("participatory_process").is_empty());
    }
}

#[tokio::test]
async fn a_breakdown_from_the_start_is_an_error_that_names_the_address_and_what_to_do() {
    for (fault, word) in [
        (Fault::ServerError, "try again later"),
        (Fault::TruncatedJson, "ends in the middle"),
        (Fault::LoginPage, "a web page"),
        (Fault::HangUp, "broken"),
    ] {
        let platform = lyon().await;
        platform.misbehave(Some((fault, When::Always)));
        let error = read(&platform.url()).await.outcome.unwrap_err();
        let message = error.to_string();
        assert!(message.contains(&platform.url()) && message.contains(word), "{fault:?}: {message}");
        assert!(!message.contains('\n'), "one line: {message}");
    }
}

#[tokio::test]
async fn an_unreachable_platform_is_one_clear_line() {
    // Port 9 (discard) is not open here.
    let error = read("http://127.0.0.1:9/").await.outcome.unwrap_err();
    assert!(matches!(error, ConnectorError::Unreachable { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.contains("127.0.0.1:9") && message.contains("check that it is running"), "{message}");
    let refused = read_with(connector_with("http://lyon.localhost:9/", Policy::strict(), Courtesy::none(), clock()), plan());
    let message = refused.await.outcome.unwrap_err().to_string();
    assert!(message.contains("allow_private"), "{message}");
}
