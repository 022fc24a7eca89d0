//! Writing down what became of deliveries: where each row stands, the exchange log, what it says of the
//! partner, and what a person must know. Everything that ended is one transaction.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::domain::{PartnerDomain, Timestamp};
use crate::store::claims::Claimed;
use crate::store::disclosures::DisclosureResult;
use crate::store::letters::{Letter, LetterResult};
use crate::store::reached::UNCERTAIN;
use crate::store::{AuditEntry, Exchange, Reached, ReaderInbox, StoreError, Tx};
use crate::telemetry::kill_point;

use super::attempt::Prepared;
use super::courier::{Carried, Courier};
use super::outcome::{Health, Verdict, Written};

/// Between the attempts to write down what became of a delivery.
const PAUSES: [Duration; 3] = [Duration::from_millis(50), Duration::from_millis(200), Duration::from_secs(1)];

/// How something that was claimed ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// A record was offered, or is not to be.
    Disclosure(Box<Delivered>),
    /// A letter was offered.
    Letter {
        /// The letter.
        letter: Box<Letter>,
        /// Where it stands now.
        result: LetterResult,
        /// The attempt.
        note: Option<Box<Note>>,
    },
    /// Nobody there wants it.
    Unwanted(Claimed),
    /// It was not sent, and stands where it stood.
    NotSent(Claimed),
}

/// A record that was offered, or is not to be.
#[derive(Debug)]
pub(super) struct Delivered {
    /// The row.
    pub(super) claimed: Claimed,
    /// Where it stands now.
    pub(super) result: DisclosureResult,
    /// The attempts: one to a partner, one an inbox to a reader server.
    pub(super) notes: Vec<Note>,
    /// Which inboxes of a reader server took it.
    pub(super) told: Told,
}

/// What the inboxes of a reader server said of a record.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// They were told to delete it.
    pub(super) deleted: bool,
    /// Those that took it, or never will.
    pub(super) settled: Vec<String>,
    /// Those that may have taken it, though they did not say so.
    pub(super) uncertain: Vec<String>,
    /// Those that are gone for good.
    pub(super) gone: Vec<ReaderInbox>,
}

/// What is to be remembered of one attempt.
#[derive(Debug)]
pub(super) struct Note {
    partner: PartnerDomain,
    subject: String,
    began: Timestamp,
    at: Timestamp,
    exchange: Option<Exchange>,
    written: Written,
}

impl Note {
    /// What an attempt leaves behind; `carried` is nothing for a letter.
    pub(super) fn of(prepared: &Prepared, carried: Option<&Carried>, written: Written, at: Timestamp) -> Self {
        let partner = prepared.domain().clone();
        let exchange = written.status.map(|status| Exchange {
            partner: partner.clone(),
            record: carried.map(|carried| carried.record.clone()),
            revision: carried.map(|carried| carried.revision),
            digest: Some(prepared.digest.clone()),
            activity: prepared.activity.clone(),
            at,
            status: Some(status),
            answer: written.words.clone(),
        });
        Self { partner, subject: prepared.subject.clone(), began: prepared.began, at, exchange, written }
    }
}

impl Ended {
    fn row(&self) -> Option<&Claimed> {
        match self {
            Self::Disclosure(delivered) => Some(&delivered.claimed),
            Self::Unwanted(claimed) | Self::NotSent(claimed) => Some(claimed),
            Self::Letter { .. } => None,
        }
    }

    fn partner(&self) -> &PartnerDomain {
        match self {
            Self::Letter { letter, .. } => &letter.partner,
            Self::Disclosure(delivered) => &delivered.claimed.partner,
            Self::Unwanted(claimed) | Self::NotSent(claimed) => &claimed.partner,
        }
    }
}

impl Courier {
    /// Writes down what ended. What cannot be written is told, and repeated when its lease ends.
    pub(super) async fn write_down(&self, ended: Vec<Ended>) {
        if ended.len() > 1 {
            let Err(error) = self.write(&ended).await else { return };
            tracing::warn!(%error, deliveries = ended.len(), "deliveries could not be written down together: one by one then");
        }
        for one in ended.chunks(1) {
            self.write_one(one).await;
        }
    }

