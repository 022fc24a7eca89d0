//! Bad input at the command line: one clear message each (what, where, what to do), an exit code, and
//! nothing lost.

use std::process::Output;
use std::time::Duration;

use sqlx::{Connection as _, SqliteConnection};

use crate::support::program::{Installation, free_port, sqlite, text};

/// Stdout, stderr and exit code of a command that must fail.
fn refused(output: &Output, code: i32) -> String {
    let said = text(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

fn city(platform: Option<&str>) -> Installation {
    let folder = tempfile::tempdir().expect("a temporary folder").keep();
    Installation::new("lyon", &sqlite(&folder), platform)
}

/// Where its SQLite file is.
fn database_of(city: &Installation) -> String {
    let toml = std::fs::read_to_string(city.config()).expect("it was written");
    let path = toml.lines().find_map(|line| line.strip_prefix("url = \"sqlite://")).expect("a file");
    path.trim_end_matches('"').to_owned()
}

#[tokio::test]
async fn an_unknown_setting_stops_the_start_and_names_its_line() {
    let city = city(None);
    city.rewrite(|text| text.replace("listen =", "lissen ="));
    let said = refused(&city.run(&["serve"]).await, 2);
    assert!(
        said.contains("`server.lissen` is not a setting")
            && said.contains("nearest: `listen`")
            && said.contains("passerelle.toml:6:1"),
        "{said}"
    );
}

#[tokio::test]
async fn a_missing_file_says_how_to_name_one() {
    let city = city(None);
    std::fs::remove_file(city.config()).unwrap();
    let said = refused(&city.run(&["serve"]).await, 2);
    assert!(said.contains("cannot read") && said.contains("--config"), "{said}");
}

#[tokio::test]
async fn errors_are_problem_json_when_json_is_asked() {
    let city = city(None);
    let output = city.run(&["platform", "sync", "paris", "--json"]).await;
    assert_eq!(output.status.code(), Some(2));
    let last = String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned();
    let problem: serde_json::Value = serde_json::from_str(&last).unwrap();
    assert_eq!(problem["code"], "config.no-such-platform");
}

#[tokio::test]
async fn a_database_address_that_is_none_is_named() {
    let city = city(None);
    city.rewrite(|text| text.replace("sqlite://", "mysql://"));
    let said = refused(&city.run(&["partner", "list"]).await, 2);
    assert!(said.contains("mysql:") && said.contains("sqlite:") && said.contains("postgres:"), "{said}");
    assert!(said.contains("error[config.database-url]") && said.contains("passerelle.toml:8:1"), "{said}");
}

#[tokio::test]
async fn a_damaged_database_is_refused_and_left_as_it_is() {
    let city = city(None);
    assert!(city.run(&["partner", "list"]).await.status.success());
    let path = database_of(&city);
    let mut bytes = std::fs::read(&path).unwrap();
    for byte in bytes.iter_mut().skip(20).step_by(3) {
        *byte ^= 0x5a;
    }
    std::fs::write(&path, &bytes).unwrap();
    for name in ["-wal", "-shm"] {
        drop(std::fs::remove_file(format!("{path}{name}")));
    }
    let said = refused(&city.run(&["serve"]).await, 1);
    assert!(said.contains(&path), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "a damaged file is evidence and stays untouched");
}

/// A large file is not read to its end before the city is there, but it is read.
#[tokio::test]
async fn damage_deep_in_a_large_database_ends_a_gateway_that_serves() {
    let city = city(None);
    assert!(city.run(&["partner", "list"]).await.status.success());
    let path = database_of(&city);
    let mut own = SqliteConnection::connect(&format!("sqlite://{path}")).await.unwrap();
    for statement in ["CREATE TABLE filling (bytes BLOB)", "INSERT INTO filling VALUES (zeroblob(80000000))"] {
        sqlx::query(statement).execute(&mut own).await.unwrap();
    }
    own.close().await.unwrap();
    let mut child = city.serve(None).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(child.try_wait().unwrap().is_none(), "nothing is wrong with it");
    child.kill().await.unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[0xff; 4096], 40 << 20).unwrap();
    let output = tokio::time::timeout(Duration::from_mins(1), city.command(&["serve"]).output()).await.unwrap().unwrap();
    let said = refused(&output, 1);
    assert!(said.contains("database.damaged") && said.contains(&path), "{said}");
}

#[tokio::test]
async fn a_port_in_use_is_named_with_its_setting() {
    let city = city(None);
    let _taken = std::net::TcpListener::bind(("127.0.0.1", city.port)).unwrap();
    let said = refused(&city.run(&["serve"]).await, 1);
    assert!(said.contains(&format!("127.0.0.1:{}", city.port)) && said.contains("server.listen"), "{said}");
    assert!(said.contains("error[serve.port-taken]") && said.contains("passerelle.toml:6:1"), "{said}");
    // By the environment: no line of the file is blamed.
    let mut by_environment = city.command(&["serve"]);
    by_environment.env("PASSERELLE_SERVER__LISTEN", format!("127.0.0.1:{}", city.port));
    let said = refused(&by_environment.output().await.unwrap(), 1);
    assert!(said.contains("PASSERELLE_SERVER__LISTEN") && !said.contains("-->"), "{said}");
}

#[tokio::test]
async fn a_second_gateway_on_the_same_file_is_refused_and_the_first_goes_on() {
    let city = city(None);
    let mut first = city.serve(None).await;
    let mut second = city.command(&["serve"]);
    second.env("PASSERELLE_SERVER__LISTEN", format!("127.0.0.1:{}", free_port()));
    let said = refused(&second.output().await.unwrap(), 1);
    assert!(said.contains("already serves") && said.contains(&format!("process {}", first.id().unwrap())), "{said}");
    assert!(first.try_wait().unwrap().is_none(), "the first gateway still runs");
    first.kill().await.unwrap();
}

#[tokio::test]
async fn a_database_of_another_city_is_refused() {
    let city = city(None);
    assert!(city.run(&["partner", "list"]).await.status.success());
    city.rewrite(|text| text.replace("http://lyon.localhost", "http://bordeaux.localhost"));
    let said = refused(&city.run(&["serve"]).await, 2);
    assert!(said.contains("error[config.foreign-database]") && said.contains("passerelle.toml:5:1"), "{said}");
    assert!(said.contains("http://lyon.localhost") && said.contains("http://bordeaux.localhost"), "{said}");
}

#[tokio::test]
async fn an_unreachable_platform_is_named_and_nothing_changes() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let city = city(Some(&nobody));
    let said = refused(&city.run(&["platform", "sync", "lyon"]).await, 1);
    assert!(said.contains(&nobody), "{said}");
    let said = refused(&city.run(&["platform", "probe", "lyon"]).await, 1);
    assert!(said.contains(&nobody), "{said}");
}

