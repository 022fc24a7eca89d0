//! A profile that is wrong says where, and what to write instead.

use passerelle::mapping::Profile;

const GOOD: &str = r#"
[profile]
name = "small"
version = "1"
system = "small"
licence = "https://example.org/licence"

[codes.states]
open = "pending"

[entity.idea]
proof = [{ kind = "public-page" }]
drop = [{ path = "$.likes", because = "a reason" }]

[entity.idea.Contribution]
process = { from = "$.context.project", as = "reference", entity = "project", class = "Consultation" }
name = { from = "$.title", as = "plain" }

[entity.idea.Disposition]
subject = { from = "$.id", as = "reference", entity = "idea", class = "Contribution" }
process = { from = "$.context.project", as = "reference", entity = "project", class = "Consultation" }
dispositionState = { from = "$.status", as = "code", table = "states" }

[entity.project]
proof = [{ kind = "single-source", because = "the platform has one public list" }]

[entity.project.Consultation]
name = { from = "$.title", as = "plain" }
"#;

/// The message for the good profile with one thing changed.
fn refused(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "`{from}` is not in the profile");
    Profile::parse(&GOOD.replacen(from, to, 1)).err().unwrap_or_else(|| panic!("`{to}` was taken")).to_string()
}

#[test]
fn a_small_profile_is_read() {
    let profile = Profile::parse(GOOD).expect("it is good");
    assert_eq!(profile.entities().collect::<Vec<_>>(), ["idea", "project"]);
    assert_eq!(profile.depends_on("idea").into_iter().collect::<Vec<_>>(), ["project"]);
}

#[test]
fn an_error_names_line_and_key_and_the_nearest_name() {
    let cases = [
        (r#"as = "plain" }"#, r#"as = "plian" }"#),
        ("[entity.idea.Disposition]", "[entity.idea.Dispositon]"),
        (r#"name = { from = "$.title""#, r#"nmae = { from = "$.title""#),
        (r#"table = "states""#, r#"table = "state""#),
        (r#"open = "pending""#, r#"open = "pendign""#),
        (r#"kind = "public-page""#, r#"kind = "public-pages""#),
        (r#"{ path = "$.likes""#, r#"{ path = "$.*""#),
        (r#"{ path = "$.likes""#, r#"{ path = "$.title""#),
        (r#"from = "$.title", as = "plain""#, r#"from = "$.title", as = "count""#),
        (r#"entity = "project""#, r#"entity = "projet""#),
        (r#", because = "the platform has one public list""#, ""),
        (r#"proof = [{ kind = "public-page" }]"#, ""),
        ("version = \"1\"", "version = 1"),
        ("[profile]", "[profile"),
    ];
    let messages: Vec<String> = cases.iter().map(|(from, to)| refused(from, to)).collect();
    insta::assert_snapshot!(messages.join("\n"));
}
