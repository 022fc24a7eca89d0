//! How a listener ends: nobody new, idle ones at once, what is under way to its end.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::house::{HONEST, House, attacker, deadlines, over_by, read_reply, until_closed, wire};
use crate::store_tests;
use crate::support::stores::Databases;

store_tests! {
    async fn what_is_under_way_ends_well_when_the_process_stops(databases: Databases) {
        let mut house = House::wide(&databases).await?;
        let knock = house.rig.b.post(&house.rig.create(), house.rig.now());
        let bytes = wire(&knock);
        let (first, rest) = bytes.split_at(bytes.len() - 100);
        let mut under_way = house.connect(HONEST).await?;
        under_way.write_all(first).await?;
        let mut idle = house.connect(HONEST).await?;
        idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: a.example\r\n\r\n").await?;
        let mut answer = [0; 1024];
        assert!(idle.read(&mut answer).await? > 0);
        let silent = house.connect(HONEST).await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        house.stop();
        let stopped = Instant::now();
        for stream in [idle, silent] {
            let (time, _) = until_closed(stream, stopped).await;
            assert!(time < over_by(deadlines().head), "an idle connection was closed after {time:?}");
        }
        assert!(house.connect(attacker(1)).await.is_err(), "nobody new is taken");
        under_way.write_all(rest).await?;
        let reply = read_reply(&mut under_way).await?;
        assert_eq!(reply.status, 202, "{reply:?}");
        house.stopped().await;
        assert_eq!(house.door.open(), 0);
    }

    async fn what_does_not_end_is_cut(databases: Databases) {
        let mut house = House::wide(&databases).await?;
        let mut stuck = house.connect(HONEST).await?;
        stuck.write_all(format!("GET {} HTTP/1.1\r\nhost: a.example\r\n\r\n", passerelle::web::pages::notices::SOURCE_ARCHIVE).repeat(30).as_bytes()).await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        house.stop();
        house.stopped().await;
        assert_eq!(house.door.open(), 0);
    }
}
