//! Platforms that fail, lie, leak, or move while they are read: REL-051, REL-056, REL-057, SEC-196 … SEC-198
//! (security.md §2.6, §3.4), through the real connector.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use passerelle::demo::platform::{Fault, Generation, NewProposal, State, When};
use passerelle::domain::Class;
use passerelle::domain::change::ChangeKind;
use passerelle::store::{Order, RecordQuery, RunOutcome, Standing, Store};
use passerelle::sync::{Options, RunSummary};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::simulated::City;
use super::{COMMENT, PROCESS, PROPOSAL};
use crate::store_tests;
use crate::support::stores::Databases;
use crate::support::tables;

const CONFIRM: Options = Options { confirm_deletions: true };

/// The list that the first public proposal stands in.
fn first_list(state: &State) -> u64 {
    state.proposals.iter().find(|p| state.proposal_is_public(p)).expect("a proposal").component
}

/// An account that nobody closed.
fn somebody(state: &State) -> u64 {
    *state.users.iter().find(|(_, user)| !user.deleted && !user.blocked).expect("a person").0
}

/// Adds proposals until the first list holds `count`; its number.
fn fill(city: &City, count: usize) -> u64 {
    city.platform.change(|state| {
        let (component, author) = (first_list(state), somebody(state));
        let listed = state.proposals.iter().filter(|p| p.component == component && !p.draft && !p.trashed).count();
        for n in listed..count {
            let title = format!("Proposition {n}");
            state.add_proposal(&NewProposal { component, author, title: &title, body: "Pour les enfants.", place: None });
        }
        component
    })
}

/// The proposals that an anonymous visitor can see.
fn public(state: &State) -> BTreeSet<u64> {
    state.proposals.iter().filter(|p| state.proposal_is_public(p)).map(|p| p.id).collect()
}

/// Whether nothing else says anything about a proposal: nobody is revised when it goes.
fn stands_alone(state: &State, id: u64) -> bool {
    let amends =
        |p: &passerelle::demo::platform::Proposal| p.amendments.iter().any(|amendment| amendment.emendation == id || p.id == id);
    !state.proposals.iter().any(amends) && !state.comments.iter().any(|comment| comment.root == id)
}

/// Each live contribution by its number at the platform, with its revision; exactly one record each.
async fn held(city: &City) -> anyhow::Result<BTreeMap<u64, u64>> {
    let mut query = RecordQuery { classes: vec![Class::Contribution], order: Order::ById, limit: 500, ..RecordQuery::default() };
    let mut found = BTreeMap::new();
    loop {
        let page = city.sync.store.read().await?.list_records(&query).await?;
        for record in page.items {
            let id = record.local.expect("it came from the platform").id.parse()?;
            assert_eq!(found.insert(id, record.revision), None, "proposal {id} is there twice");
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(found),
        }
    }
}

/// Every record and where it stands.
async fn standings(city: &City) -> anyhow::Result<BTreeMap<String, (Standing, u64)>> {
    let mut query = RecordQuery { order: Order::ById, limit: 500, visible_only: false, ..RecordQuery::default() };
    let mut found = BTreeMap::new();
    loop {
        let page = city.sync.store.read().await?.list_records(&query).await?;
        found.extend(page.items.into_iter().map(|record| (record.id.to_string(), (record.standing, record.revision))));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(found),
        }
    }
}

fn said(summary: &RunSummary) -> String {
    let counts = summary
        .entities
        .iter()
        .map(|(name, of)| format!("{name}: hidden {}, deleted {}, waiting {}", of.hidden, of.deleted, of.waiting));
    format!("{} {:?} {:?} {:?}", summary.outcome, summary.message, summary.notes, counts.collect::<Vec<_>>())
}

/// What differs between two looks at all records.
fn differences(before: &BTreeMap<String, (Standing, u64)>, after: &BTreeMap<String, (Standing, u64)>) -> Vec<String> {
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    all.into_iter()
        .filter(|id| before.get(*id) != after.get(*id))
        .map(|id| format!("{id}: {:?} {:?}", before.get(id), after.get(id)))
        .collect()
}

/// What is done to a list or its process, and (`true`) undone.
type Change = fn(&mut State, u64, u64, bool);

