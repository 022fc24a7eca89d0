//! What a person reads who mistyped a setting.

use std::path::Path;

use passerelle::config::{Config, ConfigError};

const GOOD: &str = r#"
[authority]
name = { fr = "Ville de Lyon", en = "City of Lyon" }
identifiers = ["siren:216901231"]
[server]
public_url = "https://passerelle.lyon.example"
[database]
url = "sqlite:///tmp/passerelle.db"
[[platform]]
name = "lyon"
kind = "decidim"
url = "https://participer.lyon.example"
"#;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(Path::new("passerelle.toml"), text, [])
}

fn refusal(text: &str) -> String {
    parse(text).expect_err("it was taken").to_string()
}

#[test]
fn a_short_file_is_enough_and_the_rest_has_defaults() {
    let config = parse(GOOD).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.platform[0].every.to_string(), "15m");
    assert!((config.platform[0].requests_per_second - 1.0).abs() < f64::EPSILON);
    assert!(config.platform[0].publish);
    assert_eq!(config.backup.keep.to_string(), "30d");
    assert!(config.warnings.is_empty());
}

#[test]
fn an_unknown_key_names_its_line_and_the_nearest_setting() {
    insta::assert_snapshot!(refusal(&format!("{GOOD}[delivery]\nconcurency = 40\n")), @r"
    error[config.unknown-key]: `delivery.concurency` is not a setting
      --> passerelle.toml:14:1
    14 | concurency = 40
       | ^^^^^^^^^^ nearest: `concurrency`
    help: rename or remove it; nothing was started. All settings: passerelle help config
    ");
}

#[test]
fn an_unknown_key_of_a_platform_and_an_unknown_section_are_found_too() {
    let text = refusal(&GOOD.replace("kind =", "knd ="));
    assert!(text.contains("`platform.knd`") && text.contains("passerelle.toml:11:1") && text.contains("`kind`"), "{text}");
    let text = refusal(&format!("{GOOD}[autority]\nname = \"x\"\n"));
    assert!(text.contains("`autority`") && text.contains("nearest: `authority`"), "{text}");
}

#[test]
fn a_missing_required_key_is_named() {
    let text = refusal(&GOOD.replace("public_url = \"https://passerelle.lyon.example\"", ""));
    assert!(text.contains("config.missing-key") && text.contains("public_url"), "{text}");
}

#[test]
fn a_wrong_value_names_its_line() {
    let text = refusal(&GOOD.replace("\"https://participer.lyon.example\"", "\"participer\""));
    assert!(text.contains("passerelle.toml:12:"), "{text}");
    let text = refusal(&GOOD.replace("passerelle.lyon.example\"", "passerelle.lyon.example/path\""));
    assert!(text.contains("config.public-url") && text.contains("passerelle.toml:6:1"), "{text}");
    let text = refusal(&GOOD.replace("siren:216901231", "216901231"));
    assert!(text.contains("register:number"), "{text}");
}

#[test]
fn a_retired_key_warns_and_names_its_successor() {
    let config = parse(&format!("{GOOD}[http]\nport = 80\n")).unwrap();
    assert_eq!(config.warnings, ["`http.port` is retired and ignored; it is now `server.listen`"]);
}

#[test]
fn the_environment_goes_over_the_file_and_knows_the_same_keys() {
    let over = |key: &str, value: &str| {
        Config::parse(Path::new("passerelle.toml"), GOOD, [("server".to_owned(), key.to_owned(), value.to_owned())])
    };
    assert_eq!(over("listen", "127.0.0.1:9").unwrap().server.listen.port(), 9);
    assert!(over("lissten", "1").unwrap_err().to_string().contains("PASSERELLE_SERVER__LISSTEN"));
}

#[test]
fn limits_that_let_nobody_in_are_refused() {
    let server = |line: &str| GOOD.replace("[server]", &format!("[server]\n{line}"));
    let config = parse(GOOD).unwrap();
    assert_eq!((config.server.max_connections, config.server.connections_per_address), (4096, 64));
    assert_eq!(config.server.trusted_proxies, ["127.0.0.0/8", "::1/128"]);
    for line in
        ["max_connections = 15", "max_connections = 65537", "connections_per_address = 0", "connections_per_address = 5000"]
    {
        let text = refusal(&server(line));
        assert!(text.contains("config.connections") && text.contains("passerelle.toml:6:1"), "{text}");
    }
    assert!(parse(&server("max_connections = 100")).is_ok());
    let text = refusal(&format!("{GOOD}[inbox]\nactivities_per_hour = 0\n"));
    assert!(text.contains("config.quota") && text.contains("passerelle.toml:14:1"), "{text}");
    assert!(parse(&server("trusted_proxies = [\"10.0.0.2/32\"]")).unwrap().warnings.is_empty());
}

#[test]
fn two_platforms_of_one_name_are_refused() {
    let twice = format!("{GOOD}[[platform]]\nname = \"lyon\"\nkind = \"decidim\"\nurl = \"https://x.example\"\n");
    assert!(refusal(&twice).contains("config.platform-twice"));
}
