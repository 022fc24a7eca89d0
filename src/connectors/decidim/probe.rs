//! What a platform has, found out by asking, not by its version.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::client::{Complaint, Polite, plain};
use super::kind::Kind;
use super::open_data::OpenData;
use super::queries::{Question, Questions};
use crate::connectors::{ConnectorError, Probe};

/// How often the probing question is asked: fields inside a missing field only come up once it is gone.
const ROUNDS: u32 = 4;

/// Learns which of our fields the platform lacks: the validation errors of one question name them all.
pub(super) async fn questions_for(polite: &Polite) -> Result<Questions, ConnectorError> {
    let mut questions = Questions::default();
    match learn(polite, &mut questions, &Kind::ALL).await {
        // It may lack a module. Which one, 0.31 does not say: ask one by one.
        Err(ConnectorError::Refused { .. }) => {}
        learned => return learned.map(|()| questions),
    }
    for kind in Kind::ALL {
        match learn(polite, &mut questions, &[kind]).await {
            Err(ConnectorError::Refused { .. }) if kind != Kind::Proposals => questions.has_no(kind),
            learned => learned?,
        }
    }
    Ok(questions)
}

/// Asks about components of some sorts until the platform understands.
async fn learn(polite: &Polite, questions: &mut Questions, kinds: &[Kind]) -> Result<(), ConnectorError> {
    for _ in 0..ROUNDS {
        let answer = polite.ask(&questions.probing(kinds), json!({})).await?;
        let mut learned = false;
        for field in answer.errors.iter().filter_map(Complaint::missing_field) {
            learned |= questions.lacks(field);
        }
        if answer.data.is_object() {
            return Ok(());
        }
        if !learned {
            let reason = answer.errors.first().map_or_else(|| "no data".to_owned(), Complaint::reason);
            return Err(ConnectorError::Refused { url: plain(&polite.address("/api")), reason });
        }
    }
    let reason = "it keeps missing fields that it was not asked for".to_owned();
    Err(ConnectorError::Refused { url: plain(&polite.address("/api")), reason })
}

/// The whole probe, for a person and for coverage.
pub(super) async fn probe(polite: &Polite) -> Result<Probe, ConnectorError> {
    let questions = questions_for(polite).await?;
    let lacking: Vec<_> = questions.lacking().iter().collect();
    let has = Questions::candidates().into_iter().filter(|field| !lacking.contains(&field));
    let mut probe = Probe {
        system: "decidim".to_owned(),
        capabilities: has.map(|field| field.to_string()).collect(),
        lacking: lacking.iter().map(ToString::to_string).chain(questions.absent().map(str::to_owned)).collect(),
        types: types(polite).await?,
        version: version(polite, &questions).await?,
        ..Probe::default()
    };
    if probe.types.is_none() {
        probe.notes.push("its list of fields is closed to strangers; fields we do not know of would stay unseen".to_owned());
    }
    let processes = polite.ask(&questions.text(Question::Processes), json!({})).await?;
    probe.languages = languages(&processes.data);
    match OpenData::download(polite).await? {
        OpenData::Read(witness) => probe.columns = witness.columns().clone(),
        silent => probe.notes.push(format!("no second source: {}", silent.silence())),
    }
    Ok(probe)
}

/// Every type with its fields; `None` where strangers may not ask.
async fn types(polite: &Polite) -> Result<Option<BTreeMap<String, Vec<String>>>, ConnectorError> {
    let answer = polite.ask(&Questions::default().text(Question::Types), json!({})).await?;
    let Some(types) = answer.data["__schema"]["types"].as_array() else { return Ok(None) };
    let names = |of: &Value| -> Vec<String> {
        let fields = of.as_array().into_iter().flatten();
        fields.filter_map(|field| field["name"].as_str().map(str::to_owned)).collect()
    };
    let with_fields = types.iter().filter(|kind| kind["fields"].is_array());
    let listed = with_fields.filter_map(|kind| Some((kind["name"].as_str()?.to_owned(), names(&kind["fields"]))));
    Ok(Some(listed.filter(|(name, _)| !name.starts_with("__")).collect()))
}

async fn version(polite: &Polite, questions: &Questions) -> Result<Option<String>, ConnectorError> {
    let answer = polite.ask(&questions.text(Question::Version), json!({})).await?;
    Ok(answer.data["decidim"]["version"].as_str().map(|version| version.chars().take(40).collect()))
}

/// The languages of the texts in an answer, most frequent first.
fn languages(data: &Value) -> Vec<String> {
    fn count(value: &Value, into: &mut BTreeMap<String, u32>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| count(item, into)),
            Value::Object(fields) => {
                if let Some(locale) = fields.get("locale").and_then(Value::as_str) {
                    *into.entry(locale.to_owned()).or_default() += 1;
                }
                fields.values().for_each(|field| count(field, into));
            }
            _ => {}
        }
    }
    let mut counts = BTreeMap::new();
    count(data, &mut counts);
    let mut languages: Vec<_> = counts.into_iter().collect();
    languages.sort_by_key(|(language, times)| (std::cmp::Reverse(*times), language.clone()));
    languages.into_iter().map(|(language, _)| language).collect()
}
