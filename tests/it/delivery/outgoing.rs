//! GDPR-18 from end to end: a platform that says too much of persons, a journey of two cities, and everything
//! that crossed between them, document by document. Each must be valid under the schema that is published for it,
//! and may have no property beyond it: schemas allow later properties, so they are closed here, and the names
//! that may leave are also written down, so that a new one is a decision.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use passerelle::connectors::{self, Courtesy, Installation};
use passerelle::demo::platform::{Generation, LYON, NewProposal, Proposal, SimulatedDecidim, State};
use passerelle::domain::text::LanguageTag;
use passerelle::domain::time::ManualClock;
use passerelle::domain::{Class, RecordId};
use passerelle::federation::schema::schemas;
use passerelle::mapping::{Profile, Publisher};
use passerelle::store::{Order, RecordQuery, RunOutcome};
use passerelle::sync::{Options, Pseudonyms, Sync};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::store_tests;
use crate::support::gateway::{Seen, TestGateway, get_as, morning, post_as, settle};
use crate::support::leaky::{CANARIES, Leaky};
use crate::support::stores::Databases;

/// Every property name that may cross between two gateways.
const NAMES: &str = "@context actor ahead amends amount arisesFrom assertionMethod attachment attendance attributedTo author authority authorityIdentifier \
    authorityKind authorKind authorState backupsUntil cause code commitmentState completion content contentMap context \
    contributionKind contributions controller countedAt created cryptosuite currency currentPhase decisionScope deleted \
    deliveryState derivedFrom detail digestSalt dispositionState dueDate endTime erased estimatedCost exactMatch first \
    followers formerType href id inbox inReplyTo inScheme language latitude legalBasis license lifecycleState localId \
    location longitude mapping measure mediaType meetingKind mergedInto method minutes moderationState name nameMap next \
    notation notified object orderedItems originalLanguage outbox outcome owner partOf personalDataHandling phaseKind \
    phases phaseState preferredUsername prefLabel previousDigest problems process processKind profile profileVersion \
    projectState proof proofPurpose proofValue pseudonym pseudonymScope publicKey publicKeyMultibase publicKeyPem \
    published purgedAt reasonCode receiptFor receivedAt recordType relationship removed replies requestActivity residual \
    respondsTo result resultOf retrievedAt revision rightsContact signatoryRole sourceRecord stance startTime status \
    streams subject subjectDigest summary summaryMap supports supportTally system territory theme title to topic topics \
    total totalItems translations type unmapped updated url verificationMethod withheld";

/// The properties of the documents that have no schema of their own.
const COLLECTION: [&str; 9] = ["@context", "id", "type", "partOf", "next", "ahead", "first", "totalItems", "orderedItems"];
const HELD: [&str; 4] = ["id", "type", "revision", "subjectDigest"];
const PROBLEM: [&str; 5] = ["type", "title", "status", "code", "detail"];
const ACTIVITY: [&str; 8] = ["@context", "id", "type", "actor", "to", "cc", "object", "result"];
const FOLLOW: [&str; 4] = ["id", "type", "actor", "object"];

/// The published schemas, as they are, and closed.
struct Vocabulary {
    open: BTreeMap<&'static str, jsonschema::Validator>,
    closed: BTreeMap<&'static str, jsonschema::Validator>,
    names: BTreeSet<&'static str>,
}

impl Vocabulary {
    fn published() -> Self {
        let validator = |schema: &Value| jsonschema::validator_for(schema).expect("a schema");
        let (mut open, mut closed) = (BTreeMap::new(), BTreeMap::new());
        for (class, mut schema) in schemas() {
            open.insert(class, validator(&schema));
            if class != "Activity" {
                close(&mut schema);
                closed.insert(class, validator(&schema));
            }
        }
        Self { open, closed, names: NAMES.split_whitespace().collect() }
    }

    /// What is wrong with a document that crossed, and which kinds of documents are in it.
    fn judge(&self, document: &Value, kinds: &mut BTreeSet<String>) -> Vec<String> {
        let mut wrong = Vec::new();
        self.document(document, kinds, &mut wrong);
        for name in names_in(document) {
            if !self.names.contains(name.as_str()) {
                wrong.push(format!("`{name}` is not among the names that may leave"));
            }
        }
        wrong
    }

