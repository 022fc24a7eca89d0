use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{Common, Trouble};
use crate::app::Gateway;
use crate::domain::fingerprint::WordList;
use crate::domain::partner::{Partner, PartnerKind};
use crate::domain::{ActorId, PartnerDomain, Timestamp};
use crate::federation::pairing::{self, Introduction};
use crate::federation::retry;
use crate::store::{OpenRecalls, PartnerHealth};

/// The allow-list.
#[derive(Debug, Subcommand)]
pub(super) enum PartnerCommand {
    /// Lists a partner and follows it.
    ///
    /// The fingerprint is what the partner reads out to you by telephone: its
    /// eight words (French or English), its sixteen digits, or the whole key.
    #[command(after_help = "Example:
  passerelle partner accept bordeaux.example \\
    --fingerprint \"abricot lanterne octobre miroir falaise neutre pinceau wagon\"")]
    Accept {
        /// Host of the partner's public address, with its port if unusual.
        domain: PartnerDomain,
        /// Eight words, sixteen digits, or the key `z6Mk…`.
        #[arg(long, value_name = "F", required_unless_present = "reader", conflicts_with = "reader")]
        fingerprint: Option<String>,
        /// A Fediverse server that only reads what is public.
        #[arg(long)]
        reader: bool,
    },
    /// Our own fingerprint, then everyone on the allow-list.
    #[command(after_help = "Example:\n  passerelle partner list --json")]
    List,
    /// Tries again what waits for a person.
    ///
    /// What we set aside of a partner, and what is parked or rejected for it,
    /// begins anew; a running gateway takes it up at once.
    #[command(after_help = "Example:\n  passerelle partner retry bordeaux.example")]
    Retry {
        /// The partner's domain, as `partner list` shows it.
        domain: PartnerDomain,
    },
}

impl PartnerCommand {
    pub(super) async fn run(self, common: &Common) -> Result<ExitCode, Trouble> {
        let gateway = Gateway::open(common.load()?).await?;
        let done = match self {
            Self::Accept { domain, fingerprint, .. } => accept(common, &gateway, &domain, fingerprint).await,
            Self::List => list(common, &gateway).await,
            Self::Retry { domain } => retry(common, &gateway, &domain).await,
        };
        gateway.close().await;
        done
    }
}

async fn accept(
    common: &Common,
    gateway: &Gateway,
    domain: &PartnerDomain,
    fingerprint: Option<String>,
) -> Result<ExitCode, Trouble> {
    let introduction = fingerprint.map_or(Introduction::Reader, Introduction::Fingerprint);
    let accepted = pairing::accept(&gateway.federation, domain, &introduction).await.map_err(anyhow::Error::from)?;
    let partner = &accepted.partner;
    let counts = gateway.federation.store.read().await.map_err(anyhow::Error::from)?.follower_counts().await;
    let followers = counts.map_err(anyhow::Error::from)?.get(domain).copied().unwrap_or(0);
    common.output().data(
        || {
            let listed = if accepted.new { "listed" } else { "listed again" };
            let follow = if accepted.follow_sent { "\nour Follow is on its way; it is answered once they accept us too" } else { "" };
            format!("{} ({domain}) is {listed} as {}{follow}\nNext: passerelle partner list", partner.name, partner.kind)
        },
        || json!({"schema": "passerelle.partner/1", "partner": row(partner, followers), "new": accepted.new, "followSent": accepted.follow_sent}),
    );
    Ok(ExitCode::SUCCESS)
}

async fn retry(common: &Common, gateway: &Gateway, domain: &PartnerDomain) -> Result<ExitCode, Trouble> {
    let retried = retry::retry(&gateway.federation, domain).await.map_err(anyhow::Error::from)?.ok_or_else(|| {
        Trouble::call("partner.unknown", format!("`{domain}` is not on the list")).help("passerelle partner list shows who is")
    })?;
    common.output().data(
        || {
            format!(
                "{domain}: {} of its activities, {} deliveries and {} letters to it are tried again now\nNext: passerelle partner list",
                retried.activities, retried.deliveries, retried.letters
            )
        },
        || {
            json!({
                "schema": "passerelle.retry/1", "partner": domain, "activities": retried.activities,
                "deliveries": retried.deliveries, "letters": retried.letters,
            })
        },
    );
    Ok(ExitCode::SUCCESS)
}

async fn list(common: &Common, gateway: &Gateway) -> Result<ExitCode, Trouble> {
    let key = gateway.federation.keys.multikey();
    let print = key.fingerprint();
    let (french, english) = (print.words(WordList::French).join(" "), print.words(WordList::English).join(" "));
    let mut tx = gateway.federation.store.read().await.map_err(anyhow::Error::from)?;
    let mut partners = Vec::new();
    for partner in tx.list_partners().await.map_err(anyhow::Error::from)? {
        let health = tx.partner_health(&partner.domain).await.map_err(anyhow::Error::from)?;
        partners.push((partner, health));
    }
    let recalls = tx.open_recalls().await.map_err(anyhow::Error::from)?;
    let followers = tx.follower_counts().await.map_err(anyhow::Error::from)?;
    let followers = |partner: &Partner| followers.get(&partner.domain).copied().unwrap_or(0);
    let now = gateway.federation.now();
    common.output().data(
        || {
            let mut text = format!(
                "{}\nwords   {french}\n        {english}\ndigits  {}\nkey     {key}\n",
                PartnerDomain::of(&gateway.federation.public_url),
                grouped(&print.digits()),
            );
            if partners.is_empty() {
                text.push_str("\nNobody is listed yet. Next: passerelle partner accept DOMAIN --fingerprint \"their words\"");
            } else {
                let width = partners.iter().map(|(partner, _)| partner.domain.as_str().len()).max().unwrap_or(0);
                text.push_str(&format!("\n{:width$}  kind     follows us  followed  followers  name\n", "domain"));
                for (partner, _) in &partners {
                    text.push_str(&format!(
                        "{:width$}  {:7}  {:10}  {:8}  {:>9}  {}\n",
                        partner.domain.as_str(),
                        partner.kind.word(),
                        partner.follows_us.word(),
                        partner.followed.word(),
                        if partner.kind == PartnerKind::Reader { followers(partner).to_string() } else { "-".to_owned() },
                        partner.name
                    ));
                }
            }
            for line in needs_a_look(&partners, &recalls, now) {
                text.push_str(&format!("\n{line}"));
            }
            text
        },
        || {
            json!({
                "schema": "passerelle.partners/1",
                "domain": PartnerDomain::of(&gateway.federation.public_url),
                "actor": ActorId::as_str(gateway.federation.actor()),
                "fingerprint": {"fr": french, "en": english, "digits": print.digits(), "key": key.to_string()},
                "partners": partners
                    .iter()
                    .map(|(partner, health)| standing(row(partner, followers(partner)), partner, health.as_ref(), &recalls))
                    .collect::<Vec<_>>(),
            })
        },
    );
    Ok(ExitCode::SUCCESS)
}

