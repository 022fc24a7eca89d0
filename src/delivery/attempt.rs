//! One attempt to hand one activity to one partner, as a value that changes its type:
//! [`Prepared`] → [`Sent`], [`Refused`] or [`Unreachable`]. No transaction is open meanwhile.

use bytes::Bytes;
use http::HeaderValue;
use http::header::{ACCEPT, CONTENT_TYPE};
use url::Url;

use crate::domain::digest::Digest;
use crate::domain::partner::{Partner, PartnerKind};
use crate::domain::{Clock, PartnerDomain, Timestamp};
use crate::federation::receipts::{self, Delivered, Pinned};
use crate::federation::{Federation, knock};
use crate::outbound::{Limits, Request, retry_after};
use crate::store::Preference;

use super::answer::{Answer, AnswerClass, Proof, keep};

/// The media type that activities travel as.
const ACTIVITY_JSON: HeaderValue = HeaderValue::from_static("application/activity+json");
/// What we read of an answer: a receipt, or a problem.
const ANSWERS: HeaderValue = HeaderValue::from_static("application/activity+json, application/problem+json;q=0.9");

/// An activity that is ready to leave.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// To whom.
    pub partner: Partner,
    /// Where: the partner's inbox, or one of the accounts of a reader server.
    pub inbox: String,
    /// When it was claimed for this attempt.
    pub began: Timestamp,
    /// The id of the activity: the same at every attempt, so that the partner knows a repetition.
    pub activity: String,
    /// The record it carries, or the activity itself.
    pub subject: String,
    /// The digest of what it carries.
    pub digest: Digest,
    /// The activity.
    pub body: Bytes,
    /// What the host of the inbox showed of the signatures it reads; a partner's pinned keys say it.
    pub known: Option<Preference>,
}

/// What became of an attempt.
#[derive(Debug, Clone)]
pub enum Attempted {
    /// The partner said yes; with proof or without.
    Sent(Sent),
    /// The partner said no, or not now.
    Refused(Refused),
    /// There was no answer.
    Unreachable(Unreachable),
}

/// An answer of the 2xx kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its status.
    pub status: u16,
    /// The receipt that proves it, verified, as it was received.
    pub receipt: Option<String>,
    /// Whether the partner owes a receipt and gave none that holds, and why it does not.
    pub unconfirmed: Option<String>,
}

/// Any other answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its status.
    pub status: u16,
    /// What it means.
    pub class: AnswerClass,
    /// The `code` of its problem document.
    pub code: Option<String>,
    /// What it says, cut short.
    pub words: String,
}

/// No answer, or none that could be read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable {
    /// Why, without anything of a body.
    pub reason: String,
}

impl Attempted {
    /// The partner has it, with the proof it owes.
    #[must_use]
    pub const fn arrived(&self) -> bool {
        matches!(self, Self::Sent(Sent { unconfirmed: None, .. }))
    }
}

impl Prepared {
    /// To which partner.
    #[must_use]
    pub const fn domain(&self) -> &PartnerDomain {
        &self.partner.domain
    }

    /// Sends it, signed as the receiver reads it; a reader server that refuses one signature is offered the
    /// other.
    pub async fn send(&self, federation: &Federation, limits: Limits) -> Attempted {
        let unreachable = |reason: &str| Attempted::Unreachable(Unreachable { reason: keep(reason) });
        let Ok(url) = self.inbox.parse::<Url>() else { return unreachable("the pinned inbox is not an address") };
        let request =
            Request::post(url, self.body.clone()).within(limits).header(CONTENT_TYPE, ACTIVITY_JSON).header(ACCEPT, ANSWERS);
        let response = match knock::send_as_known(federation, self.partner.kind, self.known, request).await {
            Ok(response) => response,
            Err(error) => return unreachable(&error.to_string()),
        };
        let now = federation.now();
        let content_type = response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let answer = Answer {
            status: response.status.as_u16(),
            content_type,
            retry_after: retry_after(&response.headers, now),
            body: response.body,
        };
        self.judge(&answer, federation.clock.as_ref())
    }

    /// What an answer means.
    fn judge(&self, answer: &Answer, clock: &dyn Clock) -> Attempted {
        let owed = self.partner.kind == PartnerKind::Partner && (200..300).contains(&answer.status);
        let (proof, receipt, unconfirmed) = match owed.then(|| self.receipt(answer, clock)) {
            Some(Ok(receipt)) => (Proof::Holds, Some(receipt), None),
            Some(Err(doubt)) => (Proof::Lacks, None, Some(keep(&doubt))),
            None => (Proof::NotOwed, None, None),
        };
        match answer.class(proof) {
            AnswerClass::Acknowledged | AnswerClass::Unconfirmed => {
                Attempted::Sent(Sent { status: answer.status, receipt, unconfirmed })
            }
            class => {
                Attempted::Refused(Refused { status: answer.status, class, code: answer.problem_code(), words: answer.words() })
            }
        }
    }

    fn receipt(&self, answer: &Answer, clock: &dyn Clock) -> Result<String, String> {
        let text = std::str::from_utf8(&answer.body).map_err(|_| "the answer is not text".to_owned())?;
        let document = serde_json::from_str(text).map_err(|_| "the answer is not JSON".to_owned())?;
        let pinned = Pinned::of(&self.partner).map_err(|error| error.to_string())?;
        let sent = Delivered { activity: &self.activity, subject: &self.subject, digest: &self.digest };
        receipts::read_delivery(&document, &pinned, &sent, clock.now()).map_err(|error| error.to_string())?;
        Ok(text.to_owned())
    }
}
