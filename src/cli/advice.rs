//! Whatever we tell a person to type exists: every example in a help text, every command and every setting that a
//! message, a page or the README names.

use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};

use super::Cli;
use crate::config::check::is_setting;

/// The files below a folder with one of these ends, without what stands in tests.
fn files(folder: &str, ends: &[&str]) -> Vec<PathBuf> {
    fn below(folder: &Path, ends: &[&str], found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                below(&path, ends, found);
            } else if path.extension().and_then(|end| end.to_str()).is_some_and(|end| ends.contains(&end)) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), ends, &mut found);
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("it was listed")
}

/// What a Rust file says: its string literals, one a line; no comments, no tests.
fn literals(source: &str) -> String {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let (mut said, mut chars) = (String::new(), source.chars().peekable());
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('/', Some('/')) => while chars.next_if(|c| *c != '\n').is_some() {},
            ('\'', Some('"')) => {
                chars.next();
            }
            ('\'', Some('\\')) => {
                chars.nth(1);
            }
            ('"', _) => {
                while let Some(c) = chars.next_if(|c| *c != '"') {
                    match (c, chars.peek()) {
                        // A literal goes on behind a backslash at the end of a line.
                        ('\\', Some('\n')) => while chars.next_if(|c| c.is_whitespace()).is_some() {},
                        ('\\', Some('n')) => {
                            chars.next();
                            said.push('\n');
                        }
                        ('\\', _) => said.extend(chars.next()),
                        _ => said.push(c),
                    }
                }
                chars.next();
                said.push('\n');
            }
            _ => {}
        }
    }
    said
}

/// A line as a shell would split it, with what stands for something replaced by a something.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    let stands_for = |word: String| match word.as_str() {
        "DOMAIN" => "bordeaux.example".to_owned(),
        "FILE" => "passerelle.toml".to_owned(),
        word if word.starts_with('{') => "lyon".to_owned(),
        "NAME" | "{}" => "lyon".to_owned(),
        _ => word,
    };
    words.into_iter().map(stands_for).collect()
}

/// Whether this can be typed. Help and version can, too.
fn parses(line: &str) -> Result<(), String> {
    match Cli::try_parse_from(words(line)) {
        Err(error) if error.use_stderr() => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// Examples: lines of an `after_help` that begin with the program's name; a description stands behind two spaces.
fn examples(command: &clap::Command) -> Vec<String> {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let text = text.split("\\\n").map(str::trim).collect::<Vec<_>>().join(" ");
    let lines = text.lines().map(str::trim).filter(|line| line.starts_with("passerelle "));
    lines.map(|line| line.split("  ").next().unwrap_or(line).to_owned()).collect()
}

#[test]
fn ui_84_every_example_in_every_help_can_be_typed() {
    fn walk(command: &clap::Command, path: &str, seen: &mut usize, without: &mut Vec<String>) {
        let path = format!("{path} {}", command.get_name());
        let shown = examples(command);
        // A command shows itself, however many others its examples name.
        if !command.has_subcommands() && !shown.iter().any(|example| example.starts_with(path.trim_start())) {
            without.push(path.trim_start().to_owned());
        }
        for example in shown {
            *seen += 1;
            if let Err(why) = parses(&example) {
                panic!("help of {}: `{example}`: {why}", command.get_name());
            }
        }
        for sub in command.get_subcommands() {
            walk(sub, &path, seen, without);
        }
    }
    let (mut seen, mut without) = (0, Vec::new());
    walk(&Cli::command(), "", &mut seen, &mut without);
    assert!(seen >= 8, "{seen} examples");
    assert_eq!(without, Vec::<String>::new(), "a command without an example");
}

/// The commands that a text tells people to type: behind `Next:`, behind "All settings:", in backticks.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        for (at, _) in line.match_indices("passerelle ") {
            let before = &line[..at];
            let rest = &line[at..];
            // Which command it is may only be known when it is said.
            let open = rest.starts_with("passerelle {");
            let told = !open && (before.ends_with('`') || before.ends_with("Next: ") || before.ends_with("settings: "));
            let end = if before.ends_with('`') { rest.find('`') } else { rest.find(['\n', ';']) };
            if told {
                found.push(rest[..end.unwrap_or(rest.len())].trim_end_matches('.').trim().to_owned());
            }
        }
    }
    found
}

#[test]
fn ui_90_every_command_that_a_message_names_exists() {
    let mut seen = 0;
    for path in files("src", &["rs", "ftl", "txt", "html"]) {
        let text = read(&path);
        let text = if path.extension().is_some_and(|end| end == "rs") { literals(&text) } else { text };
        for command in commands(&text) {
            seen += 1;
            // A sentence may stop before the name of what it is about.
            let whole = parses(&command).or_else(|_| parses(&format!("{command} lyon")));
            assert!(whole.is_ok(), "{} tells people to type `{command}`: {whole:?}", path.display());
        }
    }
    assert!(seen >= 8, "{seen} commands");
    let readme = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"));
    for line in readme.lines().filter(|line| line.starts_with("passerelle ")) {
        let line = line.split('#').next().unwrap_or(line);
        assert!(parses(line).is_ok(), "README: `{line}`");
    }
}

#[test]
fn ui_91_every_setting_that_a_message_names_exists() {
    const SECTIONS: [&str; 9] =
        ["authority.", "server.", "database.", "secrets.", "delivery.", "outbound.", "retention.", "backup.", "site."];
    let mut seen = 0;
    for path in files("src", &["rs", "ftl"]) {
        // The list of settings itself names what is retired and what is not there yet.
        if path.ends_with("config/check.rs") {
            continue;
        }
        let text = read(&path);
        let text = if path.extension().is_some_and(|end| end == "rs") { literals(&text) } else { text };
        for section in SECTIONS {
            for (at, _) in text.match_indices(section) {
                let alone = !text[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '{'));
                let key: String =
                    text[at + section.len()..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                // A literal of nothing else is the code of an error there, and no sentence.
                let rest = &text[at + section.len() + key.len()..];
                let code = path.ends_with("cli/trouble.rs") && text[..at].ends_with('\n') && rest.starts_with('\n');
                if code || !alone || key.is_empty() || rest.starts_with(['(', '-', '/']) {
                    continue;
                }
                seen += 1;
                assert!(is_setting(&format!("{section}{key}")), "{} names the setting {section}{key}", path.display());
            }
        }
    }
    assert!(seen >= 6, "{seen} settings");
}

#[test]
fn the_walk_finds_what_is_not_there() {
    assert_eq!(
        commands("restore it (`passerelle restore`)\nNext: passerelle partner list"),
        ["passerelle restore", "passerelle partner list"]
    );
    assert!(parses("passerelle restore").is_err() && parses("passerelle partner list").is_ok());
    assert!(parses("passerelle partner accept DOMAIN --fingerprint \"their words\"").is_ok());
    assert!(is_setting("server.listen") && !is_setting("server.port"));
    let source = "let a = \"x\"; // \"y\"\n//! \"z\"\nlet b = ['\"', 'c', '\\n'];\nf(\"one \\\n    two\");\n#[cfg(test)]\n\"t\"";
    assert_eq!(literals(source), "x\none two\n");
}
