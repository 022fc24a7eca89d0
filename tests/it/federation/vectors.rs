//! Published vectors and worked examples: our proofs and our canonical form are those of others.

use std::path::{Path, PathBuf};

use passerelle::domain::Timestamp;
use passerelle::domain::partner::Multikey;
use passerelle::federation::proof::{self, ProofError};
use serde_json::Value;

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn now() -> Timestamp {
    "2027-06-01T00:00:00Z".parse().expect("a time")
}

#[test]
fn the_w3c_vector_of_eddsa_jcs_2022_verifies() {
    let document: Value = serde_json::from_str(&fixture("data-integrity/signedJCS.json")).expect("JSON");
    let pair: Value = serde_json::from_str(&fixture("data-integrity/keyPair.json")).expect("JSON");
    let key: Multikey = pair["publicKeyMultibase"].as_str().expect("text").parse().expect("a key");
    let method = format!("did:key:{key}#{key}");
    assert!(proof::verify(&document, &key, &method, now()).is_ok());

    let mut changed = document.clone();
    changed["credentialSubject"]["alumniOf"] = "The School of Example".into();
    assert_eq!(proof::verify(&changed, &key, &method, now()), Err(ProofError::Broken));
}

#[test]
fn the_vectors_of_rfc_8785_come_out_byte_for_byte() {
    for name in ["arrays", "french", "structures", "unicode", "values", "weird"] {
        let input: Value = serde_json::from_str(&fixture(&format!("jcs/{name}.in.json"))).expect("JSON");
        let expected = fixture(&format!("jcs/{name}.out.json"));
        let written = proof::canonical(&input).expect("a canonical form");
        assert_eq!(String::from_utf8(written).expect("UTF-8"), expected.trim_end(), "{name}");
    }
}

/// The worked examples of the design's reference, where it lies beside the repository.
#[test]
fn the_worked_examples_of_the_reference_verify() {
    let reference: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/participation.md");
    let Ok(text) = std::fs::read_to_string(&reference) else { return };
    let mut verified = 0;
    for block in text.split("```json\n").skip(1) {
        let json = block.split("```").next().unwrap_or_default();
        let Ok(document) = serde_json::from_str::<Value>(json) else { continue };
        let Some(method) = document["proof"]["verificationMethod"].as_str() else { continue };
        let key = if method.contains("lyon") {
            "z6Mkon3Necd6NkkyfoGoHxid2znGc59LU3K7mubaRcFbLfLX"
        } else {
            "z6Mko9hTggMwjSTEaJaPUfE6tqcy2xvU6BnNq3e3o8qVBiyH"
        };
        let key: Multikey = key.parse().expect("a key");
        let proven = proof::verify(&document, &key, method, now());
        assert!(proven.is_ok(), "{}: {proven:?}", document["id"]);
        verified += 1;
    }
    assert_eq!(verified, 6, "the reference has six signed examples");
}
