//! The whole way, with the real connector and seal: simulated platforms of both generations, their people
//! acting on them, and what is public here afterwards.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use passerelle::connectors::{self, Courtesy, Installation};
use passerelle::demo::platform::{BORDEAUX, Generation, LYON, NewProposal, SimulatedDecidim, State};
use passerelle::domain::change::ChangeKind;
use passerelle::domain::contribution::{AuthorState, ContributionKind};
use passerelle::domain::record::Body;
use passerelle::domain::text::LanguageTag;
use passerelle::domain::time::ManualClock;
use passerelle::domain::{Class, LocalId, RecordId};
use passerelle::federation::keys::Keys;
use passerelle::federation::proof;
use passerelle::federation::seal::Sealer;
use passerelle::mapping::{Profile, Publisher, Standing as Understood};
use passerelle::outbound::{Client, Policy};
use passerelle::store::{Order, RecordQuery, RunOutcome, Standing, Store, StoredRecord};
use passerelle::sync::{Options, Pseudonyms, RunSummary, Sync};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{COMMENT, PROPOSAL};
use crate::demo::replay::LYON_028;
use crate::store_tests;
use crate::support::stores::Databases;
use crate::web::city::Gateway;

/// A city: its platform, and its gateway.
pub struct City {
    pub platform: SimulatedDecidim,
    pub sync: Sync,
    pub clock: ManualClock,
    rng: StdRng,
}

impl City {
    pub async fn open(store: &Store, generation: Generation) -> Self {
        Self::of(store, generation, if generation == Generation::V031 { LYON } else { BORDEAUX }).await
    }

    pub async fn of(store: &Store, generation: Generation, fixture: &str) -> Self {
        let clock = ManualClock::at("2026-11-24T09:00:00Z".parse().expect("an instant"));
        let platform = SimulatedDecidim::start(generation, fixture, Arc::new(clock.clone())).await.expect("it starts");
        let installation = Installation {
            name: "city".parse().expect("a name"),
            kind: "decidim".to_owned(),
            url: platform.url().parse().expect("an address"),
            courtesy: Courtesy::none(),
        };
        let client = Client::new(Policy::with_loopback()).expect("a client");
        let keys = Keys::from_seed("https://passerelle.lyon.example/actor".parse().expect("an address"), &[3; 32]).expect("keys");
        let sync = Sync {
            store: store.clone(),
            connector: connectors::open(installation, client, Arc::new(clock.clone())).expect("a connector"),
            profile: Arc::new(Profile::built_in("decidim").expect("it is built in").expect("it parses")),
            publisher: Publisher {
                platform: "city".parse().expect("a name"),
                authority: keys.actor().clone(),
                rights_contact: "https://passerelle.lyon.example/donnees-personnelles".parse().expect("an address"),
                licence: None,
                language: LanguageTag::french(),
                zone: jiff::tz::TimeZone::get("Europe/Paris").expect("a zone"),
            },
            public_url: "https://passerelle.lyon.example".parse().expect("an address"),
            pseudonyms: Pseudonyms::new(&[7; 32]),
            seal: Arc::new(Sealer::new(keys)),
            clock: Arc::new(clock.clone()),
        };
        Self { platform, sync, clock, rng: StdRng::seed_from_u64(1) }
    }

    /// One run, a quarter of an hour after the last one, however it ends.
    pub async fn try_run(&mut self, options: Options) -> RunSummary {
        self.clock.advance(Duration::from_mins(15));
        self.sync.run(options, &mut self.rng, &mut |_| {}).await.expect("it runs")
    }

    /// One run that reads everything.
    pub async fn run(&mut self) -> RunSummary {
        let summary = self.try_run(Options::default()).await;
        assert_eq!(summary.outcome, RunOutcome::Complete, "{:?} {:?}", summary.message, summary.notes);
        summary
    }

    pub async fn record(&self, entity: &str, id: u64, class: Class) -> Option<StoredRecord> {
        let local = LocalId { platform: "city".parse().expect("a name"), entity: entity.to_owned(), id: id.to_string(), class };
        let mut tx = self.sync.store.read().await.expect("it opens");
        let keys = tx.minted(std::slice::from_ref(&local)).await.expect("it reads");
        let id = RecordId::ours(&self.sync.public_url, class, keys.get(&local)?).expect("an address");
        tx.lookup_record(&id).await.expect("it reads")
    }

