//! A visitor who reads everything: every record is reached from the home page by plain links, none of
//! them leads nowhere, and every page keeps the rules of the checklist (interface.md §11).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use axum::http::StatusCode;
use passerelle::domain::Class;
use passerelle::store::Store;
use passerelle::web::headers::POLICY;

use super::city::{BORDEAUX, Gateway, LYON, Seen, fill, id};
use crate::store_tests;

/// The values of an attribute in a page.
pub fn values(html: &str, name: &str) -> Vec<String> {
    let pattern = format!(" {name}=\"");
    html.match_indices(&pattern)
        .filter_map(|(at, _)| html[at + pattern.len()..].split('"').next())
        .map(|value| value.replace("&amp;", "&").replace("&#38;", "&").replace("&#39;", "'"))
        .collect()
}

/// Levels of the headings, in order.
fn levels(html: &str) -> Vec<u8> {
    html.match_indices("<h")
        .filter_map(|(at, _)| html.as_bytes().get(at + 2))
        .filter(|b| b.is_ascii_digit())
        .map(|b| b - b'0')
        .collect()
}

fn title(html: &str) -> String {
    html.split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"))
        .map_or_else(String::new, |(title, _)| title.to_owned())
}

/// Links of ours on a page, without fragments, the one to its machine form included.
fn links(html: &str) -> BTreeSet<String> {
    let machine_form = html.split("<link rel=\"alternate\" type=\"application/").skip(1);
    let anchors = html.split("<a ").skip(1).chain(machine_form).filter_map(|rest| rest.split('>').next());
    anchors
        .flat_map(|tag| values(&format!(" {tag}>"), "href"))
        .map(|href| href.strip_prefix(LYON).map_or(href.clone(), str::to_owned))
        .filter(|href| href.starts_with('/') && !href.starts_with("//"))
        .map(|href| href.split('#').next().unwrap_or_default().to_owned())
        .collect()
}

async fn crawl(site: &Gateway, start: &str) -> BTreeMap<String, Seen> {
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let mut open = VecDeque::from([start.to_owned()]);
    while let Some(path) = open.pop_front() {
        if seen.contains_key(&path) {
            continue;
        }
        let answer = site.get(&path).await;
        if answer.header("content-type").starts_with("text/html") {
            open.extend(links(answer.text()).into_iter().filter(|path| !seen.contains_key(path)));
        }
        seen.insert(path, answer);
        assert!(seen.len() < 2_000, "the crawl does not end");
    }
    seen
}

