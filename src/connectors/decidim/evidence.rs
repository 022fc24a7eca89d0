//! What shows that an item is public: the proofs that the profile demands, tried in its order.

use url::Url;

use super::client::Polite;
use super::open_data::{COMMENTS, OpenData};
use super::pages::page_status;
use crate::connectors::{ConnectorError, PageStatus, ReadPlan};
use crate::domain::source::{Evidence, ProofKind};

/// What the proofs say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may be sent out, with this evidence (which can be that nothing proves it).
    Known(Evidence),
    /// Its own page does not show it.
    Withheld(String),
}

/// An item whose being public is to be shown.
pub(super) struct Question<'a> {
    pub(super) entity: &'a str,
    pub(super) id: &'a str,
    /// The item's *own* page, if it has one.
    pub(super) page: Option<&'a Url>,
    /// Whether the open data are where the item was read: they prove nothing then that its own page can show.
    pub(super) from_open_data: bool,
    /// What the item hangs on: nothing is more public than that.
    pub(super) parent: Option<&'a Evidence>,
}

/// The file of the open data that lists an entity.
const fn file_of(entity: &str) -> Option<&'static str> {
    match entity.as_bytes() {
        b"participatory_process" => Some("participatory_processes"),
        b"proposal" => Some("proposals"),
        b"meeting" => Some("meetings"),
        b"result" => Some("results"),
        b"project" => Some("projects"),
        // One of the three tables of comments; the witness knows which.
        b"comment" => Some(COMMENTS),
        _ => None,
    }
}

/// Tries the demanded proofs in their order.
pub(super) async fn prove(
    polite: &Polite,
    plan: &ReadPlan,
    open_data: &OpenData,
    question: Question<'_>,
) -> Result<Verdict, ConnectorError> {
    if let Some(Evidence::Unproven { reason }) = question.parent {
        let reason = format!("what it belongs to is not proven public ({reason})");
        return Ok(Verdict::Known(Evidence::Unproven { reason }));
    }
    let mut reasons = Vec::new();
    for &proof in plan.proofs_for(question.entity) {
        let proven = Verdict::Known(Evidence::Proven { by: proof });
        match proof {
            ProofKind::SingleSource => return Ok(proven),
            ProofKind::OpenDataCsv if question.from_open_data && question.page.is_some() => {
                reasons.push("it is in the open data only".to_owned());
            }
            ProofKind::OpenDataCsv => match listed(open_data, &question) {
                Ok(()) => return Ok(proven),
                Err(reason) => reasons.push(reason),
            },
            ProofKind::PublicPage => match question.page {
                None => reasons.push("it has no page of its own".to_owned()),
                Some(page) => match page_status(polite, page).await? {
                    PageStatus::Public => return Ok(proven),
                    PageStatus::Hidden(status) => return Ok(Verdict::Withheld(format!("its own page answers {status}"))),
                    PageStatus::Unclear(status) => reasons.push(format!("its own page answers {status}")),
                },
            },
        }
    }
    if reasons.is_empty() {
        reasons.push("the profile accepts no proof for it".to_owned());
    }
    Ok(Verdict::Known(Evidence::Unproven { reason: reasons.join("; ") }))
}

fn listed(open_data: &OpenData, question: &Question<'_>) -> Result<(), String> {
    let Some(witness) = open_data.witness() else { return Err(open_data.silence()) };
    match file_of(question.entity).and_then(|file| witness.lists(file, question.id)) {
        Some(true) => Ok(()),
        Some(false) => Err("the platform's open data do not list it (yet)".to_owned()),
        None => Err("the platform's open data have no file for it".to_owned()),
    }
}
