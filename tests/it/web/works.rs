//! The second half of the vocabulary as visitors see it: what Lyon met, counted, decided, promised and did,
//! and what is held of Bordeaux's.

use axum::http::StatusCode;
use passerelle::domain::digest::Digest;
use passerelle::domain::progress::CommitmentState;
use passerelle::domain::record::ReasonCode;
use passerelle::domain::seal::Sealed;
use passerelle::domain::{Body as Says, Class, Record, RecordId};
use passerelle::federation::wire::record_to_json;
use passerelle::store::{Burial, CopyWrite, RecordWrite, Store};
use serde_json::Value;

use crate::store_tests;
use crate::support::works;
use crate::web::city::{BORDEAUX, Gateway, LYON, at, burial, created, fill, id, next, record, seal};

const MACHINE: &str = "application/activity+json";

/// What is written first, then what changes it, then what ends.
pub struct Works {
    pub writes: Vec<RecordWrite>,
    pub later: Vec<RecordWrite>,
    pub burials: Vec<Burial>,
}

/// Lyon's.
pub fn works(process: &RecordId) -> Works {
    let of = |class, key| id(LYON, class, key);
    let answer = [of(Class::OfficialResponse, "reponse")];
    let proposal = of(Class::Contribution, "barriere");
    let say = |key: &str, title: &str, body| {
        created(record(LYON, key, Some(title), Some("<p>Un texte de la ville.</p>"), body), "2026-11-20T08:00:00Z")
    };
    let file = |key: &str, title: &str, to: &RecordId| {
        created(record(LYON, key, Some(title), None, Says::Document(works::document(to, process))), "2026-11-20T08:00:00Z")
    };
    let (meeting, project) = (of(Class::Meeting, "soiree"), of(Class::BudgetProject, "gradins"));
    let result = of(Class::Result, "rues-ecoles");
    let promise = of(Class::Commitment, "douze-rues");
    let mut derived = works::project(process);
    derived.derived_from = vec![proposal.clone()];
    derived.commitments = vec![promise.clone()];
    let mut came = works::result(process, std::slice::from_ref(&project), None);
    came.arises_from = vec![proposal.clone()];
    came.evidence = vec![of(Class::Document, "constat")];
    let mut unknown = works::result(process, &[], Some(&result));
    unknown.completion = None;
    unknown.state = None;
    unknown.raw_state = Some("en_revue".to_owned());
    let promised =
        wired(say("douze-rues", "Douze rues-écoles", Says::Commitment(works::commitment(process, &answer, "2027-04-30"))));
    let late = say("bilan", "Un bilan public", Says::Commitment(works::commitment(process, &answer, "2026-11-01")));
    let hidden = say("masquee", "Titre masqué", Says::Meeting(works::meeting(process)));
    let gone = say("parti", "Titre supprimé", Says::BudgetProject(works::project(process)));
    let mut moved = promised.record.clone();
    if let Says::Commitment(body) = &mut moved.body {
        body.due = "2027-06-30".parse().ok();
        body.state = CommitmentState::Revised;
    }
    moved.updated = Some(at("2026-11-22T08:00:00Z"));
    let mut hidden_now = hidden.record.clone().hidden();
    hidden_now.reason = Some(ReasonCode::PersonalData);
    let later = vec![wired(next(&promised, moved, "2026-11-22T08:00:00Z")), next(&hidden, hidden_now, "2026-11-22T08:00:00Z")];
    let burials = vec![burial(&gone.record, &gone.sealed.digest, "2026-11-22T08:00:00Z")];
    let mut said = record(
        LYON,
        "sur-la-soiree",
        None,
        Some("<p>Y aura-t-il une garderie ?</p>"),
        Says::Comment(super::city::comment(process, &meeting, None)),
    );
    said.published = Some(at("2026-11-21T08:00:00Z"));
    let mut on_result = said.clone();
    on_result.id = of(Class::Comment, "sur-la-rue");
    on_result.published = Some(at("2026-11-21T09:00:00Z"));
    on_result.body = Says::Comment(super::city::comment(process, &result, None));
    let writes = vec![
        say("soiree", "Une soirée sur les rues", Says::Meeting(works::meeting(process))),
        hidden,
        say("gradins", "Des gradins devant l'école", Says::BudgetProject(derived)),
        gone,
        say("fermer", "Faut-il fermer la rue ?", Says::Poll(works::poll(process))),
        say("deliberation", "Délibération 2026/2217", Says::Decision(works::decision(process, std::slice::from_ref(&proposal)))),
        promised,
        late,
        say("rues-ecoles", "Les rues-écoles", Says::Result(came)),
        say("rue-briand", "La rue Aristide-Briand", Says::Result(unknown)),
        say("novembre", "Les barrières sont livrées", Says::ProgressUpdate(works::news(&result, process))),
        say("retard", "Deux rues de moins", Says::ProgressUpdate(works::news(&promise, process))),
        file("ordre-du-jour", "L'ordre du jour", &meeting),
        file("constat", "Constat de pose", &result),
        file("plan", "Plan du quartier", process),
        created(said, "2026-11-21T08:00:00Z"),
        created(on_result, "2026-11-21T09:00:00Z"),
    ];
    Works { writes, later, burials }
}

