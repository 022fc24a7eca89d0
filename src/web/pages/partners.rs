//! `/partners`: with whom this city exchanges, and the numbers of the ledger: sent, acknowledged,
//! received, recalled, purged with a receipt (interface.md §5.3).

use std::str::FromStr;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;

use super::page;
use crate::domain::fingerprint::WordList;
use crate::domain::id::PartnerDomain;
use crate::domain::partner::{FollowState, Partner, PartnerKind};
use crate::store::{CopyStanding, Disclosure, DisclosureState, OpenRecalls};
use crate::web::answer::Answer;
use crate::web::error::WebError;
use crate::web::frame::Frame;
use crate::web::html::Html;
use crate::web::i18n::{Arg, Texts};
use crate::web::language::Language;
use crate::web::names::place_of;
use crate::web::reading::Reading;
use crate::web::state::WebState;
use crate::web::urls::Address;
use crate::web::view::state::Tag;
use crate::web::visit::{InPath, Visit};

/// The list of partners.
#[derive(Debug, Template)]
#[template(path = "partners.html", config = "src/web/askama.toml")]
pub struct PartnersPage {
    /// The frame.
    pub f: Frame,
    /// One row a partner.
    pub rows: Vec<Row>,
}

/// One partner in the list.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Its domain.
    pub domain: PartnerDomain,
    /// The page about it.
    pub href: String,
    /// Partner gateway or reading server.
    pub kind: String,
    /// Since when.
    pub since: Html,
    /// Records of ours it acknowledged.
    pub sent: String,
    /// Records of its that we hold.
    pub received: String,
}

/// The page about one partner.
#[derive(Debug, Template)]
#[template(path = "partner.html", config = "src/web/askama.toml")]
pub struct PartnerPage {
    /// The frame.
    pub f: Frame,
    /// How things stand.
    pub state: Tag,
    /// Its domain.
    pub domain: PartnerDomain,
    /// Its name.
    pub name: String,
    /// Kind, since when.
    pub summary_line: Vec<Html>,
    /// What flows each way, in words.
    pub flows: Vec<Html>,
    /// The ledger.
    pub numbers: Vec<Figure>,
    /// The link to what we hold of it; of a server that only reads there is nothing.
    pub held: Option<Html>,
    /// Its key, as people compare it.
    pub key: Option<KeyView>,
}

/// One figure of the ledger.
#[derive(Debug, Clone)]
pub struct Figure {
    /// What is counted.
    pub what: String,
    /// How many.
    pub n: String,
    /// What it means.
    pub meaning: String,
}

/// A key as people compare it by telephone.
#[derive(Debug, Clone)]
pub struct KeyView {
    /// Eight words.
    pub words: String,
    /// The language of the words.
    pub words_lang: &'static str,
    /// Sixteen digits.
    pub digits: String,
    /// The actor.
    pub actor: String,
}

/// The ledger of one partner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Records of ours that were sent at all and not recalled.
    pub sent: u64,
    /// Of these, acknowledged by a receipt.
    pub acknowledged: u64,
    /// Waiting to be sent.
    pub waiting: u64,
    /// Refused by the partner, or set aside after many tries.
    pub refused: u64,
    /// Recalled: deletions asked.
    pub recalled: u64,
    /// Of these, erased with a receipt.
    pub purged: u64,
    /// Records of the partner that we show.
    pub received: u64,
    /// Records of the partner that it called back and we erased.
    pub erased_here: u64,
}

/// Whether a partner holds or may hold a record, or once held it.
#[must_use]
pub fn was_sent(disclosure: &Disclosure) -> bool {
    disclosure.offered || is_purged(disclosure)
}

/// Whether a partner answered with a receipt that it erased a record.
#[must_use]
pub fn is_purged(disclosure: &Disclosure) -> bool {
    disclosure.state == DisclosureState::Purged
}

/// `GET /partners`.
pub async fn list(State(web): State<WebState>, visit: Visit) -> Result<Answer, WebError> {
    let mut reading = web.reading(&visit).await?;
    let mut rows = Vec::new();
    for partner in reading.partners.clone() {
        let ledger = ledger(&mut reading, &partner.domain).await?;
        let desk = &reading.desk;
        rows.push(Row {
            href: desk.link(&Address::partner(&partner.domain)),
            kind: kind(&desk.texts, &partner),
            since: desk.texts.day_tag(partner.since),
            sent: desk.texts.number(ledger.acknowledged),
            received: desk.texts.number(ledger.received),
            name: partner.name,
            domain: partner.domain,
        });
    }
    let f = reading.desk.frame(reading.desk.texts.say("partners-title"), Address::partners());
    page(StatusCode::OK, &PartnersPage { f, rows })
}

