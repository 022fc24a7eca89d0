//! Every text that the pages ask for by name exists, in every language (UI-26).

use std::path::{Path, PathBuf};

use passerelle::domain::Class;
use passerelle::domain::consultation::{LifecycleState, PhaseState, ProcessKind};
use passerelle::domain::contribution::ContributionKind;
use passerelle::domain::disposition::DispositionState;
use passerelle::domain::document::DocumentKind;
use passerelle::domain::meeting::MeetingKind;
use passerelle::domain::poll::VotingMethod;
use passerelle::domain::progress::CommitmentState;
use passerelle::domain::project::ProjectState;
use passerelle::domain::record::ReasonCode;
use passerelle::domain::response::Outcome;
use passerelle::web::i18n::keys;
use passerelle::web::language::Language;
use passerelle::web::pages::consultations::LISTS;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of ours") {
        let path = entry.expect("an entry").path();
        match path.extension().and_then(|extension| extension.to_str()) {
            None => files(&path, found),
            Some("rs" | "html") => found.push(path),
            Some(_) => {}
        }
    }
}

/// The string literals of a source file that look like keys of more than one word.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    let calls = [
        "say(\"",
        "html(\"",
        "plain(\"",
        "count(\"",
        "say_city(\"",
        "frame(\"",
        "part(\"",
        "heading(f, \"",
        "line(\"",
        "fact(\"",
        "Part::under(&texts, \"",
        "Part::under(texts, \"",
    ];
    calls
        .into_iter()
        .flat_map(move |call| text.match_indices(call).filter_map(move |(at, _)| text[at + call.len()..].split('"').next()))
}

#[test]
fn ui_26_every_text_that_is_asked_for_exists() {
    let known = keys(Language::French);
    let mut sources = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web"), &mut sources);
    assert!(sources.len() > 40, "the sources are found");
    for path in sources {
        let text = std::fs::read_to_string(&path).expect("a text file");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for key in literals(text).filter(|key| !key.is_empty() && !key.contains(['{', '<', ' ', '/'])) {
            assert!(known.contains(&key), "{}: no text `{key}`", path.display());
        }
    }
}

#[test]
fn ui_26_every_word_of_the_vocabulary_has_its_text() {
    let known = keys(Language::French);
    let mut wanted = Vec::new();
    let mut family = |kind: &str, words: Vec<&str>| wanted.extend(words.iter().map(|word| format!("{kind}-{word}")));
    family("lifecycle", LifecycleState::ALL.iter().map(|word| word.word()).collect());
    family("phase-state", PhaseState::ALL.iter().map(|word| word.word()).collect());
    family("disposition", DispositionState::ALL.iter().map(|word| word.word()).collect());
    family("outcome", Outcome::ALL.iter().map(|word| word.word()).collect());
    family("reason", ReasonCode::ALL.iter().map(|word| word.word()).collect());
    family("process-kind", ProcessKind::ALL.iter().map(|word| word.word()).collect());
    family("contribution-kind", ContributionKind::ALL.iter().map(|word| word.word()).collect());
    family("commitment", CommitmentState::ALL.iter().map(|word| word.word()).collect());
    family("project", ProjectState::ALL.iter().map(|word| word.word()).collect());
    family("voting-method", VotingMethod::ALL.iter().map(|word| word.word()).collect());
    family("meeting-kind", MeetingKind::ALL.iter().map(|word| word.word()).collect());
    family("document-kind", DocumentKind::ALL.iter().map(|word| word.word()).collect());
    for class in Class::ALL {
        let class = class.word().to_ascii_lowercase();
        wanted.extend(["class", "hidden", "deleted"].map(|kind| format!("{kind}-{class}")));
    }
    for list in LISTS {
        wanted.extend([format!("{}-title", list.name), format!("{}-count", list.name)]);
        wanted.extend([list.heading, list.all, list.none].map(ToOwned::to_owned));
    }
    wanted.extend((1..=12).map(|month| format!("month-{month}")));
    for key in wanted {
        assert!(known.contains(&key.as_str()), "no text `{key}`");
    }
}
