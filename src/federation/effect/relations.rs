//! Who follows whom, and what a partner says about itself.

use serde_json::json;

use crate::domain::Class;
use crate::domain::account::Account;
use crate::domain::partner::{FollowState, PartnerKind};
use crate::store::{Standing, StoreError, Tx};

use super::super::incoming::{Followed, Unfollowed};
use super::{Ending, Work};

impl Work<'_> {
    /// A listed partner's Follow is accepted at once (architecture §6, pairing), and so is that of any
    /// account of a listed reader server.
    pub(super) async fn follow(&self, tx: &mut Tx, followed: &Followed) -> Result<Ending, StoreError> {
        // Servers of the Fediverse look for the whole Follow inside the Accept.
        let follow = json!({
            "id": self.incoming.id, "type": "Follow", "actor": self.speaker, "object": followed.object,
        });
        if self.partner.kind == PartnerKind::Partner {
            tx.set_follows_us(&self.row.partner, FollowState::Accepted).await?;
            self.accept(tx, follow, None).await?;
            return Ok(Ending::applied());
        }
        let Some(account) = self.account(tx).await? else {
            return Ok(Ending::rejected("where its account is written to is not known any more"));
        };
        // Asked before the 202 too; it may have been hidden since.
        if let Some(process) = &followed.process {
            let there = tx.lookup_record(process).await?;
            if !there.is_some_and(|record| record.class == Class::Consultation && record.standing == Standing::Live) {
                return Ok(Ending::rejected("the consultation is not shown any more"));
            }
        }
        tx.put_follower(&account, followed.process.as_ref(), self.incoming.id.as_str(), self.now).await?;
        self.accept_at(tx, account.delivery(), follow).await?;
        Ok(Ending::applied())
    }

    /// The account that speaks, as it was verified; a server's own actor as it was listed.
    async fn account(&self, tx: &mut Tx) -> Result<Option<Account>, StoreError> {
        let known = tx.lookup_account(self.speaker).await?.filter(|account| account.partner == self.row.partner);
        if known.is_some() || *self.speaker != self.partner.actor {
            return Ok(known);
        }
        let Some((key, key_id)) = self.partner.rsa.clone() else { return Ok(None) };
        let (inbox, partner) = (self.partner.inbox.clone(), self.row.partner.clone());
        let account = Account { actor: self.speaker.clone(), partner, inbox, shared_inbox: None, key_id, key, seen_at: self.now };
        tx.put_account(&account).await?;
        Ok(Some(account))
    }

    /// The sender follows us no more; nothing is pushed to it any longer.
    pub(super) async fn unfollow(&self, tx: &mut Tx, unfollowed: &Unfollowed) -> Result<Ending, StoreError> {
        if self.partner.kind == PartnerKind::Reader {
            let partner = &self.row.partner;
            let undone = match unfollowed {
                Unfollowed::Object(process) => tx.remove_follower(partner, self.speaker, process.as_ref()).await?,
                Unfollowed::Activity(id) => tx.undo_follow(partner, self.speaker, id).await?,
            };
            return Ok(if undone { Ending::applied() } else { Ending::ignored("it takes back nothing that is known here") });
        }
        if self.partner.follows_us == FollowState::None {
            return Ok(Ending::ignored("it did not follow us"));
        }
        tx.set_follows_us(&self.row.partner, FollowState::None).await?;
        Ok(Ending::applied())
    }

    /// A reader's account is gone. For a gateway, a person decides: no mass purge on one word (SEC-062).
    pub(super) async fn leave(&self, tx: &mut Tx) -> Result<Ending, StoreError> {
        if self.partner.kind == PartnerKind::Reader {
            tx.forget_account(&self.row.partner, self.speaker).await?;
            return Ok(Ending::applied());
        }
        let actor = self.partner.actor.as_str();
        self.audit(tx, "partner-deletes-itself", actor, "its copies stay until an operator decides").await?;
        Ok(Ending { problem: Some("waits for an operator".to_owned()), ..Ending::applied() })
    }

    /// What an actor says about itself is a proposal: inbox and keys stay as they are pinned (SEC-075).
    pub(super) async fn actor_changed(&self, tx: &mut Tx) -> Result<Ending, StoreError> {
        let actor = self.partner.actor.as_str();
        self.audit(tx, "partner-changed", actor, "its actor document changed; what is pinned stays").await?;
        Ok(Ending::ignored("what is pinned about a partner stays"))
    }
}
