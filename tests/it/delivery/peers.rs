//! Partners that fail, refuse, lie or say nothing: what each answer leads to, and that everything converges
//! once they are well again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use passerelle::delivery::{Settings, Worker};
use passerelle::domain::partner::FollowState;
use passerelle::domain::time::ManualClock;
use passerelle::domain::{Class, PartnerDomain, RecordId};
use passerelle::outbound::Limits;
use passerelle::store::{CopyStanding, Disclosure, DisclosureState, PartnerHealth};

use super::journeys::sound;
use crate::store_tests;
use crate::support::content::{comment, consultation, contribution, id, text};
use crate::support::gateway::{TestGateway, morning, plain, settle, settle_for};
use crate::support::stores::Databases;

const HOUR: Duration = Duration::from_hours(1);

/// Two cities; Lyon has a consultation that Bordeaux holds. Bordeaux has stopped reading Lyon's records by
/// itself, so that what arrives was pushed.
async fn two(databases: &Databases) -> anyhow::Result<(ManualClock, TestGateway, TestGateway)> {
    let clock = morning();
    let (lyon, bordeaux) = TestGateway::two_paired(databases, &clock).await?;
    lyon.publish(&[consultation(&lyon.url, 1)]).await?;
    settle(&[&lyon, &bordeaux]).await?;
    let mut tx = bordeaux.federation.store.write().await?;
    tx.set_followed(&lyon.domain, FollowState::None).await?;
    tx.save().await?;
    bordeaux.posts();
    Ok((clock, lyon, bordeaux))
}

async fn news(lyon: &TestGateway, n: u32) -> anyhow::Result<RecordId> {
    lyon.publish(&[contribution(&lyon.url, n)]).await?;
    Ok(id(&lyon.url, Class::Contribution, n))
}

async fn row(lyon: &TestGateway, bordeaux: &TestGateway, id: &RecordId) -> anyhow::Result<Disclosure> {
    lyon.ledger(bordeaux, id).await?.ok_or_else(|| anyhow::anyhow!("{id} is not in the ledger"))
}

async fn health(lyon: &TestGateway, bordeaux: &TestGateway) -> anyhow::Result<PartnerHealth> {
    let health = lyon.federation.store.read().await?.partner_health(&bordeaux.domain).await?;
    health.ok_or_else(|| anyhow::anyhow!("not listed"))
}

async fn alerts(lyon: &TestGateway, bordeaux: &TestGateway) -> anyhow::Result<Vec<String>> {
    let entries = lyon.federation.store.read().await?.audit_of(bordeaux.domain.as_str(), 100).await?;
    Ok(entries.into_iter().map(|entry| entry.action).collect())
}