#[tokio::test]
async fn a_platform_that_answers_with_a_web_page_is_no_decidim() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(async || axum::response::Html("<h1>Sign in</h1>"));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let city = city(Some(&address));
    let said = refused(&city.run(&["platform", "sync", "lyon"]).await, 1);
    assert!(said.contains(&address) && !said.contains("<h1>"), "{said}");
    server.abort();
}

#[tokio::test]
async fn a_wrong_fingerprint_lists_nobody() {
    let (one, other) = (city(None), city(None));
    let mut served = other.serve(None).await;
    let domain = format!("lyon.localhost:{}", other.port);
    let said = refused(&one.run(&["partner", "accept", &domain, "--fingerprint", "1234 5678 9012 3456"]).await, 1);
    assert!(said.contains("fingerprint"), "{said}");
    let listed = one.run(&["partner", "list", "--json"]).await;
    let document: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(document["partners"], serde_json::json!([]));
    served.kill().await.unwrap();
}

/// The problem document that ends a command's stderr.
fn problem(output: &Output) -> serde_json::Value {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = said.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[tokio::test]
async fn ui_85_every_mistake_is_a_problem_document_with_its_code_where_json_is_asked() {
    let city = city(Some("http://127.0.0.1:9"));
    for (arguments, code) in [
        (&["platform", "sync", "paris"][..], "config.no-such-platform"),
        (&["platform", "snyc", "lyon"], "call.unknown-command"),
        (&["platform", "sync", "lyon", "--fast"], "call.unknown-flag"),
        (&["platform", "sync"], "call.missing"),
        (&["partner", "accept", "b.example"], "call.missing"),
        (&["partner", "accept", "b.example/", "--reader"], "call.value"),
        (&["partner", "accept", "b.example", "--reader", "--fingerprint", "x"], "call.conflict"),
        (&["partner", "list", "--lang", "fr"], "call.unknown-flag"),
        (&["demo", "--lang", "de"], "call.value"),
        (&["partner"], "call.no-command"),
        (&["help", "cooking"], "help.unknown-topic"),
    ] {
        let output = city.run(&[arguments, &["--json"]].concat()).await;
        let problem = problem(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {problem}");
        assert_eq!(
            (&problem["code"], &problem["exit"]),
            (&serde_json::json!(code), &serde_json::json!(2)),
            "{arguments:?}: {problem}"
        );
        assert!(output.stdout.is_empty(), "{arguments:?}: nothing but data on stdout");
        assert_eq!(problem["type"], format!("urn:passerelle:{code}"));
        let words = [problem["title"].as_str().unwrap_or_default(), problem["detail"].as_str().unwrap_or_default()];
        assert!(words.iter().all(|words| !words.is_empty() && !words.contains(['\n', '\u{1b}'])), "{arguments:?}: {problem}");
    }
    // What is wrong in the file is named with its line.
    city.rewrite(|text| text.replace("every =", "evry ="));
    let output = city.run(&["platform", "probe", "lyon", "--json"]).await;
    let problem = problem(&output);
    assert_eq!((&problem["code"], output.status.code()), (&serde_json::json!("config.unknown-key"), Some(2)));
    assert!(
        problem["file"].as_str().is_some_and(|file| file.ends_with("passerelle.toml")) && problem["line"].as_u64() > Some(10),
        "{problem}"
    );
}

#[tokio::test]
async fn every_wrong_setting_is_exit_2_with_its_line() {
    type Change = fn(String) -> String;
    let mistakes: [(&str, &str, Change); 8] = [
        ("config.value", "listen =", |text| text.replace("listen = \"127.0.0.1", "listen = \"localhost")),
        ("config.value", "allow_private =", |text| text.replace("127.0.0.0/8", "127.0.0.0/99")),
        ("config.value", "zone =", |text| text.replace("[server]", "zone = \"Europe/Pariss\"\n[server]")),
        ("config.kind", "kind =", |text| text.replace("kind = \"decidim\"", "kind = \"decidimm\"")),
        ("config.profile", "profile =", |text| format!("{text}profile = \"/nowhere/lyon.toml\"\n")),
        ("config.public-url", "public_url =", |text| text.replace("http://lyon.localhost", "ftp://lyon.localhost")),
        ("config.value", "every =", |text| text.replace("every = \"1d\"", "every = \"daily\"")),
        ("config.syntax", "[database", |text| text.replace("[database]", "[database")),
    ];
    for (code, line, change) in mistakes {
        let city = city(Some("http://127.0.0.1:9"));
        city.rewrite(change);
        let said = refused(&city.run(&["platform", "preview", "lyon"]).await, 2);
        assert!(said.contains(&format!("error[{code}]")), "{line}: {said}");
        assert!(said.contains("passerelle.toml:") && said.contains(line) && said.contains("help: "), "{line}: {said}");
    }
    // A key file that is no key, and a variable that is no value.
    let keyless = city(None);
    std::fs::write(keyless.folder.path().join("kek"), "not a key").unwrap();
    assert!(refused(&keyless.run(&["partner", "list"]).await, 2).contains("error[keys.file]"));
    let sound = city(None);
    let mut by_environment = sound.command(&["partner", "list"]);
    by_environment.env("PASSERELLE_SERVER__LISTEN", "everywhere");
    let said = refused(&by_environment.output().await.unwrap(), 2);
    assert!(said.contains("PASSERELLE_SERVER__LISTEN"), "{said}");
}

#[tokio::test]
async fn ui_93_ctrl_c_ends_a_reading_with_130_and_the_next_one_begins_at_once() {
    use passerelle::demo::platform::{Fault, Generation, LYON, SimulatedDecidim, When};
    let clock = std::sync::Arc::new(passerelle::domain::time::SystemClock);
    let platform = SimulatedDecidim::start(Generation::V031, LYON, clock).await.unwrap();
    let city = city(Some(&platform.url()));
    // Everything up to the first list of proposals, which does not come.
    platform.misbehave(Some((Fault::Slow(std::time::Duration::from_mins(5)), When::Containing("query Proposals".to_owned()))));
    for arguments in [&["platform", "sync", "lyon"][..], &["platform", "preview", "lyon"]] {
        let before = platform.requests();
        let mut command = city.command(arguments);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let child = command.spawn().unwrap();
        while platform.requests() < before + 6 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let id = rustix::process::Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
        let ended =
            tokio::time::timeout(std::time::Duration::from_secs(20), child.wait_with_output()).await.expect("it ends").unwrap();
        let said = refused(&ended, 130);
        assert!(said.contains("error[interrupted]"), "{said}");
    }
    platform.misbehave(None);
    let output = city.run(&["platform", "sync", "lyon"]).await;
    assert!(output.status.success(), "it was given back: {}", text(&output));
    // The server itself, ended by hand and by the system.
    for (signal, code) in [(rustix::process::Signal::INT, 130), (rustix::process::Signal::TERM, 0)] {
        let mut served = city.serve(None).await;
        let id = rustix::process::Pid::from_raw(served.id().unwrap().cast_signed()).unwrap();
        rustix::process::kill_process(id, signal).unwrap();
        let status = tokio::time::timeout(std::time::Duration::from_secs(40), served.wait()).await.expect("it ends").unwrap();
        assert_eq!(status.code(), Some(code), "{signal:?}: {}", city.log());
    }
}

#[tokio::test]
async fn a_file_is_looked_for_here_then_at_the_users_and_what_was_tried_is_said() {
    let city = city(None);
    let user = tempfile::tempdir().unwrap();
    let ask = || {
        let mut command = tokio::process::Command::new(crate::support::program::executable());
        command
            .args(["partner", "list"])
            .env_remove("PASSERELLE_CONFIG")
            .env("XDG_CONFIG_HOME", user.path())
            .current_dir(user.path());
        command
    };
    let said = refused(&ask().output().await.unwrap(), 2);
    let place = user.path().join("passerelle/passerelle.toml");
    assert!(said.contains("error[config.none]") && said.contains(&place.display().to_string()), "{said}");
    std::fs::create_dir(user.path().join("passerelle")).unwrap();
    std::fs::copy(city.config(), &place).unwrap();
    assert!(ask().output().await.unwrap().status.success());
    std::fs::write(user.path().join("passerelle.toml"), "nonsense").unwrap();
    assert!(refused(&ask().output().await.unwrap(), 2).contains("error[config.syntax]"), "the nearest one counts");
}
