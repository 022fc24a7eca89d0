//! Bad input at the command line: one clear message each (what, where, what to do), an exit code, and
//! nothing lost.

use std::process::Output;

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
    let said = refused(&city.run(&["partner", "list"]).await, 1);
    assert!(said.contains("mysql:") && said.contains("sqlite:") && said.contains("postgres:"), "{said}");
}

#[tokio::test]
async fn a_damaged_database_is_refused_and_left_as_it_is() {
    let city = city(None);
    assert!(city.run(&["partner", "list"]).await.status.success());
    let toml = std::fs::read_to_string(city.config()).unwrap();
    let path = toml.lines().find_map(|line| line.strip_prefix("url = \"sqlite://")).unwrap().trim_end_matches('"').to_owned();
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

#[tokio::test]
async fn a_port_in_use_is_named_with_its_setting() {
    let city = city(None);
    let _taken = std::net::TcpListener::bind(("127.0.0.1", city.port)).unwrap();
    let said = refused(&city.run(&["serve"]).await, 1);
    assert!(said.contains(&format!("127.0.0.1:{}", city.port)) && said.contains("server.listen"), "{said}");
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
    let said = refused(&city.run(&["serve"]).await, 1);
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
