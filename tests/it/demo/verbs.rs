//! What people do on a simulated platform moves what it moved on the real one (the "what moves when" tables of the
//! recordings), and shows and withholds what theirs showed and withheld.

use std::sync::Arc;
use std::time::Duration;

use passerelle::demo::platform::{BORDEAUX, Generation, LYON, NewProposal, SimulatedDecidim, State};
use passerelle::domain::time::{ManualClock, Timestamp};
use serde_json::{Value, json};

use super::stranger::{ask, data};

struct Town {
    city: SimulatedDecidim,
    clock: ManualClock,
    component: u64,
    /// An ordinary proposal with an author.
    proposal: u64,
}

impl Town {
    async fn new(generation: Generation) -> Self {
        let clock = ManualClock::at("2026-11-24T12:00:00Z".parse::<Timestamp>().unwrap());
        let fixture = if generation == Generation::V031 { LYON } else { BORDEAUX };
        let city = SimulatedDecidim::start(generation, fixture, Arc::new(clock.clone())).await.unwrap();
        let (component, proposal) = if generation == Generation::V031 { (1, 5) } else { (22, 113) };
        Self { city, clock, component, proposal }
    }

    async fn field(&self, fields: &str) -> Value {
        let query = format!(
            "{{ component(id: {}) {{ ... on Proposals {{ proposal(id: {}) {{ {fields} }} }} }} }}",
            self.component, self.proposal
        );
        data(&self.city, &query).await["component"]["proposal"].take()
    }

    /// Acts a minute later; tells whether `updatedAt` and `versionsCount` moved.
    async fn moves(&self, act: impl FnOnce(&mut State) -> bool) -> (bool, bool) {
        let before = self.field("updatedAt versionsCount").await;
        self.clock.advance(Duration::from_mins(1));
        assert!(self.city.change(act));
        let after = self.field("updatedAt versionsCount").await;
        (before["updatedAt"] != after["updatedAt"], before["versionsCount"] != after["versionsCount"])
    }

    async fn page_status(&self) -> u16 {
        let slug = self.city.read(|state| state.processes[0].fields["slug"].as_str().unwrap().to_owned());
        let url = format!("{}/processes/{slug}/f/{}/proposals/{}", self.city.url(), self.component, self.proposal);
        super::stranger::client().get(url).send().await.unwrap().status().as_u16()
    }
}

const NOTHING: (bool, bool) = (false, false);
const DATE: (bool, bool) = (true, false);
const BOTH: (bool, bool) = (true, true);

#[tokio::test]
async fn dates_and_versions_move_as_the_tables_say() {
    for generation in [Generation::V031, Generation::V028] {
        let town = Town::new(generation).await;
        let id = town.proposal;
        let new = generation == Generation::V031;
        assert_eq!(town.moves(|c| c.edit_proposal(id, "Nouveau titre", "Nouveau corps")).await, BOTH);
        assert_eq!(town.moves(|c| c.vote(id)).await, if new { DATE } else { NOTHING });
        assert_eq!(town.moves(|c| c.like(id, if new { 2 } else { 133 })).await, NOTHING);
        assert_eq!(town.moves(|c| c.report(id)).await, DATE);
        assert_eq!(town.moves(|c| c.classify(id, &[4])).await, NOTHING);
        assert_eq!(town.moves(|c| c.categorize(id, Some(11))).await, NOTHING);
        assert_eq!(town.moves(|c| c.add_comment(id, None, 4, 1, "D'accord.") > 0).await, DATE);
        let comment = town.city.read(|c| c.comments.last().unwrap().id);
        assert_eq!(town.moves(|c| c.edit_comment(comment, "Tout à fait d'accord.")).await, DATE);
        assert_eq!(town.moves(|c| c.vote_comment(comment)).await, DATE);
        assert_eq!(town.moves(|c| c.hide_comment(comment)).await, DATE);
        assert_eq!(town.moves(|c| c.unhide_comment(comment)).await, DATE);
        assert_eq!(town.moves(|c| c.prepare_answer(id, "accepted", "Oui.")).await, BOTH);
        assert_eq!(town.moves(|c| c.publish_answer(id)).await, BOTH);
        assert_eq!(town.moves(|c| c.withdraw(id)).await, BOTH);
        assert_eq!(town.moves(|c| c.hide(id) && c.unhide(id)).await, DATE);
        assert_eq!(town.moves(|c| c.delete_account(if new { 5 } else { 134 })).await, NOTHING);
    }
}

