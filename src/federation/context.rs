//! Our JSON-LD context: the bytes that every gateway serves at `/ns/v1`.
//!
//! They are the same at every city and never change: proofs cover the address, and readers keep copies.
//! A later version gets another address. Our own code never fetches a context, not even this one.

/// The context, byte for byte as it is served.
pub const CONTEXT: &str = include_str!("../../federation-specs/context.jsonld");

/// The media type it is served with.
pub const CONTEXT_TYPE: &str = "application/ld+json";

/// The contexts of the actor that come after ours; together with [`ACTOR_CONTEXTS_BEFORE`] in exactly this
/// order, because later ones protect terms that earlier ones use (architecture §3).
pub const ACTOR_CONTEXTS_AFTER: [&str; 2] = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"];

/// The contexts of the actor that come before ours.
pub const ACTOR_CONTEXTS_BEFORE: [&str; 3] =
    ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1", "https://w3id.org/security/data-integrity/v2"];
