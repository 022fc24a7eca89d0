use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{Common, Trouble};
use crate::app::Gateway;
use crate::domain::fingerprint::WordList;
use crate::domain::partner::Partner;
use crate::domain::{ActorId, PartnerDomain};
use crate::federation::pairing::{self, Introduction};
use crate::federation::retry;

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
    let accepted = pairing::accept(&gateway.federation, domain, &introduction)
        .await
        .map_err(|error| Trouble::failed("partner.not-accepted", error.to_string()))?;
    let partner = &accepted.partner;
    common.output().data(
        || {
            let listed = if accepted.new { "listed" } else { "listed again" };
            let follow = if accepted.follow_sent { "\nour Follow is on its way; it is answered once they accept us too" } else { "" };
            format!("{} ({domain}) is {listed} as {}{follow}\nNext: passerelle partner list", partner.name, partner.kind)
        },
        || json!({"schema": "passerelle.partner/1", "partner": row(partner), "new": accepted.new, "followSent": accepted.follow_sent}),
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
    let partners = tx.list_partners().await.map_err(anyhow::Error::from)?;
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
                let width = partners.iter().map(|partner| partner.domain.as_str().len()).max().unwrap_or(0);
                text.push_str(&format!("\n{:width$}  kind     follows us  followed  name\n", "domain"));
                for partner in &partners {
                    text.push_str(&format!(
                        "{:width$}  {:7}  {:10}  {:8}  {}\n",
                        partner.domain.as_str(),
                        partner.kind.word(),
                        partner.follows_us.word(),
                        partner.followed.word(),
                        partner.name
                    ));
                }
            }
            text
        },
        || {
            json!({
                "schema": "passerelle.partners/1",
                "domain": PartnerDomain::of(&gateway.federation.public_url),
                "actor": ActorId::as_str(gateway.federation.actor()),
                "fingerprint": {"fr": french, "en": english, "digits": print.digits(), "key": key.to_string()},
                "partners": partners.iter().map(row).collect::<Vec<_>>(),
            })
        },
    );
    Ok(ExitCode::SUCCESS)
}

fn row(partner: &Partner) -> Value {
    json!({
        "domain": partner.domain,
        "kind": partner.kind,
        "name": partner.name,
        "actor": partner.actor,
        "key": partner.key,
        "followsUs": partner.follows_us,
        "followed": partner.followed,
        "since": partner.since,
    })
}

/// Digits four by four.
fn grouped(digits: &str) -> String {
    digits.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four).into_owned()).collect::<Vec<_>>().join(" ")
}