/// `GET /partners/{domain}`.
pub async fn partner(State(web): State<WebState>, InPath(domain): InPath<String>, visit: Visit) -> Result<Answer, WebError> {
    let domain = PartnerDomain::from_str(&domain).map_err(|_| WebError::NotFound)?;
    let mut reading = web.reading(&visit).await?;
    let partner = reading.tx().lookup_partner(&domain).await?.ok_or(WebError::NotFound)?;
    let health = reading.tx().partner_health(&domain).await?;
    let ledger = ledger(&mut reading, &domain).await?;
    let recalls = reading.tx().open_recalls().await?.into_iter().find(|recalls| recalls.partner == domain);
    let desk = &reading.desk;
    let texts = &desk.texts;
    let blocked = health.as_ref().and_then(|health| health.blocked.clone());
    let mut summary_line =
        vec![Html::text(&kind(texts, &partner)), texts.html("partner-since", &[("day", Arg::Day(partner.since))])];
    if let Some(at) = health.and_then(|health| health.last_success) {
        summary_line.push(texts.html("partner-last", &[("when", Arg::Moment(at))]));
    }
    let view = PartnerPage {
        f: desk
            .frame(texts.plain("partner-title", &[("city", Arg::Name(&place_of(&partner.name)))]), Address::partner(&domain))
            .after(Html::text(&texts.say("nav-partners")), &Address::partners()),
        state: standing(texts, &partner, blocked.is_some()),
        summary_line,
        flows: flows(texts, &partner, &desk.city),
        numbers: figures(texts, &ledger, recalls.as_ref()),
        held: (partner.kind == PartnerKind::Partner).then(|| {
            let words = texts.html("held-link", &[("city", Arg::Name(&place_of(&partner.name)))]);
            Html::link(&desk.link(&Address::held(&domain)), &words)
        }),
        key: key_view(texts, &partner),
        name: partner.name,
        domain,
    };
    page(StatusCode::OK, &view)
}

async fn ledger(reading: &mut Reading, domain: &PartnerDomain) -> Result<Ledger, WebError> {
    let mut ledger = Ledger::default();
    for (state, offered, n) in reading.tx().disclosure_tally(domain).await? {
        match state {
            DisclosureState::Purged => {
                ledger.purged += n;
                ledger.recalled += n;
                continue;
            }
            DisclosureState::PurgeAsked => {
                ledger.recalled += n;
                continue;
            }
            DisclosureState::Acknowledged => ledger.acknowledged += n,
            DisclosureState::Rejected | DisclosureState::Parked => ledger.refused += n,
            DisclosureState::Due | DisclosureState::Sending | DisclosureState::Unconfirmed => ledger.waiting += n,
        }
        if offered {
            ledger.sent += n;
        }
    }
    for (standing, n) in reading.tx().copy_counts(domain).await? {
        match standing {
            CopyStanding::Live | CopyStanding::Hidden => ledger.received += n,
            CopyStanding::Deleted => ledger.erased_here += n,
            CopyStanding::Frozen | CopyStanding::Quarantined => {}
        }
    }
    Ok(ledger)
}

fn figures(texts: &Texts, ledger: &Ledger, recalls: Option<&OpenRecalls>) -> Vec<Figure> {
    let rows = [
        ("sent", ledger.sent),
        ("acknowledged", ledger.acknowledged),
        ("waiting", ledger.waiting),
        ("refused", ledger.refused),
        ("recalled", ledger.recalled),
        ("purged", ledger.purged),
        ("received", ledger.received),
        ("erased-here", ledger.erased_here),
    ];
    let figure = |(key, n): (&str, u64)| Figure {
        what: texts.say(&format!("ledger-{key}")),
        n: texts.number(n),
        meaning: texts.say(&format!("ledger-{key}-means")),
    };
    let mut figures: Vec<Figure> = rows.into_iter().map(figure).collect();
    // Beside what was recalled and purged: what is not proven yet, and since when (GDPR-03).
    let open = Figure {
        what: texts.say("ledger-open"),
        n: texts.number(recalls.map_or(0, |recalls| recalls.open)),
        meaning: recalls.map_or_else(
            || texts.say("ledger-open-means"),
            |recalls| texts.plain("ledger-open-since", &[("when", Arg::Moment(recalls.oldest))]),
        ),
    };
    let place = figures.iter().position(|figure| figure.what == texts.say("ledger-received")).unwrap_or(figures.len());
    figures.insert(place, open);
    figures
}

fn flows(texts: &Texts, partner: &Partner, city: &str) -> Vec<Html> {
    let (partner_place, place) = (place_of(&partner.name), place_of(city));
    let values = [("partner", Arg::Name(&partner_place)), ("city", Arg::Name(&place))];
    let out = match partner.follows_us {
        FollowState::Accepted => "flow-out",
        _ => "flow-out-none",
    };
    let into = match partner.followed {
        FollowState::Accepted => "flow-in",
        FollowState::Pending => "flow-in-pending",
        _ => "flow-in-none",
    };
    [out, into].into_iter().map(|key| texts.html(key, &values)).collect()
}

fn standing(texts: &Texts, partner: &Partner, blocked: bool) -> Tag {
    let connected = partner.follows_us == FollowState::Accepted || partner.followed == FollowState::Accepted;
    let (key, tint) = match (blocked, connected) {
        (true, _) => ("partner-blocked", "bad"),
        (false, true) => ("partner-connected", "good"),
        (false, false) => ("partner-waiting", "wait"),
    };
    Tag { word: texts.say(key), tint }
}

fn kind(texts: &Texts, partner: &Partner) -> String {
    match partner.kind {
        PartnerKind::Partner => texts.say("partner-kind-partner"),
        PartnerKind::Reader => texts.say("partner-kind-reader"),
    }
}

fn key_view(texts: &Texts, partner: &Partner) -> Option<KeyView> {
    let fingerprint = partner.key.as_ref()?.fingerprint();
    let list = match texts.language() {
        Language::French => WordList::French,
        Language::English => WordList::English,
    };
    let digits = fingerprint.digits();
    let fours: Vec<&str> = (0..4).filter_map(|n| digits.get(n * 4..n * 4 + 4)).collect();
    Some(KeyView {
        words: fingerprint.words(list).join(" "),
        words_lang: texts.language().tag(),
        digits: fours.join(" "),
        actor: partner.actor.to_string(),
    })
}
