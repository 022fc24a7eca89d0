//! The real platforms, when somebody started them: `PASSERELLE_RIG_28` and `PASSERELLE_RIG_31` hold the
//! address (`http://127.0.0.1:3028`) of an installation with the recorded tenants. Without one these tests
//! are ignored, not passed: `cargo test --test it rigs -- --ignored` runs them.

use std::collections::BTreeSet;

use passerelle::connectors::{ConnectorError, Courtesy};
use passerelle::outbound::Policy;
use serde_json::Value;
use url::Url;

use super::{clock, connector_with, plan, read_with};

fn rig(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: no real platform to read"))
}

/// Reads both tenants of an installation and compares with what its database says is public.
async fn compare(variable: &str, public: &str) {
    let address: Url = rig(variable).parse().unwrap();
    let truth: Value = serde_json::from_str(public).unwrap();
    for (host, public) in truth.as_object().unwrap() {
        let port = address.port_or_known_default().unwrap();
        let mut policy = Policy::with_loopback();
        policy.pins.insert(host.clone(), format!("127.0.0.1:{port}").parse().unwrap());
        let url = format!("http://{host}:{port}/");
        let connector =
            connector_with(&url, policy, Courtesy { back_off: std::time::Duration::from_secs(1), ..Courtesy::none() }, clock());
        let probe = connector.probe().await.unwrap();
        eprintln!("{host}: version {:?}, lacking {:?}, languages {:?}", probe.version, probe.lacking, probe.languages);
        eprintln!("{host}: open types {:?}, notes {:?}", probe.types.as_ref().map(std::collections::BTreeMap::len), probe.notes);
        let reading = read_with(connector, plan()).await;
        let report = reading.report();
        for (entity, of) in &report.entities {
            eprintln!("{host}: {entity}: {of:?}");
        }
        eprintln!("{host}: {} requests, notes {:?}", report.requests, report.notes);
        let entities = [
            ("participatory_process", "processes"),
            ("proposal", "proposals"),
            ("meeting", "meetings"),
            ("result", "results"),
            ("project", "projects"),
            ("comment", "comments"),
        ];
        for (entity, name) in entities {
            let expected: Vec<u64> = serde_json::from_value(public[name].clone()).unwrap();
            assert_eq!(reading.ids(entity), expected, "{host}: every public {entity} once, and no other");
            let proven: Vec<u64> = reading.proven(entity).into_iter().collect();
            let unproven: BTreeSet<_> = expected.iter().filter(|id| !proven.contains(id)).collect();
            for id in &unproven {
                let item = reading.item(entity, **id).unwrap();
                eprintln!("{host}: {entity} {id} unproven: {:?}", item.evidence);
            }
            assert!(report.entities[entity].complete, "{:?}", report.entities[entity].why_incomplete);
        }
        let amendments = reading.items.iter().filter(|item| item.context["amended"].is_object()).count();
        eprintln!("{host}: {amendments} of the proposals are amendments");
        assert!(amendments > 0 || !host.starts_with("lyon"), "the recorded Lyon has amendments");
        assert!(reading.failed.is_empty(), "{:?}", reading.failed);
    }
}

#[tokio::test]
#[ignore = "needs PASSERELLE_RIG_28, the address of a real Decidim 0.28"]
async fn a_real_decidim_0_28_is_read_completely_and_nothing_hidden_comes_along() {
    compare("PASSERELLE_RIG_28", include_str!("fixtures/public-0.28.json")).await;
}

#[tokio::test]
#[ignore = "needs PASSERELLE_RIG_31, the address of a real Decidim 0.31"]
async fn a_real_decidim_0_31_is_read_completely_and_nothing_hidden_comes_along() {
    compare("PASSERELLE_RIG_31", include_str!("fixtures/public-0.31.json")).await;
}

#[tokio::test]
#[ignore = "needs PASSERELLE_RIG_28 and PASSERELLE_RIG_31, the addresses of real platforms"]
async fn a_real_decidim_under_an_unknown_host_name_is_refused_with_a_clear_word() {
    for variable in ["PASSERELLE_RIG_28", "PASSERELLE_RIG_31"] {
        let connector = connector_with(&rig(variable), Policy::with_loopback(), Courtesy::none(), clock());
        let error = connector.probe().await.unwrap_err();
        assert!(matches!(error, ConnectorError::NotThisPlatform { .. }), "{error}");
    }
}
