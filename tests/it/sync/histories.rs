//! Random histories of a platform against a model: after every complete reading, what is public here is
//! what is public there; nothing is deleted that the platform only hides.

use std::collections::BTreeMap;

use passerelle::store::{Standing, Store};
use passerelle::sync::Options;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{COMMENT, Lyon, PROPOSAL, comment, page, process, proposal, retitled};
use crate::store_tests;

/// Where an item of the simulated platform stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum There {
    Shown,
    Null,
    Gone,
}

/// Long enough for several of everything, short enough for every run of the tests.
const STEPS: usize = 40;
const PROPOSALS: u32 = 6;

store_tests! {
    async fn what_is_public_here_is_what_is_public_there(store: Store) {
        let seed = std::env::var("PASSERELLE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(5);
        let mut chance = StdRng::seed_from_u64(seed);
        let mut lyon = Lyon::new(store);
        let mut there: BTreeMap<u32, There> = (1..=PROPOSALS).map(|id| (id, There::Shown)).collect();
        for step in 0..STEPS {
            let id = chance.random_range(1..=PROPOSALS);
            let next = match (there[&id], chance.random_range(0..4)) {
                (There::Shown, 0) => There::Null,
                (There::Shown, 1) => There::Gone,
                (There::Null | There::Gone, 0 | 1) => There::Shown,
                (now, _) => now,
            };
            there.insert(id, next);
            let title = format!("titre {}", chance.random_range(0..3));
            lyon.platform.now(|script| {
                script.items = vec![process("1")];
                script.pages.clear();
                for (id, state) in &there {
                    let id = id.to_string();
                    if *state == There::Shown {
                        script.items.push(if step % 3 == 0 { retitled(&id, &title) } else { proposal(&id) });
                    } else {
                        script.pages.insert(page(&id), 404);
                    }
                }
                for (id, state) in &there {
                    if *state == There::Shown {
                        script.items.push(comment(&(id + 100).to_string(), &id.to_string()));
                    }
                }
                let nulls = there.values().filter(|state| **state == There::Null).count() as u64;
                script.nulls.insert(PROPOSAL, nulls);
                script.incomplete.clear();
                if chance.random_bool(0.2) {
                    script.incomplete.insert(PROPOSAL);
                }
            });
            let partial = !lyon.platform.script().incomplete.is_empty();
            lyon.run_with(Options { confirm_deletions: true }).await;
            for (id, state) in &there {
                let told = format!("seed {seed}, step {step}, proposal {id} is {state:?}");
                let here = lyon.standing(PROPOSAL, &id.to_string()).await;
                match state {
                    There::Shown => assert_eq!(here, Some(Standing::Live), "{told}"),
                    There::Null | There::Gone if partial => {}
                    There::Null | There::Gone => assert_ne!(here, Some(Standing::Live), "{told}"),
                }
                if !partial {
                    let its_comment = lyon.standing(COMMENT, &(id + 100).to_string()).await;
                    assert_eq!(its_comment == Some(Standing::Live), *state == There::Shown, "{told}: its comment");
                }
            }
        }
    }
}
