//! What a partner's answer means for the delivery (security.md §3.2, "answer classes"). Pure: the
//! receipt has been read and verified before, or was not there.

use std::time::Duration;

/// The codes of a 403 that speak of the item, not of us.
const ABOUT_THE_ITEM: [&str; 3] = ["origin", "not-owner", "not-covered"];
/// The most we keep of what a partner says, in characters.
const KEPT_WORDS: usize = 200;

/// What came back over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `Content-Type`, when there is one.
    pub content_type: Option<String>,
    /// How long the partner asks us to wait (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// The body, cut at the limit of the client.
    pub body: bytes::Bytes,
}

/// Whether a 2xx comes with the receipt that a gateway owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It does, and the receipt holds.
    Holds,
    /// It does not, or the receipt does not hold.
    Lacks,
    /// The receiver is no gateway.
    NotOwed,
}

/// What to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerClass {
    /// Settled; by a partner always with the receipt that proves it.
    Acknowledged,
    /// The partner said yes but proved nothing: send once more, then ask for its state.
    Unconfirmed,
    /// It may pass by itself.
    Transient {
        /// What the partner asked for.
        retry_after: Option<Duration>,
    },
    /// The partner does not know or want us: its queue stops but for Deletes; hourly; a person is told.
    PeerRefuses,
    /// This item will never be taken; the others go on.
    ItemRefused,
    /// Something is set up wrongly at either end: hourly; a person is told.
    Misconfigured,
    /// 410: the whole partner may be gone; three times over 72 hours is a question to a person.
    Gone,
}

impl Answer {
    /// The class of this answer, whose proof was looked at before.
    #[must_use]
    pub fn class(&self, proof: Proof) -> AnswerClass {
        match self.status {
            200..=299 if proof == Proof::Lacks => AnswerClass::Unconfirmed,
            200..=299 => AnswerClass::Acknowledged,
            403 if self.problem_code().is_some_and(|code| ABOUT_THE_ITEM.contains(&code.as_str())) => AnswerClass::ItemRefused,
            401 | 403 => AnswerClass::PeerRefuses,
            400 | 409 | 413 | 415 | 422 => AnswerClass::ItemRefused,
            408 | 425 | 429 => AnswerClass::Transient { retry_after: self.retry_after },
            410 => AnswerClass::Gone,
            // What other refusals mean is not written down: nothing is given up for them.
            501 | 300..=499 => AnswerClass::Misconfigured,
            _ => AnswerClass::Transient { retry_after: self.retry_after },
        }
    }

    /// The `code` of a problem document (RFC 9457).
    #[must_use]
    pub fn problem_code(&self) -> Option<String> {
        let problem = self.problem()?;
        let code = problem.get("code")?.as_str()?;
        let plain = code.len() <= 60 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        plain.then(|| code.to_owned())
    }

    /// What the partner said, in few words without control characters, for the ledger.
    #[must_use]
    pub fn words(&self) -> String {
        let said = self.problem().map(|problem| {
            let part = |name: &str| problem.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
            [part("code"), part("title"), part("detail")].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>()
        });
        keep(&said.map_or_else(String::new, |parts| parts.join(": ")))
    }

    fn problem(&self) -> Option<serde_json::Value> {
        let essence = self.content_type.as_deref()?.split(';').next()?.trim().to_ascii_lowercase();
        let is_problem = essence == "application/problem+json" || essence == "application/json";
        is_problem.then(|| serde_json::from_slice(&self.body).ok()).flatten()
    }
}

/// The beginning of a foreign text, safe to store and to show.
#[must_use]
pub fn keep(words: &str) -> String {
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(KEPT_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(status: u16) -> Answer {
        Answer { status, content_type: None, retry_after: None, body: bytes::Bytes::new() }
    }

    fn problem(status: u16, body: &str) -> Answer {
        let content_type = Some("application/problem+json; charset=utf-8".to_owned());
        Answer { content_type, body: body.to_owned().into(), ..answer(status) }
    }

    fn class(answer: &Answer) -> AnswerClass {
        answer.class(Proof::Lacks)
    }

    #[test]
    fn rel_035_two_hundred_without_a_receipt_proves_nothing_of_a_partner() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(class(&answer(status)), AnswerClass::Unconfirmed, "{status}");
            assert_eq!(answer(status).class(Proof::NotOwed), AnswerClass::Acknowledged, "{status} of a reader");
        }
    }

    #[test]
    fn refusals_of_the_peer_of_the_item_and_of_the_set_up_are_told_apart() {
        for (status, expected) in [
            (400, AnswerClass::ItemRefused),
            (401, AnswerClass::PeerRefuses),
            (403, AnswerClass::PeerRefuses),
            (404, AnswerClass::Misconfigured),
            (405, AnswerClass::Misconfigured),
            (409, AnswerClass::ItemRefused),
            (410, AnswerClass::Gone),
            (413, AnswerClass::ItemRefused),
            (415, AnswerClass::ItemRefused),
            (422, AnswerClass::ItemRefused),
            (301, AnswerClass::Misconfigured),
            (308, AnswerClass::Misconfigured),
            (501, AnswerClass::Misconfigured),
            (418, AnswerClass::Misconfigured),
        ] {
            assert_eq!(class(&answer(status)), expected, "{status}");
        }
        for status in [408, 425, 429, 500, 502, 503, 504, 599, 100, 999] {
            assert_eq!(class(&answer(status)), AnswerClass::Transient { retry_after: None }, "{status}");
        }
    }

    #[test]
    fn a_403_is_about_the_item_only_with_one_of_three_codes() {
        for code in ["origin", "not-owner", "not-covered"] {
            assert_eq!(class(&problem(403, &format!(r#"{{"code":"{code}"}}"#))), AnswerClass::ItemRefused, "{code}");
        }
        for body in [r#"{"code":"not-listed"}"#, r#"{"code":["origin"]}"#, r#"{"code":" origin"}"#, "origin", "", "<html>"] {
            assert_eq!(class(&problem(403, body)), AnswerClass::PeerRefuses, "{body}");
        }
        let html = Answer { content_type: Some("text/html".to_owned()), ..problem(403, r#"{"code":"origin"}"#) };
        assert_eq!(class(&html), AnswerClass::PeerRefuses);
    }

    #[test]
    fn what_a_partner_says_is_kept_short_and_printable() {
        let answer = problem(422, &format!(r#"{{"code":"schema","detail":"line\nbreak {}"}}"#, "x".repeat(900)));
        assert!(answer.words().starts_with("schema: line break xxx"));
        assert_eq!(answer.words().chars().count(), 200);
    }

    proptest! {
        #[test]
        fn no_answer_is_taken_for_settled_without_proof(status: u16, body in "\\PC{0,80}") {
            let class = problem(status, &body).class(Proof::Lacks);
            prop_assert!(!matches!(class, AnswerClass::Acknowledged));
        }
    }
}
