//! `passerelle bench` with a handful of things: every axis does its work and reports what it did. How
//! fast is no matter here; a debug build beside other tests says nothing about it.

use serde_json::Value;
use tokio::process::Command;

use crate::store_tests;
use crate::support::program::{executable, text};
use crate::support::stores::{Databases, postgres_server};

/// What every axis reports: axis, how its name begins, how many things were done.
const REPORTED: [(&str, &str, u64); 26] = [
    ("limits", "RSA-2048: sign", 0),
    ("limits", "Ed25519: verify", 0),
    ("limits", "one row, durable", 24),
    ("limits", "a request that is answered", 48),
    ("inbox", "accepted: partner", 24),
    ("inbox", "accepted: reader,", 24),
    ("inbox", "accepted: readers, RSA-2048, keys never seen", 24),
    ("inbox", "accepted and applied", 24),
    ("push", "4 partners", 24),
    ("push", "4 readers", 24),
    ("backfill", "records of one partner", 24),
    ("ingest", "first reading, 24", 0),
    ("ingest", "reading again, 10 of 24 changed", 0),
    ("ingest", "reading again, none of 24 changed", 0),
    ("read", "objects, for the first time", 24),
    ("read", "objects, again", 48),
    ("read", "pages, for the first time", 24),
    ("read", "pages, again", 48),
    ("start", "until the first answer", 1),
    ("start", "memory and CPU", 1),
    ("growth", "accepted with 30 stored", 24),
    ("growth", "pushed with 60 stored", 24),
    ("growth", "objects kept in memory with 60 stored", 240),
    ("growth", "objects found in the store with 60 stored", 24),
    ("growth", "objects kept in memory: cost with 60 against 30", 0),
    ("growth", "objects found in the store: cost with 60 against 30", 0),
];

async fn bench(arguments: &[&str]) -> (Option<i32>, Vec<Value>) {
    let mut command = Command::new(executable());
    command.args(["bench", "--json"]).args(arguments).env_remove("PASSERELLE_KILL_AT").kill_on_drop(true);
    let output = command.output().await.expect("the program starts");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output)));
    assert_eq!(document["schema"], "passerelle.bench/1");
    (output.status.code(), document["figures"].as_array().expect("figures").clone())
}

store_tests! {
    async fn every_axis_does_its_work_and_reports_it(databases: Databases) {
        let small = ["--items", "24", "--partners", "4", "--connections", "4", "--delta", "24", "--stored", "30,60"];
        let mut arguments: Vec<String> = small.iter().map(|word| (*word).to_owned()).collect();
        let on_server = databases.url().await.starts_with("postgres");
        if let (true, Some(server)) = (on_server, postgres_server()) {
            arguments.extend(["--database".to_owned(), server.to_string()]);
        }
        let (code, figures) = bench(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await;
        for (axis, name, items) in REPORTED {
            let found = figures.iter().find(|figure| figure["axis"] == axis && figure["name"].as_str().is_some_and(|said| said.starts_with(name)));
            let figure = found.unwrap_or_else(|| panic!("{axis} does not report `{name}`: {figures:#?}"));
            if items > 0 {
                assert_eq!(figure["items"], items, "{axis}: {name}");
            }
        }
        // Who pays is told apart.
        let pushed = figures.iter().find(|figure| figure["axis"] == "push").expect("found before");
        let payers: Vec<&String> = pushed["cpu_ms"].as_object().expect("by process").keys().collect();
        assert_eq!(payers, if on_server { vec!["database", "receivers", "sender"] } else { vec!["receivers", "sender"] });
        let missed = figures.iter().any(|figure| figure["target"]["reached"] == false);
        assert_eq!(code, Some(i32::from(missed)), "a figure that was missed is told by the exit code");
    }
}

#[tokio::test]
async fn several_processes_are_held_against_one() {
    let Some(server) = postgres_server() else { return };
    let arguments =
        ["push", "--items", "16", "--partners", "8", "--processes", "2", "--answer-after", "5", "--database", server.as_str()];
    let (_, figures) = bench(&arguments).await;
    let names: Vec<&str> = figures.iter().filter_map(|figure| figure["name"].as_str()).collect();
    assert_eq!(
        names[..4],
        [
            "8 partners, Ed25519, receipts",
            "8 partners, Ed25519, receipts, 2 processes",
            "2 processes against one",
            "2 processes against one"
        ]
    );
    assert!(figures[..2].iter().all(|figure| figure["items"] == 16), "{figures:#?}");
}

#[tokio::test]
async fn several_processes_on_a_file_are_refused_with_a_reason() {
    let mut command = Command::new(executable());
    command.args(["bench", "push", "--processes", "2", "--items", "4", "--partners", "2"]).kill_on_drop(true);
    let output = command.output().await.expect("the program starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("name one with --database"), "{}", text(&output));
}
