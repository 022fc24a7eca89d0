//! Tells the story from beginning to end, prints what each city holds, and cleans up whatever happens.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::checks::Witness;
use super::city::{City, Plan};
use super::narrator::{Narrator, Say};
use super::platform::{BORDEAUX, Generation, LYON};
use super::steps::{Cities, STORY};
use super::stranger::Stranger;
use crate::domain::Class;

/// How to tell it.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// End after the story instead of serving until Ctrl-C.
    pub once: bool,
    /// One JSON document a line instead of sentences.
    pub json: bool,
    /// Language of the sentences: `fr`, else English.
    pub lang: Option<String>,
}

const PLANS: [Plan; 2] = [
    Plan {
        name: "lyon",
        title: "Lyon",
        authority: ["Ville de Lyon", "City of Lyon"],
        identifier: "siren:216901231",
        generation: Generation::V031,
        fixture: LYON,
    },
    Plan {
        name: "bordeaux",
        title: "Bordeaux",
        authority: ["Ville de Bordeaux", "City of Bordeaux"],
        identifier: "siren:213300635",
        generation: Generation::V028,
        fixture: BORDEAUX,
    },
];

/// Starts two cities, tells the story, and either ends or serves until Ctrl-C. The exit code is 0 when every step was
/// verified, 1 when one was not, 130 when the story was interrupted.
///
/// # Errors
/// When the cities cannot even be founded: no temporary folder, no free port.
pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let mut narrator = Narrator::new(options.json, options.lang.as_deref(), STORY.len());
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut stopped = async || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let folder = tempfile::Builder::new().prefix("passerelle-demo-").tempdir().context("cannot make a temporary folder")?;
    let [lyon, bordeaux] = PLANS;
    // Who keeps the cities running does not want a core to be busy with reading.
    let every = if options.once { "1s" } else { "3s" };
    let mut cities = Cities {
        lyon: City::found(lyon, folder.path(), every).await?,
        bordeaux: City::found(bordeaux, folder.path(), every).await?,
    };
    let mut witness = Witness {
        stranger: Stranger::new()?,
        keys: std::collections::BTreeMap::default(),
        ledgers: std::collections::BTreeMap::default(),
    };
    let told = tokio::select! {
        told = tell(&mut narrator, &mut cities, &mut witness, options.once) => told.map(|()| ExitCode::SUCCESS),
        () = stopped() => Ok(ExitCode::from(130)),
    };
    let code = match told {
        Ok(code) if code == ExitCode::SUCCESS && !options.once => {
            addresses(&narrator, &cities);
            stopped().await;
            Ok(ExitCode::SUCCESS)
        }
        other => other,
    };
    for ledger in witness.ledgers.values() {
        ledger.close().await;
    }
    tokio::join!(cities.lyon.gateway.stop(), cities.bordeaux.gateway.stop());
    Ok(code.unwrap_or(ExitCode::FAILURE))
}

/// A step was not verified; it has been told.
struct Failed;

async fn tell(narrator: &mut Narrator, cities: &mut Cities, witness: &mut Witness, once: bool) -> Result<(), Failed> {
    narrator.line(narrator.say(Say {
        fr: "Deux villes sur cette machine : Lyon (Decidim 0.31) et Bordeaux (Decidim 0.28), personnes inventées",
        en: "Two cities on this machine: Lyon (Decidim 0.31) and Bordeaux (Decidim 0.28), invented people",
    }));
    for step in STORY {
        let started = tokio::time::Instant::now();
        match step.play(cities, witness).await {
            Ok(figures) => narrator.done(step.title(), &figures, started.elapsed()),
            Err(error) => {
                narrator.failed(step.title(), &format!("{error:#}"), started.elapsed());
                for city in [&cities.lyon, &cities.bordeaux] {
                    narrator.line(format!("      {}: {}", city.title, city.gateway.last_words()));
                }
                return Err(Failed);
            }
        }
    }
    match holdings(narrator, cities, witness).await {
        Ok(()) => {
            if once {
                narrator.document(&json!({ "schema": "passerelle.demo/1", "verified": true }));
            }
            Ok(())
        }
        Err(error) => {
            narrator.line(format!("{error:#}"));
            Err(Failed)
        }
    }
}

/// The table of what each city holds, from the ledgers.
async fn holdings(narrator: &Narrator, cities: &Cities, witness: &Witness) -> anyhow::Result<()> {
    let classes = [
        (Say { fr: "consultations", en: "consultations" }, vec![Class::Consultation]),
        (Say { fr: "contributions", en: "contributions" }, vec![Class::Contribution]),
        (Say { fr: "avis", en: "comments" }, vec![Class::Argument, Class::Comment]),
        (Say { fr: "réponses", en: "answers" }, vec![Class::OfficialResponse]),
        (Say { fr: "suites données", en: "dispositions" }, vec![Class::Disposition]),
    ];
    let mut heading = vec![narrator.say(Say { fr: "tient", en: "holds" })];
    heading.extend(classes.iter().map(|(say, _)| narrator.say(*say)));
    heading.push(narrator.say(Say { fr: "supprimés", en: "deleted" }));
    let mut rows = Vec::new();
    for (city, other) in [(&cities.lyon, &cities.bordeaux), (&cities.bordeaux, &cities.lyon)] {
        let ledger = witness.ledger(city)?;
        let own = narrator.say(Say { fr: "les siens", en: "its own" });
        let of = narrator.say(Say { fr: "de", en: "of" });
        for (whose, heads) in [
            (format!("{}, {own}", city.title), ledger.own().await?),
            (format!("{}, {of} {}", city.title, other.title), ledger.held_of(&other.domain).await?),
        ] {
            let count = |wanted: &[Class]| heads.values().filter(|head| !head.deleted && wanted.contains(&head.class)).count();
            let deleted = heads.values().filter(|head| head.deleted).count();
            let counts: Vec<usize> = classes.iter().map(|(_, wanted)| count(wanted)).chain([deleted]).collect();
            narrator.document(&json!({ "schema": "passerelle.demo/1", "holder": city.name, "of": whose, "counts": counts }));
            rows.push([whose].into_iter().chain(counts.iter().map(ToString::to_string)).collect());
        }
    }
    narrator.line("");
    narrator.table(&heading, &rows);
    Ok(())
}

/// Where to look, while everything keeps running.
fn addresses(narrator: &Narrator, cities: &Cities) {
    narrator.line("");
    for city in [&cities.lyon, &cities.bordeaux] {
        let platform = narrator.say(Say { fr: "sa plateforme", en: "its platform" });
        let settings = narrator.say(Say { fr: "sa configuration", en: "its settings" });
        narrator.line(format!(
            "  {:<9} {}   {platform} {}   {settings} {}",
            city.title,
            city.public_url,
            city.platform_url,
            city.gateway.config().display()
        ));
        narrator.document(
            &json!({ "schema": "passerelle.demo/1", "city": city.name, "url": city.public_url, "platform": city.platform_url }),
        );
    }
    let how = Say {
        fr: "Ouvrez ces adresses. Ctrl-C arrête tout et n'en laisse rien.",
        en: "Open these addresses. Ctrl-C ends everything and leaves nothing behind.",
    };
    narrator.line(narrator.say(how));
}
