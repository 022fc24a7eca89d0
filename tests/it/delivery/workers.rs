//! Workers wait for nobody, and cost nothing while there is nothing to do.

use std::time::Duration;

use passerelle::delivery::{Settings, Worker};
use passerelle::domain::Class;
use passerelle::domain::partner::FollowState;
use passerelle::outbound::Limits;
use passerelle::store::DisclosureState;

use crate::store_tests;
use crate::support::content::{contribution, id};
use crate::support::gateway::{TestGateway, morning, settle};
use crate::support::stores::Databases;

store_tests! {
    async fn what_becomes_due_while_a_partner_is_silent_does_not_wait_for_it(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two_paired(&databases, &clock).await?;
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let mut slow = bordeaux.as_partner(FollowState::Accepted, FollowState::None);
        slow.domain = "silent.localhost".parse()?;
        slow.actor = format!("http://silent.localhost:{}/actor", silent.local_addr()?.port()).parse()?;
        slow.inbox = format!("http://silent.localhost:{}/actor/inbox", silent.local_addr()?.port());
        lyon.list(&slow).await?;
        let mut tx = lyon.federation.store.write().await?;
        tx.set_follows_us(&bordeaux.domain, FollowState::None).await?;
        tx.save().await?;
        lyon.publish(&[contribution(&lyon.url, 1)]).await?;
        passerelle::federation::planner::step(&lyon.federation).await?;
        // The silent one has no deadline: what waits for it waits for ever.
        let settings = Settings { limits: Limits { deadline: Duration::from_hours(1), ..Limits::DELIVERY }, ..Settings::default() };
        let worker = Worker::new(lyon.federation.clone(), settings);
        let both = async {
            worker.step().await?;
            let mut tx = lyon.federation.store.write().await?;
            tx.set_follows_us(&bordeaux.domain, FollowState::Accepted).await?;
            tx.save().await?;
            lyon.publish(&[contribution(&lyon.url, 2)]).await?;
            passerelle::federation::planner::step(&lyon.federation).await?;
            let second = id(&lyon.url, Class::Contribution, 2);
            while lyon.ledger(&bordeaux, &second).await?.is_none_or(|row| row.state != DisclosureState::Acknowledged) {
                worker.step().await?;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(Duration::from_secs(30), both).await.expect("the silent partner holds up the other one")?;
        drop(silent);
        worker.drain().await;
    }

    async fn idle_workers_leave_the_writer_alone(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two_paired(&databases, &clock).await?;
        settle(&[&lyon, &bordeaux]).await?;
        // Whoever asks for the writer of a SQLite file now waits for this transaction.
        let busy = lyon.federation.store.write().await?;
        let idle = tokio::time::timeout(Duration::from_secs(2), lyon.step()).await.expect("an idle worker waits to write");
        assert!(!idle?, "nothing was due");
        drop(busy);
    }
}
