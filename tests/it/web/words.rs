//! The words themselves: French that agrees, names that bend, lines that stay apart without a style sheet, and
//! numbers that say what they count.

use axum::http::StatusCode;
use passerelle::domain::comment::Stance;
use passerelle::domain::commitment::Commitment;
use passerelle::domain::response::OfficialResponse;
use passerelle::domain::{Body as Says, Class};
use passerelle::store::{RecordWrite, Store};
use passerelle::web::language::Language;
use passerelle::web::site::{Audit, Conformity};

use super::city::{BORDEAUX, Gateway, LYON, at, bare_consultation, burial, comment, contribution, created, fill, id, record};
use crate::store_tests;
use crate::support::works;

/// What is left of a page without its tags.
fn bare(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<') {
        text.push_str(piece.split_once('>').map_or(piece, |(_, words)| words));
    }
    text
}

/// A contribution with comments on it: one for each stance, a minute apart.
fn discussed(stances: impl IntoIterator<Item = Option<Stance>>) -> Vec<RecordWrite> {
    let process = id(LYON, Class::Consultation, "rues");
    let subject = id(LYON, Class::Contribution, "debat");
    let on = Says::Contribution(contribution(&process));
    let mut writes = vec![
        created(
            record(LYON, "rues", Some("Rues"), Some("<p>Rues.</p>"), Says::Consultation(bare_consultation())),
            "2026-11-01T08:00:00Z",
        ),
        created(record(LYON, "debat", Some("Un débat"), Some("<p>Débat.</p>"), on), "2026-11-01T08:00:00Z"),
    ];
    writes.extend(stances.into_iter().enumerate().map(|(n, stance)| {
        let said = Says::Comment(comment(&process, &subject, stance));
        let mut said = record(LYON, &format!("avis-{n}"), None, Some("<p>Un avis.</p>"), said);
        said.published = Some(at(&format!("2026-11-02T{:02}:{:02}:00Z", n / 60, n % 60)));
        created(said, "2026-11-03T08:00:00Z")
    }));
    writes
}

async fn publish(store: &Store, writes: &[RecordWrite]) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.put_records(writes).await?;
    tx.save().await?;
    Ok(())
}

