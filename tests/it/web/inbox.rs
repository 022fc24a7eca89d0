//! The addresses that only partners use, through the whole router: raw requests in, signed answers out.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request, StatusCode};
use axum::response::Response;
use jiff::tz::TimeZone;
use passerelle::domain::partner::{FollowState, PartnerKind};
use passerelle::web::language::Language;
use passerelle::web::{Site, WebState, router};
use serde_json::Value;
use tower::ServiceExt;

use crate::federation::rig::Rig;
use crate::store_tests;
use crate::support::peer::{Knock, Rfc9421};
use crate::support::stores::Databases;

async fn send(rig: &Rig, knock: &Knock) -> Response {
    let site = Site::new(Language::ALL, TimeZone::UTC);
    let web = WebState::new(rig.federation.clone(), rig.inbox.clone(), site);
    let mut request = Request::builder().method(knock.method.clone()).uri(&knock.target);
    for (name, value) in &knock.headers {
        request = request.header(name, HeaderValue::from_bytes(value.as_bytes()).expect("a header"));
    }
    let request = request.body(Body::from(knock.body.clone())).expect("a request");
    router(web).oneshot(request).await.expect("a router never fails")
}

async fn json(response: Response) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&to_bytes(response.into_body(), 4 * 1024 * 1024).await?)?)
}

fn signed_get(rig: &Rig, target: &str) -> Knock {
    let mut knock = Knock::get(target, rig.now());
    let how = Rfc9421::over(&["@method", "@target-uri", "date"], &Rfc9421::named(&rig.b, rig.now()));
    knock.rfc9421(&rig.b, &how);
    knock
}

store_tests! {
    async fn a_signed_activity_is_answered_with_a_receipt(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let create = rig.create();
        let answer = send(&rig, &rig.b.post(&create, rig.now())).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        let receipt = json(answer).await?;
        assert_eq!(receipt["recordType"], "DeliveryReceipt");
        assert_eq!(receipt["requestActivity"], create["id"]);
        // The receipt names an address of ours; it is answered.
        let id = receipt["id"].as_str().expect("an address").to_owned();
        let path = id.strip_prefix("https://a.example").expect("our address");
        let again = send(&rig, &Knock::get(path, rig.now())).await;
        assert_eq!(again.status(), StatusCode::OK);
        assert_eq!(json(again).await?, receipt);
        // Its effect is the copy's page, and what the partner itself is told of it.
        rig.work().await?;
        let page = send(&rig, &Knock::get("/from/b.example?lang=fr&after=", rig.now())).await;
        let anonymous = json(page).await?;
        assert_eq!(anonymous["orderedItems"].as_array().map(Vec::len), Some(1));
        assert!(anonymous["orderedItems"][0].is_string());
        let told = json(send(&rig, &signed_get(&rig, "/from/b.example?after=")).await).await?;
        assert_eq!(told["orderedItems"][0]["revision"], 1);
        assert_eq!(told["orderedItems"][0]["subjectDigest"], receipt["subjectDigest"]);
    }

    async fn repeated_headers_reach_the_verifier(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut knock = rig.b.post(&rig.create(), rig.now());
        knock.add("date", "Tue, 15 Sep 2026 12:00:00 GMT");
        let answer = send(&rig, &knock).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        assert_eq!(json(answer).await?["code"], "duplicate_header");
        let unsigned = send(&rig, &Knock::post(b"{}".to_vec(), rig.now())).await;
        assert_eq!(unsigned.status(), StatusCode::UNAUTHORIZED);
        assert!(unsigned.headers().contains_key("content-security-policy"));
    }

    async fn a_large_body_is_refused_before_it_is_read(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut announced = Knock::post(b"{}".to_vec(), rig.now());
        announced.set("content-length", "2000000");
        assert_eq!(send(&rig, &announced).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let mut unannounced = Knock::post(vec![b' '; 1024 * 1024 + 1], rig.now());
        unannounced.drop("content-length");
        assert_eq!(send(&rig, &unannounced).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let wrong = send(&rig, &Knock::get("/actor/inbox", rig.now())).await;
        assert_eq!(wrong.status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    async fn records_are_for_followers_that_sign(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let unsigned = send(&rig, &Knock::get("/actor/records", rig.now())).await;
        assert_eq!(unsigned.status(), StatusCode::UNAUTHORIZED);
        let stranger = send(&rig, &signed_get(&rig, "/actor/records")).await;
        assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
        let mut partner = rig.b.partner(PartnerKind::Partner);
        partner.follows_us = FollowState::Accepted;
        rig.list(&partner).await?;
        let page = send(&rig, &signed_get(&rig, "/actor/records")).await;
        assert_eq!(page.status(), StatusCode::OK);
        assert_eq!(page.headers()["cache-control"], "private, no-store");
        assert_eq!(json(page).await?["type"], "OrderedCollectionPage");
        let nowhere = send(&rig, &signed_get(&rig, "/actor/records?after=nonsense")).await;
        assert_eq!(nowhere.status(), StatusCode::BAD_REQUEST);
    }
}
