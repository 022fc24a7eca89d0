//! `passerelle demo`, as a person types it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What the demo promises to show, in this order.
const PROMISED: [&str; 12] = [
    "read both platforms",
    "open both gateways",
    "compare the words, follow each other",
    "read what was there before",
    "a new proposal in Lyon",
    "a comment in Bordeaux",
    "its author edits it",
    "the city of Lyon answers",
    "moderation hides a proposal",
    "an author withdraws his",
    "a proposal is deleted",
    "check what each city holds",
];

/// What has to be seen for some of them, at the partner too.
const SEEN: [(&str, &str); 5] = [
    ("a new proposal in Lyon", "with a receipt"),
    ("the city of Lyon answers", "Bordeaux shows the official answer"),
    ("moderation hides a proposal", "hidden in Lyon and in Bordeaux"),
    ("an author withdraws his", "text gone, in both cities"),
    ("a proposal is deleted", "purge receipt verified"),
];

fn demo(arguments: &[&str], folder: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passerelle"));
    command.arg("demo").args(arguments).env("TMPDIR", folder).stdin(Stdio::null());
    command
}

/// Whether anything is left of the demo's files or processes.
fn leftovers(folder: &std::path::Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().display().to_string());
    let name = folder.display().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let line = std::fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains(&name).then_some(line)
    });
    files.chain(processes).collect()
}

#[test]
fn the_story_is_verified_step_by_step_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let output = demo(&["--once", "--json"], folder.path()).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let steps: Vec<&Value> = lines.iter().filter(|line| line.get("step").is_some()).collect();
    let told_of: Vec<&str> = steps.iter().map(|step| step["what"].as_str().unwrap()).collect();
    assert_eq!(told_of, PROMISED, "{told}");
    assert!(steps.iter().all(|step| step["ok"] == true && step["of"] == PROMISED.len()), "{told}");
    for (what, seen) in SEEN {
        let step = steps.iter().find(|step| step["what"] == what).unwrap();
        assert!(step["figures"].as_str().unwrap().contains(seen), "{step}");
    }
    assert_eq!(lines.last().unwrap()["verified"], true, "{told}");
    assert_eq!(leftovers(folder.path()), Vec::<String>::new());
}

#[test]
fn ctrl_c_ends_everything() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = demo(&["--json"], folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    let serves = || leftovers(folder.path()).iter().filter(|line| line.contains(" serve ")).count();
    while serves() < 2 {
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none(), "both gateways start");
        std::thread::sleep(Duration::from_millis(50));
    }
    let id = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "the story was interrupted");
    assert_eq!(leftovers(folder.path()), Vec::<String>::new());
}
