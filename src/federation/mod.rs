//! What makes the gateway a member of a federation: keys, proofs, signatures, the inbox and its effects.
//!
//! The trust-bearing pieces are ours and small (security.md §0.1): nothing enters the journal without a
//! [`refusal`]-free pass through the verifier, and nothing leaves without a proof.

pub mod keys;
pub mod proof;
pub mod receipts;
pub mod refusal;
pub mod signature;
pub mod strict_json;
