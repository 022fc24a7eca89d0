//! The public pages: a proposal's own page is there exactly when a visitor may read it.

use std::sync::Arc;

use passerelle::demo::platform::{Generation, LYON, SimulatedDecidim};
use passerelle::domain::time::SystemClock;

use super::replay::LYON_028;
use super::stranger::client;

async fn statuses(city: &SimulatedDecidim, paths: &[&str]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for path in paths {
        statuses.push(client().get(format!("{}{path}", city.url())).send().await.unwrap().status().as_u16());
    }
    statuses
}

#[tokio::test]
async fn pages_answer_with_the_recorded_status() {
    let old = SimulatedDecidim::start(Generation::V028, LYON_028, Arc::new(SystemClock)).await.unwrap();
    let base = "/processes/rues-aux-ecoles-2026/f/2/proposals";
    let paths = [format!("{base}/1"), format!("{base}/7"), format!("{base}/8"), format!("{base}/14"), format!("{base}/9999")];
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    assert_eq!(statuses(&old, &paths).await, [200, 200, 404, 404, 404]);
    assert_eq!(
        statuses(&old, &["/", "/processes/atelier-interne", "/processes/brouillon-2027", "/api"]).await,
        [200, 302, 302, 301]
    );

    let new = SimulatedDecidim::start(Generation::V031, LYON, Arc::new(SystemClock)).await.unwrap();
    let base = "/processes/rues-aux-ecoles-2026/f/1/proposals";
    let paths = [format!("{base}/1"), format!("{base}/8"), format!("{base}/83"), format!("{base}/88")];
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    assert_eq!(statuses(&new, &paths).await, [200, 404, 404, 404]);
}

#[tokio::test]
async fn addresses_carry_the_host_that_was_asked() {
    let city = SimulatedDecidim::start(Generation::V031, LYON, Arc::new(SystemClock)).await.unwrap();
    let response = client()
        .post(format!("{}/api", city.url()))
        .header("host", "participer.lyon.example")
        .header("content-type", "application/json")
        .body("{\"query\":\"{ participatoryProcess(id: 1) { url } }\"}");
    let answer: serde_json::Value = response.send().await.unwrap().json().await.unwrap();
    let url = &answer["data"]["participatoryProcess"]["url"];
    assert_eq!(url, "http://participer.lyon.example/processes/rues-aux-ecoles-2026");
}
