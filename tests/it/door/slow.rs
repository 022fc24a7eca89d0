//! Those who take their time: SEC-120, SEC-121, SEC-122, and answers that nobody takes.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use passerelle::web::pages::notices::SOURCE_ARCHIVE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use super::house::{HONEST, House, attacker, deadlines, drip, drop_by_drop, over_by, parse, sockets, until_closed};
use crate::store_tests;
use crate::support::stores::Databases;

/// How often an attack that lasts for one short deadline is repeated.
const WAVES: usize = 4;

/// Every connection was closed at its deadline, neither before nor much later.
fn closed_at(deadline: Duration, times: impl IntoIterator<Item = Duration>) {
    for time in times {
        assert!(time >= deadline.mul_f64(0.9) && time < over_by(deadline), "closed after {time:?} instead of {deadline:?}");
    }
}

store_tests! {
    async fn sec_120_heads_that_drip_are_closed_and_honest_requests_answered(databases: Databases) {
        let house = House::wide(&databases).await?;
        let attack = async || {
            join_all((0..sockets(200, 2000)).map(async |n| {
                let begun = Instant::now();
                let stream = house.connect(attacker(n)).await.expect("a connection");
                drip(stream, b"GET /aide HTTP/1.1\r\nhost: a.example\r\nx: ", drop_by_drop(), begun).await
            }))
            .await
        };
        let outcomes = house.attacked(WAVES, attack).await?;
        closed_at(deadlines().head, outcomes.into_iter().flatten().map(|(time, _)| time));
        house.empties().await;
    }

    async fn sec_121_bodies_that_drip_are_answered_with_408(databases: Databases) {
        let house = House::wide(&databases).await?;
        let before = house.rig.rows("journal").await?;
        let head = b"POST /actor/inbox HTTP/1.1\r\nhost: a.example\r\ncontent-type: application/activity+json\r\n\
                     content-length: 1000\r\n\r\n";
        let attack = async || {
            join_all((0..sockets(200, 2000)).map(async |n| {
                let begun = Instant::now();
                let stream = house.connect(attacker(n)).await.expect("a connection");
                drip(stream, head, drop_by_drop(), begun).await
            }))
            .await
        };
        let outcomes = house.attacked(WAVES, attack).await?;
        for (time, heard) in outcomes.into_iter().flatten() {
            closed_at(deadlines().body, [time]);
            let reply = parse(&heard)?;
            assert_eq!(reply.status, 408, "{reply:?}");
            assert!(reply.head.contains("retry-after:"), "{reply:?}");
        }
        house.empties().await;
        assert!(house.rig.rows("journal").await? > before, "the honest partner was heard meanwhile");
    }

    async fn sec_122_silent_sockets_are_closed_and_idle_ones_later(databases: Databases) {
        let house = House::wide(&databases).await?;
        let idle = async |n: usize| {
            let mut stream = house.connect(attacker(n)).await.expect("a connection");
            stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: a.example\r\n\r\n").await.expect("sent");
            let begun = Instant::now();
            let mut first = [0; 1024];
            let length = stream.read(&mut first).await.expect("an answer");
            assert!(String::from_utf8_lossy(&first[..length]).starts_with("HTTP/1.1 200"));
            until_closed(stream, begun).await
        };
        let silent = async |n: usize| {
            let begun = Instant::now();
            let stream = house.connect(attacker(n)).await.expect("a connection");
            until_closed(stream, begun).await
        };
        let n = sockets(300, 5000);
        let attack = async || tokio::join!(join_all((0..n).map(&silent)), join_all((n..n + n / 5).map(&idle)));
        for (silent, idle) in house.attacked(1, attack).await? {
            assert!(silent.iter().all(|(_, heard)| heard.is_empty()), "nobody asked, so nothing is said");
            closed_at(deadlines().head, silent.into_iter().map(|(time, _)| time));
            closed_at(deadlines().idle, idle.into_iter().map(|(time, _)| time));
        }
        house.empties().await;
        assert_eq!(house.page().await?.status, 200, "the accept loop lives");
    }

    async fn sec_122_who_takes_no_answer_is_cut_and_who_takes_it_slowly_gets_all(databases: Databases) {
        let house = House::wide(&databases).await?;
        let request = format!("GET {SOURCE_ARCHIVE} HTTP/1.1\r\nhost: a.example\r\n\r\n");
        // More than any buffer of the system holds; the client does not read, as if its cable were cut.
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4096)?;
        socket.bind((attacker(1), 0).into())?;
        let mut dead = socket.connect(house.address).await?;
        dead.write_all(request.repeat(30).as_bytes()).await?;
        while house.door.open() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let begun = Instant::now();
        while house.door.open() > 0 {
            assert!(begun.elapsed() < over_by(deadlines().stall), "it is still open");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(begun.elapsed() >= deadlines().stall.mul_f64(0.9), "{:?}", begun.elapsed());
        drop(dead);
        // A slow line takes longer than a connection may idle, but takes.
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4096)?;
        socket.bind((HONEST, 0).into())?;
        let mut slow = socket.connect(house.address).await?;
        slow.write_all(request.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n").as_bytes()).await?;
        let (begun, mut heard, mut piece) = (Instant::now(), Vec::new(), vec![0; 64 * 1024]);
        loop {
            let length = slow.read(&mut piece).await?;
            if length == 0 {
                break;
            }
            heard.extend_from_slice(&piece[..length]);
            if begun.elapsed() < deadlines().idle + deadlines().head {
                tokio::time::sleep(drop_by_drop() / 10).await;
            }
        }
        let reply = parse(&heard)?;
        let announced = reply.head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()).expect("a length");
        assert_eq!(reply.body.len().to_string(), announced);
        assert!(begun.elapsed() > deadlines().idle, "the test was too quick to show anything: {:?}", begun.elapsed());
    }
}
