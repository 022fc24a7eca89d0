//! The story, step by step: what happens on the platforms, and what has to be seen for it. Every step gives the figures of
//! its line, or says what was not seen.

use std::time::Duration;

use anyhow::ensure;
use serde_json::Value;

use super::checks::{FACT, Witness};
use super::city::City;
use super::crawl;
use super::narrator::{Figures, Say};
use super::platform::{NewProposal, On, Proposal, Texts};
use super::stranger::{Seen, until};
use crate::domain::Class;
use crate::domain::fingerprint::WordList;

/// Reading everything of a partner at once takes longer than one change.
const BACKFILL: Duration = Duration::from_mins(2);

const TITLE: &str = "Un abri pour les poussettes devant la maternelle";
const EDITED: &str = "Un abri et un banc devant la maternelle";
const BODY: &str = "Un abri couvert et un banc, contre le mur de la cour.";
const ANSWER: &str = "La Ville retient cette proposition : pose au printemps 2027.";
const COMMENT: &str = "Nous avons fait le même essai, avec succès.";

/// The two cities.
pub(super) struct Cities {
    pub(super) lyon: City,
    pub(super) bordeaux: City,
}

/// One step of the story.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Read,
    Open,
    Pair,
    Backfill,
    Contribute,
    Comment,
    Edit,
    Answer,
    Moderate,
    Withdraw,
    Delete,
    Compare,
}

pub(super) const STORY: [Step; 12] = [
    Step::Read,
    Step::Open,
    Step::Pair,
    Step::Backfill,
    Step::Contribute,
    Step::Comment,
    Step::Edit,
    Step::Answer,
    Step::Moderate,
    Step::Withdraw,
    Step::Delete,
    Step::Compare,
];

impl Step {
    /// What happens.
    pub(super) const fn title(self) -> Say {
        match self {
            Self::Read => Say { fr: "lire les deux plateformes", en: "read both platforms" },
            Self::Open => Say { fr: "ouvrir les deux passerelles", en: "open both gateways" },
            Self::Pair => Say { fr: "comparer les mots, s'abonner", en: "compare the words, follow each other" },
            Self::Backfill => Say { fr: "reprendre ce qui existe déjà", en: "read what was there before" },
            Self::Contribute => Say { fr: "une proposition à Lyon", en: "a new proposal in Lyon" },
            Self::Comment => Say { fr: "un avis à Bordeaux", en: "a comment in Bordeaux" },
            Self::Edit => Say { fr: "son autrice la modifie", en: "its author edits it" },
            Self::Answer => Say { fr: "la Ville de Lyon répond", en: "the city of Lyon answers" },
            Self::Moderate => Say { fr: "la modération masque une proposition", en: "moderation hides a proposal" },
            Self::Withdraw => Say { fr: "un auteur retire la sienne", en: "an author withdraws his" },
            Self::Delete => Say { fr: "une proposition est supprimée", en: "a proposal is deleted" },
            Self::Compare => Say { fr: "comparer ce que tient chaque ville", en: "check what each city holds" },
        }
    }

    /// Makes it happen and waits until it is seen.
    pub(super) async fn play(self, cities: &mut Cities, witness: &mut Witness) -> anyhow::Result<Figures> {
        match self {
            Self::Read => read(cities).await,
            Self::Open => open(cities, witness).await,
            Self::Pair => pair(cities, witness).await,
            Self::Backfill => backfill(cities, witness).await,
            Self::Contribute => contribute(cities, witness).await,
            Self::Comment => comment(cities, witness).await,
            Self::Edit => edit(cities, witness).await,
            Self::Answer => answer(cities, witness).await,
            Self::Moderate => moderate(cities, witness).await,
            Self::Withdraw => withdraw(cities, witness).await,
            Self::Delete => delete(cities, witness).await,
            Self::Compare => compare(cities, witness).await,
        }
    }
}