    fn document(&self, document: &Value, kinds: &mut BTreeSet<String>, wrong: &mut Vec<String>) {
        let text = |name: &str| document[name].as_str().unwrap_or_default();
        match (text("type"), text("recordType")) {
            ("Tombstone", _) => self.of_class("Tombstone", document, kinds, wrong),
            (_, class) if self.closed.contains_key(class) => self.of_class(class, document, kinds, wrong),
            (kind @ ("OrderedCollection" | "OrderedCollectionPage"), _) => {
                kinds.insert(kind.to_owned());
                only(document, &COLLECTION, kind, wrong);
                for item in document["orderedItems"].as_array().into_iter().flatten() {
                    match item {
                        Value::String(_) => {}
                        held if held.get("subjectDigest").is_some() && held.get("proof").is_none() => {
                            kinds.insert("held".to_owned());
                            only(held, &HELD, "held", wrong);
                        }
                        record => self.document(record, kinds, wrong),
                    }
                }
            }
            (kind @ ("Create" | "Update" | "Delete" | "Follow" | "Accept" | "Reject" | "Undo"), _) => {
                kinds.insert(kind.to_owned());
                complain(&self.open["Activity"], kind, document, wrong);
                only(document, &ACTIVITY, kind, wrong);
                match &document["object"] {
                    follow if follow["type"] == "Follow" => only(follow, &FOLLOW, "Follow", wrong),
                    object @ Value::Object(_) => self.document(object, kinds, wrong),
                    _ => {}
                }
                if let Some(result) = document.get("result") {
                    self.document(result, kinds, wrong);
                }
            }
            _ if document.get("code").is_some() && document.get("detail").is_some() => {
                kinds.insert("problem".to_owned());
                only(document, &PROBLEM, "problem", wrong);
            }
            _ => wrong.push(format!("nothing that the vocabulary knows: {document:.300}")),
        }
    }

    fn of_class(&self, class: &str, document: &Value, kinds: &mut BTreeSet<String>, wrong: &mut Vec<String>) {
        kinds.insert(class.to_owned());
        let before = wrong.len();
        complain(&self.closed[class], class, document, wrong);
        // A closed schema that lets anything pass would show nothing.
        if before == wrong.len() {
            let mut more = document.clone();
            more["surprise"] = json!("x");
            assert!(!self.closed[class].is_valid(&more) && self.open[class].is_valid(&more), "{class} is not closed");
        }
    }
}

fn complain(validator: &jsonschema::Validator, kind: &str, document: &Value, wrong: &mut Vec<String>) {
    wrong.extend(validator.iter_errors(document).map(|error| format!("{kind}{}: {error:.400}", error.instance_path())));
}

fn only(document: &Value, names: &[&str], kind: &str, wrong: &mut Vec<String>) {
    for name in document.as_object().into_iter().flat_map(serde_json::Map::keys) {
        if !names.contains(&name.as_str()) {
            wrong.push(format!("{kind} has a property `{name}`"));
        }
    }
}

/// No property beyond those that a schema names.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let shapes = object.contains_key("properties");
            for (name, value) in object.iter_mut() {
                // Alternatives beside properties say which of these belong together.
                if !(shapes && matches!(name.as_str(), "anyOf" | "oneOf" | "allOf")) {
                    close(value);
                }
            }
            if shapes && object["properties"].is_object() && object.get("type").is_some_and(|kind| kind == "object") {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Every property name in a document; the keys of a language map are languages.
fn names_in(document: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, names: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    names.insert(name.clone());
                    if !name.ends_with("Map") && name != "prefLabel" {
                        walk(value, names);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, names)),
            _ => {}
        }
    }
    let mut names = BTreeSet::new();
    walk(document, &mut names);
    names
}

/// Lyon with its platform, read by the real connector.
struct City {
    platform: SimulatedDecidim,
    _leak: Leaky,
    sync: Sync,
    clock: ManualClock,
    rng: StdRng,
}