    pub async fn contribution(&self, id: u64) -> StoredRecord {
        self.record(PROPOSAL, id, Class::Contribution).await.unwrap_or_else(|| panic!("proposal {id} is not stored"))
    }

    /// The platform's ids of the live records of one class.
    pub async fn live(&self, classes: &[Class]) -> BTreeSet<String> {
        let mut query = RecordQuery { classes: classes.to_vec(), order: Order::ById, limit: 500, ..RecordQuery::default() };
        let mut ids = BTreeSet::new();
        let mut tx = self.sync.store.read().await.expect("it opens");
        loop {
            let page = tx.list_records(&query).await.expect("it reads");
            ids.extend(page.items.into_iter().filter_map(|record| record.local).map(|local| local.id));
            match page.next {
                Some(next) => query.after = Some(next),
                None => return ids,
            }
        }
    }

    pub async fn changes(&self) -> Vec<ChangeKind> {
        let mut tx = self.sync.store.write().await.expect("it opens");
        let changes = tx.claim_unplanned(100_000).await.expect("it reads");
        tx.mark_planned(&changes.iter().map(|change| change.number).collect::<Vec<_>>()).await.expect("it writes");
        tx.save().await.expect("it saves");
        changes.into_iter().map(|change| change.kind).collect()
    }

    /// Whatever a visitor of the platform can see is public here, and nothing else.
    pub async fn agrees(&self, when: &str) {
        let there: BTreeSet<String> = self.platform.read(|state: &State| {
            state.proposals.iter().filter(|p| state.proposal_is_public(p)).map(|p| p.id.to_string()).collect()
        });
        assert_eq!(self.live(&[Class::Contribution]).await, there, "{when}");
    }
}

/// Every address of ours that a document names.
fn addresses(value: &serde_json::Value, found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::String(text) if text.starts_with("https://passerelle.lyon.example") => {
            found.insert(text.clone());
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| addresses(item, found)),
        serde_json::Value::Object(fields) => fields.values().for_each(|field| addresses(field, found)),
        _ => {}
    }
}