/// `platform sync NAME`, before any server runs.
async fn read(cities: &Cities) -> anyhow::Result<Figures> {
    let mut figures = Vec::new();
    for city in [&cities.lyon, &cities.bordeaux] {
        city.gateway.command(&["platform", "sync", city.name]).await?;
        let ledger = city.ledger().await?;
        let records = ledger.own().await?.len();
        ledger.close().await;
        ensure!(records > 0, "{} published nothing", city.title);
        figures.push(format!("{} {records}", city.title));
    }
    let figures = figures.join(", ");
    Ok(Figures::new(format!("{figures} fiches"), format!("{figures} records")))
}

/// `serve`, and every contribution is reached by plain links.
async fn open(cities: &mut Cities, witness: &mut Witness) -> anyhow::Result<Figures> {
    let mut figures = Vec::new();
    for city in [&mut cities.lyon, &mut cities.bordeaux] {
        city.open(&witness.stranger).await?;
        witness.keys.insert(city.name, witness.stranger.key_of(&city.public_url).await?);
        witness.ledgers.insert(city.name, city.ledger().await?);
        let linked = crawl::contributions(&witness.stranger, &city.public_url).await?.len();
        let own = witness.ledger(city)?.own().await?;
        let published = own.values().filter(|head| head.class == Class::Contribution && !head.deleted).count();
        ensure!(linked == published && linked > 0, "links lead to {linked} of {published} contributions of {}", city.title);
        figures.push(format!("{} {linked}", city.title));
    }
    let figures = figures.join(", ");
    Ok(Figures::new(format!("{figures} contributions par simples liens"), format!("{figures} contributions by plain links")))
}

/// Each operator compares the words the other one reads out, then accepts.
async fn pair(cities: &Cities, witness: &Witness) -> anyhow::Result<Figures> {
    let (lyon, bordeaux) = (&cities.lyon, &cities.bordeaux);
    for (own, other) in [(lyon, bordeaux), (bordeaux, lyon)] {
        let fingerprint = witness.key(other)?.key.fingerprint();
        let words = [fingerprint.words(WordList::French).join(" "), fingerprint.words(WordList::English).join(" ")];
        let read_out = other.gateway.command(&["partner", "list"]).await?;
        let words = words.into_iter().find(|words| read_out.contains(words.as_str()));
        let Some(words) = words else {
            anyhow::bail!("`partner list` of {} prints other words than its actor's key", other.title)
        };
        own.gateway.command(&["partner", "accept", other.domain.as_str(), "--fingerprint", &words]).await?;
    }
    for (own, other) in [(lyon, bordeaux), (bordeaux, lyon)] {
        let ledger = witness.ledger(own)?;
        let what = format!("{} and {} follow each other in the ledger of {}", own.title, other.title, own.title);
        until(&what, FACT, async || Ok(ledger.is_paired_with(&other.domain).await?.then_some(()))).await?;
        let page = own.public_url.join(&format!("/partners/{}", other.domain))?;
        witness.page("the public page about the partner", &page, |seen| seen.status == 200).await?;
    }
    Ok(Figures::new("mots comparés, chacune suit l'autre", "words compared, each follows the other"))
}

/// What was there before is read through `/actor/records`.
async fn backfill(cities: &Cities, witness: &Witness) -> anyhow::Result<Figures> {
    let mut figures = (Vec::new(), Vec::new());
    for (origin, holder) in [(&cities.lyon, &cities.bordeaux), (&cities.bordeaux, &cities.lyon)] {
        let what = format!("{} holds what {} publishes", holder.title, origin.title);
        until(&what, BACKFILL, async || {
            let differences = witness.differences(origin, holder).await?;
            match differences.first() {
                None => Ok(Some(())),
                Some(first) => anyhow::bail!("{} differences; the first: {first}", differences.len()),
            }
        })
        .await?;
        let held = witness.held_in_public(origin, holder).await?;
        figures.0.push(format!("{} tient {held} de {}", holder.title, origin.title));
        figures.1.push(format!("{} holds {held} of {}", holder.title, origin.title));
    }
    Ok(Figures::new(figures.0.join(", "), figures.1.join(", ")))
}