/// An answer with a body.
fn said(status: u16, media_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn problem(status: u16, code: &'static str) -> Response {
    said(status, "application/problem+json", format!(r#"{{"status":{status},"code":"{code}","detail":"for a test"}}"#))
}

/// Lyon has news while every POST to Bordeaux is answered so; then Bordeaux is well again and, after
/// `patience`, has everything.
async fn survives(
    databases: &Databases,
    make: impl Fn() -> Response + Send + Sync + 'static,
    patience: Duration,
) -> anyhow::Result<(Disclosure, PartnerHealth)> {
    let (clock, lyon, bordeaux) = two(databases).await?;
    bordeaux.answer_posts_with(make);
    let record = news(&lyon, 1).await?;
    settle(&[&lyon, &bordeaux]).await?;
    let during = (row(&lyon, &bordeaux, &record).await?, health(&lyon, &bordeaux).await?);
    bordeaux.heal();
    clock.advance(patience);
    settle(&[&lyon, &bordeaux]).await?;
    anyhow::ensure!(bordeaux.copy(&record).await?.is_some(), "it did not arrive after {patience:?}");
    sound(&lyon, &bordeaux).await?;
    anyhow::ensure!(health(&lyon, &bordeaux).await?.failures.0 == 0, "it still counts as failing");
    Ok(during)
}

store_tests! {
    async fn rel_035_what_may_pass_by_itself_is_tried_again_within_seconds(databases: Databases) {
        for make in [
            (|| plain(StatusCode::INTERNAL_SERVER_ERROR)) as fn() -> Response,
            || said(502, "text/html", "<html>Bad gateway</html>"),
            || plain(StatusCode::SERVICE_UNAVAILABLE),
            || plain(StatusCode::REQUEST_TIMEOUT),
            || plain(StatusCode::TOO_EARLY),
            || plain(StatusCode::TOO_MANY_REQUESTS),
        ] {
            let (row, health) = survives(&databases, make, Duration::from_secs(10)).await?;
            assert_eq!((row.state, row.attempts), (DisclosureState::Due, 1));
            assert_eq!((health.failures.0, health.blocked), (1, None));
            assert!(row.last_answer.is_none_or(|answer| !answer.contains("html")), "nothing of a page is kept");
        }
    }

    async fn rel_034_retry_after_is_a_wish_of_at_most_a_day(databases: Databases) {
        let in_ten_minutes = "Tue, 15 Sep 2026 06:40:00 GMT";
        for (value, at_least, patience) in [
            ("600", 600, Duration::from_mins(10)),
            (in_ten_minutes, 590, Duration::from_mins(10)),
            ("0", 0, Duration::from_secs(10)),
            ("-5", 0, Duration::from_secs(10)),
            ("soon", 0, Duration::from_secs(10)),
            ("1000000000000", 86_400, Duration::from_hours(24)),
        ] {
            let make = move || {
                let mut response = plain(StatusCode::TOO_MANY_REQUESTS);
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(value));
                response
            };
            let (row, health) = survives(&databases, make, patience).await?;
            let now = morning();
            let now = passerelle::domain::Clock::now(&now);
            let waits = [row.next_at.since(now), health.next_probe.expect("it waits").since(now)];
            for wait in waits {
                assert!(wait >= Duration::from_secs(at_least) && wait <= patience, "{value}: {wait:?}");
            }
        }
    }

    async fn rel_033_a_partner_that_refuses_us_is_asked_hourly_while_deletions_go_on(databases: Databases) {
        for make in [(|| plain(StatusCode::UNAUTHORIZED)) as fn() -> Response, || problem(403, "not_listed"), || plain(StatusCode::FORBIDDEN)] {
            let (clock, lyon, bordeaux) = two(&databases).await?;
            let held = news(&lyon, 1).await?;
            settle(&[&lyon, &bordeaux]).await?;
            bordeaux.posts();
            bordeaux.disturb(move |parts, body| {
                let delete = String::from_utf8_lossy(body).contains("\"Delete\"");
                (parts.method == "POST" && !delete).then(make)
            });
            for n in 2..=20 {
                news(&lyon, n).await?;
            }
            settle(&[&lyon, &bordeaux]).await?;
            assert_eq!(bordeaux.posts().len(), 4, "what was under way at once, then nothing");
            assert!(health(&lyon, &bordeaux).await?.blocked.is_some());
            assert_eq!(alerts(&lyon, &bordeaux).await?.iter().filter(|alert| *alert == "partner-refuses-us").count(), 1);
            // Half an hour later a deletion goes out all the same, and is answered.
            lyon.delete(&held).await?;
            settle(&[&lyon, &bordeaux]).await?;
            assert_eq!(bordeaux.copy(&held).await?.expect("its tombstone").standing, CopyStanding::Deleted);
            bordeaux.heal();
            settle_for(&[&lyon, &bordeaux], &clock, 2, HOUR).await?;
            sound(&lyon, &bordeaux).await?;
        }
    }

    async fn rel_036_one_poisoned_item_is_rejected_and_the_others_go_on(databases: Databases) {
        for (status, code) in [(400, "invalid_json"), (409, "equivocation"), (413, "too_large"), (415, "x"), (422, "schema"), (403, "not-owner"), (403, "origin")] {
            let (_, lyon, bordeaux) = two(&databases).await?;
            let poison = id(&lyon.url, Class::Contribution, 5);
            let name = poison.to_string();
            bordeaux.disturb(move |parts, body| {
                (parts.method == "POST" && String::from_utf8_lossy(body).contains(&format!("\"id\":\"{name}\""))).then(|| problem(status, code))
            });
            let all: Vec<_> = (1..=20).map(|n| contribution(&lyon.url, n)).collect();
            lyon.publish(&all).await?;
            settle(&[&lyon, &bordeaux]).await?;
            let rejected = row(&lyon, &bordeaux, &poison).await?;
            assert_eq!((rejected.state, rejected.last_status), (DisclosureState::Rejected, Some(status)), "{code}");
            assert!(rejected.last_answer.expect("its reason").starts_with(code));
            for record in all.iter().filter(|record| record.id != poison) {
                assert!(bordeaux.copy(&record.id).await?.is_some());
            }
            assert_eq!(bordeaux.copy(&poison).await?, None);
            assert_eq!(health(&lyon, &bordeaux).await?.failures.0, 0);
            assert!(alerts(&lyon, &bordeaux).await?.contains(&"delivery-rejected".to_owned()));
        }
    }

    async fn gdpr_04_a_deletion_that_is_refused_is_asked_for_again(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        bordeaux.answer_posts_with(|| problem(422, "schema"));
        let erased = id(&lyon.url, Class::Consultation, 1);
        lyon.delete(&erased).await?;
        settle(&[&lyon, &bordeaux]).await?;
        assert_eq!(row(&lyon, &bordeaux, &erased).await?.state, DisclosureState::Due);
        settle_for(&[&lyon, &bordeaux], &clock, 40, Duration::from_hours(24)).await?;
        assert_eq!(row(&lyon, &bordeaux, &erased).await?.state, DisclosureState::Due, "never parked");
        assert!(alerts(&lyon, &bordeaux).await?.contains(&"delivery-rejected".to_owned()));
        bordeaux.heal();
        settle_for(&[&lyon, &bordeaux], &clock, 1, Duration::from_hours(6)).await?;
        assert_eq!(row(&lyon, &bordeaux, &erased).await?.state, DisclosureState::Purged);
    }

    async fn rel_032_a_wrong_set_up_is_told_and_asked_hourly(databases: Databases) {
        for make in [
            (|| plain(StatusCode::NOT_FOUND)) as fn() -> Response,
            || plain(StatusCode::METHOD_NOT_ALLOWED),
            || plain(StatusCode::NOT_IMPLEMENTED),
            || {
                let mut moved = plain(StatusCode::MOVED_PERMANENTLY);
                moved.headers_mut().insert(header::LOCATION, HeaderValue::from_static("http://lyon.localhost/elsewhere"));
                moved
            },
        ] {
            let (clock, lyon, bordeaux) = two(&databases).await?;
            bordeaux.answer_posts_with(make);
            let record = news(&lyon, 1).await?;
            settle_for(&[&lyon, &bordeaux], &clock, 24, HOUR).await?;
            let asked = bordeaux.posts().len();
            assert!((20..=30).contains(&asked), "{asked} times in 24 hours");
            assert_eq!(alerts(&lyon, &bordeaux).await?.iter().filter(|alert| *alert == "partner-misconfigured").count(), 1);
            bordeaux.heal();
            settle_for(&[&lyon, &bordeaux], &clock, 2, HOUR).await?;
            assert!(bordeaux.copy(&record).await?.is_some());
            sound(&lyon, &bordeaux).await?;
        }
    }

    async fn rel_031_gone_once_means_little_and_gone_for_three_days_is_a_question(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        bordeaux.answer_posts_with(|| plain(StatusCode::GONE));
        let record = news(&lyon, 1).await?;
        settle_for(&[&lyon, &bordeaux], &clock, 5, HOUR).await?;
        assert!(!alerts(&lyon, &bordeaux).await?.contains(&"partner-gone".to_owned()));
        settle_for(&[&lyon, &bordeaux], &clock, 72, HOUR).await?;
        assert_eq!(alerts(&lyon, &bordeaux).await?.iter().filter(|alert| *alert == "partner-gone").count(), 1);
        // Meanwhile nothing was deleted, neither here nor there.
        assert!(bordeaux.copy(&id(&lyon.url, Class::Consultation, 1)).await?.is_some());
        assert_eq!(row(&lyon, &bordeaux, &record).await?.state, DisclosureState::Due);
        bordeaux.heal();
        settle_for(&[&lyon, &bordeaux], &clock, 2, HOUR).await?;
        sound(&lyon, &bordeaux).await?;
    }

    async fn rel_035_yes_without_proof_is_settled_by_what_the_partner_says_it_holds(databases: Databases) {
        for mangle in [
            (|_| plain(StatusCode::OK)) as fn(Response) -> Response,
            |_| said(200, "text/html", "<html>Bienvenue</html>"),
            |_| plain(StatusCode::NO_CONTENT),
            |_| said(202, "application/activity+json", r#"{"type":"Document","recordType":"DeliveryReceipt"}"#),
            |_| said(202, "application/activity+json", "\u{0}\u{1}garbage"),
        ] {
            // The partner did take it; only its answer is worthless.
            let (clock, lyon, bordeaux) = two(&databases).await?;
            bordeaux.lose(mangle);
            let record = news(&lyon, 1).await?;
            settle(&[&lyon, &bordeaux]).await?;
            assert_eq!(row(&lyon, &bordeaux, &record).await?.state, DisclosureState::Unconfirmed);
            clock.advance(Duration::from_secs(10));
            settle(&[&lyon, &bordeaux]).await?;
            assert_eq!(bordeaux.posts().len(), 2, "sent again once");
            let settled = row(&lyon, &bordeaux, &record).await?;
            assert_eq!((settled.state, settled.acked_revision, settled.receipt), (DisclosureState::Acknowledged, Some(1), None));
            sound(&lyon, &bordeaux).await?;
        }
    }

    async fn rel_035_yes_without_proof_and_without_effect_is_tried_again(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        bordeaux.answer_posts_with(|| said(200, "text/html", "<html>Bienvenue</html>"));
        let record = news(&lyon, 1).await?;
        settle_for(&[&lyon, &bordeaux], &clock, 2, Duration::from_secs(30)).await?;
        let open = row(&lyon, &bordeaux, &record).await?;
        assert_eq!((open.state, open.acked_revision), (DisclosureState::Due, None));
        assert_eq!(bordeaux.copy(&record).await?, None);
        bordeaux.heal();
        settle_for(&[&lyon, &bordeaux], &clock, 2, HOUR).await?;
        assert_eq!(row(&lyon, &bordeaux, &record).await?.state, DisclosureState::Acknowledged);
        sound(&lyon, &bordeaux).await?;
    }

    async fn rel_035_an_answer_without_end_is_cut_off(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        bordeaux.answer_posts_with(|| {
            let endless = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(bytes::Bytes::from(vec![b'x'; 64 << 10])));
            said(202, "application/activity+json", Body::from_stream(endless))
        });
        let record = news(&lyon, 1).await?;
        settle(&[&lyon, &bordeaux]).await?;
        assert_eq!(row(&lyon, &bordeaux, &record).await?.state, DisclosureState::Due);
        bordeaux.heal();
        settle_for(&[&lyon, &bordeaux], &clock, 1, Duration::from_secs(10)).await?;
        sound(&lyon, &bordeaux).await?;
    }

    async fn a_receipt_of_somebody_else_or_about_something_else_proves_nothing(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        let first = news(&lyon, 1).await?;
        settle(&[&lyon, &bordeaux]).await?;
        let receipt = row(&lyon, &bordeaux, &first).await?.receipt.expect("a receipt");
        bordeaux.answer_posts_with(move || said(202, "application/activity+json", receipt.clone()));
        let second = news(&lyon, 2).await?;
        settle_for(&[&lyon, &bordeaux], &clock, 2, Duration::from_secs(30)).await?;
        let open = row(&lyon, &bordeaux, &second).await?;
        assert_eq!((open.acked_revision, open.receipt), (None, None));
        assert!(open.last_answer.expect("a reason").starts_with("unconfirmed"));
    }

    async fn rel_030_a_partner_that_says_nothing_costs_one_deadline(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = silent.local_addr()?;
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let holding = tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((socket, _)) = silent.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                open.push(socket);
            }
        });
        let mut partner = bordeaux.as_partner(FollowState::Accepted, FollowState::None);
        partner.inbox = format!("http://{address}/actor/inbox");
        lyon.list(&partner).await?;
        let record = news(&lyon, 1).await?;
        let begun = std::time::Instant::now();
        settle(&[&lyon]).await?;
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!((row(&lyon, &bordeaux, &record).await?.state, connections.load(Ordering::SeqCst)), (DisclosureState::Due, 1));
        holding.abort();
        // Nobody listens there any more: refused at once, tried again like everything transient.
        settle_for(&[&lyon], &clock, 3, Duration::from_mins(2)).await?;
        assert!(health(&lyon, &bordeaux).await?.failures.0 >= 3);
        lyon.list(&bordeaux.as_partner(FollowState::Accepted, FollowState::Accepted)).await?;
        settle_for(&[&lyon, &bordeaux], &clock, 2, HOUR).await?;
        sound(&lyon, &bordeaux).await?;
    }

    async fn rel_029_a_slow_partner_holds_up_nobody_else(databases: Databases) {
        let (_, lyon, bordeaux) = two(&databases).await?;
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let mut slow = bordeaux.as_partner(FollowState::Accepted, FollowState::None);
        slow.domain = "slow.example".parse()?;
        slow.actor = "http://slow.example/actor".parse()?;
        slow.inbox = format!("http://{}/actor/inbox", silent.local_addr()?);
        lyon.list(&slow).await?;
        lyon.publish(&(1..=30).map(|n| contribution(&lyon.url, n)).collect::<Vec<_>>()).await?;
        passerelle::federation::planner::step(&lyon.federation).await?;
        // The slow one has no deadline here: what waited for it would wait for ever.
        let settings = Settings { limits: Limits { deadline: HOUR, ..Limits::DELIVERY }, ..Settings::default() };
        let (worker, share) = (Worker::new(lyon.federation.clone(), settings.clone()), u64::from(settings.per_partner));
        let count = async |of: &PartnerDomain, wanted: DisclosureState| {
            let counts = lyon.federation.store.read().await?.disclosure_counts(of).await?;
            anyhow::Ok(counts.iter().filter(|(state, _)| *state == wanted).map(|(_, count)| *count).sum::<u64>())
        };
        let all = async {
            while count(&bordeaux.domain, DisclosureState::Acknowledged).await? < 31 {
                worker.step().await?;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(Duration::from_mins(1), all).await.expect("the slow partner holds up the other one")?;
        // What was claimed ahead for the slow one is given back after a while: it is nobody's.
        let waiting = async {
            while count(&slow.domain, DisclosureState::Sending).await? > share {
                worker.step().await?;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("what cannot leave is given back")?;
        assert_eq!(count(&slow.domain, DisclosureState::Sending).await?, share, "none of its requests has ended yet");
        // Its requests end with the connections.
        drop(silent);
        worker.drain().await;
        assert_eq!(count(&slow.domain, DisclosureState::Sending).await?, 0);
    }

    async fn rel_027_after_three_days_of_silence_everything_arrives_in_few_requests(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        lyon.publish(&(1..=40).map(|n| contribution(&lyon.url, n)).collect::<Vec<_>>()).await?;
        settle(&[&lyon, &bordeaux]).await?;
        bordeaux.posts();
        bordeaux.answer_posts_with(|| plain(StatusCode::BAD_GATEWAY));
        let mut changes = 0;
        for hour in 0..72 {
            for n in 1..=5_u32 {
                let edited = id(&lyon.url, Class::Contribution, (hour * 5 + n) % 39 + 1);
                lyon.edit(&edited, |record| record.content = text(&format!("Heure {hour}."))).await?;
                changes += 1;
            }
            settle_for(&[&lyon, &bordeaux], &clock, 1, HOUR).await?;
        }
        let erased = id(&lyon.url, Class::Contribution, 40);
        lyon.delete(&erased).await?;
        let tried = bordeaux.posts().len();
        assert!(tried < 170, "{tried} probes in 72 hours");
        bordeaux.heal();
        settle_for(&[&lyon, &bordeaux], &clock, 2, HOUR).await?;
        let sent = bordeaux.posts();
        assert!(sent.len() < 50 && changes == 360, "{} requests for {changes} changes", sent.len());
        let first: Vec<bool> = sent.iter().take(2).map(|post| String::from_utf8_lossy(&post.body).contains("\"Delete\"")).collect();
        assert!(first.contains(&true), "the deletion goes first");
        assert_eq!(bordeaux.copy(&erased).await?.expect("its tombstone").standing, CopyStanding::Deleted);
        sound(&lyon, &bordeaux).await?;
    }

    async fn rel_028_after_45_days_rows_are_parked_a_deletion_is_not_and_a_person_resumes(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        let held = news(&lyon, 1).await?;
        settle(&[&lyon, &bordeaux]).await?;
        bordeaux.answer_posts_with(|| plain(StatusCode::BAD_GATEWAY));
        let record = news(&lyon, 2).await?;
        lyon.delete(&held).await?;
        settle_for(&[&lyon, &bordeaux], &clock, 45 * 4, Duration::from_hours(6)).await?;
        assert_eq!(row(&lyon, &bordeaux, &record).await?.state, DisclosureState::Parked);
        assert_eq!(row(&lyon, &bordeaux, &held).await?.state, DisclosureState::Due);
        assert!(alerts(&lyon, &bordeaux).await?.contains(&"delivery-parked".to_owned()));
        bordeaux.heal();
        let mut tx = lyon.federation.store.write().await?;
        tx.retry_disclosures(&bordeaux.domain, lyon.federation.now()).await?;
        tx.wake_partner(&bordeaux.domain, lyon.federation.now()).await?;
        tx.save().await?;
        settle(&[&lyon, &bordeaux]).await?;
        assert!(bordeaux.copy(&record).await?.is_some());
        assert_eq!(row(&lyon, &bordeaux, &held).await?.state, DisclosureState::Purged);
        sound(&lyon, &bordeaux).await?;
    }

    async fn rel_037_a_flapping_partner_converges_without_a_storm(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        for minute in 0..60 {
            bordeaux.answer_posts_with(|| plain(StatusCode::BAD_GATEWAY));
            if minute < 40 {
                news(&lyon, minute + 1).await?;
            }
            bordeaux.posts();
            settle_for(&[&lyon, &bordeaux], &clock, 5, Duration::from_secs(11)).await?;
            let probes = bordeaux.posts().len();
            assert!(probes <= 9, "{probes} probes in 55 seconds");
            bordeaux.heal();
            settle_for(&[&lyon, &bordeaux], &clock, 1, Duration::from_secs(5)).await?;
        }
        settle_for(&[&lyon, &bordeaux], &clock, 2, HOUR).await?;
        sound(&lyon, &bordeaux).await?;
    }

    async fn rel_022_a_change_that_commits_late_is_delivered(databases: Databases) {
        let (_, lyon, bordeaux) = two(&databases).await?;
        if lyon.federation.store.backend() == passerelle::store::Backend::Postgres {
            // An earlier number, a later commit: only PostgreSQL lets two writers overlap.
            let slow = lyon.prepare(&contribution(&lyon.url, 1)).await?;
            news(&lyon, 2).await?;
            settle(&[&lyon, &bordeaux]).await?;
            assert!(bordeaux.copy(&id(&lyon.url, Class::Contribution, 2)).await?.is_some());
            slow.save().await?;
        } else {
            news(&lyon, 1).await?;
        }
        settle(&[&lyon, &bordeaux]).await?;
        assert!(bordeaux.copy(&id(&lyon.url, Class::Contribution, 1)).await?.is_some());
        sound(&lyon, &bordeaux).await?;
    }

    async fn what_cannot_be_pushed_is_read_within_hours(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two_paired(&databases, &clock).await?;
        lyon.publish(&[consultation(&lyon.url, 1)]).await?;
        settle(&[&lyon, &bordeaux]).await?;
        bordeaux.answer_posts_with(|| plain(StatusCode::NOT_FOUND));
        let record = news(&lyon, 1).await?;
        settle_for(&[&lyon, &bordeaux], &clock, 7, HOUR).await?;
        assert!(bordeaux.copy(&record).await?.is_some());
        assert_eq!(row(&lyon, &bordeaux, &record).await?.state, DisclosureState::Acknowledged);
        sound(&lyon, &bordeaux).await?;
    }

    async fn rel_005_an_answer_that_was_lost_leads_to_one_effect_and_the_same_receipt(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        lyon.publish(&[contribution(&lyon.url, 1), comment(&lyon.url, 1)]).await?;
        bordeaux.lose(|_| plain(StatusCode::GATEWAY_TIMEOUT));
        settle(&[&lyon, &bordeaux]).await?;
        assert!(bordeaux.copy(&id(&lyon.url, Class::Contribution, 1)).await?.is_some(), "it arrived");
        bordeaux.heal();
        settle_for(&[&lyon, &bordeaux], &clock, 2, Duration::from_secs(30)).await?;
        for class in [Class::Contribution, Class::Comment] {
            let row = row(&lyon, &bordeaux, &id(&lyon.url, class, 1)).await?;
            assert_eq!((row.state, row.receipt.is_some()), (DisclosureState::Acknowledged, true));
        }
        let journal = bordeaux.federation.store.read().await?.list_journal(&lyon.domain, None, 100).await?;
        let of_record = journal.iter().filter(|row| row.object.is_some()).count();
        assert_eq!(of_record, 3, "the consultation and two records, once each");
        sound(&lyon, &bordeaux).await?;
    }
}