store_tests! {
    async fn every_record_is_reached_from_the_home_page(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let seen = crawl(&site, "/").await;
        for (path, answer) in &seen {
            // A place kept in a discussion leads to the page that says what happened.
            let gone = ["/contributions/supprimee", "/comments/parti"].iter().any(|path_gone| path.starts_with(path_gone));
            // The address of a file leads to where the platform keeps it, that of news to what they are about.
            let leads_on = path.starts_with("/documents/") && !path.contains("form=json");
            let expected = if gone { StatusCode::GONE } else if leads_on { StatusCode::SEE_OTHER } else { StatusCode::OK };
            assert_eq!(answer.status, expected, "{path}");
        }
        let mut expected: Vec<String> = (1..=25).map(|n| format!("/contributions/idee-{n}")).collect();
        for path in [
            "/consultations/rues", "/consultations/budget", "/contributions/barriere", "/contributions/arabe", "/contributions/hostile",
            "/contributions/retiree", "/responses/reponse", "/dispositions/suite", "/dispositions/suite-2", "/comments/pour-1",
            "/comments/pour-2", "/comments/contre-1", "/comments/masque", "/comments/neutre-1", "/comments/parti", "/comments/niveau-3",
            "/comments/niveau-4", "/comments/niveau-5", "/partners/passerelle.bordeaux.example", "/partners/mastodon.lyon.example", "/themes/mobilite",
            "/meetings/soiree", "/projects/gradins", "/polls/fermer", "/decisions/deliberation", "/commitments", "/commitments/douze-rues",
            "/commitments/bilan", "/results/rues-ecoles", "/results/rue-briand", "/results/novembre", "/results/retard",
            "/documents/ordre-du-jour", "/documents/constat", "/documents/plan", "/comments/sur-la-soiree", "/comments/sur-la-rue",
        ] {
            expected.push(path.to_owned());
        }
        for (class, key) in [(Class::Consultation, "quais"), (Class::Contribution, "bancs"), (Class::Comment, "oui"), (Class::Meeting, "marche"), (Class::Document, "carte"), (Class::Commitment, "bancs-poses")] {
            let key = id(BORDEAUX, class, key).copy_key();
            expected.push(format!("/from/passerelle.bordeaux.example/{}/{key}", class.segment()));
        }
        for path in expected {
            assert!(seen.contains_key(&path), "{path} is not reached by links");
        }
    }

    async fn every_page_keeps_the_rules(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        for (language, start) in [("fr", "/"), ("en", "/?lang=en")] {
            let mut titles: BTreeMap<String, String> = BTreeMap::new();
            for (path, answer) in crawl(&site, start).await {
                if !answer.header("content-type").starts_with("text/html") {
                    continue;
                }
                let html = answer.text();
                // UI-29: the language is carried by every link but the language switch and the data link.
                let carried = path.split(['?', '&']).find_map(|pair| pair.strip_prefix("lang="));
                if carried.unwrap_or("fr") != language {
                    continue;
                }
                assert!(html.starts_with(&format!("<!doctype html>\n<html lang=\"{language}\">")), "{path}");
                assert_eq!(answer.header("content-language"), language, "{path}");
                // UI-08
                let levels = levels(html);
                                for pair in levels.windows(2) {
                    assert!(pair[1] <= pair[0] + 1, "{path} skips from h{} to h{}", pair[0], pair[1]);
                }
                assert_eq!(levels[0], 1, "{path}");
                assert!(!levels[1..].contains(&1), "a second h1: {path}");
                // UI-07
                let other = titles.insert(title(html), path.clone());
                let same_page = |a: &str, b: &str| a.split('?').next() == b.split('?').next();
                assert!(other.as_deref().is_none_or(|other| same_page(other, &path)), "{path} and {other:?} share the title {}", title(html));
                // UI-02
                for link in ["/accessibilite", "/mentions-legales", "/donnees-personnelles", "/plan-du-site", "/aide", "/contact"] {
                    assert!(links(html).iter().any(|href| href.split('?').next() == Some(link)), "{path} lacks {link}");
                }
                // UI-28, UI-50, UI-53, SEC-172
                assert!(!html.contains(['\u{2068}', '\u{2069}']), "{path}");
                assert_eq!(answer.header("content-security-policy"), POLICY, "{path}");
                assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
                assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
                assert!(answer.headers.get("set-cookie").is_none(), "{path}");
                for forbidden in ["<script", " style=\"", " onclick", "<iframe", "<img"] {
                    assert!(!html.to_lowercase().contains(forbidden), "{path} holds {forbidden}");
                }
                assert!(values(html, "src").is_empty(), "{path} loads something");
                // UI-10: nothing is wider than its own text; UI-49
                assert!(html.len() < 120_000, "{path}: {} bytes", html.len());
                // UI-25: no two words run together where only the style sheet parts them.
                assert!(!html.contains("</span><span"), "{path}");
                // UI-58
                for word in ["invalide", "veuillez", "oups", "invalid ", "oops", "please"] {
                    assert!(!html.to_lowercase().contains(word), "{path} says {word}");
                }
                // UI-29
                assert!(html.contains("hreflang=\"fr\"") && html.contains("hreflang=\"en\"") || answer.status == StatusCode::NOT_FOUND, "{path}");
            }
        }
    }

    async fn ui_24_the_site_map_is_complete(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let map = links(site.get("/plan-du-site").await.text());
        for path in ["/", "/consultations", "/commitments", "/partners", "/aide", "/contact", "/source", "/ns", "/from/passerelle.bordeaux.example"] {
            assert!(map.contains(path), "{path}");
        }
    }
}
