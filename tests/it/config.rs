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
fn a_wrong_value_is_shown_in_its_own_section() {
    // The platform has a `url` and a `name` too, and stands first.
    let (before, platform) = GOOD.split_at(GOOD.find("[[platform]]").unwrap());
    let turned = format!("{platform}{before}");
    let config = parse(&turned).unwrap();
    let wrong = |setting: &str, value: &str| config.wrong("config.x", setting, value, "it is wrong", "correct it").to_string();
    let text = wrong("database.url", "");
    assert!(text.contains("passerelle.toml:12:1") && text.contains("sqlite:///tmp/passerelle.db"), "{text}");
    let text = wrong("platform.url", "participer");
    assert!(text.contains("passerelle.toml:4:1"), "{text}");
    let text = refusal(&turned.replace("name = { fr = \"Ville de Lyon\", en = \"City of Lyon\" }", "name = {}"));
    assert!(text.contains("config.empty") && text.contains("passerelle.toml:7:1"), "{text}");
    // Of several platforms the one with the value.
    let two = format!("{GOOD}[[platform]]\nname = \"two\"\nkind = \"consul\"\nurl = \"https://two.example\"\n");
    let text = parse(&two).unwrap().wrong("config.kind", "platform.kind", "consul", "unknown", "x").to_string();
    assert!(text.contains("passerelle.toml:15:1"), "{text}");
}

#[test]
fn settings_that_do_nothing_say_so() {
    let config = parse(&format!("{GOOD}[retention]\ntombstones = \"1d\"\n")).unwrap();
    assert_eq!(config.warnings, ["`retention.tombstones` has no effect in this version"]);
    let config = parse(&format!("{GOOD}[site]\naccessibility_audit = \"\"\n")).unwrap();
    assert_eq!(config.warnings, ["`site.accessibility_audit` is retired and ignored; it is now `site.audit.result`"]);
    let text = refusal(&format!("{GOOD}[retention]\ntombstone = \"1d\"\n"));
    assert!(text.contains("`retention.tombstone` is not a setting"), "{text}");
}

#[test]
fn the_composed_gateway_trusts_the_network_it_is_reached_through() {
    let file = include_str!("../../docker-compose.yml");
    let said = |key: &str| {
        let line = file.lines().find_map(|line| line.trim().trim_start_matches("- ").strip_prefix(key));
        line.unwrap_or_else(|| panic!("no {key}")).trim().trim_matches(['"', '\'']).to_owned()
    };
    let overrides = ["LISTEN", "TRUSTED_PROXIES"]
        .map(|key| ("server".to_owned(), key.to_ascii_lowercase(), said(&format!("PASSERELLE_SERVER__{key}:"))));
    let config = Config::parse(Path::new("passerelle.toml"), GOOD, overrides).unwrap();
    let gateway = said("gateway: 172").trim().to_owned();
    assert_eq!(config.server.trusted_proxies, [format!("172{gateway}/32")]);
    let network = said("subnet:");
    let (network, bits) = network.split_once('/').unwrap();
    assert_eq!((network.rsplit_once('.').unwrap().0, bits), (format!("172{gateway}").rsplit_once('.').unwrap().0, "24"));
    // Whose password file the comment speaks of is who the image runs as.
    let image = include_str!("../../Dockerfile");
    assert!(
        image.contains("USER 10001:10001")
            && image.contains("--uid 10001 --gid 10001")
            && file.contains("chown 10001:10001 config/pgpass")
    );
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
