//! Meetings, projects, results and files on the whole way: what a platform shows of them is public here, and what it hides
//! stays or goes.

use std::collections::BTreeSet;

use passerelle::demo::platform::{Generation, Meeting, On, State};
use passerelle::domain::Class;
use passerelle::domain::record::Body;
use passerelle::store::Standing;

use super::simulated::City;
use crate::demo::replay::LYON_028;
use crate::store_tests;
use crate::support::stores::Databases;

async fn cities(databases: &Databases) -> [City; 2] {
    [
        City::open(&databases.store().await, Generation::V031).await,
        City::of(&databases.store().await, Generation::V028, LYON_028).await,
    ]
}

fn numbers(ids: impl Iterator<Item = u64>) -> BTreeSet<String> {
    ids.map(|id| id.to_string()).collect()
}

/// Meetings, projects and results that everybody may see.
fn there(state: &State) -> [(Class, BTreeSet<String>); 3] {
    let meetings = state.meetings.iter().filter(|m| state.meeting_is_shown(m) && !m.private).map(|m| m.id);
    let projects = state.budgets.iter().flat_map(|b| &b.projects).filter(|p| state.is_shown(On::Project, p.id)).map(|p| p.id);
    let results = state.results.iter().filter(|r| state.result_is_shown(r)).map(|r| r.id);
    [(Class::Meeting, numbers(meetings)), (Class::BudgetProject, numbers(projects)), (Class::Result, numbers(results))]
}

store_tests! {
    async fn what_a_platform_shows_of_them_is_public_here_and_nothing_else(databases: Databases) {
        for mut city in cities(&databases).await {
            city.run().await;
            for (class, ids) in city.platform.read(there) {
                assert!(!ids.is_empty());
                assert_eq!(city.live(&[class]).await, ids, "{class:?}");
            }
            assert!(!city.live(&[Class::ProgressUpdate]).await.is_empty() && !city.live(&[Class::Document]).await.is_empty());
            city.changes().await;
            city.run().await;
            assert_eq!(city.changes().await, [], "files are signed anew at every read, and that is no news");
        }
    }

    async fn a_meeting_that_becomes_private_is_hidden_at_once_with_what_hangs_on_it(databases: Databases) {
        let make: [fn(&mut Meeting); 3] = [|m| m.private = true, |m| m.hidden = true, |m| m.unpublished = true];
        for make in make {
            for mut city in cities(&databases).await {
                let id = city.platform.read(|state| state.comments.iter().find(|c| c.on == On::Meeting).expect("one").root);
                let comment = city.platform.read(|state| state.comments.iter().find(|c| c.on == On::Meeting).expect("one").id);
                city.run().await;
                assert!(city.live(&[Class::Meeting]).await.contains(&id.to_string()));
                assert!(city.live(&[Class::Comment, Class::Argument]).await.contains(&comment.to_string()));
                assert!(city.platform.change(|state| state.change_meeting(id, make)));
                city.run().await;
                let hidden = city.record("meeting", id, Class::Meeting).await.expect("it is stored");
                assert_ne!(hidden.standing, Standing::Live, "{:?}", hidden.standing);
                assert!(!city.live(&[Class::Comment, Class::Argument]).await.contains(&comment.to_string()));
            }
        }
    }

    async fn a_meeting_that_its_organiser_takes_back_leaves_nothing_but_its_title(databases: Databases) {
        for (mut city, described) in cities(&databases).await.into_iter().zip([true, false]) {
            let id = city.platform.read(|state| {
                let open = |m: &&Meeting| state.meeting_is_shown(m) && !m.private && !m.withdrawn;
                state.meetings.iter().find(open).expect("one").id
            });
            if !described {
                city.platform.change(|state| state.change_meeting(id, |m| _ = m.fields.remove("description")));
            }
            city.run().await;
            let before = city.record("meeting", id, Class::Meeting).await.expect("it is stored");
            let said = before.record.expect("it says something");
            assert!(said.content.is_some() == described && matches!(&said.body, Body::Meeting(body) if body.location.is_some()));
            assert!(city.platform.change(|state| state.change_meeting(id, |m| m.withdrawn = true)));
            city.run().await;
            let after = city.record("meeting", id, Class::Meeting).await.expect("it stays");
            let left = after.record.expect("its title");
            assert_eq!((after.standing, &left.title, &left.content), (Standing::Live, &said.title, &None));
            assert!(left.takes_words_back() && left.salt != said.salt);
            assert!(matches!(&left.body, Body::Meeting(body) if body.location.is_none()));
            let mut tx = city.sync.store.read().await?;
            assert_eq!(tx.sealed_revision(&after.id, before.revision).await?, None, "what was said before is nowhere");
        }
    }

    async fn a_new_milestone_and_new_progress_arrive(databases: Databases) {
        for mut city in cities(&databases).await {
            city.run().await;
            let milestone = city.platform.change(|state| state.add_milestone(2, "2026-11-24", "Premiers arbres plantés")).expect("a result");
            assert!(city.platform.change(|state| state.report_progress(2, 40.0)));
            city.changes().await;
            city.run().await;
            assert!(city.live(&[Class::ProgressUpdate]).await.contains(&milestone.to_string()));
            assert_eq!(city.changes().await.len(), 2, "one revision and one new record");
        }
    }
}