async fn contribute(cities: &Cities, witness: &Witness) -> anyhow::Result<Figures> {
    let new = NewProposal { component: 1, author: 4, title: TITLE, body: BODY, place: Some((45.7578, 4.8320)) };
    cities.lyon.platform.change(|city| city.add_proposal(&new));
    let id = witness.finds(&cities.lyon, TITLE).await?;
    witness.copy("the new proposal", &id, &cities.lyon, &cities.bordeaux, |seen| seen.status == 200 && seen.shows(TITLE)).await?;
    Ok(Figures::new("Bordeaux la montre, avec accusé de réception", "Bordeaux shows it, with a receipt"))
}

async fn comment(cities: &Cities, witness: &Witness) -> anyhow::Result<Figures> {
    let (number, title) = cities.bordeaux.platform.read(|city| {
        let quiet = city.proposals.iter().find(|p| {
            city.proposal_is_public(p) && !p.withdrawn && !city.comments.iter().any(|c| c.on == On::Proposal && c.root == p.id)
        });
        quiet.map_or((0, String::new()), |p| (p.id, p.title.get("fr").and_then(Value::as_str).unwrap_or_default().to_owned()))
    });
    cities.bordeaux.platform.change(|city| city.add_comment(number, None, 135, 1, COMMENT));
    let id = witness.finds(&cities.bordeaux, &title).await?;
    let shows = |seen: &Seen| seen.status == 200 && seen.shows(COMMENT);
    witness.page("the comment at its origin", id.url(), shows).await?;
    witness.copy("the comment", &id, &cities.bordeaux, &cities.lyon, shows).await?;
    Ok(Figures::new("Lyon montre la discussion", "Lyon shows the discussion"))
}

async fn edit(cities: &Cities, witness: &Witness) -> anyhow::Result<Figures> {
    let id = witness.finds(&cities.lyon, TITLE).await?;
    let number = numbered(cities, TITLE)?;
    cities.lyon.platform.change(|city| city.edit_proposal(number, EDITED, BODY));
    let shows = |seen: &Seen| seen.status == 200 && seen.shows(EDITED) && !seen.shows(TITLE);
    witness.page("the new title at its origin", id.url(), shows).await?;
    witness.copy("the new title", &id, &cities.lyon, &cities.bordeaux, shows).await?;
    Ok(Figures::new("Bordeaux montre la nouvelle version", "Bordeaux shows the new version"))
}

async fn answer(cities: &Cities, witness: &Witness) -> anyhow::Result<Figures> {
    let id = witness.finds(&cities.lyon, EDITED).await?;
    let number = numbered(cities, EDITED)?;
    cities.lyon.platform.change(|city| city.answer(number, "accepted", &format!("<p>{ANSWER}</p>")));
    let shows = |seen: &Seen| seen.status == 200 && seen.shows(ANSWER);
    witness.page("the answer at its origin", id.url(), shows).await?;
    witness.copy("the answer", &id, &cities.lyon, &cities.bordeaux, shows).await?;
    Ok(Figures::new("Bordeaux montre la réponse officielle", "Bordeaux shows the official answer"))
}

async fn moderate(cities: &Cities, witness: &Witness) -> anyhow::Result<Figures> {
    let (number, title, body) = chosen(cities, 4)?;
    let id = witness.finds(&cities.lyon, &title).await?;
    witness.copy("the proposal before", &id, &cities.lyon, &cities.bordeaux, |seen| seen.shows(&title)).await?;
    cities.lyon.platform.change(|city| city.hide(number));
    let silent = |seen: &Seen| seen.status == 200 && !seen.shows(&title) && !seen.shows(&body);
    witness.page("nothing of the hidden proposal at its origin", id.url(), silent).await?;
    let hidden = |document: &Value| document.get("moderationState").and_then(Value::as_str) == Some("hidden");
    witness.record("the hidden record", &id, &cities.lyon, hidden).await?;
    witness.copy("nothing of the hidden proposal", &id, &cities.lyon, &cities.bordeaux, silent).await?;
    Ok(Figures::new("masquée à Lyon et à Bordeaux", "hidden in Lyon and in Bordeaux"))
}

