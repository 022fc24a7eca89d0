//! What a partner can make us ask for, and where: SEC-094, SEC-101, SEC-102, SEC-113, SEC-119, SEC-135, through the
//! operations that ask.

use std::net::IpAddr;
use std::time::Duration;

use passerelle::domain::RecordId;
use passerelle::domain::partner::PartnerKind;
use passerelle::federation::fetch::{self, FetchError};
use passerelle::federation::pairing::{self, Introduction};
use passerelle::federation::refusal::Code;
use passerelle::federation::{FETCHES_PER_HOUR, held};
use passerelle::outbound::{OutboundError, Request};
use serde_json::json;

use super::rig::Rig;
use crate::outbound::lists::ADDRESSES;
use crate::store_tests;
use crate::support::network::Served;
use crate::support::peer::{Knock, Rfc9421};
use crate::support::stores::Databases;

/// A POST of B with a key that nobody has seen.
fn with_new_key(rig: &Rig, name: &str) -> Knock {
    let mut knock = Knock::post(rig.create().to_string().into_bytes(), rig.now());
    let parameters = format!(";created={};keyid=\"https://b.example/actor#{name}\";alg=\"ed25519\"", rig.now().seconds());
    knock.rfc9421(&rig.b, &Rfc9421::over(&["@method", "@target-uri", "content-digest", "content-type", "date"], &parameters));
    knock
}

fn is_denied(error: &FetchError) -> bool {
    matches!(error, FetchError::Outbound(OutboundError::Denied { .. }))
}

store_tests! {
    async fn sec_094_no_operation_reaches_an_address_that_is_not_public(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let partner = rig.b.partner(PartnerKind::Partner);
        let wanted: RecordId = "https://a.example/contributions/one".parse()?;
        let typed = Introduction::Fingerprint(rig.b.keys.multikey().fingerprint().digits());
        for address in ADDRESSES.split_whitespace() {
            let address: IpAddr = address.parse()?;
            rig.network.resolve("b.example", &[address]);
            // An object and an actor.
            let object = fetch::signed_get(&rig.federation, PartnerKind::Partner, &"https://b.example/comments/1".parse()?).await;
            assert!(object.as_ref().is_err_and(is_denied), "{address}: {object:?}");
            // A collection.
            let status = held::ask(&rig.federation, &partner, &wanted).await;
            assert!(matches!(&status, Err(held::AskError::Fetch(error)) if is_denied(error)), "{address}: {status:?}");
            // A delivery.
            let delivery = rig.federation.client.send(Request::post(partner.inbox.parse()?, "{}")).await;
            assert!(matches!(delivery, Err(OutboundError::Denied { .. })), "{address}: {delivery:?}");
            // Pairing, with its NodeInfo, and a key; a partner's keys are looked up once in five minutes.
            let paired = pairing::accept(&rig.federation, &partner.domain, &typed).await;
            assert!(paired.is_err(), "{address}: {paired:?}");
            rig.clock.advance(Duration::from_mins(6));
            let answer = rig.knock(&with_new_key(&rig, "new")).await;
            assert!(answer.status.is_client_error() || answer.status.is_server_error(), "{address}: {answer:?}");
            assert_eq!(rig.network.connections(), 0, "{address}");
        }
    }

    async fn sec_101_sec_102_a_partner_leads_nowhere_but_to_itself(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.network.serve("c.example/x", Served::activity(&json!({"id": "https://b.example/x"})));
        rig.network.serve("b.example/other", Served::activity(&json!({"id": "https://b.example/x"})));
        for to in ["https://c.example/x", "https://m.example/x", "https://b.example/other", "https://b.example/redirect?url=https://m.example/x"] {
            rig.network.serve("b.example/x", Served::redirect(to));
            let (before, state) = (rig.network.requests(), rig.state().await?.without_connections());
            let response = fetch::signed_get(&rig.federation, PartnerKind::Partner, &"https://b.example/x".parse()?).await?;
            assert!(matches!(fetch::document(&response), Err(FetchError::Status { status: 302, .. })), "{to}");
            assert_eq!(rig.network.requests(), before + 1, "{to}");
            assert_eq!(rig.state().await?.without_connections(), state, "{to}");
        }
    }

    async fn sec_119_actors_that_point_at_each_other_are_asked_once(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut first = rig.b.actor_document();
        first["id"] = json!("https://b.example/actor2");
        rig.network.serve("b.example/actor", Served::activity(&first));
        rig.network.serve("b.example/actor2", Served::activity(&rig.b.actor_document()));
        let answer = rig.knock(&with_new_key(&rig, "new")).await;
        assert_eq!(answer.status.as_u16(), 401);
        assert_eq!(rig.network.requests(), 1);
        // However often: once in five minutes.
        for n in 0..50 {
            assert_eq!(rig.knock(&with_new_key(&rig, &format!("new-{n}"))).await.status.as_u16(), 401);
        }
        assert_eq!(rig.network.requests(), 1);
        assert_eq!(rig.rows("journal").await?, 0);
    }

    async fn sec_113_a_key_that_cannot_be_looked_up_now_is_a_503(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.network.resolve("b.example", &[]);
        let answer = rig.knock(&with_new_key(&rig, "new")).await;
        assert_eq!(answer.status.as_u16(), 503);
        assert!(answer.headers.contains_key("retry-after"));
        assert_eq!(rig.federation.refusals.of(Code::KeyUnavailable), 1);
        assert_eq!(rig.rows("journal").await?, 0);
    }

    async fn sec_135_a_partner_makes_us_fetch_a_hundred_times_an_hour(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let (b, c) = (rig.b.partner(PartnerKind::Partner), rig.c.partner(PartnerKind::Partner));
        let wanted: RecordId = "https://a.example/contributions/one".parse()?;
        let page = json!({"type": "OrderedCollectionPage", "orderedItems": []});
        for host in ["b.example", "c.example"] {
            rig.network.serve(&format!("{host}/from/a.example"), Served::activity(&page));
        }
        for n in 0..FETCHES_PER_HOUR {
            assert!(held::ask(&rig.federation, &b, &wanted).await.is_ok(), "{n}");
        }
        let before = rig.network.requests();
        let refused = held::ask(&rig.federation, &b, &wanted).await;
        assert!(matches!(refused, Err(held::AskError::Fetch(FetchError::Budget { .. }))), "{refused:?}");
        // Its unknown keys are part of the same budget, and may be right later.
        assert_eq!(rig.knock(&with_new_key(&rig, "new")).await.status.as_u16(), 503);
        assert_eq!(rig.network.requests(), before);
        assert!(held::ask(&rig.federation, &c, &wanted).await.is_ok(), "another partner has its own");
        rig.clock.advance(Duration::from_secs(40));
        assert!(held::ask(&rig.federation, &b, &wanted).await.is_ok());
    }
}