impl City {
    async fn of(gateway: &TestGateway, clock: &ManualClock) -> anyhow::Result<Self> {
        let platform = SimulatedDecidim::start(Generation::V031, LYON, Arc::new(clock.clone())).await?;
        platform.throttle(None);
        let leak = Leaky::before(&platform).await;
        let installation = Installation {
            name: "lyon".parse()?,
            kind: "decidim".to_owned(),
            url: leak.url().parse()?,
            courtesy: Courtesy::none(),
        };
        let sync = Sync {
            store: gateway.federation.store.clone(),
            connector: connectors::open(installation, gateway.federation.client.clone(), Arc::new(clock.clone()))?,
            profile: Arc::new(Profile::built_in("decidim").expect("it is built in")?),
            publisher: Publisher {
                platform: "lyon".parse()?,
                authority: gateway.federation.actor().clone(),
                rights_contact: gateway.url.join("/contact")?,
                licence: None,
                language: LanguageTag::french(),
                zone: jiff::tz::TimeZone::UTC,
            },
            public_url: gateway.url.clone(),
            pseudonyms: Pseudonyms::new(&[7; 32]),
            seal: Arc::new(gateway.sealer()),
            clock: Arc::new(clock.clone()),
        };
        Ok(Self { platform, _leak: leak, sync, clock: clock.clone(), rng: StdRng::seed_from_u64(1) })
    }

    /// People act, the platform is read, and both gateways come to rest.
    async fn then(&mut self, gateways: &[&TestGateway], act: impl FnOnce(&mut State)) -> anyhow::Result<()> {
        self.platform.change(act);
        self.clock.advance(Duration::from_mins(15));
        let summary = self.sync.run(Options::default(), &mut self.rng, &mut |_| {}).await?;
        assert_eq!(summary.outcome, RunOutcome::Complete, "{:?} {:?}", summary.message, summary.notes);
        assert_eq!(leaked(format!("{summary:?}").as_bytes()), None, "what a run reports");
        settle(gateways).await
    }
}

/// The first canary in some bytes, as text or in hexadecimal digits.
fn leaked(bytes: &[u8]) -> Option<&'static str> {
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    let shown = |canary: &str| holds(canary.as_bytes()) || holds(data_encoding::HEXLOWER.encode(canary.as_bytes()).as_bytes());
    CANARIES.iter().map(|(_, canary)| *canary).find(|canary| shown(canary))
}

/// Everything that lies in a database.
async fn everything_in(url: &str) -> anyhow::Result<Vec<u8>> {
    if let Some(path) = url.strip_prefix("sqlite://") {
        let mut all = std::fs::read(path)?;
        all.extend(std::fs::read(format!("{path}-wal")).unwrap_or_default());
        return Ok(all);
    }
    let mut connection = PgConnection::connect(url).await?;
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetch_all(&mut connection).await?;
    let mut all = Vec::new();
    for table in tables {
        // Made of names that the database itself gave.
        let query = AssertSqlSafe(format!("SELECT everything::text FROM \"{table}\" AS everything"));
        let rows: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut connection).await?;
        all.extend(rows.concat().into_bytes());
    }
    Ok(all)
}

/// A public proposal with no answer that nobody withdrew, other than those in `but`.
fn some_proposal(state: &State, but: &[u64]) -> u64 {
    let plain = |p: &&Proposal| state.proposal_is_public(p) && !p.withdrawn && p.answer.is_none() && !but.contains(&p.id);
    state.proposals.iter().find(plain).expect("the fixture has several").id
}

async fn own_contribution(gateway: &TestGateway) -> anyhow::Result<RecordId> {
    let query = RecordQuery { classes: vec![Class::Contribution], order: Order::ById, limit: 1, ..RecordQuery::default() };
    let page = gateway.federation.store.read().await?.list_records(&query).await?;
    Ok(page.items.first().expect("Lyon publishes contributions").id.clone())
}

