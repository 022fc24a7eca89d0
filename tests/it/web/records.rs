//! One address, two forms: negotiation, conditional requests, what is gone, what is a copy.

use axum::body::Body;
use axum::http::StatusCode;
use passerelle::domain::disposition::{Disposition, DispositionState};
use passerelle::domain::{Body as Says, Class};
use passerelle::store::{CopyWrite, Store};

use crate::store_tests;
use crate::web::city::{BORDEAUX, Gateway, LYON, at, fill, id, record, seal};

const PAGE: &str = "text/html; charset=utf-8";
const MACHINE: &str = "application/activity+json";

store_tests! {
    async fn one_address_answers_people_and_machines(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let page = site.get("/contributions/barriere").await;
        assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, PAGE));
        assert_eq!(page.header("vary"), "Accept, Accept-Language, Accept-Encoding");
        let sealed = site.store.read().await?.lookup_record(&id(LYON, Class::Contribution, "barriere")).await?.expect("it is there");
        for accept in ["application/activity+json", "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\""] {
            let machine = site.ask("/contributions/barriere", &[("accept", accept)]).await;
            assert_eq!((machine.status, machine.header("content-type")), (StatusCode::OK, MACHINE));
            assert_eq!(machine.body, sealed.sealed, "the sealed bytes, untouched");
            assert_eq!(machine.header("etag"), format!("\"{}\"", sealed.digest));
            assert!(machine.header("vary").contains("Accept"));
        }
        assert_eq!(site.get("/contributions/barriere?form=json").await.body, sealed.sealed);
        // Asked in the other order, the cache gives each its own.
        assert_eq!(site.get("/contributions/barriere").await.body, page.body);
    }

    async fn what_has_not_changed_is_not_sent_again(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        for headers in [("accept", "text/html"), ("accept", MACHINE)] {
            let first = site.ask("/contributions/barriere", &[headers]).await;
            let again = site.ask("/contributions/barriere", &[headers, ("if-none-match", first.header("etag"))]).await;
            assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
            assert_eq!(again.header("etag"), first.header("etag"));
            let other = site.ask("/contributions/barriere", &[headers, ("if-none-match", "\"zQm\"")]).await;
            assert_eq!(other.status, StatusCode::OK);
        }
        let page = site.get("/").await;
        let head = site.send("HEAD", "/", &[], Body::empty()).await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
        assert_eq!(head.header("content-length"), page.body.len().to_string());
    }

    async fn a_change_is_seen_at_once(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let before = site.get("/contributions/idee-3").await;
        assert!(before.text().contains("Idée numéro 3"));
        let mut tx = site.store.write().await?;
        let stored = tx.lookup_record(&id(LYON, Class::Contribution, "idee-3")).await?.expect("it is there");
        let mut record = stored.record.expect("it is live");
        record.revision += 1;
        record.title = Some(crate::web::city::fr("Une autre idée"));
        let write = passerelle::store::RecordWrite {
            local: None, sealed: seal(&record), record, previous: Some(stored.digest),
            kind: passerelle::domain::change::ChangeKind::Updated, material: true, at: crate::web::city::at("2026-11-24T10:00:00Z"),
        };
        tx.put_records(&[write]).await?;
        tx.save().await?;
        assert!(site.get("/contributions/idee-3").await.text().contains("Une autre idée"));
    }

    async fn ui_42_what_was_deleted_is_gone_in_both_forms(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let page = site.get("/contributions/supprimee").await;
        assert_eq!(page.status, StatusCode::GONE);
        let text = page.text();
        assert!(text.contains("Cette contribution a été supprimée") && text.contains("4\u{A0}novembre 2026"), "{text}");
        assert!(text.contains("données personnelles") && text.contains("noindex"));
        for word in ["Titre supprimé", "secret", "px:", "rreur :"] {
            assert!(!text.contains(word), "{word} in {text}");
        }
        let machine = site.machine("/contributions/supprimee").await;
        assert_eq!((machine.status, machine.header("content-type")), (StatusCode::GONE, MACHINE));
        assert_eq!(machine.header("x-robots-tag"), "noindex");
        assert!(machine.text().contains("Tombstone"));
    }

    async fn what_is_hidden_answers_200_and_shows_nothing(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let page = site.get("/contributions/masquee").await;
        assert_eq!(page.status, StatusCode::OK);
        let text = page.text();
        assert!(text.contains("Cette contribution est masquée") && text.contains("données personnelles") && text.contains("noindex"));
        assert!(!text.contains("Titre masqué") && !text.contains("secret") && !text.contains("px:"), "{text}");
        let machine = site.machine("/contributions/masquee").await;
        assert_eq!((machine.status, machine.header("x-robots-tag")), (StatusCode::OK, "noindex"));
        assert!(machine.text().contains("\"hidden\"") && !machine.text().contains("secret"));
        let list = site.get("/consultations/rues/contributions").await;
        assert!(!list.text().contains("masquee"), "hidden ones are not listed");
    }

    async fn what_its_author_took_back_keeps_its_title(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let page = site.get("/contributions/retiree").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text().contains("Titre qui reste") && page.text().contains("Contenu retiré par son auteur le"));
        assert!(!page.text().contains("secret") && !page.text().contains("Une personne de"));
    }

    async fn ui_32_33_a_copy_is_never_our_own(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let origin = id(BORDEAUX, Class::Contribution, "bancs");
        let path = format!("/from/passerelle.bordeaux.example/contributions/{}", origin.copy_key());
        let page = site.get(&path).await;
        assert_eq!(page.status, StatusCode::OK);
        let text = page.text();
        assert!(text.contains("Copie. L'original est publié par <bdi>Bordeaux</bdi>.") && text.contains("Ville de Bordeaux") && text.contains("Licence Ouverte 2.0"));
        assert!(text.contains("Lue le") && text.contains("Conservée jusqu'au") && text.contains("21\u{A0}février 2027"), "{text}");
        assert!(text.contains(&format!("<link rel=\"canonical\" href=\"{origin}\">")) && text.contains("noindex"));
        let banner = text.find("Copie. L'original").expect("a banner");
        assert!(banner < text.find("<h1").expect("a heading"), "the banner comes first");
        for accept in [MACHINE, "application/json", "application/ld+json"] {
            let machine = site.ask(&path, &[("accept", accept)]).await;
            assert_eq!((machine.status, machine.header("location")), (StatusCode::SEE_OTHER, origin.as_str()));
        }
        let held = site.machine("/from/passerelle.bordeaux.example").await;
        assert!(held.text().contains("\"totalItems\":6"), "{}", held.text());
    }

    async fn a_copy_that_was_called_back_is_gone(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let origin = id(BORDEAUX, Class::Contribution, "bancs");
        let path = format!("/from/passerelle.bordeaux.example/contributions/{}", origin.copy_key());
        assert_eq!(site.get(&path).await.status, StatusCode::OK);
        let mut tx = site.store.write().await?;
        let held = tx.lookup_copy(&origin).await?.expect("it is held");
        let burial = crate::web::city::burial(&held.record.expect("it is live"), &held.digest, "2026-11-24T09:00:00Z");
        tx.bury_copy(&crate::web::city::neighbour().domain, &burial.tombstone, &burial.sealed, burial.at).await?;
        tx.save().await?;
        for accept in ["text/html", MACHINE] {
            let gone = site.ask(&path, &[("accept", accept)]).await;
            assert_eq!(gone.status, StatusCode::GONE);
            let named = gone.text().replace(origin.as_str(), "");
            assert!(!named.contains("bancs"), "{}", gone.text());
            let form = if accept == MACHINE { "application/problem+json" } else { PAGE };
            assert_eq!(gone.header("content-type"), form, "what was asked for");
        }
    }

    async fn errors_keep_the_frame_and_the_language(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        for path in ["/nothing", "/contributions/none", "/contributions/%2e%2e", "/contributions/ABC", "/from/x y", "/consultations?after=x", "/themes/none"] {
            let page = site.ask(&path.replace(' ', "%20"), &[("accept-language", "en")]).await;
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
            assert!(page.text().contains("<title>Error: This address does not exist here"), "{path}: {}", page.text());
            assert!(page.text().contains("href=\"/plan-du-site\""), "{path}");
        }
        let machine = site.machine("/contributions/none").await;
        assert_eq!((machine.status, machine.header("content-type")), (StatusCode::NOT_FOUND, "application/problem+json"));
        let method = site.send("POST", "/contributions/barriere", &[], Body::from("x")).await;
        assert_eq!(method.status, StatusCode::METHOD_NOT_ALLOWED);
        assert!(method.header("allow").contains("GET"));
        let large = site.send("GET", "/", &[("content-length", "999999")], Body::from(vec![0; 999_999])).await;
        assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    async fn sec_057_a_disposition_of_another_authority_is_never_shown(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let nantes = "https://passerelle.nantes.example";
        let judged = |host: &str, state| {
            let body = Disposition {
                subject: id(BORDEAUX, Class::Contribution, "bancs"),
                process: id(host, Class::Consultation, "quais"),
                subject_digest: None,
                state,
                raw_state: None,
                merged_into: None,
            };
            let judgement = record(host, "suite", None, None, Says::Disposition(body));
            let domain = host.trim_start_matches("https://").parse().expect("a domain");
            CopyWrite { domain, sealed: seal(&judgement), record: judgement, at: at("2026-11-23T14:02:00Z") }
        };
        let mut tx = site.store.write().await?;
        // Read last, the stranger's word would be the one that counts.
        tx.put_copies(&[judged(BORDEAUX, DispositionState::Accepted), judged(nantes, DispositionState::Rejected)]).await?;
        tx.save().await?;
        let key = |class, key| id(BORDEAUX, class, key).copy_key();
        let consultation = key(Class::Consultation, "quais");
        for path in [format!("consultations/{consultation}"), format!("consultations/{consultation}/contributions"), format!("contributions/{}", key(Class::Contribution, "bancs"))] {
            let page = site.get(&format!("/from/passerelle.bordeaux.example/{path}")).await;
            assert_eq!(page.status, StatusCode::OK, "{path}");
            assert!(page.text().contains("Retenue") && !page.text().contains("Non retenue"), "{path}: {}", page.text());
        }
    }
}
