//! Platforms that lie: lists without end, other people's data, archives that explode.

use std::io::{Cursor, Write};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use passerelle::connectors::ConnectorError;
use passerelle::demo::platform::{Fault, When};
use passerelle::domain::source::Evidence;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::reading::lyon;
use super::{Reading, connector, read};

/// A platform with one process and one component, whose lists and archive are what a test makes of them.
#[derive(Clone, Copy)]
struct Liar {
    list: fn(&Value) -> Value,
    archive: fn() -> Vec<u8>,
}

impl Liar {
    async fn start(self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/api", post(api))
            .route("/open-data/download", get(|State(liar): State<Self>| async move { liar.download() }))
            .fallback(|| async { "a page" })
            .with_state(self);
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/")
    }

    /// No archive: the platform begins to produce one, and sends back to a page.
    fn download(self) -> Response {
        let archive = (self.archive)();
        if archive.is_empty() { Redirect::to("/").into_response() } else { archive.into_response() }
    }

    async fn read(self) -> Reading {
        read(&self.start().await).await
    }
}

async fn api(State(liar): State<Liar>, body: Bytes) -> impl IntoResponse {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let query = request["query"].as_str().unwrap();
    let answer = if query.contains("query Probe") && query.contains("... on Budgets") {
        // As 0.31 answers when it lacks the type: it does not say which.
        json!({ "errors": [{ "message": "refusé", "extensions": { "code": "INTROSPECTION_DISABLED_ERROR" } }] })
    } else if query.contains("query Probe") {
        json!({ "data": { "participatoryProcess": null, "component": null } })
    } else if query.contains("query Processes") {
        json!({ "data": { "participatoryProcesses": [{ "id": "1", "slug": "p" }] } })
    } else if query.contains("query Components") {
        json!({ "data": { "participatoryProcesses": [{ "id": "1", "components": [null,
            { "__typename": "Proposals", "id": "1" }, { "__typename": "Budgets", "id": "2" }] }] } })
    } else {
        (liar.list)(&request)
    };
    // Null stands for a platform that stumbles over the question.
    let status = if answer.is_null() { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
    (status, [(header::CONTENT_TYPE, "application/json")], answer.to_string())
}

fn page(nodes: &Value, more: bool, end: &Value) -> Value {
    let edges: Vec<Value> = nodes.as_array().unwrap().iter().map(|node| json!({ "node": node })).collect();
    json!({ "data": { "component": { "__typename": "Proposals", "proposals": {
        "pageInfo": { "hasNextPage": more, "endCursor": end }, "edges": edges } } } })
}

fn nothing() -> Vec<u8> {
    archive_of("h-open-data-proposals.csv", &[b"id\n1\n2\n"])
}

fn archive_of(name: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(name, SimpleFileOptions::default()).unwrap();
    for part in parts {
        writer.write_all(part).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The proposals of the reading, and why it is incomplete.
fn outcome(reading: &Reading) -> (Vec<u64>, String) {
    let report = &reading.report().entities["proposal"];
    assert_eq!(report.complete, report.why_incomplete.is_none());
    (reading.ids("proposal"), report.why_incomplete.clone().unwrap_or_default())
}

#[tokio::test]
async fn a_sort_of_component_that_the_platform_cannot_be_asked_about_is_not_taken_for_empty() {
    let liar = Liar { list: |_| page(&json!([{ "id": "1" }]), false, &json!("MQ")), archive: nothing };
    let reading = liar.read().await;
    assert_eq!(outcome(&reading), (vec![1], String::new()), "the others are read");
    let project = &reading.report().entities["project"];
    assert!(!project.complete && project.why_incomplete.as_ref().unwrap().contains("does not understand"), "{project:?}");
    assert!(reading.report().entities["meeting"].complete);
    let probe = connector(&liar.start().await).probe().await.unwrap();
    assert!(probe.lacking.contains("Budgets"), "{:?}", probe.lacking);
}

#[tokio::test]
async fn while_the_open_data_are_produced_nothing_is_concluded_about_what_they_alone_show() {
    let liar = Liar { list: |_| page(&json!([{ "id": "1" }]), false, &json!("MQ")), archive: Vec::new };
    let reading = liar.read().await;
    assert_eq!(outcome(&reading).1, "", "proposals have pages");
    let comment = &reading.report().entities["comment"];
    assert!(!comment.complete, "{comment:?}");
    let why = comment.why_incomplete.clone().unwrap_or_default();
    assert_eq!(why.matches("is producing its open data").count(), 1, "{why}");
}

#[tokio::test]
async fn empty_pages_that_say_there_is_more_end_the_reading_as_incomplete() {
    let liar = Liar { list: |_| page(&json!([]), true, &json!("NTA")), archive: nothing };
    let (ids, why) = outcome(&liar.read().await);
    assert!(ids.is_empty() && why.contains("an empty page says that there is more"), "{why}");
}

#[tokio::test]
async fn a_cursor_that_leads_back_to_the_start_ends_the_reading_as_incomplete() {
    let liar = Liar { list: |_| page(&json!([{ "id": "1" }, { "id": "2" }]), true, &json!("MQ")), archive: nothing };
    let (ids, why) = outcome(&liar.read().await);
    assert_eq!(ids, [1, 2], "what was read is kept, once");
    assert!(why.contains("a page came twice"), "{why}");
}

#[tokio::test]
async fn a_list_that_changes_between_two_readings_is_incomplete() {
    let liar = Liar {
        list: |request| {
            let first = request["query"].as_str().unwrap().contains("query Proposals");
            page(&json!([{ "id": "1" }, { "id": if first { "3" } else { "2" } }]), false, &json!("Mg"))
        },
        archive: nothing,
    };
    let reading = liar.read().await;
    let (ids, why) = outcome(&reading);
    assert_eq!(ids, [1], "what vanished meanwhile is not sent");
    // Its own page is public all the same: nothing is concluded.
    assert!(!reading.is_withheld("proposal", 3));
    assert_eq!(reading.failed.iter().filter(|(_, id)| id == "3").count(), 1);
    assert!(why.contains("changed while it was read"), "{why}");
}

#[tokio::test]
async fn a_null_in_an_answer_with_errors_is_a_failed_read_and_not_a_hidden_item() {
    let liar = Liar {
        list: |request| {
            if request["query"].as_str().unwrap().contains("query Proposals") {
                let mut page = page(&json!([{ "id": "1" }, null]), false, &json!("Mg"));
                page["errors"] = json!([{ "message": "Cannot return null for non-nullable field Proposal.x" }]);
                return page;
            }
            page(&json!([{ "id": "1" }, { "id": "2" }]), false, &json!("Mg"))
        },
        archive: nothing,
    };
    let reading = liar.read().await;
    assert_eq!(reading.failed, [("proposal".to_owned(), "2".to_owned())]);
    let report = &reading.report().entities["proposal"];
    assert_eq!((report.withheld, report.failed, report.complete), (0, 1, true), "a single failure is not a partial scan");
}

#[tokio::test]
async fn a_platform_that_stumbles_over_authors_is_read_without_them() {
    let liar = Liar {
        list: |request| {
            let query = request["query"].as_str().unwrap();
            if query.contains("query Comments") && query.contains("author") {
                return Value::Null;
            }
            let comments = json!([{ "id": "7", "body": "Oui", "comments": [] }]);
            page(&json!([{ "id": "1", "totalCommentsCount": 1, "comments": comments }]), false, &json!("MQ"))
        },
        archive: nothing,
    };
    let reading = liar.read().await;
    assert_eq!(reading.ids("comment"), [7]);
    assert!(reading.report().entities["comment"].complete);
}

#[tokio::test]
async fn an_amendment_says_what_it_amends() {
    let liar = Liar {
        list: |request| {
            if request["query"].as_str().unwrap().contains("query Amendments") {
                let amendments = json!([null, { "id": "4", "state": "accepted", "emendation": { "id": "2" } }]);
                return page(&json!([{ "id": "1", "amendments": amendments }, { "id": "2" }]), false, &json!("Mg"));
            }
            page(&json!([{ "id": "1" }, { "id": "2" }]), false, &json!("Mg"))
        },
        archive: nothing,
    };
    let reading = liar.read().await;
    assert_eq!(reading.item("proposal", 2).unwrap().context["amended"], json!({ "id": "1" }));
    assert!(reading.item("proposal", 1).unwrap().context["amended"].is_null());
}

#[tokio::test]
async fn an_object_of_another_tenant_is_held_back() {
    let liar = Liar {
        list: |_| {
            page(&json!([{ "id": "1", "url": "http://bordeaux.example/processes/p/f/1/proposals/1" }]), false, &json!("MQ"))
        },
        archive: nothing,
    };
    // The process of this liar states no address, so its own host is unknown: the page is asked at our platform.
    let reading = liar.read().await;
    let url = reading.item("proposal", 1).unwrap().url.clone().unwrap();
    assert_eq!(url.host_str(), Some("127.0.0.1"), "never a host that an answer names");
}

#[tokio::test]
async fn an_archive_that_explodes_proves_nothing_and_costs_nothing() {
    let liar = Liar {
        list: |_| page(&json!([{ "id": "1" }]), false, &json!("MQ")),
        archive: || {
            let row = vec![b'1'; 1 << 20];
            let parts: Vec<&[u8]> = std::iter::once(&b"id\n"[..]).chain(std::iter::repeat_n(row.as_slice(), 300)).collect();
            archive_of("h-open-data-proposals.csv", &parts)
        },
    };
    let reading = liar.read().await;
    assert!(reading.report().notes.iter().any(|note| note.contains("more than 256 MiB")), "{:?}", reading.report().notes);
    // The proposal has a page of its own, so it is proven all the same.
    assert!(matches!(reading.item("proposal", 1).unwrap().evidence, Evidence::Proven { .. }));
}

#[tokio::test]
async fn lists_that_end_early_or_loop_are_noticed() {
    let platform = lyon().await;
    platform.misbehave(Some((Fault::CursorLoop, When::Always)));
    let reading = read(&platform.url()).await;
    assert!(!reading.report().entities["proposal"].complete);
    let ids = reading.ids("proposal");
    let mut once = ids.clone();
    once.dedup();
    assert_eq!(ids, once, "nothing twice");
}

#[tokio::test]
async fn something_else_than_decidim_is_one_clear_line() {
    async fn serve(status: StatusCode, headers: &'static [(&'static str, &'static str)], body: &'static str) -> ConnectorError {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let answer = move || async move {
            let mut response = (status, body).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(*name, value.parse().unwrap());
            }
            response
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        let error = connector(&url).probe().await.unwrap_err();
        assert!(error.to_string().contains(url.trim_end_matches('/')) && !error.to_string().contains('\n'), "{error}");
        error
    }
    let page = serve(StatusCode::OK, &[("content-type", "text/html")], "<!doctype html><title>Bienvenue</title>").await;
    assert!(matches!(page, ConnectorError::NotThisPlatform { .. }), "{page}");
    let missing = serve(StatusCode::NOT_FOUND, &[], "").await;
    assert!(matches!(missing, ConnectorError::NotThisPlatform { .. }), "{missing}");
    let login = serve(StatusCode::FOUND, &[("location", "http://127.0.0.1/users/sign_in")], "").await;
    assert!(matches!(login, ConnectorError::LoginWanted { status: 302, .. }), "{login}");
    let forced = serve(StatusCode::UNAUTHORIZED, &[], "{\"error\":\"Access denied\"}").await;
    assert!(matches!(forced, ConnectorError::LoginWanted { status: 401, .. }), "{forced}");
    let tenant = serve(StatusCode::FOUND, &[("location", "/system/")], "").await;
    assert!(matches!(tenant, ConnectorError::NotThisPlatform { .. }), "{tenant}");
    let moved = serve(StatusCode::MOVED_PERMANENTLY, &[("location", "https://participez.example/api")], "").await;
    assert!(moved.to_string().contains("https://participez.example"), "{moved}");
    let garbage = serve(StatusCode::OK, &[], "[1, 2]").await;
    assert!(matches!(garbage, ConnectorError::Broken { .. }), "{garbage}");
    let strange = serve(StatusCode::OK, &[], "{\"data\": \"yes\"}").await;
    assert!(matches!(strange, ConnectorError::NotThisPlatform { .. }), "{strange}");
}