/// The same write with its wire form, for what is read back from it.
fn wired(write: RecordWrite) -> RecordWrite {
    let bytes = record_to_json(&write.record, None).to_string();
    let sealed = Sealed { digest: Digest::of(bytes.as_bytes()), bytes: bytes.into() };
    RecordWrite { sealed, ..write }
}

/// Bordeaux's, as copies.
pub fn copied() -> Vec<Record> {
    let process = id(BORDEAUX, Class::Consultation, "quais");
    let meeting = id(BORDEAUX, Class::Meeting, "marche");
    let roots = [id(BORDEAUX, Class::Contribution, "bancs")];
    let text = Some("<p>Un texte de Bordeaux.</p>");
    vec![
        record(BORDEAUX, "marche", Some("Une marche sur les quais"), text, Says::Meeting(works::meeting(&process))),
        record(BORDEAUX, "carte", Some("La carte"), None, Says::Document(works::document(&meeting, &process))),
        record(
            BORDEAUX,
            "bancs-poses",
            Some("Cinquante bancs posés"),
            text,
            Says::Commitment(works::commitment(&process, &roots, "2027-03-01")),
        ),
    ]
}

/// How many a collection says it has, and what stands on all its pages.
async fn read_through(site: &Gateway, collection: &str) -> (u64, Vec<String>) {
    let json = |body: &[u8]| serde_json::from_slice::<Value>(body).expect("it is JSON");
    let whole = json(&site.machine(collection).await.body);
    let mut listed = Vec::new();
    let mut next = whole["first"].as_str().map(ToOwned::to_owned);
    while let Some(at) = next {
        let page = json(&site.machine(at.strip_prefix(LYON).expect("an address of ours")).await.body);
        assert_eq!((&page["id"], &page["partOf"]), (&Value::from(at), &whole["id"]));
        listed.extend(page["orderedItems"].as_array().expect("items").iter().filter_map(Value::as_str).map(ToOwned::to_owned));
        next = page["next"].as_str().map(ToOwned::to_owned);
    }
    (whole["totalItems"].as_u64().expect("a number"), listed)
}