store_tests! {
    async fn rel_051_a_failure_at_page_37_of_100_deletes_nothing_and_is_made_good(databases: Databases) {
        let mut city = City::open(&databases.store().await, Generation::V031).await;
        fill(&city, 2500);
        // At the first reading, for good: nothing is concluded from what was not read.
        city.platform.misbehave(Some((Fault::ServerError, When::FromNthOf(37, "query Proposals".to_owned()))));
        let failed = city.try_run(Options::default()).await;
        assert_eq!(failed.outcome, RunOutcome::Partial, "{}", said(&failed));
        assert!(failed.message.as_deref().is_some_and(|message| message.contains("500")), "{}", said(&failed));
        // Then it works: everything is there, once.
        city.platform.misbehave(None);
        city.run().await;
        city.agrees("after the failure").await;
        let all = held(&city).await?;
        assert!(all.len() >= 2500);
        city.changes().await;
        // Later again, with everything published, at the same page: nothing is hidden, nothing is deleted.
        city.platform.misbehave(Some((Fault::ServerError, When::FromNthOf(37, "query Proposals".to_owned()))));
        for _ in 0..2 {
            let failed = city.try_run(Options::default()).await;
            assert_eq!(failed.outcome, RunOutcome::Partial, "{}", said(&failed));
            assert!(failed.entities.values().all(|entity| entity.hidden + entity.deleted + entity.waiting == 0));
        }
        assert_eq!(city.changes().await, []);
        assert_eq!(held(&city).await?, all);
    }

    async fn rel_051_one_failure_that_passes_is_not_even_noticed(databases: Databases) {
        let mut city = City::open(&databases.store().await, Generation::V031).await;
        fill(&city, 120);
        city.platform.misbehave(Some((Fault::ServerError, When::OnlyNthOf(3, "query Proposals".to_owned()))));
        let summary = city.run().await;
        assert!(summary.requests > 20, "{}", said(&summary));
        city.agrees("at the end").await;
    }

    async fn rel_056_an_item_that_a_shift_skips_is_read_in_the_same_run(databases: Databases) {
        for generation in [Generation::V031, Generation::V028] {
            let mut city = City::open(&databases.store().await, generation).await;
            let component = fill(&city, 110);
            city.run().await;
            city.changes().await;
            let in_list = |state: &State| -> Vec<u64> {
                state.proposals.iter().filter(|p| p.component == component && state.proposal_is_public(p)).map(|p| p.id).collect()
            };
            // One leaves from the top after the first page of each reading: the next page begins one too late.
            for (question, nth) in [("query Proposals", 1), ("query Proposals", 2), ("query Amendments", 1), ("query Amendments", 2)] {
                let gone = city.platform.read(|state| in_list(state).into_iter().find(|id| stands_alone(state, *id))).expect("one");
                let before = held(&city).await?;
                let mut pages = 0;
                city.platform.meanwhile(move |state, query| {
                    pages += u32::from(query.contains(question));
                    if pages == nth && query.contains(question) {
                        state.delete_proposal(gone);
                    }
                });
                let summary = city.try_run(Options::default()).await;
                city.platform.calm_down();
                // Comments of the one that left may make the discussion incomplete, the list is whole.
                assert!(summary.entities[PROPOSAL].complete, "{question} {nth}: {}", said(&summary));
                let mut expected = before.clone();
                expected.remove(&gone);
                let mut after = held(&city).await?;
                after.remove(&gone);
                assert_eq!(after, expected, "{question} {nth}: whoever stayed stays, unchanged");
                city.run().await;
                city.agrees(question).await;
            }
            // Some come back into their old places at the top, so that one item stands on two pages.
            // What an amendment amends comes back with it, which is a revision of the amendment: not these.
            let alone = |state: &State| in_list(state).into_iter().filter(|id| stands_alone(state, *id)).take(3).collect::<Vec<_>>();
            let moved: Vec<u64> = city.platform.read(alone);
            for id in &moved {
                city.platform.change(|state| state.trash(*id));
            }
            city.run().await;
            let back = moved.clone();
            city.platform.meanwhile(move |state, query| {
                if query.contains("query Proposals") {
                    for id in &back {
                        state.restore(*id);
                    }
                }
            });
            let before = held(&city).await?;
            let summary = city.try_run(Options::default()).await;
            city.platform.calm_down();
            assert!(matches!(summary.outcome, RunOutcome::Complete | RunOutcome::Partial), "{}", said(&summary));
            let after = held(&city).await?;
            assert!(before.iter().all(|(id, revision)| after.get(id) == Some(revision)), "nobody else is touched");
            city.run().await;
            city.agrees("restored").await;
        }
    }

    async fn rel_056_whatever_happens_while_it_is_read_who_stays_is_there_once(databases: Databases) {
        let mut city = City::open(&databases.store().await, Generation::V031).await;
        let component = fill(&city, 130);
        city.run().await;
        let mut incomplete = 0;
        for seed in 0..12 {
            let before = held(&city).await?;
            let start = city.platform.read(public);
            let touched: Arc<Mutex<BTreeSet<u64>>> = Arc::default();
            let (noted, mut rng, mut left) = (Arc::clone(&touched), StdRng::seed_from_u64(seed), 8_u32);
            city.platform.meanwhile(move |state, query| {
                if left == 0 || !(query.contains("query Proposals") || query.contains("query Amendments")) || rng.random_bool(0.4) {
                    return;
                }
                left -= 1;
                let listed: Vec<u64> = state.proposals.iter().filter(|p| p.component == component).map(|p| p.id).collect();
                let id = listed[rng.random_range(0..listed.len())];
                match rng.random_range(0..6) {
                    0 => { state.delete_proposal(id); }
                    1 => { state.trash(id); }
                    2 => { state.restore(id); }
                    3 => { state.hide(id); }
                    4 => { state.unhide(id); }
                    _ => {
                        let author = somebody(state);
                        state.add_proposal(&NewProposal { component, author, title: "Une autre", body: "Encore.", place: None });
                        return;
                    }
                }
                noted.lock().expect("nobody panicked").insert(id);
            });
            let summary = city.try_run(Options::default()).await;
            city.platform.calm_down();
            incomplete += u32::from(summary.outcome != RunOutcome::Complete);
            let end = city.platform.read(public);
            let touched = touched.lock().expect("nobody panicked").clone();
            let after = held(&city).await?;
            for id in start.intersection(&end).filter(|id| !touched.contains(id)) {
                assert_eq!(after.get(id), before.get(id), "seed {seed}: proposal {id} was there all the time: {}", said(&summary));
            }
            // When nothing moves, all is as it is there.
            let calm = city.try_run(CONFIRM).await;
            assert_eq!(calm.outcome, RunOutcome::Complete, "seed {seed}: {}", said(&calm));
            city.agrees(&format!("seed {seed}")).await;
        }
        assert!(incomplete < 12, "a list that moves a little is read to its end now and then");
    }

    async fn rel_057_what_vanishes_upstream_vanishes_here_but_never_a_mass_by_itself(databases: Databases) {
        let mut city = City::open(&databases.store().await, Generation::V031).await;
        let component = fill(&city, 140);
        city.run().await;
        city.changes().await;
        let ours: Vec<u64> = city.platform.read(|state| {
            let mut ids: Vec<u64> = state.proposals.iter().filter(|p| p.component == component && state.proposal_is_public(p)).map(|p| p.id).collect();
            ids.sort_unstable();
            ids
        });
        // One: hidden within one reading, deleted (and federated as that) with the second one.
        let one = ours[3];
        city.platform.change(|state| state.delete_proposal(one));
        city.run().await;
        assert_eq!(city.contribution(one).await.standing, Standing::Hidden);
        city.changes().await;
        city.run().await;
        assert_eq!(city.contribution(one).await.standing, Standing::Deleted);
        assert!(city.changes().await.iter().all(|kind| *kind == ChangeKind::Deleted));

        // Sixty: their own pages say 404, so they are hidden; deleting them is for a person.
        let sixty = &ours[10..70];
        for id in sixty {
            city.platform.change(|state| state.delete_proposal(*id));
        }
        let first = city.try_run(Options::default()).await;
        assert_eq!((first.entities[PROPOSAL].hidden, first.entities[PROPOSAL].deleted), (60, 0), "{}", said(&first));
        city.changes().await;
        for _ in 0..2 {
            let held = city.try_run(Options::default()).await;
            assert_eq!((held.outcome, held.entities[PROPOSAL].waiting, held.entities[PROPOSAL].deleted), (RunOutcome::Held, 60, 0));
        }
        assert!(!city.changes().await.contains(&ChangeKind::Deleted));
        let confirmed = city.try_run(CONFIRM).await;
        assert_eq!(confirmed.entities[PROPOSAL].deleted, 60, "{}", said(&confirmed));
        city.agrees("after the sixty").await;

        city.changes().await;

        // Taken out of the bin: back under its address, with a higher revision.
        let binned = ours[5];
        city.platform.change(|state| state.trash(binned));
        city.run().await;
        let hidden = city.contribution(binned).await;
        assert_eq!(hidden.standing, Standing::Hidden);
        city.platform.change(|state| state.restore(binned));
        city.run().await;
        let back = city.contribution(binned).await;
        assert_eq!((back.standing, back.id, back.revision), (Standing::Live, hidden.id, hidden.revision + 1));

        // A list that is unpublished, a process that is unpublished, a process that is made private: hidden with
        // the very next reading, and nothing of it is called deleted, however often it is read.
        let process = city.platform.read(|state| state.components.iter().find(|c| c.id == component).expect("it is there").process);
        let published = city.record(PROCESS, process, Class::Consultation).await.and_then(|stored| stored.record).expect("it is public").published;
        let changes: [(&str, Change); 3] = [
            ("an unpublished list", |state, component, _, back| { state.publish_component(component, back); }),
            ("an unpublished process", |state, _, process, back| { state.publish_process(process, back); }),
            ("a private process", |state, _, process, back| {
                state.processes.iter_mut().find(|p| p.id == process).expect("it is there").private = !back;
            }),
        ];
        for (what, change) in changes {
            city.platform.change(|state| change(state, component, process, false));
            for reading in 1..=3 {
                let summary = city.try_run(Options::default()).await;
                assert_eq!(city.contribution(ours[0]).await.standing, Standing::Hidden, "{what}, reading {reading}: {}", said(&summary));
                let shell = city.contribution(ours[0]).await.record.expect("its shell is there");
                assert!(shell.title.is_none() && shell.content.is_none(), "{what}");
            }
            assert!(!city.changes().await.contains(&ChangeKind::Deleted), "{what} is no deletion");
            city.platform.change(|state| change(state, component, process, true));
            city.run().await;
            city.agrees(what).await;
        }
        let again = city.record(PROCESS, process, Class::Consultation).await.and_then(|stored| stored.record).expect("it is public");
        assert_eq!(again.published, published, "Decidim dates it anew; it was first published once (SEC-059)");

        // All of them: whatever the pages say, nothing is deleted until a person says so.
        city.changes().await;
        for id in &ours {
            city.platform.change(|state| state.delete_proposal(*id));
        }
        for _ in 0..3 {
            city.try_run(Options::default()).await;
            assert!(!city.changes().await.contains(&ChangeKind::Deleted));
        }
        city.try_run(CONFIRM).await;
        assert_eq!(city.contribution(ours[0]).await.standing, Standing::Deleted);
        city.agrees("after all of them").await;
    }

    async fn sec_196_what_is_not_public_never_reaches_the_database(databases: Databases) {
        let url = databases.url().await;
        let mut city = City::open(&Store::open(&url).await?, Generation::V031).await;
        let canaries = city.platform.change(|state| {
            let (component, author) = (first_list(state), somebody(state));
            let mut made = Vec::new();
            let mut propose = |state: &mut State, component: u64| {
                let new = NewProposal { component, author, title: "CANARI en titre", body: "CANARI dans le texte", place: None };
                let id = state.add_proposal(&new);
                state.add_comment(id, None, author, 1, "CANARI en commentaire");
                made.push(id);
                id
            };
            let hidden = propose(state, component);
            let draft = propose(state, component);
            let binned = propose(state, component);
            state.hide(hidden);
            state.trash(binned);
            state.proposals.iter_mut().find(|p| p.id == draft).expect("it was made").draft = true;
            // A list that is not published, and one in a process that is private.
            let mut closed = state.components.iter().find(|c| c.id == component).expect("it is there").clone();
            let elsewhere = state.processes.iter().find(|p| p.id != closed.process && p.is_public()).expect("another process").id;
            closed.id = 901;
            closed.unpublished = true;
            let mut private = closed.clone();
            (private.id, private.unpublished, private.process) = (902, false, elsewhere);
            state.components.extend([closed, private]);
            state.processes.iter_mut().find(|p| p.id == elsewhere).expect("it is there").private = true;
            propose(state, 901);
            propose(state, 902);
            // Comments on what everybody sees: hidden by moderation, deleted by its author.
            let seen = state.proposals.iter().find(|p| state.proposal_is_public(p)).expect("a proposal").id;
            let moderated = state.add_comment(seen, None, author, 0, "CANARI modéré");
            state.hide_comment(moderated);
            let deleted = state.add_comment(seen, None, author, 0, "CANARI effacé par son auteur");
            state.delete_comment(deleted);
            made
        });
        // A platform as it should be, one that lists everything, and one that lists everything and has no file
        // of open data to compare with.
        for (leaks, file) in [(false, true), (true, true), (true, false)] {
            city.platform.misbehave(leaks.then_some((Fault::Leaks, When::Always)));
            if !file {
                city.platform.forget_open_data();
            }
            for _ in 0..2 {
                city.try_run(Options::default()).await;
            }
            for (table, rows) in tables::rows(&url).await? {
                let found = rows.iter().find(|row| row.contains("CANARI"));
                assert_eq!(found, None, "table {table}, leaks {leaks}, file {file}");
                // SQLite shows bytes as hexadecimal digits.
                assert!(!rows.iter().any(|row| row.to_uppercase().contains("43414E415249")), "table {table}");
            }
            for id in &canaries {
                assert_eq!(city.record(PROPOSAL, *id, Class::Contribution).await, None, "proposal {id} has no record");
            }
        }
        let live = held(&city).await?;
        assert!(!live.is_empty() && canaries.iter().all(|id| !live.contains_key(id)));
    }

    async fn sec_197_an_answer_that_is_none_concludes_nothing(databases: Databases) {
        let mut city = City::open(&databases.store().await, Generation::V031).await;
        fill(&city, 80);
        city.run().await;
        city.changes().await;
        let before = standings(&city).await?;
        for fault in [
            Fault::ErrorsBeside,
            Fault::NumbersForIds,
            Fault::ObjectsForLists,
            Fault::TwiceEach,
            Fault::Flood,
            Fault::CursorLoop,
            Fault::LoginPage,
            Fault::TruncatedJson,
            Fault::HangUp,
        ] {
            city.platform.misbehave(Some((fault, When::Always)));
            for _ in 0..2 {
                let summary = city.try_run(Options::default()).await;
                let wrong = matches!(summary.outcome, RunOutcome::Partial | RunOutcome::Failed);
                // The same entry twice is read once, and nothing is amiss.
                assert!(wrong || fault == Fault::TwiceEach, "{fault:?}: {}", said(&summary));
                assert!(summary.entities.values().all(|entity| entity.hidden + entity.deleted == 0), "{fault:?}: {}", said(&summary));
            }
            assert_eq!(differences(&before, &standings(&city).await?), Vec::<String>::new(), "{fault:?}");
            assert_eq!(city.changes().await, [], "{fault:?}");
            // Half way through, when some pages came well.
            city.platform.misbehave(Some((fault, When::FromNthOf(2, "query Proposals".to_owned()))));
            let summary = city.try_run(Options::default()).await;
            assert!(summary.entities.values().all(|entity| entity.hidden + entity.deleted == 0), "{fault:?}: {}", said(&summary));
            assert_eq!(differences(&before, &standings(&city).await?), Vec::<String>::new(), "{fault:?}, half way");
        }
        city.platform.misbehave(None);
        city.run().await;
        assert_eq!((standings(&city).await?, city.changes().await), (before, Vec::new()));
    }

    async fn sec_198_a_platform_that_is_suddenly_empty_is_not_believed(databases: Databases) {
        for generation in [Generation::V031, Generation::V028] {
            let mut city = City::open(&databases.store().await, generation).await;
            fill(&city, 60);
            city.run().await;
            city.changes().await;
            let before = standings(&city).await?;
            // No process any more, no proposal any more, only the first page any more: without an error.
            for fault in [Fault::NothingLeft, Fault::EmptyLists, Fault::EarlyEnd] {
                city.platform.misbehave(Some((fault, When::Always)));
                for _ in 0..3 {
                    let summary = city.try_run(Options::default()).await;
                    assert!(matches!(summary.outcome, RunOutcome::Held | RunOutcome::Partial), "{generation:?} {fault:?}: {}", said(&summary));
                    assert!(summary.entities.values().all(|entity| entity.hidden + entity.deleted == 0), "{generation:?} {fault:?}: {}", said(&summary));
                    assert!(summary.message.is_some(), "{fault:?}: a person is told");
                }
                assert_eq!(differences(&before, &standings(&city).await?), Vec::<String>::new(), "{generation:?} {fault:?}: nothing is unpublished");
                assert_eq!(city.changes().await, [], "{generation:?} {fault:?}");
            }
            city.platform.misbehave(None);
            let summary = city.run().await;
            assert_eq!(standings(&city).await?, before);
            assert!(summary.entities[COMMENT].unchanged > 0);
        }
    }
}