store_tests! {
    async fn both_generations_are_read_and_read_again_without_a_change(databases: Databases) {
        for generation in [Generation::V031, Generation::V028] {
            let mut city = City::open(&databases.store().await, generation).await;
            city.changes().await;
            let first = city.run().await;
            city.agrees("after the first reading").await;
            assert!(first.entities[COMMENT].published > 3, "{:?}", first.entities[COMMENT]);
            assert!(!city.changes().await.is_empty());
            let second = city.run().await;
            assert_eq!(city.changes().await, [], "{generation:?}: an unchanged platform");
            assert_eq!(second.entities[PROPOSAL].unchanged, first.entities[PROPOSAL].published);
            // Everything is mapped again, and says what is stored to the letter.
            city.clock.advance(Duration::from_hours(24));
            let third = city.run().await;
            assert_eq!(city.changes().await, [], "{generation:?}: an unchanged platform, the day after");
            assert_eq!(third.entities[PROPOSAL].unchanged, first.entities[PROPOSAL].published);
        }
    }

    async fn an_amendments_state_is_no_word_of_the_city(databases: Databases) {
        // In the recording of 0.31 a fourth amendment is withdrawn, which is no state of the city's either.
        let recorded = [(Generation::V031, LYON, 3), (Generation::V028, BORDEAUX, 2), (Generation::V028, LYON_028, 3)];
        for (generation, fixture, count) in recorded {
            let mut city = City::of(&databases.store().await, generation, fixture).await;
            city.run().await;
            // What the platform says a state of, told apart by whether it amends something.
            let (amendments, others): (BTreeSet<u64>, BTreeSet<u64>) = city.platform.read(|state: &State| {
                let emendations: BTreeSet<u64> =
                    state.proposals.iter().flat_map(|p| p.amendments.iter().map(|amendment| amendment.emendation)).collect();
                let silent = [None, Some("not_answered"), Some("withdrawn")];
                let stated = state.proposals.iter().filter(|p| {
                    state.proposal_is_public(p) && !p.withdrawn && !silent.contains(&p.state.as_deref())
                });
                stated.map(|p| p.id).partition(|id| emendations.contains(id))
            });
            assert!(amendments.len() == count && !others.is_empty(), "{amendments:?} {others:?}");
            let words = |ids: &BTreeSet<u64>| ids.iter().map(u64::to_string).collect::<BTreeSet<String>>();
            assert_eq!(city.live(&[Class::Disposition]).await, words(&others), "{generation:?}, without {amendments:?}");
            let answered = city.live(&[Class::OfficialResponse]).await;
            assert!(answered.is_disjoint(&words(&amendments)), "{answered:?}");
            for id in amendments {
                let Some(Body::Contribution(body)) = city.contribution(id).await.record.map(|record| record.body) else {
                    panic!("{id} is not a contribution")
                };
                assert!(body.kind == ContributionKind::Amendment && body.amends.is_some(), "{id}");
            }
        }
    }

    async fn a_contribution_is_put_under_a_topic_that_its_consultation_has(databases: Databases) {
        for generation in [Generation::V031, Generation::V028] {
            let mut city = City::open(&databases.store().await, generation).await;
            city.run().await;
            // Derived from the platform: the process and the list that each proposal stands in.
            let stands: Vec<(u64, u64, u64)> = city.platform.read(|state: &State| {
                let of = |component: u64| state.components.iter().find(|c| c.id == component).expect("a component").process;
                let proposals = state.proposals.iter().filter(|p| state.proposal_is_public(p));
                proposals.map(|p| (p.id, of(p.component), p.component)).collect()
            });
            let lists: BTreeSet<(u64, u64)> = stands.iter().map(|(_, process, component)| (*process, *component)).collect();
            assert!(stands.len() > 3);
            for (process, component) in lists {
                let stored = city.record("participatory_process", process, Class::Consultation).await.expect("it is public");
                let Some(Body::Consultation(body)) = stored.record.map(|record| record.body) else { panic!("no consultation") };
                assert!(body.topics.iter().any(|topic| topic.fragment == format!("topic-{component}")), "{:?}", body.topics);
            }
            for (id, _, component) in stands {
                let stored = city.contribution(id).await;
                let Some(Body::Contribution(body)) = stored.record.map(|record| record.body) else { panic!("no contribution") };
                assert_eq!(body.topic, Some(format!("topic-{component}")), "proposal {id}");
                let sealed: serde_json::Value = serde_json::from_slice(&stored.sealed)?;
                assert_eq!(sealed["topic"], format!("{}#topic-{component}", body.process), "proposal {id}");
            }
        }
    }

    async fn every_address_of_ours_in_a_sealed_record_is_answered(databases: Databases) {
        for generation in [Generation::V031, Generation::V028] {
            let mut city = City::open(&databases.store().await, generation).await;
            city.run().await;
            // One of each standing: what was hidden and what was deleted go on naming addresses.
            let two: Vec<u64> = city.platform.read(|state: &State| {
                state.proposals.iter().filter(|p| state.proposal_is_public(p)).map(|p| p.id).take(2).collect()
            });
            city.platform.change(|state| state.hide(two[0]));
            city.platform.change(|state| state.delete_proposal(two[1]));
            city.run().await;
            city.run().await;
            let site = Gateway::over(city.sync.store.clone())?;
            let mut named = BTreeSet::new();
            let mut query = RecordQuery { order: Order::ById, limit: 500, visible_only: false, ..RecordQuery::default() };
            loop {
                let page = city.sync.store.read().await?.list_records(&query).await?;
                for stored in page.items {
                    addresses(&serde_json::from_slice(&stored.sealed)?, &mut named);
                }
                let Some(next) = page.next else { break };
                query.after = Some(next);
            }
            assert!(named.len() > 50, "{named:?}");
            for address in named {
                let path = address.strip_prefix("https://passerelle.lyon.example").unwrap_or_default();
                let path = path.split('#').next().unwrap_or_default();
                for accept in ["text/html", "application/activity+json"] {
                    let status = site.ask(path, &[("accept", accept)]).await.status.as_u16();
                    // The actor sends people to the home page, a document to the file where the platform keeps it.
                    let leads_on = path == "/actor" || path.starts_with("/documents/");
                    let fits = matches!(status, 200 | 410) || status == 303 && leads_on;
                    assert!(fits, "{address} as {accept}: {status}");
                }
            }
        }
    }

    async fn every_field_that_the_platform_offers_is_decided(store: Store) {
        for generation in [Generation::V031, Generation::V028] {
            let city = City::open(&store, generation).await;
            let preview = city.sync.preview(&mut |_| {}).await?;
            let undecided: Vec<String> = preview
                .coverage
                .fields()
                .filter(|(_, _, field)| field.standing == Understood::NotUnderstood)
                .map(|(entity, name, field)| format!("{entity}.{name} {:?}", field.example))
                .collect();
            assert_eq!(undecided, Vec::<String>::new(), "{generation:?}");
            assert_eq!(preview.personal_kept, 0);
            assert!(preview.coverage.totals().mapped > 40, "{:?}", preview.coverage.totals());
            let text = format!("{}{}", preview.summary_text("the simulator"), preview.samples_text());
            assert!(text.contains("language = fr") && !text.contains("content.und"), "{text}");
        }
    }

    async fn people_act_on_the_platform_and_the_gateway_follows(databases: Databases) {
        for generation in [Generation::V031, Generation::V028] {
            let mut city = City::open(&databases.store().await, generation).await;
            city.run().await;
            city.changes().await;
            let (component, author) = city.platform.read(|state| {
                let first = state.proposals.iter().find(|p| state.proposal_is_public(p)).expect("a proposal");
                let author = state.users.iter().find(|(_, user)| !user.deleted && !user.blocked).expect("a person");
                (first.component, *author.0)
            });
            let new = NewProposal { component, author, title: "Une fontaine", body: "Pour les enfants.", place: None };
            let added = city.platform.change(|state| state.add_proposal(&new));
            city.run().await;
            assert_eq!(city.changes().await, [ChangeKind::Created]);
            let stored = city.contribution(added).await;
            let sealed: serde_json::Value = serde_json::from_slice(&stored.sealed)?;
            let keys = Keys::from_seed(city.sync.publisher.authority.clone(), &[3; 32])?;
            assert!(proof::verify(&sealed, keys.multikey(), &keys.ed25519_id(), city.sync.clock.now()).is_ok());

            city.platform.change(|state| state.edit_proposal(added, "Une fontaine d'eau", "Pour les enfants."));
            city.run().await;
            assert_eq!(city.changes().await, [ChangeKind::Updated]);
            let commented = city.platform.change(|state| state.add_comment(added, None, author, 1, "Oui !"));
            city.run().await;
            assert_eq!(city.changes().await.len(), 2, "the comment, and the count");
            city.platform.change(|state| state.prepare_answer(added, "accepted", "Retenue."));
            city.run().await;
            assert_eq!(city.changes().await, [], "a prepared answer is nobody's business");
            city.platform.change(|state| state.publish_answer(added));
            city.run().await;
            assert_eq!(city.changes().await, [ChangeKind::Created, ChangeKind::Created], "treatment and answer");
            let judged = city.record(PROPOSAL, added, Class::Disposition).await.and_then(|stored| stored.record);
            let Some(Body::Disposition(body)) = judged.map(|record| record.body) else { panic!("no treatment") };
            assert_eq!(body.subject_digest, Some(city.contribution(added).await.digest));

            city.platform.change(|state| state.hide(added));
            city.run().await;
            city.agrees("hidden").await;
            for (entity, id, class) in [
                (PROPOSAL, added, Class::Contribution),
                (PROPOSAL, added, Class::OfficialResponse),
                (COMMENT, commented, Class::Comment),
            ] {
                let hidden = city.record(entity, id, class).await.expect("its shell is there");
                assert_eq!(hidden.standing, Standing::Hidden, "{class}");
            }
            city.run().await;
            city.run().await;
            assert_eq!(city.contribution(added).await.standing, Standing::Hidden, "hidden is not deleted");
            city.platform.change(|state| state.unhide(added));
            city.run().await;
            city.agrees("shown again").await;
            assert_eq!(city.record(COMMENT, commented, Class::Comment).await.map(|r| r.standing), Some(Standing::Live));

            city.platform.change(|state| state.withdraw(added));
            city.run().await;
            let Some(Body::Contribution(body)) = city.contribution(added).await.record.map(|record| record.body) else {
                panic!("not a contribution")
            };
            assert_eq!((body.author_state, body.author), (AuthorState::Withdrawn, None));

            city.changes().await;
            city.platform.change(|state| state.delete_proposal(added));
            city.run().await;
            assert_eq!(city.contribution(added).await.standing, Standing::Hidden);
            city.run().await;
            assert_eq!(city.contribution(added).await.standing, Standing::Deleted);
            city.agrees("deleted").await;
            city.changes().await;
            city.run().await;
            assert_eq!(city.changes().await, []);
        }
    }
}
