//! The simulated platforms misbehave on demand and refuse too many requests.

use std::sync::Arc;
use std::time::Duration;

use passerelle::demo::platform::{Fault, Generation, LYON, REAL_THROTTLE, SimulatedDecidim, When};
use passerelle::domain::time::{ManualClock, SystemClock, Timestamp};
use serde_json::{Value, json};

use super::stranger::{ask, client, data};

async fn lyon() -> SimulatedDecidim {
    SimulatedDecidim::start(Generation::V031, LYON, Arc::new(SystemClock)).await.unwrap()
}

fn page(after: &str) -> Value {
    json!({ "query": format!("{{ component(id: 1) {{ ... on Proposals {{ proposals(first: 40, after: \"{after}\")
        {{ edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}") })
}

#[tokio::test]
async fn a_page_in_the_middle_fails() {
    let city = lyon().await;
    city.misbehave(Some((Fault::ServerError, When::Only(2))));
    let statuses = [ask(&city, &page("")).await.0, ask(&city, &page("NDA")).await.0, ask(&city, &page("NDA")).await.0];
    assert_eq!(statuses, [200, 500, 200]);
    city.misbehave(Some((Fault::ServerError, When::Containing("proposals(".into()))));
    assert_eq!(data(&city, "{ decidim { applicationName } }").await["decidim"]["applicationName"], "Decidim rig");
    assert_eq!(ask(&city, &page("")).await.0, 500);
}

#[tokio::test]
async fn it_loops_lies_and_forgets() {
    let city = lyon().await;
    let list = |answer: &Value| answer["data"]["component"]["proposals"].clone();
    city.misbehave(Some((Fault::CursorLoop, When::Always)));
    let (first, second) = (list(&ask(&city, &page("")).await.1), list(&ask(&city, &page("NDA")).await.1));
    assert_eq!((&first, &first["pageInfo"]["hasNextPage"]), (&second, &json!(true)));
    city.misbehave(Some((Fault::EmptyLists, When::Always)));
    let empty = list(&ask(&city, &page("")).await.1);
    assert_eq!(empty, json!({ "edges": [], "pageInfo": { "hasNextPage": false, "endCursor": null } }));
    city.misbehave(Some((Fault::EarlyEnd, When::Always)));
    let short = list(&ask(&city, &page("")).await.1);
    assert_eq!((short["edges"].as_array().unwrap().len(), &short["pageInfo"]["hasNextPage"]), (40, &json!(false)));
    city.misbehave(None);
    assert_eq!(list(&ask(&city, &page("")).await.1)["pageInfo"]["hasNextPage"], true);
}

#[tokio::test]
async fn it_answers_with_something_that_is_no_answer() {
    let city = lyon().await;
    for fault in [Fault::TruncatedJson, Fault::LoginPage] {
        city.misbehave(Some((fault, When::Always)));
        assert_eq!(ask(&city, &page("")).await, (200, Value::Null));
    }
    city.misbehave(Some((Fault::HangUp, When::Always)));
    let request =
        client().post(format!("{}/api", city.url())).header("content-type", "application/json").body(page("").to_string());
    let answered = match request.send().await {
        Ok(response) => response.bytes().await.is_ok(),
        Err(_) => false,
    };
    assert!(!answered);
    city.misbehave(Some((Fault::Slow(Duration::from_millis(1)), When::Always)));
    assert_eq!(ask(&city, &page("")).await.0, 200);
}

#[tokio::test]
async fn the_hundred_and_first_request_of_a_minute_is_one_too_many() {
    let clock = ManualClock::at("2026-11-24T12:00:30Z".parse::<Timestamp>().unwrap());
    let city = SimulatedDecidim::start(Generation::V031, LYON, Arc::new(clock.clone())).await.unwrap();
    city.throttle(Some(REAL_THROTTLE));
    let client = client();
    let knock = async || client.get(city.url()).send().await.unwrap();
    for _ in 0..REAL_THROTTLE {
        assert_eq!(knock().await.status(), 200);
    }
    let refused = knock().await;
    assert_eq!((refused.status().as_u16(), refused.headers().get("retry-after")), (429, None));
    assert_eq!(refused.headers()["content-type"], "text/plain");
    assert_eq!(refused.text().await.unwrap(), "Retry later\n");
    clock.advance(Duration::from_secs(30));
    assert_eq!(knock().await.status(), 200, "a new minute of the clock");
}

#[tokio::test]
async fn bodies_that_are_no_query_are_refused_as_recorded() {
    let city = lyon().await;
    let send = async |kind: &str, body: &'static str| {
        let request = client().post(format!("{}/api", city.url())).header("content-type", kind).body(body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap()["errors"][0]["message"].clone())
    };
    for body in ["", "{}", "{", "[]", "{\"query\":\"{ session { locale } }\",\"variables\":[]}"] {
        assert_eq!(send("application/json", body).await, (500, json!("Internal Server error")), "{body}");
    }
    assert_eq!(send("text/plain", "{ decidim { version } }").await, (200, json!("No query string was present")));
    assert_eq!(send("application/x-www-form-urlencoded", "query={decidim{version}}").await, (200, Value::Null));
}

#[tokio::test]
async fn the_older_platform_describes_its_schema_and_the_newer_refuses() {
    let query = "{ __schema { queryType { name } } __type(name: \"Proposal\") { fields { name } } decidim { version } }";
    let old = SimulatedDecidim::start(Generation::V028, super::replay::LYON_028, Arc::new(SystemClock)).await.unwrap();
    let described = data(&old, query).await;
    assert_eq!((&described["__schema"]["queryType"]["name"], described["decidim"].is_object()), (&json!("Query"), true));
    assert!(described["__type"]["fields"].as_array().unwrap().contains(&json!({ "name": "category" })));
    let (status, refused) = ask(&lyon().await, &json!({ "query": query })).await;
    assert_eq!((status, &refused["errors"][0]["extensions"]["code"]), (200, &json!("INTROSPECTION_DISABLED_ERROR")));
}