fn row(partner: &Partner, followers: u64) -> Value {
    json!({
        "domain": partner.domain,
        "kind": partner.kind,
        "name": partner.name,
        "actor": partner.actor,
        "key": partner.key,
        "followsUs": partner.follows_us,
        "followed": partner.followed,
        "followers": (partner.kind == PartnerKind::Reader).then_some(followers),
        "since": partner.since,
    })
}

/// The row of a listed partner, with how it is reached and what is open there.
fn standing(mut row: Value, partner: &Partner, health: Option<&PartnerHealth>, recalls: &[OpenRecalls]) -> Value {
    if let Some(health) = health {
        row["failingSince"] = json!(health.failing_since);
        row["blocked"] = json!(health.blocked);
        row["nextProbe"] = json!(health.next_probe);
        row["lastSuccess"] = json!(health.last_success);
    }
    row["recalls"] = recalls
        .iter()
        .find(|recalls| recalls.partner == partner.domain)
        .map_or_else(|| json!({"open": 0}), |recalls| json!({"open": recalls.open, "oldest": recalls.oldest}));
    row
}

/// What a person should know of partners: who fails since when, and what is not proven erased.
fn needs_a_look(partners: &[(Partner, Option<PartnerHealth>)], recalls: &[OpenRecalls], now: Timestamp) -> Vec<String> {
    let failing = partners.iter().filter_map(|(partner, health)| {
        let health = health.as_ref()?;
        let since = health.failing_since?;
        let why = health.blocked.as_deref().map_or_else(|| "does not answer".to_owned(), |why| format!("refuses ({why})"));
        let next = health.next_probe.map_or_else(String::new, |next| format!("; next try {next}"));
        Some(format!("{}: {why} since {since}{next}", partner.domain))
    });
    let open = recalls.iter().map(|recalls| {
        let OpenRecalls { partner, open, oldest } = recalls;
        let days = now.since(*oldest).as_secs() / 86_400;
        format!("{partner}: recalled and not proven erased: {open}, the oldest on {oldest} ({days} days ago); it is asked for until it is")
    });
    failing.chain(open).collect()
}

/// Digits four by four.
fn grouped(digits: &str) -> String {
    digits.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four).into_owned()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::partner::FollowState;
    use crate::store::partners::Failures;

    #[test]
    fn gdpr_03_whoever_lists_partners_sees_who_fails_and_what_is_not_erased() {
        let at = |text: &str| -> Timestamp { text.parse().expect("a time") };
        let partner = Partner {
            domain: "bordeaux.example".parse().expect("a domain"),
            kind: PartnerKind::Partner,
            actor: "https://bordeaux.example/actor".parse().expect("an address"),
            name: "Bordeaux".to_owned(),
            inbox: "https://bordeaux.example/actor/inbox".to_owned(),
            records: None,
            key: None,
            key_id: None,
            rsa: None,
            follows_us: FollowState::Accepted,
            followed: FollowState::Accepted,
            since: at("2026-01-01T00:00:00Z"),
        };
        let health = PartnerHealth {
            domain: partner.domain.clone(),
            failures: Failures(9),
            failing_since: Some(at("2026-11-01T08:00:00Z")),
            blocked: None,
            next_probe: Some(at("2026-11-21T14:00:00Z")),
            last_success: None,
        };
        let recalls = [OpenRecalls { partner: partner.domain.clone(), open: 2, oldest: at("2026-11-01T09:00:00Z") }];
        let listed = [(partner, Some(health))];
        let lines = needs_a_look(&listed, &recalls, at("2026-11-21T12:00:00Z"));
        assert_eq!(
            lines,
            [
                "bordeaux.example: does not answer since 2026-11-01T08:00:00Z; next try 2026-11-21T14:00:00Z",
                "bordeaux.example: recalled and not proven erased: 2, the oldest on 2026-11-01T09:00:00Z (20 days ago); \
                 it is asked for until it is",
            ]
        );
        let plain = || super::row(&listed[0].0, 0);
        let row = standing(plain(), &listed[0].0, listed[0].1.as_ref(), &recalls);
        assert_eq!((&row["recalls"]["open"], &row["failingSince"]), (&json!(2), &json!("2026-11-01T08:00:00Z")));
        assert_eq!(standing(plain(), &listed[0].0, None, &[])["recalls"], json!({"open": 0}));
    }
}
