//! Those who come in numbers: SEC-123, and a process that runs out of files.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use futures_util::future::join_all;
use passerelle::app::listener::{Deadlines, Limits, Listener};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::house::{HONEST, House, QUICK, attacker, sockets, wire};
use crate::store_tests;
use crate::support::peer::Knock;
use crate::support::stores::Databases;

/// Deadlines that no attack here waits for.
const PATIENT: Deadlines =
    Deadlines { head: Duration::from_secs(20), body: Duration::from_secs(20), idle: Duration::from_secs(20), ..QUICK };

/// Many connections that say nothing; they live until dropped or overdue.
async fn silent(house: &House, from: impl Fn(usize) -> Ipv4Addr, n: usize) -> Vec<TcpStream> {
    join_all((0..n).map(|n| house.connect(from(n)))).await.into_iter().map(|stream| stream.expect("a connection")).collect()
}

/// What one client may have behind a proxy.
const SHARE: usize = 4;

/// As many requests as one client may have, brought by a proxy with this `X-Forwarded-For`; their bodies never
/// come. They live until dropped or overdue.
async fn under_way(house: &House, proxy: Ipv4Addr, forwarded: Option<&str>) -> anyhow::Result<Vec<TcpStream>> {
    let mut knock = Knock::post(vec![b'x'; 1000], house.rig.now());
    knock.set("expect", "100-continue");
    if let Some(forwarded) = forwarded {
        knock.set("x-forwarded-for", forwarded);
    }
    let bytes = wire(&knock);
    let mut streams = Vec::new();
    for _ in 0..SHARE {
        let mut stream = house.connect(proxy).await?;
        stream.write_all(&bytes[..bytes.len() - knock.body.len()]).await?;
        // Whose body is asked for is inside.
        let mut said = [0; 64];
        let length = tokio::time::timeout(PATIENT.head, stream.read(&mut said)).await??;
        let said = String::from_utf8_lossy(&said[..length]);
        anyhow::ensure!(said.starts_with("HTTP/1.1 100"), "{said}");
        streams.push(stream);
    }
    Ok(streams)
}