#[tokio::test]
async fn dates_are_written_in_the_zone_of_the_tenant() {
    let town = Town::new(Generation::V031).await;
    town.city.change(|c| c.edit_proposal(5, "Titre", "Corps"));
    assert_eq!(town.field("updatedAt").await["updatedAt"], "2026-11-24T13:00:00+01:00");
}

#[tokio::test]
async fn a_prepared_answer_shows_what_each_generation_gives_away() {
    let new = Town::new(Generation::V031).await;
    new.city.change(|c| c.prepare_answer(new.proposal, "rejected", "Non."));
    let shown = new
        .field("state answeredAt answer { translation(locale: \"fr\") } proposalState { title { translation(locale: \"fr\") } }")
        .await;
    assert_eq!((&shown["state"], &shown["answer"], &shown["answeredAt"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!(shown["proposalState"]["title"]["translation"], "Non retenue");
    new.city.change(|c| c.publish_answer(new.proposal));
    let shown = new.field("state answer { translation(locale: \"fr\") }").await;
    assert_eq!(shown, json!({ "state": "rejected", "answer": { "translation": "Non." } }));

    let old = Town::new(Generation::V028).await;
    old.city.change(|c| c.prepare_answer(old.proposal, "rejected", "Non."));
    let shown = old.field("state answer { translation(locale: \"fr\") }").await;
    assert_eq!(shown, json!({ "state": null, "answer": { "translation": "Non." } }));
}

#[tokio::test]
async fn a_withdrawn_proposal_stays_with_the_state_of_its_generation() {
    let new = Town::new(Generation::V031).await;
    new.city.change(|c| c.withdraw(new.proposal));
    assert_eq!(new.field("state withdrawn").await, json!({ "state": "not_answered", "withdrawn": true }));
    let old = Town::new(Generation::V028).await;
    old.city.change(|c| c.withdraw(old.proposal));
    assert_eq!(old.field("state").await, json!({ "state": "withdrawn" }));
    assert_eq!((new.page_status().await, old.page_status().await), (200, 200));
}

async fn ids(town: &Town) -> Vec<Value> {
    let query =
        format!("{{ component(id: {}) {{ ... on Proposals {{ proposals(last: 3) {{ nodes {{ id }} }} }} }} }}", town.component);
    data(&town.city, &query).await["component"]["proposals"]["nodes"].as_array().unwrap().clone()
}

#[tokio::test]
async fn hidden_is_a_null_node_deleted_and_binned_are_no_node() {
    for generation in [Generation::V031, Generation::V028] {
        let mut town = Town::new(generation).await;
        let new = NewProposal {
            component: town.component,
            author: 4,
            title: "Un abri",
            body: "Devant l'école.",
            place: Some((45.7, 4.8)),
        };
        town.proposal = town.city.change(|c| c.add_proposal(&new));
        let last = json!({ "id": town.proposal.to_string() });
        assert_eq!(ids(&town).await[2], last);
        assert_eq!(town.field("coordinates { latitude }").await["coordinates"]["latitude"], 45.7);
        town.city.change(|c| c.hide(town.proposal));
        assert_eq!((&ids(&town).await[2], town.page_status().await), (&Value::Null, 404));
        assert_eq!(town.field("id").await, Value::Null);
        town.city.change(|c| c.unhide(town.proposal));
        assert_eq!((&ids(&town).await[2], town.page_status().await), (&last, 200));
        town.city.change(|c| c.trash(town.proposal));
        assert_ne!(ids(&town).await[2], last);
        town.city.change(|c| c.restore(town.proposal));
        town.city.change(|c| c.delete_proposal(town.proposal));
        assert_ne!(ids(&town).await[2], last);
        assert_eq!(town.page_status().await, 404);
    }
}

#[tokio::test]
async fn binning_moves_the_dates_of_all_later_proposals() {
    let town = Town::new(Generation::V031).await;
    let dates =
        |c: &State| c.proposals.iter().filter(|p| p.component == 1).map(|p| (p.id, p.updated.clone())).collect::<Vec<_>>();
    let before = town.city.read(dates);
    town.city.change(|c| c.trash(50));
    let after = town.city.read(dates);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.1 != after.1, before.0 >= 50, "proposal {}", before.0);
    }
}

#[tokio::test]
async fn a_deleted_comment_takes_its_proposal_away_and_is_found_one_by_one() {
    let town = Town::new(Generation::V031).await;
    let first = town.city.change(|c| c.add_comment(town.proposal, None, 4, 0, "Un"));
    let second = town.city.change(|c| c.add_comment(town.proposal, Some(first), 6, -1, "Deux"));
    town.city.change(|c| c.delete_comment(first));
    let query = |arguments: &str| json!({ "query": format!("{{ component(id: 1) {{ ... on Proposals {{ proposal(id: 5) {{ id comments{arguments} {{ body }} }} }} }} }}") });
    let (status, answer) = ask(&town.city, &query("")).await;
    assert_eq!((status, &answer["data"]["component"]["proposal"]), (200, &Value::Null));
    assert_eq!(answer["errors"][0]["message"], "Cannot return null for non-nullable field Proposal.comments");
    let (_, answer) = ask(&town.city, &query(&format!("(singleCommentId: \"{second}\")"))).await;
    assert_eq!(answer["data"]["component"]["proposal"]["comments"], json!([{ "body": "Deux" }]));
    assert_eq!(town.field("totalCommentsCount").await["totalCommentsCount"], 1);
}

#[tokio::test]
async fn unpublished_parents_disappear_with_what_they_hold() {
    let town = Town::new(Generation::V031).await;
    town.city.change(|c| c.publish_component(1, false));
    assert_eq!(data(&town.city, "{ component(id: 1) { id } }").await["component"], Value::Null);
    let listed = data(&town.city, "{ participatoryProcess(id: 1) { components { id } } }").await;
    assert_eq!(listed["participatoryProcess"]["components"][0], Value::Null);
    town.city.change(|c| c.publish_component(1, true));
    town.city.change(|c| c.publish_process(1, false));
    let listed = data(&town.city, "{ participatoryProcesses { id } }").await;
    assert!(!listed["participatoryProcesses"].as_array().unwrap().contains(&json!({ "id": "1" })));
    assert_eq!(town.page_status().await, 302);
    town.city.change(|c| c.publish_process(1, true));
    let again = data(&town.city, "{ participatoryProcess(id: 1) { publishedAt } }").await;
    assert_eq!(again["participatoryProcess"]["publishedAt"], "2026-11-24T13:00:00+01:00");
}

#[tokio::test]
async fn a_step_is_activated_with_the_dates_its_generation_moves() {
    let town = Town::new(Generation::V031).await;
    let query = "{ participatoryProcess(id: 1) { updatedAt steps { id active updatedAt } } }";
    let before = data(&town.city, query).await["participatoryProcess"].take();
    let next =
        before["steps"].as_array().unwrap().iter().find(|s| s["active"] == false).unwrap()["id"].as_str().unwrap().to_owned();
    town.city.change(|c| c.activate_step(1, &next));
    let after = data(&town.city, query).await["participatoryProcess"].take();
    let active: Vec<_> =
        after["steps"].as_array().unwrap().iter().filter(|s| s["active"] == true).map(|s| s["id"].clone()).collect();
    assert_eq!(active, [json!(next)]);
    assert_ne!(before["updatedAt"], after["updatedAt"]);
}
