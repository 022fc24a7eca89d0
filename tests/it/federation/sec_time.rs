//! SEC-020 … SEC-027: when a signature counts, and what a repetition does (security.md §2.1).

use std::time::Duration;

use http::StatusCode;
use passerelle::domain::Timestamp;
use passerelle::federation::refusal::Code;
use passerelle::federation::signature::window::write_http_date;
use passerelle::store::{CopyStanding, JournalState};
use serde_json::json;

use super::rig::{Rig, text};
use crate::store_tests;
use crate::support::peer::{Cavage, Knock, Rfc9421};
use crate::support::stores::Databases;

const MINUTE: u64 = 60;

/// A Create of B with this `Date`, signed with draft-cavage.
fn dated(rig: &Rig, date: &str) -> Knock {
    let mut knock = Knock::post(rig.create().to_string(), rig.now());
    knock.set("date", date);
    knock.cavage(&rig.b, &Cavage::usual(&rig.b));
    knock
}

/// A Create of B with these `created` and `expires`, in both schemes.
fn created(rig: &Rig, created: &str, expires: Option<&str>) -> [Knock; 2] {
    let headers = if expires.is_some() {
        "(request-target) (created) (expires) host digest"
    } else {
        "(request-target) (created) host digest"
    };
    let mut old = Knock::post(rig.create().to_string(), rig.now());
    let how = Cavage {
        algorithm: Some("hs2019".to_owned()),
        created: Some(created.to_owned()),
        expires: expires.map(str::to_owned),
        ..Cavage::over(&rig.b, headers)
    };
    old.cavage(&rig.b, &how);
    let mut new = Knock::post(rig.create().to_string(), rig.now());
    let expires = expires.map_or_else(String::new, |expires| format!(";expires={expires}"));
    let parameters = format!(";created={created}{expires};keyid=\"{}\"", rig.b.keys.ed25519_id());
    new.rfc9421(&rig.b, &Rfc9421::over(&["@method", "@target-uri", "content-digest"], &parameters));
    [old, new]
}

fn seconds(time: Timestamp) -> String {
    time.seconds().to_string()
}

