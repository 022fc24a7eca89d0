//! Reading records in bulk: what `/actor/records` gives to whom, and what a reader believes.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use passerelle::domain::partner::{FollowState, Partner};
use passerelle::domain::{Class, Clock as _, Record, RecordId};
use passerelle::federation::Outcome;
use passerelle::federation::backfill::{self, Ended, MAX_IN_VAIN};
use passerelle::store::{DisclosureState, StoreError};
use serde_json::{Value, json};
use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

use super::journeys::{small_city, sound};
use crate::store_tests;
use crate::support::content::{comment, consultation, contribution, id};
use crate::support::gateway::{Answered, TestGateway, get_as, json as document, morning, plain, settle};
use crate::support::stores::Databases;

pub(super) fn read(answered: &Answered) -> Value {
    serde_json::from_slice(&answered.body).expect("JSON")
}

pub(super) fn ids(page: &Value) -> Vec<String> {
    let items = page["orderedItems"].as_array().expect("items");
    items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

pub(super) fn path_of(page: &Value, at: &TestGateway) -> String {
    path_to("next", page, at)
}

pub(super) fn path_to(name: &str, page: &Value, at: &TestGateway) -> String {
    page[name].as_str().expect("an address").strip_prefix(at.url.as_str().trim_end_matches('/')).expect("our own").to_owned()
}

/// Whether `at` says of what stands on a page of its own that `reader` has it.
pub(super) async fn acked(page: &Value, at: &TestGateway, reader: &TestGateway) -> anyhow::Result<HashSet<bool>> {
    let mut acked = HashSet::new();
    for id in ids(page) {
        let row = at.ledger(reader, &id.parse::<RecordId>()?).await?.expect("it was written before it left");
        acked.insert(row.acked_revision.is_some());
    }
    Ok(acked)
}

/// Lyon with `n` contributions and as many comments; Bordeaux follows it and has read nothing.
pub(super) async fn city_of(databases: &Databases, n: u32) -> anyhow::Result<(TestGateway, TestGateway)> {
    let (lyon, bordeaux) = TestGateway::two(databases, &morning()).await;
    let mut records: Vec<Record> = vec![consultation(&lyon.url, 1)];
    records.extend((1..=n).map(|n| comment(&lyon.url, n)));
    records.extend((1..=n).map(|n| contribution(&lyon.url, n)));
    lyon.publish(&records).await?;
    settle(&[&lyon]).await?;
    lyon.list(&bordeaux.as_partner(FollowState::Accepted, FollowState::None)).await?;
    bordeaux.list(&lyon.as_partner(FollowState::None, FollowState::Accepted)).await?;
    Ok((lyon, bordeaux))
}

/// A page that is said once the gate lets it pass.
pub(super) fn after(gate: &Arc<Semaphore>, page: String) -> Response {
    let gate = Arc::clone(gate);
    document(Body::from_stream(futures_util::stream::once(async move {
        gate.acquire().await.map(SemaphorePermit::forget)?;
        Ok::<_, AcquireError>(page)
    })))
}

store_tests! {
    async fn a_page_has_parents_before_children_and_at_most_a_hundred_items(databases: Databases) {
        let (lyon, bordeaux) = city_of(&databases, 120).await?;
        let mut path = "/actor/records".to_owned();
        let mut seen: Vec<String> = Vec::new();
        for expected in [100, 100, 41, 0] {
            let answered = get_as(&bordeaux, &lyon, &path).await?;
            assert_eq!(answered.status, 200);
            let page = read(&answered);
            assert_eq!(page["type"], "OrderedCollectionPage");
            assert_eq!(ids(&page).len(), expected);
            for item in page["orderedItems"].as_array().expect("items") {
                for parent in ["inReplyTo", "process"] {
                    if let Some(parent) = item[parent].as_str().filter(|parent| item["id"] != *parent) {
                        let before = seen.iter().any(|id| id == parent) || ids(&page).iter().take_while(|id| item["id"] != id.as_str()).any(|id| id == parent);
                        assert!(before, "{parent} comes after {}", item["id"]);
                    }
                }
            }
            seen.extend(ids(&page));
            path = path_of(&page, &lyon);
        }
        assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 241, "each once");
        // Asked again later, the last page brings what is new.
        lyon.publish(&[contribution(&lyon.url, 500)]).await?;
        let page = read(&get_as(&bordeaux, &lyon, &path).await?);
        assert_eq!(ids(&page), [id(&lyon.url, Class::Contribution, 500).to_string()]);
    }

    async fn asking_for_the_next_page_acknowledges_the_one_before(databases: Databases) {
        let (lyon, bordeaux) = city_of(&databases, 2).await?;
        let first = get_as(&bordeaux, &lyon, "/actor/records").await?;
        let page = read(&first);
        for id in ids(&page) {
            let row = lyon.ledger(&bordeaux, &id.parse::<RecordId>()?).await?.expect("it was written before it left");
            assert!(row.offered && row.acked_revision.is_none());
        }
        // The answer was lost: the same page again, the same items.
        let again = read(&get_as(&bordeaux, &lyon, "/actor/records").await?);
        assert_eq!(ids(&again), ids(&page));
        read(&get_as(&bordeaux, &lyon, &path_of(&again, &lyon)).await?);
        for id in ids(&page) {
            let row = lyon.ledger(&bordeaux, &id.parse::<RecordId>()?).await?.expect("it is in the ledger");
            assert_eq!((row.state, row.acked_revision), (DisclosureState::Acknowledged, Some(1)), "{id}");
        }
    }

    async fn a_late_question_for_a_page_that_is_over_opens_nothing(databases: Databases) {
        let (lyon, bordeaux) = city_of(&databases, 120).await?;
        let first = read(&get_as(&bordeaux, &lyon, "/actor/records").await?);
        let second = read(&get_as(&bordeaux, &lyon, &path_of(&first, &lyon)).await?);
        let third = read(&get_as(&bordeaux, &lyon, &path_of(&second, &lyon)).await?);
        lyon.publish(&[contribution(&lyon.url, 500)]).await?;
        // The same question as for the second page once more; its answer reaches nobody.
        let late = get_as(&bordeaux, &lyon, &path_of(&first, &lyon)).await?;
        let fourth = read(&get_as(&bordeaux, &lyon, &path_of(&third, &lyon)).await?);
        assert_eq!(ids(&fourth), [id(&lyon.url, Class::Contribution, 500).to_string()]);
        assert_eq!(acked(&fourth, &lyon, &bordeaux).await?, [false].into(), "it was not read yet");
        assert_eq!(late.status, 400);
    }

    async fn sec_049_records_are_for_followers_that_sign(databases: Databases) {
        let (lyon, bordeaux) = city_of(&databases, 1).await?;
        let nantes = TestGateway::start(&databases, "nantes", &morning()).await;
        assert_eq!(get_as(&nantes, &lyon, "/actor/records").await?.status, 401, "not listed");
        lyon.list(&nantes.as_partner(FollowState::None, FollowState::None)).await?;
        assert_eq!(get_as(&nantes, &lyon, "/actor/records").await?.status, 401, "does not follow");
        lyon.list(&nantes.as_partner(FollowState::Rejected, FollowState::None)).await?;
        assert_eq!(get_as(&nantes, &lyon, "/actor/records").await?.status, 401, "was refused");
        let url = lyon.url.join("/actor/records")?;
        let unsigned = bordeaux.federation.client.send(passerelle::outbound::Request::get(url)).await?;
        assert_eq!(unsigned.status.as_u16(), 401);
        assert_eq!(get_as(&bordeaux, &lyon, "/actor/records").await?.status, 200);
    }

    async fn sec_049_who_follows_no_more_is_sent_deletions_only(databases: Databases) {
        let (lyon, bordeaux) = TestGateway::two_paired(&databases, &morning()).await?;
        lyon.publish(&small_city(&lyon)).await?;
        settle(&[&lyon, &bordeaux]).await?;
        let mut tx = lyon.federation.store.write().await?;
        tx.set_follows_us(&bordeaux.domain, FollowState::Rejected).await?;
        tx.save().await?;
        bordeaux.posts();
        let erased = id(&lyon.url, Class::Comment, 1);
        lyon.publish(&[contribution(&lyon.url, 9)]).await?;
        lyon.edit(&id(&lyon.url, Class::Contribution, 1), |record| record.title = None).await?;
        lyon.delete(&erased).await?;
        settle(&[&lyon, &bordeaux]).await?;
        let posts: Vec<String> = bordeaux.posts().iter().map(|post| String::from_utf8_lossy(&post.body).into_owned()).collect();
        assert_eq!(posts.len(), 1, "{posts:?}");
        assert!(posts[0].contains("\"Delete\"") && posts[0].contains(erased.as_str()));
        assert_eq!(lyon.ledger(&bordeaux, &erased).await?.expect("it is in the ledger").state, DisclosureState::Purged);
    }

    async fn who_asks_again_and_again_holds_up_nobody_who_writes(databases: Databases) {
        let (lyon, bordeaux) = city_of(&databases, 2).await?;
        let first = read(&get_as(&bordeaux, &lyon, "/actor/records").await?);
        let end = path_of(&first, &lyon);
        assert_eq!(ids(&read(&get_as(&bordeaux, &lyon, &end).await?)).len(), 0);
        // Nothing is new: found out while somebody else writes.
        let writer = lyon.federation.store.write().await?;
        for _ in 0..2 {
            let page = read(&tokio::time::timeout(Duration::from_secs(5), get_as(&bordeaux, &lyon, &end)).await??);
            assert_eq!((ids(&page).len(), path_of(&page, &lyon)), (0, end.clone()));
        }
        writer.forget().await?;
        // What is new is found, although it was asked for in vain just now.
        lyon.publish(&[contribution(&lyon.url, 500)]).await?;
        let page = read(&get_as(&bordeaux, &lyon, &end).await?);
        assert_eq!(ids(&page), [id(&lyon.url, Class::Contribution, 500).to_string()]);
        // Ten questions at once for a page that nobody opened before bring the same.
        lyon.publish(&(501..=520).map(|n| contribution(&lyon.url, n)).collect::<Vec<_>>()).await?;
        let end = path_of(&page, &lyon);
        let pages = futures_util::future::try_join_all((0..10).map(|_| get_as(&bordeaux, &lyon, &end))).await?;
        let pages: HashSet<Vec<String>> = pages.iter().map(|page| ids(&read(page))).collect();
        assert_eq!((pages.len(), pages.iter().map(Vec::len).sum::<usize>()), (1, 20));
    }

    async fn hostile_cursors_are_answered_with_400(databases: Databases) {
        let (lyon, bordeaux) = city_of(&databases, 1).await?;
        for cursor in ["x", "%00", "AAAA", "MSAx", "%27%20OR%201=1", &"A".repeat(4000)] {
            assert_eq!(get_as(&bordeaux, &lyon, &format!("/actor/records?after={cursor}")).await?.status, 400, "{cursor}");
        }
        // Of another reading: the partner has begun again meanwhile.
        let old = path_of(&read(&get_as(&bordeaux, &lyon, "/actor/records").await?), &lyon);
        get_as(&bordeaux, &lyon, "/actor/records").await?;
        assert_eq!(get_as(&bordeaux, &lyon, &old).await?.status, 400);
    }

    async fn reading_goes_on_where_it_was_interrupted(databases: Databases) {
        let (lyon, bordeaux) = city_of(&databases, 150).await?;
        let served = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&served);
        lyon.disturb(move |parts, _| {
            let records = parts.uri.path() == "/actor/records";
            // Not when it is asked ahead, and not when it is asked again.
            (records && (1..=2).contains(&count.fetch_add(1, Ordering::SeqCst))).then(|| plain(StatusCode::SERVICE_UNAVAILABLE))
        });
        assert_eq!(backfill::step(&bordeaux.federation).await?, Outcome::Worked(1));
        assert_eq!(backfill::step(&bordeaux.federation).await?, Outcome::Idle, "not at once again");
        let clock = passerelle::domain::time::ManualClock::at(bordeaux.federation.now());
        clock.advance(Duration::from_secs(1));
        let mut tx = bordeaux.federation.store.write().await?;
        backfill::ask_soon(&mut tx, &lyon.domain, bordeaux.federation.now()).await?;
        tx.save().await?;
        settle(&[&lyon, &bordeaux]).await?;
        assert_eq!(served.load(Ordering::SeqCst), 7, "1, failed twice, 2, 3, 4, empty");
        sound(&lyon, &bordeaux).await?;
    }

    async fn sec_136_a_stream_without_end_is_left_after_twenty_pages(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two(&databases, &clock).await;
        bordeaux.list(&lyon.as_partner(FollowState::None, FollowState::Accepted)).await?;
        let partner = lyon.as_partner(FollowState::None, FollowState::Accepted);
        let base = lyon.url.join("/actor/records")?.to_string();
        let page = |next: String, items: Value| {
            document(json!({"type": "OrderedCollectionPage", "next": next, "orderedItems": items}).to_string())
        };
        // New pages for ever, each with an item that is refused.
        let (address, n) = (base.clone(), AtomicUsize::new(0));
        lyon.disturb(move |parts, _| (parts.uri.path() == "/actor/records").then(|| page(format!("{address}?after={}", n.fetch_add(1, Ordering::SeqCst)), json!([1]))));
        let reading = backfill::read(&bordeaux.federation, &partner).await?;
        assert_eq!((reading.pages, reading.applied, reading.ended), (MAX_IN_VAIN, 0, Ended::InVain));
        // Not at once again, and a person is told once a reading: or it would go on for ever all the same.
        assert_eq!(backfill::step(&bordeaux.federation).await?, Outcome::Idle);
        clock.advance(Duration::from_mins(5));
        assert_eq!(backfill::step(&bordeaux.federation).await?, Outcome::Worked(MAX_IN_VAIN));
        let told = bordeaux.federation.store.read().await?.list_audit(None, 100).await?;
        let told: Vec<&str> = told.iter().filter(|row| row.action == "records-refused").map(|row| row.detail.as_str()).collect();
        assert_eq!((told.len(), told[0].starts_with("20 items were not taken")), (2, true), "{told:?}");
        // The page itself, and a circle of two.
        for circle in [vec!["a"], vec!["a", "b"]] {
            let mut tx = bordeaux.federation.store.write().await?;
            tx.set_backfill_cursor(&lyon.domain, Some(&format!("{base}?after=a")), bordeaux.federation.now()).await?;
            tx.save().await?;
            let (address, circle) = (base.clone(), circle);
            let length = circle.len();
            lyon.disturb(move |parts, _| (parts.uri.path() == "/actor/records").then(|| {
                let here = parts.uri.query().and_then(|query| query.strip_prefix("after=")).unwrap_or("a");
                let place = circle.iter().position(|name| *name == here).unwrap_or(0);
                page(format!("{address}?after={}", circle[(place + 1) % circle.len()]), json!([1]))
            }));
            let reading = backfill::read(&bordeaux.federation, &partner).await?;
            assert_eq!(reading.pages, length);
            assert!(matches!(reading.ended, Ended::Unusable(_)), "{reading:?}");
        }
        // No items, but a next.
        let address = base.clone();
        lyon.disturb(move |parts, _| (parts.uri.path() == "/actor/records").then(|| page(format!("{address}?after=zz"), json!([]))));
        let reading = backfill::read(&bordeaux.federation, &partner).await?;
        assert_eq!((reading.pages, reading.ended), (1, Ended::Complete));
    }

    async fn a_slow_stream_is_left_after_a_minute(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two(&databases, &clock).await;
        lyon.publish(&(1..=350).map(|n| consultation(&lyon.url, n)).collect::<Vec<_>>()).await?;
        lyon.list(&bordeaux.as_partner(FollowState::Accepted, FollowState::None)).await?;
        let partner = lyon.as_partner(FollowState::None, FollowState::Accepted);
        bordeaux.list(&partner).await?;
        let time = clock.clone();
        lyon.disturb(move |parts, _| {
            if parts.uri.path() == "/actor/records" {
                time.advance(Duration::from_secs(40));
            }
            None
        });
        let reading = backfill::read(&bordeaux.federation, &partner).await?;
        assert!((1..=2).contains(&reading.pages) && reading.ended == Ended::LimitReached, "{reading:?}");
        assert_eq!(reading.applied, 100 * reading.pages, "what was read is kept");
    }

    async fn a_stream_that_brings_news_is_read_on_for_two_hundred_pages(databases: Databases) {
        let (lyon, bordeaux) = TestGateway::two(&databases, &morning()).await;
        lyon.publish(&(1..=203).map(|n| consultation(&lyon.url, n)).collect::<Vec<_>>()).await?;
        let partner = lyon.as_partner(FollowState::None, FollowState::Accepted);
        bordeaux.list(&partner).await?;
        let mut sealed: Vec<Value> = Vec::new();
        for n in 1..=203 {
            sealed.push(serde_json::from_slice(&lyon.record(&id(&lyon.url, Class::Consultation, n)).await?.sealed)?);
        }
        // One record a page, none twice.
        let base = lyon.url.join("/actor/records")?.to_string();
        lyon.disturb(move |parts, _| (parts.uri.path() == "/actor/records").then(|| {
            let here: usize = parts.uri.query().and_then(|query| query.strip_prefix("after=")?.parse().ok()).unwrap_or(0);
            let items: Vec<&Value> = sealed.get(here).into_iter().collect();
            let next = if items.is_empty() { here } else { here + 1 };
            document(json!({"type": "OrderedCollectionPage", "next": format!("{base}?after={next}"), "orderedItems": items}).to_string())
        }));
        let reading = backfill::read(&bordeaux.federation, &partner).await?;
        assert_eq!((reading.pages, reading.applied, reading.refused, reading.ended), (200, 200, 0, Ended::LimitReached));
        let reading = backfill::read(&bordeaux.federation, &partner).await?;
        assert_eq!((reading.pages, reading.applied, reading.ended), (4, 3, Ended::Complete), "and the empty one");
    }

    async fn sec_051_a_page_brings_only_its_owners_records_with_their_proof(databases: Databases) {
        let (lyon, bordeaux) = city_of(&databases, 2).await?;
        let partner = lyon.as_partner(FollowState::None, FollowState::Accepted);
        let good = lyon.record(&id(&lyon.url, Class::Contribution, 1)).await?.sealed;
        let good: Value = serde_json::from_slice(&good)?;
        let mut flipped = good.clone();
        flipped["revision"] = json!(2);
        let mut unsigned: Value = serde_json::from_slice(&lyon.record(&id(&lyon.url, Class::Contribution, 2)).await?.sealed)?;
        unsigned.as_object_mut().expect("an object").remove("proof");
        let mut foreign = good.clone();
        foreign["id"] = json!("https://nantes.example/contributions/1");
        bordeaux.publish(&[consultation(&bordeaux.url, 7)]).await?;
        let ours: Value = serde_json::from_slice(&bordeaux.record(&id(&bordeaux.url, Class::Consultation, 7)).await?.sealed)?;
        let next = format!("{}?after=x", lyon.url.join("/actor/records")?);
        let items = json!([flipped, unsigned, foreign, ours, 1, null, "https://lyon.example/x", {}, good]);
        let page = json!({"type": "OrderedCollectionPage", "next": next, "orderedItems": items}).to_string();
        let empty = json!({"type": "OrderedCollectionPage", "next": next, "orderedItems": []}).to_string();
        lyon.disturb(move |parts, _| (parts.uri.path() == "/actor/records").then(|| {
            document(if parts.uri.query().is_some() { empty.clone() } else { page.clone() })
        }));
        let reading = backfill::read(&bordeaux.federation, &partner).await?;
        assert_eq!((reading.applied, reading.refused, reading.ended), (1, 8, Ended::Complete));
        let held = bordeaux.federation.store.read().await?.copy_heads(&lyon.domain, None, 10).await?;
        assert_eq!(held.iter().map(|head| head.revision).collect::<Vec<_>>(), [1]);
    }

    async fn a_page_is_not_kept_once_its_partner_has_another_key_or_is_not_followed(databases: Databases) {
        let (lyon, bordeaux) = city_of(&databases, 2).await?;
        let listed = lyon.as_partner(FollowState::None, FollowState::Accepted);
        let keys = &bordeaux.federation.keys;
        let other_key = Partner { key: Some(keys.multikey().clone()), ..listed.clone() };
        let other_id = Partner { key_id: Some(format!("{}#other", listed.actor)), ..listed.clone() };
        let left = Partner { followed: FollowState::None, ..listed.clone() };
        let records = lyon.url.join("/actor/records")?.to_string();
        let page = |next: &str, item: Value| {
            json!({"type": "OrderedCollectionPage", "next": format!("{records}?after={next}"), "orderedItems": [item]}).to_string()
        };
        let item = async |n| anyhow::Ok(serde_json::from_slice(&lyon.record(&id(&lyon.url, Class::Contribution, n)).await?.sealed)?);
        let (first, second) = (page("x", item(1).await?), page("y", item(2).await?));
        for changed in [other_key, other_id, left] {
            bordeaux.list(&listed).await?;
            let mut tx = bordeaux.federation.store.write().await?;
            tx.set_backfill_cursor(&lyon.domain, None, bordeaux.federation.now().minus(Duration::from_hours(7))).await?;
            tx.save().await?;
            let (store, first, second) = (bordeaux.federation.store.clone(), first.clone(), second.clone());
            lyon.disturb(move |parts, _| {
                let (store, changed, second) = (store.clone(), changed.clone(), second.clone());
                (parts.uri.path() == "/actor/records").then(|| match parts.uri.query() {
                    None => document(first.clone()),
                    // While it is answered, the partner changes.
                    Some(_) => document(Body::from_stream(futures_util::stream::once(async move {
                        let mut tx = store.write().await?;
                        tx.put_partner(&changed).await?;
                        tx.save().await?;
                        Ok::<_, StoreError>(second)
                    }))),
                })
            });
            assert_eq!(backfill::step(&bordeaux.federation).await?, Outcome::Worked(1), "the page before it");
            let held = bordeaux.federation.store.read().await?.copy_heads(&lyon.domain, None, 10).await?;
            assert_eq!(held.len(), 1, "the second page is not kept");
            let (place, _) = bordeaux.federation.store.read().await?.backfill_cursor(&lyon.domain).await?;
            assert_eq!(place, Some(format!("{records}?after=x")), "it is asked for again");
        }
    }

    async fn a_lost_copy_comes_back_when_the_stream_is_read_from_its_start(databases: Databases) {
        let (lyon, bordeaux) = TestGateway::two_paired(&databases, &morning()).await?;
        lyon.publish(&small_city(&lyon)).await?;
        settle(&[&lyon, &bordeaux]).await?;
        let mut tx = bordeaux.federation.store.write().await?;
        tx.set_backfill_cursor(&lyon.domain, None, bordeaux.federation.now().minus(Duration::from_hours(7))).await?;
        tx.save().await?;
        settle(&[&lyon, &bordeaux]).await?;
        sound(&lyon, &bordeaux).await?;
    }

    async fn a_slow_partner_takes_no_other_partners_turn(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two(&databases, &clock).await;
        let nantes = TestGateway::start(&databases, "nantes", &clock).await;
        for origin in [&lyon, &bordeaux] {
            origin.publish(&(1..=510).map(|n| consultation(&origin.url, n)).collect::<Vec<_>>()).await?;
            origin.list(&nantes.as_partner(FollowState::Accepted, FollowState::None)).await?;
            nantes.list(&origin.as_partner(FollowState::None, FollowState::Accepted)).await?;
        }
        // Bordeaux says the first word of its answer once Lyon's stream was read to its end.
        let (gate, asked) = (Arc::new(Semaphore::new(0)), AtomicUsize::new(0));
        let (opened, records) = (Arc::clone(&gate), bordeaux.url.join("/actor/records")?.to_string());
        lyon.disturb(move |parts, _| {
            let records = parts.uri.path() == "/actor/records";
            if records && asked.fetch_add(1, Ordering::SeqCst) == 6 {
                opened.add_permits(1);
            }
            None
        });
        bordeaux.disturb(move |parts, _| {
            let page = json!({"type": "OrderedCollectionPage", "next": format!("{records}?after=x"), "orderedItems": []}).to_string();
            (parts.uri.path() == "/actor/records").then(|| after(&gate, page))
        });
        assert_eq!(backfill::step(&nantes.federation).await?, Outcome::Worked(8), "six pages and an empty one; an empty one");
        let held = async |origin: &TestGateway| anyhow::Ok(nantes.federation.store.read().await?.copy_counts(&origin.domain).await?);
        assert_eq!((held(&lyon).await?.iter().map(|(_, count)| count).sum::<u64>(), held(&bordeaux).await?.len()), (510, 0));
    }

    async fn two_processes_do_not_read_one_stream_at_once(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two_paired(&databases, &clock).await?;
        lyon.publish(&[consultation(&lyon.url, 1)]).await?;
        clock.advance(Duration::from_hours(7));
        let now = clock.now();
        let mut tx = bordeaux.federation.store.write().await?;
        let name = format!("backfill:{}", lyon.domain);
        let other = tx.take_lease(&name, "another process", now, now.plus(Duration::from_secs(30))).await?.expect("it is free");
        tx.save().await?;
        assert_eq!(backfill::step(&bordeaux.federation).await?, Outcome::Idle);
        // It died: its lease ends.
        clock.advance(Duration::from_mins(1));
        assert_eq!(backfill::step(&bordeaux.federation).await?, Outcome::Worked(2));
        let mut tx = bordeaux.federation.store.write().await?;
        assert!(!tx.hold_lease(&other, now).await?, "it was fenced off");
        assert!(tx.take_lease(&name, "the next", clock.now(), clock.now()).await?.is_some(), "it was given back");
    }
}
