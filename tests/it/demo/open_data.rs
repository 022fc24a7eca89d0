//! The open-data archive: two redirects to a signed address, the columns of its generation, and what it gives away.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::Arc;

use passerelle::demo::platform::{BORDEAUX, Generation, LYON, NewProposal, SimulatedDecidim};
use passerelle::domain::time::SystemClock;

use super::stranger::client;

type Rows = Vec<BTreeMap<String, String>>;

async fn download(city: &SimulatedDecidim) -> BTreeMap<String, Rows> {
    let mut url = format!("{}/open-data/download", city.url());
    let mut hops = Vec::new();
    let bytes = loop {
        let response = client().get(&url).send().await.unwrap();
        hops.push(response.status().as_u16());
        match response.headers().get("location") {
            Some(next) => url = next.to_str().unwrap().to_owned(),
            None => break response.bytes().await.unwrap(),
        }
    };
    assert_eq!(hops, [302, 302, 200]);
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut files = BTreeMap::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let name = file.name().unwrap().split("-open-data-").nth(1).unwrap().trim_end_matches(".csv").to_owned();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(text.as_bytes());
        files.insert(name, reader.deserialize().collect::<Result<Rows, _>>().unwrap());
    }
    files
}

fn row<'a>(rows: &'a Rows, id: &str) -> Option<&'a BTreeMap<String, String>> {
    rows.iter().find(|row| row["id"] == id)
}

#[tokio::test]
async fn lyon_has_the_columns_and_the_leaks_of_0_31() {
    let city = SimulatedDecidim::start(Generation::V031, LYON, Arc::new(SystemClock)).await.unwrap();
    let files = download(&city).await;
    let first = row(&files["proposals"], "1").unwrap();
    // As recorded, cell by cell.
    for (column, cell) in [
        ("author/id", "2"),
        ("taxonomies/4/en", "Street design"),
        (
            "body/fr",
            "La rue est prise comme raccourci le matin. Une barrière amovible\ntenue par un agent de 8 h 15 à 8 h 45 suffirait.\n\nÀ essayer trois mois, avec comptage avant et après.",
        ),
        ("state", "accepted"),
        ("votes", "57"),
        ("published_at", "2026-09-16 10:00:00 +0200"),
        ("withdrawn", "false"),
    ] {
        assert_eq!(first[column], cell, "{column}");
    }
    for (id, why) in
        [("8", "hidden"), ("83", "draft"), ("88", "binned"), ("120", "unpublished component"), ("108", "private process")]
    {
        assert!(row(&files["proposals"], id).is_none(), "{why}");
    }
    assert!(row(&files["proposals"], "7").is_some(), "withdrawn ones are there");
    let prepared = row(&files["proposals"], "82").unwrap();
    assert!(prepared["state"].is_empty() && !prepared["answer/fr"].is_empty() && !prepared["answered_at"].is_empty());
    let comments = &files["proposal_comments"];
    assert!(row(comments, "9").is_some(), "under a hidden proposal");
    assert!(row(comments, "8").is_none() && row(comments, "10").is_none(), "hidden, deleted");
    assert_eq!(row(comments, "3").unwrap()["depth"], "2");
    assert_eq!(files["participatory_processes"].len(), 5);
    assert!(files["moderations"].iter().any(|row| row["reportable_id"] == "8"));
}

#[tokio::test]
async fn bordeaux_has_exactly_the_seven_files_of_0_28() {
    let city = SimulatedDecidim::start(Generation::V028, BORDEAUX, Arc::new(SystemClock)).await.unwrap();
    let files = download(&city).await;
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["meeting_comments", "meetings", "projects", "proposal_comments", "proposals", "result_comments", "results"]
    );
    let first = row(&files["proposals"], "102").unwrap();
    for (column, cell) in [
        ("category/name/fr", "Mobilité"),
        ("scope/name/fr", "Bordeaux Bastide"),
        ("supports", "88"),
        ("answered_at", "2026-10-31 06:00:00 UTC"),
    ] {
        assert_eq!(first[column], cell, "{column}");
    }
    assert!(row(&files["proposals"], "104").is_none() && row(&files["proposals"], "108").is_none());
}

#[tokio::test]
async fn the_file_follows_the_state_unless_the_nightly_job_made_it() {
    let city = SimulatedDecidim::start(Generation::V031, LYON, Arc::new(SystemClock)).await.unwrap();
    let new = NewProposal { component: 1, author: 4, title: "Un abri", body: "=1+1", place: None };
    let id = city.change(|c| c.add_proposal(&new)).to_string();
    assert_eq!(row(&download(&city).await["proposals"], &id).unwrap()["body/fr"], "'=1+1");
    city.freeze_open_data();
    city.change(|c| c.hide(1));
    assert!(row(&download(&city).await["proposals"], "1").is_some());
    city.thaw_open_data();
    assert!(row(&download(&city).await["proposals"], "1").is_none());
    city.forget_open_data();
    let response = client().get(format!("{}/open-data/download", city.url())).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.headers()["location"].to_str().unwrap()),
        (302, format!("{}/open-data", city.url()).as_str())
    );
}