    /// The partner has it already: before it is sent again, a database that is busy is asked again.
    async fn write_one(&self, one: &[Ended]) {
        let mut pauses = PAUSES.into_iter();
        while let Err(error) = self.write(one).await {
            let Some(pause) = pauses.next().filter(|_| error.is_passing()) else {
                tracing::error!(%error, "a delivery could not be written down; it is repeated when its lease ends");
                return;
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn write(&self, ended: &[Ended]) -> Result<(), StoreError> {
        let now = self.federation.now();
        let mut tx = self.federation.store.write().await?;
        let rows: Vec<&Claimed> = ended.iter().filter_map(Ended::row).collect();
        tx.lock_ledger(&rows, &ended.iter().map(Ended::partner).collect()).await?;
        let mut results: Vec<(&Claimed, &DisclosureResult)> = Vec::new();
        let mut not_sent: Vec<&Claimed> = Vec::new();
        let (mut reached, mut erased, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        for one in ended {
            match one {
                Ended::Disclosure(delivered) => {
                    let Delivered { claimed, result, told, .. } = &**delivered;
                    let took = |inbox: &String, revision| Reached {
                        partner: claimed.partner.clone(),
                        record: claimed.record.clone(),
                        inbox: inbox.clone(),
                        revision,
                    };
                    let settled = told.settled.iter().map(|inbox| took(inbox, result.revision));
                    if told.deleted {
                        erased.extend(settled);
                    } else {
                        reached.extend(settled);
                        reached.extend(told.uncertain.iter().map(|inbox| took(inbox, UNCERTAIN)));
                    }
                    gone.extend(told.gone.iter().map(|inbox| (&claimed.partner, inbox)));
                    results.push((claimed, result));
                }
                Ended::Letter { .. } => {}
                Ended::Unwanted(claimed) => {
                    tx.settle_unwanted(claimed).await?;
                }
                Ended::NotSent(claimed) => not_sent.push(claimed),
            }
        }
        tx.note_reached(&reached).await?;
        tx.forget_reached(&erased).await?;
        self.write_gone(&mut tx, &gone, now).await?;
        tx.give_back_disclosures(&not_sent).await?;
        let mut in_time = tx.finish_disclosures(&results).await?.into_iter();
        let mut notes: Vec<&Note> = Vec::new();
        for one in ended {
            match one {
                Ended::Disclosure(delivered) => {
                    let Delivered { claimed, notes: attempts, .. } = &**delivered;
                    if in_time.next() == Some(true) {
                        notes.extend(attempts);
                    } else {
                        tracing::warn!(partner = %claimed.partner, record = %claimed.record, "a result came after its lease; it is dropped");
                    }
                }
                Ended::Letter { letter, result, note } => {
                    if tx.finish_letter(letter, result).await? {
                        notes.extend(note.as_deref());
                    }
                }
                Ended::Unwanted(_) | Ended::NotSent(_) => {}
            }
        }
        self.write_notes(&mut tx, &notes, now).await?;
        tx.save().await?;
        kill_point("delivery.after-commit");
        Ok(())
    }

    /// Inboxes that are no more, and whoever was reached there.
    async fn write_gone(&self, tx: &mut Tx, gone: &[(&PartnerDomain, &ReaderInbox)], now: Timestamp) -> Result<(), StoreError> {
        for (partner, inbox) in gone {
            let accounts = tx.forget_inbox(partner, &inbox.address).await?;
            let entry = AuditEntry {
                at: now,
                who: "gateway".to_owned(),
                action: "follower-gone".to_owned(),
                subject: partner.to_string(),
                detail: format!("an inbox answered 410: {accounts} accounts follow us no more"),
            };
            tx.append_audit(&[entry]).await?;
        }
        Ok(())
    }

    /// The exchange log, the partners' health, and what a person must know.
    async fn write_notes(&self, tx: &mut Tx, notes: &[&Note], now: Timestamp) -> Result<(), StoreError> {
        let exchanges: Vec<Exchange> = notes.iter().filter_map(|note| note.exchange.clone()).collect();
        tx.append_exchanges(&exchanges).await?;
        // In the order in which they ended: what a partner said last is how it is.
        let mut well = BTreeSet::new();
        for note in notes {
            match &note.written.health {
                Health::Good => {
                    well.insert(note.partner.clone());
                }
                Health::Unchanged => {}
                Health::Failing { wait, blocked } => {
                    tx.note_success(&std::mem::take(&mut well), now).await?;
                    tx.note_failure(&note.partner, note.began, note.at, note.at.plus(*wait), blocked.as_deref()).await?;
                }
            }
            if let Some(action) = note.written.alert {
                self.tell(tx, note, action).await?;
            }
        }
        tx.note_success(&well, now).await
    }

    async fn tell(&self, tx: &mut Tx, note: &Note, action: &str) -> Result<(), StoreError> {
        let Note { partner, subject, written, .. } = note;
        let of_partner = matches!(&written.health, Health::Failing { blocked, .. } if blocked.is_some());
        // A recall that is refused is tried again for ever; it is told of once.
        let again = matches!(written.verdict, Verdict::Again(_));
        let news = match (of_partner, again) {
            (true, _) => is_new(tx, partner, action, None).await?,
            (false, true) => is_new(tx, partner, action, Some(subject)).await?,
            (false, false) => true,
        };
        if !news {
            return Ok(());
        }
        let entry = AuditEntry {
            at: note.at,
            who: "gateway".to_owned(),
            action: action.to_owned(),
            subject: partner.to_string(),
            detail: format!(
                "{subject}: {} {}",
                written.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string()),
                written.words.as_deref().unwrap_or_default()
            ),
        };
        tracing::warn!(%partner, subject, action, status = written.status, "a delivery needs a look");
        tx.append_audit(&[entry]).await
    }
}

/// Whether nobody was told yet since this partner began to fail. Its row is locked by what was just
/// written, so that of two deliveries that fail at once one tells.
async fn is_new(tx: &mut Tx, partner: &PartnerDomain, action: &str, about: Option<&str>) -> Result<bool, StoreError> {
    let since = tx.partner_health(partner).await?.and_then(|health| health.failing_since);
    let told = tx.audit_of(partner.as_str(), 50).await?;
    let said = |detail: &str| about.is_none_or(|about| detail.strip_prefix(about).is_some_and(|rest| rest.starts_with(':')));
    Ok(!told.iter().any(|entry| entry.action == action && said(&entry.detail) && since.is_none_or(|since| entry.at >= since)))
}
