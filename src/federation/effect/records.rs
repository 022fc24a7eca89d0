//! Records of partners: held as copies, erased on demand.
//!
//! Which revision counts is judged in `object`, for pushes and pages alike; what does not count is set aside
//! for a person and refused to its sender, while what is held stays.

use serde_json::Value;

use crate::domain::receipt::{PurgeCause, PurgeReceipt};
use crate::domain::seal::Sealed;
use crate::domain::tombstone::Tombstone;
use crate::domain::{Class, RecordId};
use crate::store::{AuditEntry, CopyStanding, PutCopy, StoreError, StoredCopy, Tx};

use super::super::incoming::{Erasure, Offered};
use super::super::object::Objection;
use super::super::ownership::{self, Standing};
use super::super::refusal::Code;
use super::super::{proof, receipts, wire};
use super::letters::PURGED;
use super::{Ending, Work};

impl Work<'_> {
    /// A revision that is not held, and why.
    pub(super) async fn objected(&self, tx: &mut Tx, offered: &Offered, objection: Objection) -> Result<Ending, StoreError> {
        match objection {
            Objection::Unknown => Ok(Ending::ignored(Objection::Unknown.detail())),
            Objection::Refused(refusal) => {
                self.refuse(tx, offered.id.as_str(), &offered.written.digest(), refusal.code().word()).await?;
                Ok(Ending::rejected(refusal))
            }
            Objection::Contradicts(write, refusal) => {
                tx.put_copy(&write).await?;
                self.contradicted(tx, offered, refusal.detail()).await
            }
            Objection::TakesBack(write, problem) => {
                tx.put_copy(&write).await?;
                self.set_aside(tx, offered, "chain", problem).await
            }
            Objection::SetAside(code, problem) => self.set_aside(tx, offered, code, &problem).await,
        }
    }

    /// Kept for a person, told to the sender; what is held does not change.
    async fn set_aside(&self, tx: &mut Tx, offered: &Offered, code: &str, problem: &str) -> Result<Ending, StoreError> {
        self.refuse(tx, offered.id.as_str(), &offered.written.digest(), code).await?;
        Ok(Ending::quarantined(format_args!("{code}: {problem}")))
    }

    pub(super) async fn contradicted(&self, tx: &mut Tx, offered: &Offered, detail: &str) -> Result<Ending, StoreError> {
        tracing::error!(target: "security", partner = %self.row.partner, subject = %offered.id, detail, "equivocation");
        self.audit(tx, "equivocation", offered.id.as_str(), detail).await?;
        self.refuse(tx, offered.id.as_str(), &offered.written.digest(), Code::Equivocation.word()).await?;
        Ok(Ending::rejected(detail))
    }

    pub(super) async fn audit(&self, tx: &mut Tx, action: &str, subject: &str, detail: &str) -> Result<(), StoreError> {
        let entry = AuditEntry {
            at: self.now,
            who: self.row.partner.to_string(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            detail: detail.to_owned(),
        };
        tx.append_audit(&[entry]).await
    }

    /// Erases a record, and proves it.
    pub(super) async fn erase(&self, tx: &mut Tx, erasure: &Erasure) -> Result<Ending, StoreError> {
        let copy = tx.lookup_copy(&erasure.id).await?;
        if let Standing::MayNot(refusal) = ownership::check(self.incoming, None, self.partner, copy.as_ref()) {
            return Ok(Ending::rejected(refusal));
        }
        let tombstone = self.tombstone(erasure, copy.as_ref());
        let document = erasure.tombstone.clone().unwrap_or_else(|| Value::String(erasure.id.to_string()));
        let (Ok(bytes), Ok(digest)) = (proof::canonical(&document), proof::digest(&document)) else {
            return Ok(Ending::quarantined("the tombstone has no canonical form"));
        };
        let sealed = Sealed { bytes: bytes.into(), digest };
        let gone = copy.as_ref().is_some_and(|copy| copy.standing == CopyStanding::Deleted);
        let put = tx.bury_copy(&self.row.partner, &tombstone, &sealed, self.now).await?;
        let subject = match put {
            // Asked again, in whatever words: it is gone, and we say what we said we had held. Where the copy
            // left otherwise (a page of the origin), the tombstone knows what was last.
            PutCopy::Applied | PutCopy::Same | PutCopy::AlreadyNewer if gone => match self.attested(tx, &erasure.id).await? {
                Some(receipt) => receipt.subject_digest,
                None => tombstone.previous_digest.clone(),
            },
            PutCopy::Applied | PutCopy::Same => copy.map(|copy| copy.digest),
            // Restored by its authority since: this deletion is of the past, nothing was erased.
            PutCopy::AlreadyNewer => return Ok(Ending::ignored("a newer revision is held")),
            PutCopy::Equivocation => return Ok(Ending::rejected("it contradicts another deletion")),
        };
        let erased =
            receipts::erased(self.federation, self.address("receipts", PURGED), &erasure.id, PurgeCause::Delete, self.now);
        let receipt = PurgeReceipt { request_activity: Some(self.incoming.id.to_string()), subject_digest: subject, ..erased };
        if self.purged(tx, &receipt).await? {
            Ok(Ending::applied())
        } else {
            Ok(Ending { problem: Some("erased, but the receipt could not be signed".to_owned()), ..Ending::applied() })
        }
    }

    /// The tombstone as it was sent; a bare id is one without a revision, which beats all (I6).
    fn tombstone(&self, erasure: &Erasure, copy: Option<&StoredCopy>) -> Tombstone {
        let sent = erasure.tombstone.as_ref().and_then(|document| wire::tombstone_from_json(document).ok());
        let sent = sent.filter(|sent| sent.id == erasure.id && sent.authority == self.partner.actor);
        sent.unwrap_or_else(|| Tombstone {
            id: erasure.id.clone(),
            authority: self.partner.actor.clone(),
            former_class: copy.map_or_else(|| class_in(&erasure.id), |copy| copy.class),
            deleted: self.now,
            revision: None,
            previous_digest: None,
            reason: None,
        })
    }
}

/// The class that an address of a gateway names; only used where nothing else is known of a record.
fn class_in(id: &RecordId) -> Class {
    let segment = id.path().trim_start_matches('/').split('/').next().unwrap_or_default();
    Class::ALL.iter().copied().find(|class| class.segment() == segment).unwrap_or(Class::Contribution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_known_from_an_address_when_nothing_else_is() {
        let class = |id: &str| class_in(&id.parse().expect("an address"));
        assert_eq!(class("https://b.example/consultations/1"), Class::Consultation);
        assert_eq!(class("https://b.example/comments/1"), Class::Argument);
        assert_eq!(class("https://b.example/x"), Class::Contribution);
    }
}