store_tests! {
    async fn sec_020_a_signature_of_66_minutes_ago_is_stale(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let old = rig.now().minus(Duration::from_secs(66 * MINUTE));
        rig.refuses(&dated(&rig, &write_http_date(old).expect("a date")), 401, &[Code::Stale]).await?;
        for knock in created(&rig, &seconds(old), None) {
            rig.refuses(&knock, 401, &[Code::Stale]).await?;
        }
        let young = rig.now().minus(Duration::from_secs(64 * MINUTE));
        rig.accepts(&dated(&rig, &write_http_date(young).expect("a date"))).await?;
    }

    async fn sec_021_a_signature_from_the_future_is_refused(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        for ahead in [6 * MINUTE, 10 * 365 * 24 * 60 * MINUTE] {
            let future = rig.now().plus(Duration::from_secs(ahead));
            rig.refuses(&dated(&rig, &write_http_date(future).expect("a date")), 401, &[Code::Future]).await?;
            for knock in created(&rig, &seconds(future), None) {
                rig.refuses(&knock, 401, &[Code::Future]).await?;
            }
        }
        let soon = rig.now().plus(Duration::from_secs(4 * MINUTE));
        rig.accepts(&dated(&rig, &write_http_date(soon).expect("a date"))).await?;
    }

    async fn sec_022_a_signed_date_that_is_no_date_is_refused(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let spaces = " ".repeat(64 * 1024);
        for date in [
            "yesterday",
            "",
            "Tuesday, 15-Sep-26 12:00:00 GMT",
            "Tue Sep 15 12:00:00 2026",
            "Fri, 01 Jan 10000 00:00:00 GMT",
            "Tue, 15 Sep 2026 12:00:00 +0000",
            &spaces,
        ] {
            rig.refuses(&dated(&rig, date), 401, &[Code::BadTime]).await?;
        }
        rig.refuses(&dated(&rig, "Thu, 01 Jan 1970 00:00:00 GMT"), 401, &[Code::Stale]).await?;
        let mut knock = dated(&rig, "x");
        knock.drop("date");
        rig.refuses(&knock, 401, &[Code::BadTime]).await?;
    }

    async fn sec_023_numbers_at_the_edge_of_time_are_refused_without_a_panic(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let now = seconds(rig.now());
        for number in ["18446744073709551615", "9223372036854775807", "-1", "1e9", "abc"] {
            for knock in created(&rig, number, None).into_iter().chain(created(&rig, &now, Some(number))) {
                let codes = [Code::BadTime, Code::MalformedSignatureInput, Code::Stale, Code::Lifetime];
                rig.refuses(&knock, 401, &codes).await?;
            }
        }
        // The process and its pool are alive.
        rig.accepts(&rig.b.post(&rig.create(), rig.now())).await?;
    }

    async fn sec_024_a_lifetime_is_positive_and_at_most_twelve_hours(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let now = rig.now();
        for expires in [now.minus(Duration::from_secs(1)), now, now.plus(Duration::from_hours(13)), now.plus(Duration::from_hours(87_600))] {
            for knock in created(&rig, &seconds(now), Some(&seconds(expires))) {
                rig.refuses(&knock, 401, &[Code::Lifetime]).await?;
            }
        }
        let old = now.minus(Duration::from_secs(30 * MINUTE));
        let over = now.minus(Duration::from_secs(6 * MINUTE));
        for knock in created(&rig, &seconds(old), Some(&seconds(over))) {
            rig.refuses(&knock, 401, &[Code::Stale]).await?;
        }
        let [fine, again] = created(&rig, &seconds(now), Some(&seconds(now.plus(Duration::from_secs(5 * MINUTE)))));
        rig.accepts(&fine).await?;
        assert_eq!(rig.knock(&again).await.status, StatusCode::ACCEPTED);
    }

    async fn sec_025_one_request_a_hundred_times_at_once_is_one_activity(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let knock = rig.b.post(&rig.create(), rig.now());
        let answers = futures_util::future::join_all((0..100).map(|_| rig.knock(&knock))).await;
        let first = text(&answers[0].body);
        assert!(first.contains("DeliveryReceipt"), "{first}");
        for answer in &answers {
            assert_eq!((answer.status, text(&answer.body)), (StatusCode::ACCEPTED, first.clone()));
        }
        rig.work().await?;
        assert_eq!((rig.rows("journal").await?, rig.rows("copy").await?), (1, 1));
    }

    async fn sec_026_two_bodies_under_one_activity_id_are_an_equivocation(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.accepts(&rig.b.post(&rig.create(), rig.now())).await?;
        let mut other = rig.create();
        other["summary"] = json!("another body");
        let answer = rig.post(&other).await;
        assert_eq!(answer.status, StatusCode::CONFLICT);
        assert!(text(&answer.body).contains("equivocation"));
        let alerts = rig.audit("equivocation").await?;
        assert_eq!(alerts.len(), 1);
        assert_eq!(alerts[0].detail.matches(|c: char| c.is_ascii_hexdigit()).count().cmp(&128), std::cmp::Ordering::Greater);
        let row = rig.journal(&rig.create()).await?.expect("the first one");
        assert_eq!(row.body, Some(rig.create().to_string()));
        assert_eq!(rig.rows("journal").await?, 1);
    }

    async fn sec_027_a_captured_delete_does_not_delete_what_came_back(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut record = rig.contribution();
        let first = rig.b.sealed(&record, None, rig.now());
        rig.apply(&rig.b.activity("c1", "Create", &first)).await?;
        let tombstone = rig.b.tombstone(&record, &first, rig.now());
        let delete = rig.b.post(&rig.b.activity("d1", "Delete", &tombstone), rig.now());
        rig.accepts(&delete).await?;
        assert_eq!(rig.copy(&record.id).await?.map(|copy| copy.standing), Some(CopyStanding::Deleted));
        record.revision = 3;
        let restored = rig.b.sealed(&record, Some(&tombstone), rig.now());
        rig.apply(&rig.b.activity("c2", "Create", &restored)).await?;

        let letters = rig.letters().await?.len();
        assert_eq!(rig.knock(&delete).await.status, StatusCode::ACCEPTED);
        rig.work().await?;
        let copy = rig.copy(&record.id).await?.expect("a copy");
        assert_eq!((copy.standing, copy.revision), (CopyStanding::Live, 3));
        assert_eq!(rig.letters().await?.len(), letters);
        // Under another id it is a deletion of the past, too.
        let again = rig.b.activity("d2", "Delete", &tombstone);
        rig.apply(&again).await?;
        assert_eq!(rig.copy(&record.id).await?.map(|copy| copy.revision), Some(3));
        assert_eq!(rig.journal(&again).await?.map(|row| row.state), Some(JournalState::Ignored));
        assert_eq!(rig.letters().await?.len(), letters);
        // Journal rows are kept for good; a capture that is older than the window does not even reach them.
        rig.clock.advance(Duration::from_secs(66 * MINUTE));
        rig.refuses(&delete, 401, &[Code::Stale]).await?;
    }
}