store_tests! {
    async fn gdpr_18_what_a_platform_says_of_persons_is_stored_nowhere_and_all_that_leaves_is_in_the_vocabulary(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two(&databases, &clock).await;
        let both = [&lyon, &bordeaux];
        let mut city = City::of(&lyon, &clock).await?;
        city.then(&both, |_| {}).await?;
        lyon.accept(&bordeaux).await?;
        bordeaux.accept(&lyon).await?;
        settle(&both).await?;
        // A journey with every kind of news.
        let first = city.platform.read(|state| some_proposal(state, &[]));
        let second = city.platform.read(|state| some_proposal(state, &[first]));
        let new = NewProposal { component: 1, author: 4, title: "Un abri", body: "Contre le mur.", place: Some((45.7578, 4.8320)) };
        let mut mine = 0;
        city.then(&both, |state| mine = state.add_proposal(&new)).await?;
        city.then(&both, |state| { state.add_comment(mine, None, 4, -1, "Pas contre le mur."); }).await?;
        city.then(&both, |state| { state.edit_proposal(mine, "Un abri et un banc", "Contre le mur."); }).await?;
        city.then(&both, |state| { state.answer(mine, "accepted", "<p>Retenu.</p>"); }).await?;
        city.then(&both, |state| { state.hide(first); state.withdraw(second); }).await?;
        city.then(&both, |state| { state.delete_proposal(mine); }).await?;
        city.then(&both, |_| {}).await?;
        // What only one of the two asks, and what is refused.
        let id = own_contribution(&lyon).await?;
        for path in [id.path().to_owned(), "/actor".to_owned(), format!("/from/{}", bordeaux.domain)] {
            get_as(&bordeaux, &lyon, &path).await?;
        }
        for path in [format!("/from/{}", lyon.domain), format!("/from/{}?after=", lyon.domain)] {
            get_as(&lyon, &bordeaux, &path).await?;
        }
        let seen: Vec<Seen> = lyon.seen().into_iter().chain(bordeaux.seen()).collect();
        let update = seen.iter().find(|seen| String::from_utf8_lossy(&seen.body).contains("\"Create\"")).expect("it was sent");
        let mut forged: Value = serde_json::from_slice(&update.body)?;
        forged["id"] = json!(lyon.url.join("/activities/forged")?);
        forged["object"]["id"] = json!(lyon.url.join("/contributions/forged")?);
        post_as(&lyon, &bordeaux, &forged.to_string().into()).await?;
        post_as(&lyon, &bordeaux, &"{}".into()).await?;
        settle(&both).await?;

        let vocabulary = Vocabulary::published();
        let (mut kinds, mut wrong) = (BTreeSet::new(), Vec::new());
        for seen in seen.into_iter().chain(lyon.seen()).chain(bordeaux.seen()) {
            for bytes in [&seen.body, &seen.answer] {
                assert_eq!(leaked(bytes), None, "{}", seen.line);
                if !bytes.is_empty() && &bytes[..] != b"{}" {
                    let document: Value = serde_json::from_slice(bytes)?;
                    wrong.extend(vocabulary.judge(&document, &mut kinds).into_iter().map(|what| format!("{}: {what}", seen.line)));
                }
            }
        }
        wrong.sort();
        wrong.dedup();
        assert_eq!(wrong, Vec::<String>::new());
        let expected = [
            "Accept", "Argument", "Consultation", "Contribution", "Create", "Delete", "DeliveryReceipt", "Disposition", "Follow",
            "OfficialResponse", "OrderedCollection", "OrderedCollectionPage", "PublicAuthority", "PurgeReceipt", "Reject",
            "Tombstone", "Update", "held", "problem",
        ];
        for kind in expected {
            assert!(kinds.contains(kind), "no {kind} crossed; only {kinds:?}");
        }
        for gateway in both {
            let stored = everything_in(&gateway.database).await?;
            assert!(stored.len() > 1000);
            assert_eq!(leaked(&stored), None, "{} keeps what it never asked for", gateway.domain);
        }
    }
}

#[test]
fn gdpr_18_a_property_that_nobody_decided_on_is_found() {
    let vocabulary = Vocabulary::published();
    let example = |class: &str| -> Value {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("federation-specs/examples/{class}.json"));
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display())))
            .expect("JSON")
    };
    let judge = |document: &Value| vocabulary.judge(document, &mut BTreeSet::new());
    let contribution = example("Contribution");
    assert_eq!(judge(&contribution), Vec::<String>::new());
    for pointer in ["", "/proof", "/author", "/personalDataHandling"] {
        let mut leaky = contribution.clone();
        let place = leaky.pointer_mut(pointer).unwrap_or_else(|| panic!("the example has {pointer}"));
        place["email"] = json!("x@example.org");
        assert!(!judge(&leaky).is_empty(), "{pointer}/email passes");
    }
    let mut create = json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": "https://gateway.montfleur.example/activities/1",
        "type": "Create", "actor": "https://gateway.montfleur.example/actor", "to": ["https://gateway.rivemer.example/actor"],
        "object": contribution });
    assert_eq!(judge(&create), Vec::<String>::new());
    create["bto"] = json!("someone");
    assert!(!judge(&create).is_empty());
}