/// Waits until so many are inside.
async fn holds(house: &House, n: usize) {
    let full = async {
        while house.door.open() != n {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let open = || format!("{} are inside instead of {n}", house.door.open());
    tokio::time::timeout(PATIENT.head, full).await.unwrap_or_else(|_| panic!("{}", open()));
}

store_tests! {
    async fn sec_123_one_address_has_its_share_and_no_more(databases: Databases) {
        let house = House::open(&databases, Limits::new(400, 10, Vec::new()), PATIENT).await?;
        let crowd = silent(&house, |_| attacker(1), 100).await;
        holds(&house, 10).await;
        let refused = house.ask(attacker(1), &Knock::get("/aide", house.rig.now())).await?;
        assert_eq!(refused.status, 503, "{refused:?}");
        assert!(refused.head.contains("retry-after: 10") && refused.head.contains("connection: close"), "{refused:?}");
        // What it claims of itself changes nothing.
        let mut forged = Knock::get("/aide", house.rig.now());
        forged.set("x-forwarded-for", "192.0.2.1");
        assert_eq!(house.ask(attacker(1), &forged).await?.status, 503);
        assert_eq!(house.page().await?.status, 200, "another address");
        drop(crowd);
        house.empties().await;
        assert_eq!(house.ask(attacker(1), &Knock::get("/aide", house.rig.now())).await?.status, 200, "its places are free again");
    }

    async fn sec_123_partners_get_in_when_a_thousand_addresses_fill_the_house(databases: Databases) {
        let n = sockets(200, 1000);
        let limits = Limits::new(n / 2, 10, Vec::new());
        let for_strangers = limits.connections - limits.reserved;
        let house = House::open(&databases, limits, PATIENT).await?;
        let partner = Ipv4Addr::new(127, 0, 8, 8);
        let activity = |n: u8| house.rig.b.activity(&format!("x-{n}"), "Like", &serde_json::json!("https://a.example/x"));
        let knock = |n| house.rig.b.post(&activity(n), house.rig.now());
        assert_eq!(house.ask(partner, &knock(1)).await?.status, 202);
        house.empties().await;
        let crowd = silent(&house, attacker, n).await;
        holds(&house, for_strangers).await;
        // Of a thousand at once, 256 are told, for a second at most; the others are closed without a word.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let stranger = house.page().await?;
        assert_eq!(stranger.status, 503, "{stranger:?}");
        // The reserve is for an address from which a partner signed something lately …
        for round in 2..5 {
            assert_eq!(house.ask(partner, &knock(round)).await?.status, 202);
        }
        // … not for whoever says that it is one.
        assert_eq!(house.ask(HONEST, &knock(5)).await?.status, 503);
        drop(crowd);
        house.empties().await;
        assert_eq!(house.page().await?.status, 200);
        assert!(house.door.turned_away() >= u64::try_from(n - for_strangers)?);
    }

    async fn sec_123_behind_a_proxy_the_share_is_the_clients(databases: Databases) {
        let proxy = Ipv4Addr::new(127, 0, 9, 9);
        let house = House::open(&databases, Limits::new(400, SHARE, vec!["127.0.9.9/32".parse()?]), PATIENT).await?;
        let asked = |client: &str| {
            let mut knock = Knock::get("/aide", house.rig.now());
            knock.set("x-forwarded-for", client);
            knock
        };
        // A proxy may have more connections than a client; what counts is whose requests are under way.
        let under_way = under_way(&house, proxy, Some("192.0.2.1")).await?;
        let _idle = silent(&house, |_| proxy, 20).await;
        holds(&house, 24).await;
        let refused = house.ask(proxy, &asked("192.0.2.1")).await?;
        assert!(refused.status == 503 && refused.head.contains("retry-after"), "{refused:?}");
        // What the client wrote into the header before the proxy did counts for nothing.
        assert_eq!(house.ask(proxy, &asked("198.51.100.1, 192.0.2.1")).await?.status, 503);
        assert_eq!(house.ask(proxy, &asked("192.0.2.2")).await?.status, 200);
        drop(under_way);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(house.ask(proxy, &asked("192.0.2.1")).await?.status, 200);
    }

    async fn sec_123_nothing_in_the_header_hides_a_client_behind_a_proxy(databases: Databases) {
        let proxy = Ipv4Addr::new(127, 0, 9, 9);
        let house = House::open(&databases, Limits::new(400, SHARE, vec!["127.0.9.9/32".parse()?]), PATIENT).await?;
        let asked = async |client: Option<&str>| {
            let mut knock = Knock::get("/aide", house.rig.now());
            if let Some(client) = client {
                knock.set("x-forwarded-for", client);
            }
            anyhow::Ok(house.ask(proxy, &knock).await?.status)
        };
        // The proxy adds whom it sees to what the client wrote, be that text or not.
        let _full = under_way(&house, proxy, Some("\u{e9}, 192.0.2.1")).await?;
        assert_eq!(asked(Some("192.0.2.1")).await?, 503);
        assert_eq!(asked(Some("\u{e9}, 192.0.2.1")).await?, 503);
        assert_eq!(asked(Some("\u{e9}, 192.0.2.2")).await?, 200);
        // Whom it does not name counts as the proxy itself.
        let _nameless = under_way(&house, proxy, None).await?;
        for nobody in [None, Some("unknown"), Some("192.0.2.3, \u{e9}"), Some("127.0.9.9")] {
            assert_eq!(asked(nobody).await?, 503, "{nobody:?}");
        }
        assert_eq!(asked(Some("192.0.2.3")).await?, 200);
    }
}

#[tokio::test]
async fn sec_122_a_process_without_files_lives_on() {
    // The limit of this process cannot be lowered for one test: a child of it runs the test below.
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "door::crowd::a_child_with_few_files", "--ignored", "--nocapture"])
        .env("PASSERELLE_TEST_FILES", "64")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    let address: SocketAddr =
        lines.find_map(|line| line.split("listening on ").nth(1)?.parse().ok()).expect("the child says where it listens");
    let crowd: Vec<TcpStream> = join_all((0..150).map(|_| TcpStream::connect(address)))
        .await
        .into_iter()
        .map(|stream| stream.expect("the system takes it"))
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(crowd);
    let answered = async {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n").await.expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("an answer");
        text
    };
    let text = tokio::time::timeout(Duration::from_secs(20), answered).await.expect("it answers again");
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    drop(child.stdin.take());
    assert!(child.wait().expect("it ends").success());
}

#[tokio::test]
#[ignore = "a child that the test above starts"]
#[expect(clippy::print_stdout, reason = "the parent reads where it listens")]
async fn a_child_with_few_files() {
    let Some(files) = std::env::var("PASSERELLE_TEST_FILES").ok().and_then(|text| text.parse().ok()) else { return };
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(files), maximum }).expect("a limit may be lowered");
    let limits = Limits::new(1000, 1000, Vec::new());
    let listener = Listener::bind(([127, 0, 0, 1], 0).into(), limits, Deadlines::default()).expect("a free port");
    let address = listener.address().expect("an address");
    let door = listener.door();
    println!("listening on {address}");
    let router = Router::new().route("/", get(async || "ok"));
    // Looked at from outside: while the accept loop waits for files, it polls nothing of ours.
    let most = Arc::new(AtomicUsize::new(0));
    let looked = Arc::clone(&most);
    let watch = tokio::spawn(async move {
        loop {
            looked.fetch_max(door.open(), Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    // Ends when the parent closes our standard input.
    let end = async {
        let _lines = tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await;
    };
    listener.serve(router, end).await;
    watch.abort();
    let most = most.load(Ordering::Relaxed);
    assert!(most > 20 && most < 64, "{most} were open: the test did not exhaust the files");
}
