//! What `federation-specs` promises to others is what the code does: context, schemas, examples, pages.

use std::fs;
use std::path::{Path, PathBuf};

use passerelle::federation::schema::schemas;
use serde_json::Value;

/// Set to rewrite the files of `federation-specs` that are generated from the code.
const REWRITE: &str = "PASSERELLE_WRITE_SPECS";

fn specs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("federation-specs")
}

/// Compares a generated file with what the code says, or rewrites it on demand.
pub fn generated(path: &Path, now: &str) {
    if std::env::var_os(REWRITE).is_some() {
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder");
        fs::write(path, now).expect("a file");
    }
    let there = fs::read_to_string(path).unwrap_or_default();
    assert!(there == now, "{} differs from what the code says; run the tests once with {REWRITE}=1", path.display());
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("JSON");
    text.push('\n');
    text
}

#[test]
fn the_schemas_are_those_of_the_wire_types() {
    for (class, schema) in schemas() {
        generated(&specs().join(format!("schemas/{class}.schema.json")), &pretty(&schema));
    }
}
