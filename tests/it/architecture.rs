//! The arrows of the design are a test: which module may name which (architecture §2,
//! code-style §2.2), how long a file may be, and where SQL, sockets and protocol words may stand.

use std::fs;
use std::path::{Path, PathBuf};

/// Module → the modules it may name. `telemetry` (log output, kill points) is a leaf that all may name.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("telemetry", &[]),
    ("mapping", &["domain"]),
    ("store", &["domain"]),
    ("outbound", &["domain"]),
    ("connectors", &["domain", "outbound"]),
    ("config", &["domain"]),
    ("federation", &["domain", "store", "outbound"]),
    ("sync", &["domain", "mapping", "store", "connectors"]),
    ("delivery", &["domain", "store", "federation", "outbound"]),
    ("export", &["domain", "store"]),
    ("web", &["domain", "store", "outbound", "mapping", "config", "federation", "sync", "delivery", "export"]),
    (
        "app",
        &["domain", "store", "outbound", "mapping", "connectors", "config", "federation", "sync", "delivery", "export", "web"],
    ),
    (
        "demo",
        &[
            "domain",
            "store",
            "outbound",
            "mapping",
            "connectors",
            "config",
            "federation",
            "sync",
            "delivery",
            "export",
            "web",
            "app",
        ],
    ),
    (
        "bench",
        &[
            "domain",
            "store",
            "outbound",
            "mapping",
            "connectors",
            "config",
            "federation",
            "sync",
            "delivery",
            "export",
            "web",
            "app",
        ],
    ),
    (
        "cli",
        &[
            "domain",
            "store",
            "outbound",
            "mapping",
            "connectors",
            "config",
            "federation",
            "sync",
            "delivery",
            "export",
            "web",
            "app",
            "demo",
            "bench",
        ],
    ),
];

/// Longest file in `src`, in lines.
const MAX_LINES: usize = 500;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The layer a file belongs to: the first path segment below `src`.
fn layer(path: &Path) -> String {
    let below = path.strip_prefix(root().join("src")).expect("the file was found there");
    let first = below.components().next().expect("a file has a name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Lines of code: without comments and without what follows an inline test module.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let tests = text.find("#[cfg(test)]").unwrap_or(text.len());
    text[..tests].lines().enumerate().map(|(n, line)| (n + 1, line.split("//").next().unwrap_or_default()))
}

/// The modules of ours that a line names through `crate::`, also inside `use crate::{a, b::c}`.
fn named_modules(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in code_lines(text) {
        for (at, _) in line.match_indices("crate::") {
            if line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') && !line[..at].ends_with('$') {
                continue;
            }
            let rest = &line[at + "crate::".len()..];
            if rest.starts_with('{') {
                found.push((number, "{".to_owned()));
                continue;
            }
            let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.push((number, word));
        }
    }
    found
}

fn violations(layer: &str, text: &str) -> Vec<(usize, String)> {
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == layer) else {
        return Vec::new();
    };
    named_modules(text)
        .into_iter()
        .filter(|(_, name)| {
            let is_ours = ARROWS.iter().any(|(module, _)| module == name) || name == "{";
            is_ours && name != layer && name != "telemetry" && !allowed.contains(&name.as_str())
        })
        .collect()
}