store_tests! {
    async fn a_consultation_leads_to_everything_that_hangs_on_it(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let page = site.get("/consultations/rues").await;
        for heading in [
            "Décisions (1)", "Engagements (2)", "Ce qui a été fait (2)", "Projets (1)", "Sondages (1)", "Rencontres (1)",
            "Tous les documents de cette consultation (3)",
        ] {
            assert!(page.text().contains(heading), "{heading} in {}", page.text());
        }
        for list in ["decisions", "commitments", "results", "projects", "polls", "meetings", "documents"] {
            let list = site.get(&format!("/consultations/rues/{list}")).await;
            assert_eq!(list.status, StatusCode::OK);
            assert!(!list.text().contains("masqué") && !list.text().contains("Titre supprimé"), "{}", list.text());
        }
        assert_eq!(site.get("/consultations/rues/secrets").await.status, StatusCode::NOT_FOUND);
    }

    async fn a_meeting_says_when_and_where_first(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let page = site.get("/meetings/soiree").await;
        let text = page.text();
        assert!(text.contains("À venir") && text.contains("27\u{A0}novembre 2026 à\u{A0}18:00</time>, jusqu'à <time"), "{text}");
        for words in ["Salle des fêtes, 12 rue de la Mairie", "salle.lyon.example", "1\u{202F}200", "Ordre du jour", "Accueil, puis tables rondes."] {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(text.contains("Y aura-t-il une garderie") && text.contains("/comments/sur-la-soiree"));
        assert!(text.contains("href=\"/documents/ordre-du-jour\"") && text.contains("application/pdf") && text.contains("418\u{A0}ko"));
        let english = site.get("/meetings/soiree?lang=en").await;
        assert!(english.text().contains("Upcoming") && english.text().contains("1,200") && english.text().contains("in person and online"));
    }

    async fn a_file_is_found_where_the_platform_keeps_it_now(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let person = site.ask("/documents/ordre-du-jour", &[("accept", "text/html")]).await;
        assert_eq!(person.status, StatusCode::SEE_OTHER);
        assert_eq!(person.header("location"), "https://participer.lyon.example/files/ordre-du-jour.pdf?signature=abc");
        // What anything but a machine of the federation asks for is the file.
        let reader = site.ask("/documents/ordre-du-jour", &[("accept", "application/pdf")]).await;
        assert_eq!(reader.status, StatusCode::SEE_OTHER);
        let document = id(LYON, Class::Document, "ordre-du-jour");
        let stored = site.store.read().await?.lookup_record(&document).await?.expect("it is there");
        assert_eq!(site.machine("/documents/ordre-du-jour").await.body, stored.sealed);
        // The platform gave it another address: not a revision, and known at once.
        let mut moved = stored.record.clone().expect("it is live");
        if let Says::Document(body) = &mut moved.body {
            body.file = "https://participer.lyon.example/files/2".parse().ok();
        }
        let mut tx = site.store.write().await?;
        assert_eq!(tx.keep_unsigned(std::slice::from_ref(&moved)).await?, 1);
        tx.save().await?;
        assert_eq!(site.get("/documents/ordre-du-jour").await.header("location"), "https://participer.lyon.example/files/2");
        let after = site.store.read().await?.lookup_record(&document).await?.expect("it is there");
        assert_eq!((after.revision, after.sealed), (stored.revision, stored.sealed));
        // A copy sends nobody to a platform: only its origin knows where the file is.
        let origin = id(BORDEAUX, Class::Document, "carte");
        let copy = site.get(&format!("/from/passerelle.bordeaux.example/documents/{}", origin.copy_key())).await;
        assert_eq!(copy.status, StatusCode::OK);
        assert!(copy.text().contains(&format!("href=\"{origin}\"")) && !copy.text().contains("signature=abc"), "{}", copy.text());
    }

    async fn a_project_tells_its_money_and_what_led_to_it(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let page = site.get("/projects/gradins").await;
        let text = page.text();
        for words in [
            "Lauréat", "86\u{202F}000\u{A0}€", "90\u{202F}000,50\u{A0}€", "613", "La rue est assez large.", "Une barrière amovible",
            "Douze rues-écoles", "Les rues-écoles",
        ] {
            assert!(text.contains(words), "{words} in {text}");
        }
        let english = site.get("/projects/gradins?lang=en").await;
        assert!(english.text().contains("€90,000.50"), "{}", english.text());
        // And the other way: from the proposal to what became of it.
        let proposal = site.get("/contributions/barriere").await;
        for path in ["/projects/gradins", "/decisions/deliberation", "/results/rues-ecoles"] {
            assert!(proposal.text().contains(path), "{path}");
        }
        let answer = site.get("/responses/reponse").await;
        assert!(answer.text().contains("/commitments/douze-rues") && answer.text().contains("/commitments/bilan"));
    }

    async fn ui_35_progress_that_nobody_stated_has_no_bar(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let known = site.get("/results/rues-ecoles").await;
        assert!(known.text().contains("<progress max=\"100\" value=\"60\""), "{}", known.text());
        for words in ["60\u{202F}%", "Les barrières sont livrées", "La rue Aristide-Briand", "Constat de pose", "/comments/sur-la-rue"] {
            assert!(known.text().contains(words), "{words} in {}", known.text());
        }
        let unknown = site.get("/results/rue-briand").await;
        assert!(unknown.text().contains("Avancement non renseigné") && !unknown.text().contains("<progress"), "{}", unknown.text());
        // UI-37: the platform's own word, when nobody mapped it.
        assert!(unknown.text().contains("en_revue"));
    }

    async fn ui_35_a_withheld_figure_of_a_poll_is_not_zero(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let page = site.get("/polls/fermer").await;
        let text = page.text();
        assert!(text.contains("<td class=\"number\">1\u{202F}318</td>") && text.contains("<td class=\"number\">0</td>"), "{text}");
        assert!(text.contains("<td class=\"number\">nombre non publié</td>") && text.contains("Clos"), "{text}");
    }

    async fn ui_40_a_promised_day_that_was_moved_keeps_the_old_one(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let page = site.get("/commitments/douze-rues").await;
        let text = page.text();
        assert!(text.contains("Échéance reportée du <time datetime=\"2027-04-30\">30\u{A0}avril 2027</time> au <time datetime=\"2027-06-30\">"), "{text}");
        assert!(text.contains("Révisé") && text.contains("Deux rues de moins") && text.contains("/responses/reponse"), "{text}");
        let late = site.get("/commitments/bilan").await;
        assert!(late.text().contains("Échéance dépassée") && !late.text().contains("reportée du"), "{}", late.text());
        let all = site.get("/commitments").await;
        for words in ["Douze rues-écoles", "Un bilan public", "Cinquante bancs posés", "Engagements de <bdi>Bordeaux</bdi>"] {
            assert!(all.text().contains(words), "{words} in {}", all.text());
        }
        let home = site.get("/").await;
        assert!(home.text().contains("Un bilan public") && !home.text().contains("Douze rues-écoles"), "due soon or overdue only");
        let first = all.text().find("Un bilan public").expect("it is there");
        assert!(first < all.text().find("Douze rues-écoles").expect("it is there"), "what is due first comes first");
    }

    async fn the_news_of_a_promise_is_a_collection_for_machines(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let before = read_through(&site, "/commitments/douze-rues/progress").await;
        assert_eq!(before, (1, vec![format!("{LYON}/results/retard")]));
        let person = site.get("/commitments/douze-rues/progress").await;
        assert_eq!((person.status, person.header("location")), (StatusCode::SEE_OTHER, "/commitments/douze-rues"));
    }

    async fn what_followed_and_what_is_overdue_is_found_among_any_number(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let (process, elsewhere) = (id(LYON, Class::Consultation, "rues"), [id(LYON, Class::Contribution, "autre")]);
        let newer = |n: u32| {
            let body = Says::Commitment(works::commitment(&process, &elsewhere, "2027-12-31"));
            let mut record = record(LYON, &format!("plus-tard-{n}"), Some("Plus tard"), None, body);
            record.published = Some(at("2026-11-23T08:00:00Z"));
            created(record, "2026-11-23T08:00:00Z")
        };
        let mut tx = site.store.write().await?;
        tx.put_records(&(0..600).map(newer).collect::<Vec<_>>()).await?;
        tx.save().await?;
        let answer = site.get("/responses/reponse").await;
        assert!(answer.text().contains("Douze rues-écoles") && !answer.text().contains("Plus tard"), "{}", answer.text());
        let home = site.get("/").await;
        assert!(home.text().contains("Un bilan public") && !home.text().contains("Plus tard"), "{}", home.text());
    }

    async fn more_news_of_a_promise_than_fits_on_a_page_is_counted_and_paged(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let (promise, process) = (id(LYON, Class::Commitment, "douze-rues"), id(LYON, Class::Consultation, "rues"));
        let news = |n: u32| {
            let body = Says::ProgressUpdate(works::news(&promise, &process));
            created(record(LYON, &format!("nouvelle-{n}"), None, Some("<p>Une rue de plus.</p>"), body), "2026-11-20T08:00:00Z")
        };
        let mut tx = site.store.write().await?;
        tx.put_records(&(0..1_100).map(news).collect::<Vec<_>>()).await?;
        tx.save().await?;
        let (total, mut listed) = read_through(&site, "/commitments/douze-rues/progress").await;
        assert_eq!((total, listed.len()), (1_101, 1_101));
        listed.sort();
        listed.dedup();
        assert_eq!(listed.len(), 1_101, "each once");
    }

    async fn what_is_hidden_deleted_or_copied_is_so_in_every_class(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let hidden = site.get("/meetings/masquee").await;
        assert_eq!(hidden.status, StatusCode::OK);
        assert!(hidden.text().contains("Cette rencontre est masquée") && hidden.text().contains("noindex"));
        assert!(!hidden.text().contains("Titre masqué") && !hidden.text().contains("Salle des fêtes"), "{}", hidden.text());
        let gone = site.get("/projects/parti").await;
        assert_eq!(gone.status, StatusCode::GONE);
        assert!(gone.text().contains("Ce projet a été supprimé") && !gone.text().contains("Titre supprimé"));
        assert_eq!(site.machine("/projects/parti").await.status, StatusCode::GONE);
        for (class, key) in [(Class::Meeting, "marche"), (Class::Commitment, "bancs-poses")] {
            let origin = id(BORDEAUX, class, key);
            let path = format!("/from/passerelle.bordeaux.example/{}/{}", class.segment(), origin.copy_key());
            let page = site.get(&path).await;
            assert!(page.text().contains("Copie. L'original est publié par <bdi>Bordeaux</bdi>.") && page.text().contains("noindex"), "{path}");
            let machine = site.ask(&path, &[("accept", MACHINE)]).await;
            assert_eq!((machine.status, machine.header("location")), (StatusCode::SEE_OTHER, origin.as_str()));
        }
    }
}

/// A copy of a record of Bordeaux.
pub fn copy_of(record: Record) -> CopyWrite {
    CopyWrite { domain: super::city::neighbour().domain, sealed: seal(&record), record, at: at("2026-11-23T13:02:00Z") }
}
