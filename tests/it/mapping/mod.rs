//! The profile engine on items of recorded platforms, and what it says about a profile that is wrong.

mod decidim;
mod profiles;
mod things;
pub mod works;

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use passerelle::domain::source::{Evidence, ProofKind, SourceRecord};
use passerelle::domain::text::LanguageTag;
use passerelle::domain::{LocalId, RecordId};
use passerelle::mapping::{Draft, Mapped, Names, Profile, Publisher};
use serde::Deserialize;

/// Lyon, as a publisher.
fn lyon() -> Publisher {
    Publisher {
        platform: "lyon".parse().expect("a name"),
        authority: "https://passerelle.lyon.example/actor".parse().expect("an address"),
        rights_contact: "https://passerelle.lyon.example/donnees-personnelles".parse().expect("an address"),
        licence: None,
        language: LanguageTag::french(),
        zone: TimeZone::get("Europe/Paris").expect("a zone"),
    }
}

/// Gives every record that is not in `unknown` an address that tells which it is.
#[derive(Default)]
struct PlainNames {
    unknown: BTreeSet<(String, String)>,
}

impl Names for PlainNames {
    fn record(&self, local: &LocalId) -> Option<RecordId> {
        if self.unknown.contains(&(local.entity.clone(), local.id.clone())) {
            return None;
        }
        let address = format!("https://passerelle.lyon.example/{}/{}-{}", local.class.segment(), local.entity, local.id);
        Some(address.replace('_', "-").parse().expect("an address"))
    }

    fn theme(&self, scheme: &str, id: &str) -> Option<RecordId> {
        Some(format!("https://passerelle.lyon.example/themes/{scheme}-{id}").parse().expect("an address"))
    }

    fn pseudonym(&self, person: &str, process: &RecordId) -> String {
        format!("px:{person}-in{}", process.path().replace('/', "-"))
    }
}

#[derive(Deserialize)]
struct Fixture {
    records: Vec<FixtureRecord>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FixtureRecord {
    entity: String,
    local_id: String,
    fields: serde_json::Value,
    context: serde_json::Value,
    url: Option<url::Url>,
}

/// The recorded items of one generation.
fn recorded(generation: &str) -> Vec<SourceRecord> {
    let text = match generation {
        "0.28" => include_str!("fixtures/decidim-0.28.json"),
        _ => include_str!("fixtures/decidim-0.31.json"),
    };
    let fixture: Fixture = serde_json::from_str(text).expect("the fixture parses");
    let records = fixture.records.into_iter();
    records
        .map(|record| SourceRecord {
            entity: record.entity,
            local_id: record.local_id,
            fields: record.fields,
            context: record.context,
            url: record.url,
            evidence: Evidence::Proven { by: ProofKind::OpenDataCsv },
            retrieved_at: "2026-11-24T09:00:00Z".parse().expect("an instant"),
        })
        .collect()
}

/// One recorded item.
fn item(generation: &str, entity: &str, id: &str) -> SourceRecord {
    let found = recorded(generation).into_iter().find(|record| record.entity == entity && record.local_id == id);
    found.unwrap_or_else(|| panic!("{entity} {id} is not in the fixture of {generation}"))
}

fn decidim() -> Profile {
    Profile::built_in("decidim").expect("it is built in").expect("it parses")
}

fn map(source: &SourceRecord) -> Mapped {
    decidim().map(source, &lyon(), &PlainNames::default())
}

/// Drafts as a person reviews them.
fn readable(drafts: &[Draft]) -> String {
    let drafts = drafts.iter().map(|draft| serde_json::to_string_pretty(&draft.record).expect("it serialises"));
    drafts.collect::<Vec<_>>().join("\n")
}