store_tests! {
    async fn ui_25_lines_stay_apart_without_a_style_sheet(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        for (path, line) in [
            ("/contributions/barriere", "Retenue · 12\u{A0}novembre 2026 · Direction de la voirie"),
            ("/contributions/barriere", "proposition · publication le 18\u{A0}novembre 2026 · modification le"),
            ("/contributions/barriere", "Une personne de Lyon · 10\u{A0}novembre 2026 à\u{A0}10:30"),
            ("/consultations/rues", "consultation · Mobilité"),
            ("/consultations/rues", "Instruction du 1er\u{A0}novembre 2026"),
            ("/consultations/rues", "Mobilité · Rue Aristide-Briand, Lyon 3e · 18\u{A0}novembre 2026 · 1\u{202F}257 soutiens"),
            ("/partners/mastodon.lyon.example", "serveur lecteur du Fediverse · sur la liste depuis le 2\u{A0}octobre 2026"),
            ("/meetings/soiree", "ordre du jour · application/pdf"),
            ("/contributions/barriere/revisions", " · "),
        ] {
            let text = bare(site.get(path).await.text());
            assert!(text.contains(line), "{path} lacks `{line}`: {text}");
        }
    }

    async fn ui_09_what_a_record_says_in_its_own_language_is_marked(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let role = "<bdi lang=\"fr\" dir=\"ltr\">Direction de la voirie</bdi>";
        for (path, words) in [
            ("/contributions/barriere?lang=en", role),
            ("/responses/reponse?lang=en", role),
            ("/commitments?lang=en", role),
            ("/commitments/douze-rues?lang=en", role),
            ("/consultations/rues/commitments?lang=en", role),
            ("/commitments/douze-rues?lang=en", "<bdi lang=\"fr\" dir=\"ltr\">Nombre de rues-écoles ouvertes</bdi>"),
            ("/projects/gradins?lang=en", "<bdi lang=\"fr\" dir=\"ltr\">La rue est assez large.</bdi>"),
        ] {
            let page = site.get(path).await;
            assert!(page.text().contains(words), "{path}: {}", page.text());
        }
    }

    async fn ui_03_an_audit_that_counts_is_what_the_pages_say(store: Store) {
        let audit = |day: &str| Audit {
            result: Conformity::Partial,
            day: day.parse().expect("a day"),
            report: "https://www.lyon.example/audit".parse().ok(),
        };
        let audited = Gateway::saying(store.clone(), |site| site.audit = Some(audit("2026-05-12")))?;
        for path in ["/", "/aide", "/accessibilite", "/rien"] {
            let page = audited.get(path).await;
            let text = page.text();
            assert!(text.contains("Accessibilité\u{A0}: partiellement conforme") && !text.contains(": non conforme"), "{path}: {text}");
        }
        let declared = audited.get("/accessibilite").await;
        assert!(declared.text().contains("12\u{A0}mai 2026") && declared.text().contains("href=\"https://www.lyon.example/audit\""));
        assert!(!declared.text().contains("n'a pas encore fait l'objet"), "{}", declared.text());
        // After three years it is as if there were none; the page says why.
        let expired = Gateway::saying(store, |site| site.audit = Some(audit("2023-11-24")))?;
        assert!(expired.get("/").await.text().contains("Accessibilité\u{A0}: non conforme"));
        assert!(expired.get("/accessibilite?lang=en").await.text().contains("no longer counts"));
    }

    async fn the_legal_notice_shows_what_the_city_filled_in(store: Store) {
        let site = Gateway::saying(store, |site| {
            site.legal.address = Some("Place de la Comédie, 69001 Lyon".to_owned());
            site.legal.contact = Some("contact@lyon.example".to_owned());
            site.legal.security_contact = Some("securite@lyon.example".to_owned());
        })?;
        for path in ["/mentions-legales", "/contact"] {
            assert!(site.get(path).await.text().contains("<dt>Adresse</dt><dd>Place de la Comédie, 69001 Lyon</dd>"), "{path}");
        }
        assert!(site.get("/.well-known/security.txt").await.text().starts_with("Contact: mailto:securite@lyon.example\n"));
    }

    async fn ui_29_only_the_listed_languages_are_offered(store: Store) {
        let site = Gateway::saying(store, |site| site.languages = vec![Language::French])?;
        fill(&site.store).await?;
        for path in ["/?lang=en", "/consultations/rues"] {
            let page = site.ask(path, &[("accept-language", "en")]).await;
            let text = page.text();
            assert!(text.contains("<html lang=\"fr\">") && !text.contains("hreflang") && !text.contains("lang=en"), "{path}: {text}");
            assert!(!text.contains("class=\"languages\""), "a switch without a choice");
        }
        assert_eq!(site.get("/legal").await.header("location"), "/mentions-legales");
        assert!(site.get("/.well-known/security.txt").await.text().contains("Preferred-Languages: fr\n"));
    }

    async fn sides_are_counted_where_all_of_them_are_seen(store: Store) {
        let site = Gateway::over(store)?;
        let writes = discussed((0..60).map(|n| Some(if n % 3 == 0 { Stance::Against } else { Stance::For })));
        publish(&site.store, &writes).await?;
        let first = site.get("/contributions/debat").await;
        assert!(first.text().contains("Pour (33 sur cette page)") && first.text().contains("Contre (17 sur cette page)"), "{}", first.text());
        let next = crate::web::crawl::values(first.text(), "href").into_iter().find(|href| href.contains("after=")).expect("a next page");
        let second = site.get(&next).await;
        assert!(second.text().contains("Pour (7 sur cette page)") && second.text().contains("Contre (3 sur cette page)"), "{}", second.text());
    }

    async fn ui_43_a_deleted_comment_is_of_no_opinion(store: Store) {
        let site = Gateway::over(store)?;
        let writes = discussed([Some(Stance::For), None, Some(Stance::For)]);
        publish(&site.store, &writes).await?;
        let mut tx = site.store.write().await?;
        tx.bury_records(&[burial(&writes[4].record, &writes[4].sealed.digest, "2026-11-04T08:00:00Z")]).await?;
        tx.save().await?;
        let page = site.get("/contributions/debat").await;
        for heading in ["Pour (1)", "Contre (0)", "Autres avis (1)", "Commentaires supprimés (1)"] {
            assert!(page.text().contains(heading), "{heading} in {}", page.text());
        }
    }

    async fn promises_are_counted_by_the_word_that_is_shown(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let text = bare(site.get("/commitments").await.text());
        let lyon = text.split("Engagements de Bordeaux").next().expect("Lyon's come first");
        assert!(lyon.contains("Échéance dépassée\u{A0}: 1") && lyon.contains("Révisé\u{A0}: 1") && !lyon.contains("En cours\u{A0}:"), "{lyon}");
        assert!(!lyon.contains("Parmi les"), "all of them are counted");
    }

    async fn a_cut_list_of_promises_says_what_it_counts(store: Store) {
        let site = Gateway::over(store)?;
        let process = id(LYON, Class::Consultation, "rues");
        let promise = |n: u32| {
            let body: Commitment = works::commitment(&process, &[id(LYON, Class::OfficialResponse, "r")], "2027-04-30");
            created(record(LYON, &format!("promesse-{n}"), Some(&format!("Promesse {n}")), None, Says::Commitment(body)), "2026-11-20T08:00:00Z")
        };
        publish(&site.store, &(0..203).map(promise).collect::<Vec<_>>()).await?;
        let text = bare(site.get("/commitments").await.text());
        assert!(text.contains("Parmi les 200 engagements les plus récents\u{A0}:") && text.contains("3 engagements plus anciens"), "{text}");
    }

    async fn the_page_of_a_reader_leads_to_no_copies(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let reader = site.get("/partners/mastodon.lyon.example").await;
        assert_eq!(reader.status, StatusCode::OK);
        assert!(!reader.text().contains("/from/"), "{}", reader.text());
        assert!(site.get("/partners/passerelle.bordeaux.example").await.text().contains("href=\"/from/passerelle.bordeaux.example\""));
    }

    async fn titles_of_what_is_absent_agree(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        for (path, title) in [
            ("/comments/masque", "Cet argument est masqué (Lyon, "),
            ("/comments/parti", "Ce commentaire a été supprimé (Lyon, "),
            ("/projects/parti", "Ce projet a été supprimé (Lyon, "),
            ("/contributions/masquee", "Cette contribution est masquée (Lyon, "),
        ] {
            let page = site.get(path).await;
            assert!(page.text().contains(&format!("<title>{title}")), "{path}: {}", page.text());
        }
        let decision = site.get("/decisions/deliberation").await;
        assert!(bare(decision.text()).contains("Décision prise le") && !decision.text().contains("Décision de "), "{}", decision.text());
    }

    async fn ui_32_a_list_of_a_partner_says_whose_it_is(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let key = id(BORDEAUX, Class::Consultation, "quais").copy_key();
        for list in ["contributions", "commitments"] {
            let page = site.get(&format!("/from/passerelle.bordeaux.example/consultations/{key}/{list}")).await;
            let text = page.text();
            assert!(text.contains("Copie. L'original est publié par <bdi>Bordeaux</bdi>.") && text.contains("noindex"), "{list}: {text}");
            let trail = text.split_once("class=\"trail\"").and_then(|(_, rest)| rest.split("</nav>").next()).expect("a trail");
            assert!(bare(trail).contains("Villes partenaires") && trail.contains("href=\"/from/passerelle.bordeaux.example\""), "{trail}");
            assert!(!trail.contains("href=\"/consultations\""), "{trail}");
        }
        let own = site.get("/consultations/rues/contributions").await;
        assert!(!own.text().contains("class=\"banner\"") && own.text().contains("href=\"/consultations\""));
    }

    async fn every_answer_of_the_month_is_one_link_away(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        assert!(!site.get("/").await.text().contains("Toutes les réponses, par consultation"), "one is shown");
        let process = id(LYON, Class::Consultation, "rues");
        let answer = |n: u32| {
            let body = OfficialResponse {
                responds_to: vec![id(LYON, Class::Contribution, &format!("idee-{n}"))],
                process: process.clone(),
                subject_digest: None,
                outcome: None,
                signatory_role: None,
            };
            let mut answer = record(LYON, &format!("reponse-{n}"), None, Some("<p>Oui.</p>"), Says::OfficialResponse(body));
            answer.published = Some(at(&format!("2026-11-{n:02}T08:00:00Z")));
            created(answer, "2026-11-20T08:00:00Z")
        };
        publish(&site.store, &(1..=7).map(answer).collect::<Vec<_>>()).await?;
        let home = site.get("/").await;
        assert!(home.text().contains("8 réponses officielles ce mois-ci"), "{}", home.text());
        let all = home.text().split_once("Toutes les réponses, par consultation").expect("a line").1;
        let all = all.split("</ul>").next().expect("a list");
        assert!(all.contains("href=\"/consultations/rues/responses\"") && bare(all).contains("(8 ce mois-ci)"), "{all}");
    }
}
