//! What is written on the pages, and in which words.

use axum::http::StatusCode;
use passerelle::domain::Class;
use passerelle::store::Store;

use super::city::{BORDEAUX, Gateway, LYON, fill, id};
use super::crawl::values;
use crate::store_tests;

store_tests! {
    async fn ui_01_the_home_page_says_what_the_law_wants(store: Store) {
        let site = Gateway::over(store)?;
        let first_day = site.get("/").await;
        assert!(first_day.text().contains("Aucune consultation publiée"), "{}", first_day.text());
        assert!(first_day.text().contains("https://participer.lyon.example/"));
        fill(&site.store).await?;
        let page = site.get("/").await;
        let text = page.text();
        assert!(text.contains("Accessibilité\u{A0}: non conforme"));
        assert!(text.contains("Rues aux écoles") && text.contains("Les quais demain"), "open here and at the partner");
        assert!(!text.contains("Budget participatif 2025"), "it is not open");
        assert!(text.contains("1 réponse officielle ce mois-ci") && text.contains("1 ville partenaire"), "{text}");
    }

    async fn a_consultation_shows_its_steps_and_what_came_of_it(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let page = site.get("/consultations/rues").await;
        let text = page.text();
        assert!(text.contains("<ol class=\"phases\">") && text.contains("<li id=\"phase-2\" aria-current=\"step\"><span class=\"name\" lang=\"fr\" dir=\"ltr\">Instruction"), "{text}");
        assert!(text.contains("sans dates") && text.contains("en cours"));
        assert!(text.contains("<time datetime=\"2026-09-15\">15\u{A0}septembre 2026</time>"), "the city's zone: {text}");
        assert!(text.contains("Participer sur participer.lyon.example"));
        assert!(text.contains("Contributions (29)") && text.contains("Ce que la ville a répondu (1)"), "{text}");
        assert!(text.contains("<span class=\"host\">(data.lyon.example)</span>"));
        assert!(text.contains("href=\"/consultations/rues/contributions\""));
        let first = site.get("/consultations/rues/contributions").await;
        assert!(first.text().contains("Page 1 sur 2"), "{}", first.text());
        let next = values(first.text(), "href").into_iter().find(|href| href.contains("after=")).expect("a next page");
        let second = site.get(&next).await;
        assert!(second.text().contains("Page 2 sur 2") && second.text().contains("Première page"));
        assert!(second.text().contains("Idée numéro 1<"), "{}", second.text());
    }

    async fn contributions_are_labelled_with_the_topic_of_their_consultation(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let process = site.get("/consultations/rues").await;
        assert!(process.text().contains("<li id=\"topic-1\" lang=\"fr\" dir=\"ltr\">Quelles rues apaiser d&#39;abord ?</li>"), "{}", process.text());
        let label = "<bdi lang=\"fr\" dir=\"ltr\">À quelles heures ?</bdi>";
        // On the page of one contribution, as a way to the question; on the cards, as a word.
        let page = site.get("/contributions/barriere?lang=fr").await;
        assert!(page.text().contains(&format!("<a href=\"/consultations/rues?lang=fr#topic-2\">{label}</a>")), "{}", page.text());
        assert!(!site.get("/contributions/idee-1").await.text().contains("#topic-"), "it is put under none");
        for list in ["/consultations/rues", "/consultations/rues/contributions"] {
            let text = site.get(list).await.text().to_owned();
            let labelled: Vec<&str> = text.split("<li class=\"card\">").filter(|card| card.contains(label)).collect();
            assert_eq!(labelled.len(), 1, "{list}");
            assert!(labelled[0].contains("Une barrière amovible"), "{list}: {}", labelled[0]);
        }
        let copied = site.get(&format!("/from/passerelle.bordeaux.example/consultations/{}", id(BORDEAUX, Class::Consultation, "quais").copy_key())).await;
        assert!(copied.text().contains("id=\"topic-2\""), "{}", copied.text());
    }

    async fn a_contribution_shows_answers_counts_and_the_discussion(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let page = site.get("/contributions/barriere").await;
        let text = page.text();
        // UI-35, UI-36
        assert!(text.contains("<strong>1\u{202F}257</strong> soutiens, comptés par <bdi>Lyon</bdi> le <time"), "{text}");
        assert!(text.contains("Nombre non publié par <bdi>Lyon</bdi>"));
        // UI-40
        assert!(text.contains("Réponse officielle de <bdi>Lyon</bdi>") && text.contains("Direction de la voirie") && text.contains("Retenue"));
        assert!(text.contains("Pour (2)") && text.contains("Contre (2)") && text.contains("Autres avis (1)"));
        // UI-43: a hidden and a deleted one keep their place, and what was replied keeps its own.
        assert!(text.contains("Commentaire masqué") && text.contains("Commentaire supprimé"));
        assert!(text.contains("Elles passeront avant 8 h.") && text.contains("Voir la suite") && !text.contains("Bonne idée."));
        assert!(!text.contains("secret"), "{text}");
        assert!(text.contains("45.7578° nord") && text.contains("Rue Aristide-Briand"));
        let deeper = site.get("/comments/niveau-3").await;
        assert!(deeper.text().contains("Bonne idée.") && deeper.text().contains("Merci."));
        let answer = site.get("/responses/reponse").await;
        assert!(answer.text().contains("Répond à") && answer.text().contains("Une barrière amovible"));
    }

    async fn ui_37_an_unknown_state_shows_its_own_word(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        for path in ["/contributions/arabe", "/dispositions/suite-2"] {
            let page = site.get(path).await;
            assert!(page.text().contains("En attente (état «\u{A0}en_revue_&lt;b&gt;\u{A0}» non reconnu)") || page.text().contains("en_revue_&#60;b&#62;"), "{path}: {}", page.text());
        }
    }

    async fn ui_09_30_foreign_text_keeps_its_language(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let french = site.get("/contributions/arabe").await;
        assert!(french.text().contains("<h1 lang=\"ar\" dir=\"rtl\">"), "{}", french.text());
        assert!(french.text().contains("<div class=\"text\" lang=\"ar\" dir=\"rtl\">") && !french.text().contains("Traduction automatique"));
        let english = site.get("/contributions/arabe?lang=en").await;
        assert!(english.text().contains("Machine translation · read the original in Arabic"), "{}", english.text());
        assert!(english.text().contains("<div class=\"text\" lang=\"en\" dir=\"ltr\">") && english.text().contains("نريد"));
    }

    async fn sec_166_a_hostile_title_stays_text(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        for path in ["/contributions/hostile", "/consultations/rues/contributions", "/contributions/hostile?lang=en"] {
            let page = site.get(path).await;
            assert!(!page.text().contains("<script") && !page.text().contains("<img"), "{path}: {}", page.text());
        }
    }

    async fn ui_29_the_language_comes_from_the_address_or_the_browser(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let browser = site.ask("/", &[("accept-language", "en-GB,en;q=0.9")]).await;
        assert!(browser.text().contains("<html lang=\"en\">") && !browser.text().contains("href=\"/consultations?lang="));
        let address = site.ask("/?lang=en", &[("accept-language", "fr")]).await;
        assert!(address.text().contains("<html lang=\"en\">") && address.text().contains("href=\"/consultations?lang=en\""));
        assert!(address.text().contains("<link rel=\"alternate\" hreflang=\"fr\" href=\"https://passerelle.lyon.example/?lang=fr\">"));
    }

    async fn partners_are_shown_with_their_numbers(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let list = site.get("/partners").await;
        assert!(list.text().contains("<bdi>Ville de Bordeaux</bdi>"));
        let page = site.get("/partners/passerelle.bordeaux.example").await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(crate::web::ledger::figure(page.text(), "Reçus et conservés ici"), Some(6), "{}", page.text());
        assert!(page.text().contains("suit <bdi>Lyon</bdi>"));
        assert_eq!(site.get("/partners/nobody.example").await.status, StatusCode::NOT_FOUND);
    }

    async fn the_page_on_personal_data_sends_nobody_in_a_circle(store: Store) {
        let page = async |contact: &str| -> anyhow::Result<String> {
            Ok(Gateway::with_rights_contact(store.clone(), contact)?.get("/donnees-personnelles").await.text().to_owned())
        };
        let of_the_city = "https://www.lyon.example/donnees-personnelles";
        assert!(page(of_the_city).await?.contains(&format!("href=\"{of_the_city}\"")), "another site may call its page the same");
        let default = page(&format!("{LYON}/donnees-personnelles")).await?;
        let rights = default.split_once("Vos droits").expect("a heading").1.split("</p>").next().expect("a paragraph");
        assert!(rights.contains("href=\"/contact\"") && !rights.contains("donnees-personnelles"), "{rights}");
    }

    async fn the_pages_of_the_law_exist_and_have_english_names(store: Store) {
        let site = Gateway::over(store)?;
        for (alias, path) in passerelle::web::pages::notices::ALIASES {
            let moved = site.get(alias).await;
            assert_eq!(moved.status, StatusCode::PERMANENT_REDIRECT);
            assert_eq!(moved.header("location"), format!("{path}?lang=en"));
            assert_eq!(site.get(path).await.status, StatusCode::OK);
        }
        assert!(site.get("/mentions-legales").await.text().contains("à compléter"));
        assert!(site.get("/.well-known/security.txt").await.text().starts_with("Contact: https://passerelle.lyon.example/contact\n"));
        assert_eq!(site.get("/healthz").await.status, StatusCode::OK);
        assert_eq!(site.get("/readyz").await.status, StatusCode::OK);
        assert!(site.get("/source").await.text().contains("AGPL"));
        let css = values(site.get("/").await.text(), "href").into_iter().find(|href| href.starts_with("/assets/site-")).expect("a style sheet");
        let css = site.get(&css).await;
        assert!(css.header("cache-control").contains("immutable") && css.body.len() <= 20_000);
    }
}
