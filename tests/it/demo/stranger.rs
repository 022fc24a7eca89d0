//! Asking a simulated platform over HTTP, as anybody can.

use passerelle::demo::platform::SimulatedDecidim;
use serde_json::{Value, json};

/// A client without any of our own rules: the simulators are tested as the real platforms would be.
#[expect(clippy::disallowed_methods, reason = "the tests knock from outside")]
pub fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
}

/// Asks `POST /api` and gives the status and the JSON, or null when it is none.
pub async fn ask(city: &SimulatedDecidim, body: &Value) -> (u16, Value) {
    let response = client()
        .post(format!("{}/api", city.url()))
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap_or_default()).unwrap_or(Value::Null))
}

/// The `data` of a query, which must not fail.
pub async fn data(city: &SimulatedDecidim, query: &str) -> Value {
    let (status, mut answer) = ask(city, &json!({ "query": query })).await;
    assert_eq!((status, &answer["errors"]), (200, &Value::Null), "{query}");
    answer["data"].take()
}