#[test]
fn every_arrow_is_in_the_table() {
    let mut wrong = Vec::new();
    for path in files_below(&root().join("src"), "rs") {
        let layer = layer(&path);
        let text = fs::read_to_string(&path).unwrap();
        let known = ARROWS.iter().any(|(name, _)| *name == layer) || matches!(layer.as_str(), "lib" | "main");
        assert!(known, "{}: `{layer}` has no row in the table of arrows", path.display());
        for (line, name) in violations(&layer, &text) {
            wrong.push(format!("{}:{line}: `{layer}` may not name `{name}` (architecture §2)", path.display()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_check_finds_a_planted_arrow() {
    assert_eq!(violations("domain", "use crate::store::Store;"), [(1, "store".to_owned())]);
    assert_eq!(violations("sync", "fn f() { crate::federation::seal(); }"), [(1, "federation".to_owned())]);
    assert_eq!(violations("web", "use crate::demo::Story;").len(), 1);
    assert_eq!(violations("mapping", "use crate::{domain, store};").len(), 1, "a braced list hides arrows: one path a line");
    assert!(violations("delivery", "use crate::store::Store; // crate::web").is_empty());
}

#[test]
fn only_the_store_holds_sql_and_only_outbound_opens_sockets() {
    let mut wrong = Vec::new();
    for path in files_below(&root().join("src"), "rs") {
        let layer = layer(&path);
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in code_lines(&text) {
            let at = || format!("{}:{number}: {}", path.display(), line.trim());
            if layer != "store" && line.contains("sqlx::") {
                wrong.push(format!("SQL outside store: {}", at()));
            }
            if layer != "outbound" && (line.contains("reqwest::") || line.contains("TcpStream::connect")) {
                wrong.push(format!("a socket outside outbound: {}", at()));
            }
            let speaks = matches!(layer.as_str(), "federation" | "web" | "demo" | "delivery" | "bench");
            if !speaks && (line.contains("activity+json") || line.contains("activitystreams")) {
                wrong.push(format!("an ActivityPub word outside federation: {}", at()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_file_in_src_is_longer_than_a_sitting() {
    let long: Vec<String> = files_below(&root().join("src"), "rs")
        .into_iter()
        .filter_map(|path| {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            (lines > MAX_LINES).then(|| format!("{}: {lines} lines", path.display()))
        })
        .collect();
    assert!(long.is_empty(), "longer than {MAX_LINES} lines:\n{}", long.join("\n"));
}

/// Tests whose name holds the number of a case in a form that `cargo test sec_NNN` does not find: `sec_001_002_…`,
/// `sec_001_to_sec_004_…`, `sec_001_and_others_…`.
fn hidden_numbers(text: &str) -> Vec<&str> {
    let names = text.lines().filter_map(|line| line.trim_start().trim_start_matches("async ").strip_prefix("fn "));
    let names = names.map(|rest| rest.split(['(', '<']).next().unwrap_or_default());
    let number = |word: &str| matches!(word.len(), 2 | 3) && word.bytes().all(|byte| byte.is_ascii_digit());
    let hides = |name: &&str| {
        let words: Vec<&str> = name.split('_').collect();
        let numbered = |at: usize| matches!(words[at - 1], "sec" | "rel" | "gdpr") && number(words[at]);
        (1..words.len().saturating_sub(1)).filter(|at| numbered(*at)).any(|at| {
            let next = &words[at + 1..];
            number(next[0]) || matches!(next, ["and", "others", ..] | ["to", "sec" | "rel" | "gdpr", ..])
        })
    };
    names.filter(hides).collect()
}

#[test]
fn every_case_is_found_by_its_number() {
    let planted = "async fn sec_001_002_a(\nfn sec_003_to_sec_005_b(\nfn gdpr_03_and_others_c(\nfn rel_041_and_rel_042_d(\nfn rel_051_2500_e(";
    assert_eq!(hidden_numbers(planted), ["sec_001_002_a", "sec_003_to_sec_005_b", "gdpr_03_and_others_c"]);
    let mut wrong = Vec::new();
    for path in ["src", "tests/it"].iter().flat_map(|folder| files_below(&root().join(folder), "rs")) {
        let text = fs::read_to_string(&path).unwrap();
        wrong.extend(hidden_numbers(&text).into_iter().map(|name| format!("{}: {name}", path.display())));
    }
    assert!(wrong.is_empty(), "`cargo test sec_NNN` finds a case by each of its numbers, written in full:\n{}", wrong.join("\n"));
}

#[test]
fn only_the_command_line_names_demo_and_bench() {
    for path in files_below(&root().join("src"), "rs") {
        let layer = layer(&path);
        let text = fs::read_to_string(&path).unwrap();
        let names = named_modules(&text).into_iter().any(|(_, name)| name == "demo" || name == "bench");
        assert!(!names || matches!(layer.as_str(), "cli" | "demo" | "bench"), "{} names demo or bench", path.display());
    }
}

#[test]
fn nothing_of_this_machine_is_in_the_repository() {
    // In two parts each, so that this list does not hold what it looks for.
    let words =
        [("/wo", "rk/"), ("/tmp/", "wt"), ("/ro", "ot/"), ("index.", "crates")].map(|(head, tail)| format!("{head}{tail}"));
    let mut wrong = Vec::new();
    for folder in ["src", "tests", "fuzz/fuzz_targets", "fuzz/seeds", "federation-specs", "migrations", ".ci"] {
        for extension in ["rs", "md", "toml", "json", "sql", "py", "sh", "html", "ftl", "css", "jsonld"] {
            for path in files_below(&root().join(folder), extension) {
                let text = fs::read_to_string(&path).unwrap_or_default();
                wrong.extend(words.iter().filter(|word| text.contains(*word)).map(|word| format!("{}: {word}", path.display())));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
