//! Who follows whom, and what a partner says about itself.

use serde_json::json;

use crate::domain::partner::{FollowState, PartnerKind};
use crate::store::{StoreError, Tx};

use super::{Ending, Work};

impl Work<'_> {
    /// A listed partner's Follow is accepted at once (architecture §6, pairing).
    pub(super) async fn follow(&self, tx: &mut Tx) -> Result<Ending, StoreError> {
        tx.set_follows_us(&self.row.partner, FollowState::Accepted).await?;
        // Servers of the Fediverse look for the whole Follow inside the Accept.
        let follow = json!({
            "id": self.incoming.id, "type": "Follow", "actor": self.partner.actor, "object": self.federation.actor(),
        });
        self.accept(tx, follow, None).await?;
        Ok(Ending::applied())
    }

    /// The sender follows us no more; nothing is pushed to it any longer.
    pub(super) async fn unfollow(&self, tx: &mut Tx) -> Result<Ending, StoreError> {
        if self.partner.follows_us == FollowState::None {
            return Ok(Ending::ignored("it did not follow us"));
        }
        tx.set_follows_us(&self.row.partner, FollowState::None).await?;
        Ok(Ending::applied())
    }

    /// A reader's account is gone. For a gateway, a person decides: no mass purge on one word (SEC-062).
    pub(super) async fn leave(&self, tx: &mut Tx) -> Result<Ending, StoreError> {
        if self.partner.kind == PartnerKind::Reader {
            tx.set_follows_us(&self.row.partner, FollowState::None).await?;
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
