//! Pages that are asked for before those ahead of them are kept: what that says to their origin, and what the reader
//! does with several of them at once.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use passerelle::domain::partner::FollowState;
use passerelle::domain::{Class, PartnerDomain};
use passerelle::federation::backfill::{self, Ended, MAX_IN_VAIN, Reading};
use passerelle::federation::{Federation, Outcome};
use passerelle::store::{StoreError, Tx};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::error::Elapsed;

use super::journeys::sound;
use super::stream::{acked, after, city_of, ids, path_of, path_to, read};
use crate::store_tests;
use crate::support::content::id;
use crate::support::gateway::{TestGateway, get_as, json as document, morning, plain};
use crate::support::stores::Databases;

/// Bordeaux while it reads Lyon's stream, and cannot keep what it has.
struct Held {
    bordeaux: Federation,
    lyon: PartnerDomain,
    gate: Arc<Semaphore>,
    asked: Arc<AtomicUsize>,
    reading: JoinHandle<Result<Reading, StoreError>>,
}

impl Held {
    /// The first page is `first`, the others what `rest` says, or what they are.
    fn begin(
        lyon: &TestGateway,
        bordeaux: &TestGateway,
        first: String,
        rest: impl Fn(&str) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        let (gate, asked) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
        let (opened, count) = (Arc::clone(&gate), Arc::clone(&asked));
        lyon.disturb(move |parts, _| {
            if parts.uri.path() != "/actor/records" {
                return None;
            }
            count.fetch_add(1, Ordering::SeqCst);
            parts.uri.query().map_or_else(|| Some(after(&opened, first.clone())), &rest)
        });
        let (federation, partner) = (bordeaux.federation.clone(), lyon.as_partner(FollowState::None, FollowState::Accepted));
        let reading = tokio::spawn(async move { backfill::read(&federation, &partner).await });
        Self { bordeaux: bordeaux.federation.clone(), lyon: lyon.domain.clone(), gate, asked, reading }
    }

    /// Lets the first page come, and returns what keeps Bordeaux from keeping it, once so many pages behind it came too.
    async fn until(&self, ahead: usize) -> anyhow::Result<Tx> {
        self.until_asked(1).await?;
        let mut writer = self.bordeaux.store.write().await?;
        writer.set_backfill_cursor(&self.lyon, None, self.bordeaux.now()).await?;
        self.gate.add_permits(1);
        self.until_asked(1 + ahead).await?;
        // They are judged meanwhile; where one is not, it is kept later, which changes nothing of what is asserted.
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(writer)
    }

