//! The shape of an integrity proof (FEP-8b32, `eddsa-jcs-2022`). Whether it holds is
//! [`proof`](crate::federation::proof)'s question.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scalar::{Address, Instant, constant};
use crate::domain::Timestamp;

constant!(
    /// The `type` of a proof.
    ProofType = "DataIntegrityProof"
);
constant!(
    /// The only cryptosuite there is.
    Cryptosuite = "eddsa-jcs-2022"
);
constant!(
    /// What a proof is made for.
    ProofPurpose = "assertionMethod"
);

/// The signature inside a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataIntegrityProof {
    /// The contexts that were signed: the first ones of the document.
    #[schemars(with = "Option<Vec<Address>>")]
    #[serde(rename = "@context", skip_serializing_if = "Option::is_none")]
    pub context: Option<Vec<String>>,
    /// Always `DataIntegrityProof`.
    #[serde(rename = "type")]
    pub node_type: ProofType,
    /// Always `eddsa-jcs-2022`.
    pub cryptosuite: Cryptosuite,
    /// When it was made.
    #[schemars(with = "Instant")]
    pub created: Timestamp,
    /// The key, by its address on the authority's actor.
    #[schemars(with = "Address")]
    pub verification_method: String,
    /// Always `assertionMethod`.
    pub proof_purpose: ProofPurpose,
    /// 64 bytes in base58btc.
    #[schemars(regex(pattern = r"^z[1-9A-HJ-NP-Za-km-z]{80,90}$"))]
    pub proof_value: String,
}