async fn withdraw(cities: &Cities, witness: &Witness) -> anyhow::Result<Figures> {
    let (number, title, body) = chosen(cities, 13)?;
    let id = witness.finds(&cities.lyon, &title).await?;
    witness.copy("the proposal before", &id, &cities.lyon, &cities.bordeaux, |seen| seen.shows(&body)).await?;
    cities.lyon.platform.change(|city| city.withdraw(number));
    let withdrawn = |document: &Value| document.get("authorState").and_then(Value::as_str) == Some("withdrawn");
    witness.record("the withdrawn record", &id, &cities.lyon, withdrawn).await?;
    let bare = |seen: &Seen| seen.status == 200 && seen.shows(&title) && !seen.shows(&body);
    witness.page("the title without the text at its origin", id.url(), bare).await?;
    witness.copy("the title without the text", &id, &cities.lyon, &cities.bordeaux, bare).await?;
    Ok(Figures::new("le titre reste, le texte part, dans les deux villes", "title kept, text gone, in both cities"))
}

async fn delete(cities: &Cities, witness: &Witness) -> anyhow::Result<Figures> {
    let id = witness.finds(&cities.lyon, EDITED).await?;
    let number = numbered(cities, EDITED)?;
    cities.lyon.platform.change(|city| city.delete_proposal(number));
    let gone = |seen: &Seen| seen.status == 410 && !seen.shows(EDITED);
    witness.page("the deleted proposal at its origin", id.url(), gone).await?;
    let copy = cities.bordeaux.copy_page(&id, Class::Contribution)?;
    witness.page("the deleted proposal at Bordeaux", &copy, gone).await?;
    witness.purge(&id, &cities.lyon, &cities.bordeaux).await?;
    Ok(Figures::new("Lyon 410, Bordeaux 410, reçu d'effacement vérifié", "Lyon 410, Bordeaux 410, purge receipt verified"))
}

/// Nothing is on its way any more, and both hold what the other publishes.
async fn compare(cities: &Cities, witness: &Witness) -> anyhow::Result<Figures> {
    backfill(cities, witness).await?;
    Ok(Figures::new("0 différence, toutes les preuves vérifiées", "0 differences, every proof verified"))
}

/// The platform's number of the proposal with this title: people know it, the gateways' checks do not need it.
fn numbered(cities: &Cities, title: &str) -> anyhow::Result<u64> {
    let titled = |p: &&Proposal| p.title.get("fr").and_then(Value::as_str) == Some(title);
    let number = cities.lyon.platform.read(|city| city.proposals.iter().find(titled).map(|p| p.id));
    number.ok_or_else(|| anyhow::anyhow!("nobody published « {title} » in Lyon"))
}

/// Number, title and first sentence of a proposal of Lyon's platform, which no other has the title of.
fn chosen(cities: &Cities, number: u64) -> anyhow::Result<(u64, String, String)> {
    let french = |texts: &Texts| texts.get("fr").and_then(Value::as_str).unwrap_or_default().to_owned();
    let texts = cities.lyon.platform.read(|city| {
        let chosen = city.proposal(number).map(|p| (french(&p.title), french(&p.body)))?;
        (city.proposals.iter().filter(|p| french(&p.title) == chosen.0).count() == 1).then_some(chosen)
    });
    let Some((title, body)) = texts else { anyhow::bail!("proposal {number} of Lyon is not the only one of its title") };
    let first = body.split(['.', '\n']).next().unwrap_or_default().to_owned();
    Ok((number, title, first))
}