    /// Less than a writer waits for another one.
    async fn until_asked(&self, wanted: usize) -> Result<(), Elapsed> {
        let looking = async {
            while self.asked.load(Ordering::SeqCst) < wanted {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(4), looking).await
    }
}

/// How the reading ended when `ahead` pages had come before the first one was kept.
async fn read_held(
    lyon: &TestGateway,
    bordeaux: &TestGateway,
    first: String,
    ahead: usize,
    rest: impl Fn(&str) -> Option<Response> + Send + Sync + 'static,
) -> anyhow::Result<Reading> {
    let held = Held::begin(lyon, bordeaux, first, rest);
    held.until(ahead).await?.forget().await?;
    Ok(held.reading.await??)
}

/// A page of Lyon's that leads to `next`, and ahead to `ahead`.
fn paged(lyon: &TestGateway, next: &str, ahead: &str, items: &Value) -> String {
    let records = format!("{}actor/records", lyon.url);
    json!({
        "type": "OrderedCollectionPage", "next": format!("{records}?after={next}"), "ahead": format!("{records}?after={ahead}"),
        "orderedItems": items
    })
    .to_string()
}

store_tests! {
    async fn reading_ahead_acknowledges_only_what_was_kept_before(databases: Databases) {
        let (lyon, bordeaux) = city_of(&databases, 420).await?;
        let acked_of = async |pages: &[Value]| -> anyhow::Result<Vec<bool>> {
            let mut all = Vec::new();
            for page in pages {
                let rows = acked(page, &lyon, &bordeaux).await?;
                assert_eq!(rows.len(), 1, "a page is acknowledged as a whole");
                all.extend(rows);
            }
            Ok(all)
        };
        let mut pages = vec![read(&get_as(&bordeaux, &lyon, "/actor/records").await?)];
        // Up to six that are not kept: nothing is said of them.
        for _ in 0..6 {
            pages.push(read(&get_as(&bordeaux, &lyon, &path_to("ahead", &pages[pages.len() - 1], &lyon)).await?));
        }
        assert_eq!(acked_of(&pages).await?, [false; 7]);
        // The page that it leads to is the one that `next` leads to.
        assert_eq!(pages[6]["next"], read(&get_as(&bordeaux, &lyon, &path_to("ahead", &pages[5], &lyon)).await?)["next"]);
        pages.push(read(&get_as(&bordeaux, &lyon, &path_to("ahead", &pages[6], &lyon)).await?));
        assert_eq!(acked_of(&pages).await?, [[true].as_slice(), &[false; 7]].concat());
        pages.push(read(&get_as(&bordeaux, &lyon, &path_to("ahead", &pages[7], &lyon)).await?));
        assert_eq!((ids(&pages[8]).len(), pages[8].get("ahead")), (41, None), "nothing is ahead of the last page");
        assert_eq!(acked_of(&pages).await?, [[true; 2].as_slice(), &[false; 7]].concat());
        read(&get_as(&bordeaux, &lyon, &path_of(&pages[8], &lyon)).await?);
        assert_eq!(acked_of(&pages).await?, [true; 9]);
        assert_eq!(pages.iter().flat_map(ids).collect::<HashSet<_>>().len(), 841, "each once");
    }

    async fn pages_are_read_ahead_and_one_that_is_lost_is_asked_for_again(databases: Databases) {
        let (lyon, bordeaux) = city_of(&databases, 120).await?;
        let partner = lyon.as_partner(FollowState::None, FollowState::Accepted);
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        lyon.disturb(move |parts, _| {
            let ahead = parts.uri.query().is_some_and(|query| query.ends_with("&ahead=true"));
            // The second one is not answered well.
            (ahead && count.fetch_add(1, Ordering::SeqCst) == 1).then(|| plain(StatusCode::SERVICE_UNAVAILABLE))
        });
        let reading = backfill::read(&bordeaux.federation, &partner).await?;
        assert_eq!((reading.pages, reading.applied, reading.refused, reading.ended), (4, 241, 0, Ended::Complete));
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        sound(&lyon, &bordeaux).await?;
    }

    async fn pages_that_wait_are_all_kept_and_each_counts(databases: Databases) {
        let (lyon, bordeaux) = city_of(&databases, 420).await?;
        let first = String::from_utf8(get_as(&bordeaux, &lyon, "/actor/records").await?.body.to_vec())?;
        let reading = read_held(&lyon, &bordeaux, first, 4, |_| None).await?;
        assert_eq!((reading.pages, reading.applied, reading.refused, reading.ended), (10, 841, 0, Ended::Complete));
        sound(&lyon, &bordeaux).await?;
    }

    async fn nothing_is_acknowledged_that_was_not_kept(databases: Databases) {
        let (lyon, bordeaux) = city_of(&databases, 420).await?;
        let first = String::from_utf8(get_as(&bordeaux, &lyon, "/actor/records").await?.body.to_vec())?;
        let held = Held::begin(&lyon, &bordeaux, first, |_| None);
        let writer = held.until(6).await?;
        let store = bordeaux.federation.store.clone();
        let moment = || tokio::time::sleep(Duration::from_millis(50));
        // Writers come in turn: the first page, who follows no more, and the pages behind the first.
        let (next, domain) = (store.clone(), lyon.domain.clone());
        let second = tokio::spawn(async move {
            let mut second = next.write().await?;
            second.set_followed(&domain, FollowState::None).await?;
            Ok::<_, StoreError>(second)
        });
        moment().await;
        writer.forget().await?;
        let second = second.await??;
        moment().await;
        // They are not kept, and the end of the reading has to wait.
        let next = store.clone();
        let third = tokio::spawn(async move { next.write().await });
        moment().await;
        second.save().await?;
        let third = third.await??;
        tokio::time::sleep(Duration::from_millis(300)).await;
        third.forget().await?;
        let reading = held.reading.await??;
        assert_eq!(reading.ended, Ended::LimitReached);
        let mut tx = store.read().await?;
        for n in 1..=420 {
            for class in [Class::Comment, Class::Contribution] {
                let id = id(&lyon.url, class, n);
                let acked = lyon.ledger(&bordeaux, &id).await?.is_some_and(|row| row.acked_revision.is_some());
                assert!(!acked || tx.lookup_copy(&id).await?.is_some(), "{id} of {reading:?}");
            }
        }
    }

    async fn sec_136_pages_in_vain_are_counted_among_those_that_wait(databases: Databases) {
        let (lyon, bordeaux) = city_of(&databases, 1).await?;
        let (partner, page) = (lyon.as_partner(FollowState::None, FollowState::Accepted), paged(&lyon, "0", "0", &json!([1])));
        lyon.disturb(move |parts, _| (parts.uri.path() == "/actor/records").then(|| {
            let place: usize = parts.uri.query().and_then(|query| query.strip_prefix("after=")?.parse().ok()).unwrap_or(0);
            document(page.replace("after=0", &format!("after={}", place + 1)))
        }));
        let reading = backfill::read(&bordeaux.federation, &partner).await?;
        assert_eq!(reading.ended, Ended::InVain);
        assert!((MAX_IN_VAIN..MAX_IN_VAIN + 3).contains(&reading.pages), "{reading:?}");
    }

    async fn sec_136_a_circle_is_seen_among_pages_that_wait(databases: Databases) {
        let (lyon, bordeaux) = city_of(&databases, 1).await?;
        let (first, page) = (paged(&lyon, "x", "1", &json!([1])), paged(&lyon, "x", "2", &json!([1])));
        // Each leads on where it is read ahead, and to the same place where it is not.
        let reading = read_held(&lyon, &bordeaux, first, 3, move |query| {
            let ahead: usize = query.strip_prefix("after=").and_then(|place| place.parse().ok()).unwrap_or(0);
            Some(document(page.replace("after=2", &format!("after={}", ahead + 1))))
        }).await?;
        assert_eq!((reading.pages, reading.refused), (2, 2), "{reading:?}");
        assert!(matches!(reading.ended, Ended::Unusable(_)), "{reading:?}");
    }

    async fn what_is_read_behind_a_page_that_ends_the_stream_takes_no_place(databases: Databases) {
        // The second page ahead is the end, or says one thing twice: it is asked for again in its turn.
        for twice in [false, true] {
            let (lyon, bordeaux) = city_of(&databases, 1).await?;
            let pages = [json!([1]), json!([1]), json!([]), json!([1])];
            let mut pages = pages.iter().zip(["1", "2", "3", "4"]).map(|(items, next)| paged(&lyon, next, next, items));
            let first = pages.next().expect("there are four");
            let mut rest: Vec<String> = pages.collect();
            if twice {
                rest[1] = rest[1].replacen('{', "{\"type\": \"OrderedCollectionPage\", ", 1);
            }
            let reading = read_held(&lyon, &bordeaux, first, 3, move |query| {
                let place: usize = query.strip_prefix("after=").and_then(|place| place.parse().ok()).unwrap_or(usize::MAX);
                rest.get(place.wrapping_sub(1)).map(|page| document(page.clone()))
            }).await?;
            assert_eq!((reading.pages, reading.refused), (if twice { 2 } else { 3 }, 2), "{reading:?}");
            assert_eq!(matches!(reading.ended, Ended::Unusable(_)), twice, "{reading:?}");
        }
    }

    async fn pages_of_few_partners_are_read_ahead_at_a_time(databases: Databases) {
        let clock = morning();
        let nantes = TestGateway::start(&databases, "nantes", &clock).await;
        let (ahead, second) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let gate = Arc::new(Semaphore::new(0));
        let mut origins = Vec::new();
        for name in ["angers", "brest", "dijon", "lille", "metz", "nancy", "nice", "rennes"] {
            let origin = TestGateway::start(&databases, name, &clock).await;
            nantes.list(&origin.as_partner(FollowState::None, FollowState::Accepted)).await?;
            let (records, ahead) = (origin.url.join("/actor/records")?, Arc::clone(&ahead));
            let (second, gate) = (Arc::clone(&second), Arc::clone(&gate));
            origin.disturb(move |parts, _| {
                let query = parts.uri.query().unwrap_or_default();
                ahead.fetch_add(usize::from(query.ends_with("&ahead=true")), Ordering::SeqCst);
                // Nobody gets a second page before all eight have asked for theirs.
                if query.starts_with("after=x") && second.fetch_add(1, Ordering::SeqCst) == 7 {
                    gate.add_permits(8);
                }
                let (next, items) = match query {
                    "" => ("x", json!([1])),
                    "after=x" | "after=x&ahead=true" => ("y", json!([1])),
                    _ => ("y", json!([])),
                };
                let mut page = json!({"type": "OrderedCollectionPage", "next": format!("{records}?after={next}"), "orderedItems": items});
                if query.is_empty() {
                    page["ahead"] = json!(format!("{records}?after=x&ahead=true"));
                }
                (parts.uri.path() == "/actor/records").then(|| {
                    if query.starts_with("after=x") { after(&gate, page.to_string()) } else { document(page.to_string()) }
                })
            });
            origins.push(origin);
        }
        assert_eq!(backfill::step(&nantes.federation).await?, Outcome::Worked(24), "two pages of each, and an empty one");
        assert_eq!(ahead.load(Ordering::SeqCst), 7);
    }
}
