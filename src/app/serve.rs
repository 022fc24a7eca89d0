use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Refused;
use super::guard::FileGuard;
use super::listener::{Deadlines, Limits, Listener, affordable};
use super::site::site;
use super::{Gateway, chance};
use crate::config::Platform;
use crate::delivery::{self, worker::Worker};
use crate::domain::Timestamp;
use crate::federation::inbox::Inbox;
use crate::federation::quota::Quota;
use crate::federation::{Outcome, backfill, effect, freshness, planner, retention};
use crate::store::{RunOutcome, Store, StoreError, SyncRun};
use crate::sync::Options;
use crate::web::{self, WebState};

/// How long an idle worker waits before it looks again: what a command changes is seen within 2 s.
const IDLE: Duration = Duration::from_millis(500);
/// How long a worker whose step failed waits.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How long what is under way may take when the process stops.
const DRAIN: Duration = Duration::from_secs(30);

/// Runs the gateway until `shutdown`: pages, inbox, planner, delivery, effects, backfill, scheduled
/// reading. `ready` is told the address once visitors are answered.
///
/// # Errors
/// When the port is taken, another process serves the same file, or a listener fails.
pub async fn serve(
    gateway: Arc<Gateway>,
    shutdown: impl Future<Output = ()> + Send,
    ready: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    let _guard = gateway.config.database.sqlite_file().map(|file| FileGuard::take(&file)).transpose()?;
    let listener = public_listener(&gateway)?;
    let presence = gateway.federation.store.begin_to_serve(gateway.federation.now()).await?;
    if presence.taken_back > 0 {
        tracing::info!(work = presence.taken_back, "what the last process had in hand when it ended is due again");
    }

    let (inbox, journal) = Inbox::new(gateway.federation.clone());
    let inbox = inbox.with_quota(Quota::per_hour(gateway.config.inbox.activities_per_hour));
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(journal.run());
    spawn_workers(&gateway, &stopped, &mut tasks)?;
    for platform in gateway.config.platform.clone() {
        let (gateway, stopped) = (Arc::clone(&gateway), stopped.clone());
        tasks.spawn(async move { read_on_schedule(&gateway, &platform, stopped).await });
    }

    let state = WebState::new(gateway.federation.clone(), inbox, site(&gateway.config)?);
    let router = web::router(state);
    ready(listener.address()?);
    let mut until_stop = stopped.clone();
    let mut server = tokio::spawn(listener.serve(router, async move {
        let _sender_gone = until_stop.wait_for(|stop| *stop).await;
    }));
    let failed = tokio::select! {
        () = shutdown => None,
        ended = &mut server => Some(anyhow::anyhow!("the public listener ended by itself: {ended:?}")),
        dead = first_dead(&mut tasks) => Some(dead),
        damage = damage(&gateway.federation.store) => Some(damage),
    };
    let _nobody_listens = stop.send(true);
    let _late = tokio::time::timeout(DRAIN, async {
        if !server.is_finished() {
            let _ended = (&mut server).await;
        }
        while tasks.join_next().await.is_some() {}
    })
    .await;
    gateway.close().await;
    drop(presence);
    failed.map_or(Ok(()), Err)
}

/// The listener for everybody: where and for whom the configuration says, as far as the system allows.
///
/// # Errors
/// When the address is taken or not ours, or a range of `server.trusted_proxies` is none.
pub fn public_listener(gateway: &Gateway) -> anyhow::Result<Listener> {
    let server = &gateway.config.server;
    let proxies = super::networks(&gateway.config, "server.trusted_proxies", &server.trusted_proxies)?;
    let limits = Limits::new(affordable(server.max_connections), server.connections_per_address, proxies);
    let deadlines = Deadlines { drain: DRAIN, ..Deadlines::default() };
    let listener = Listener::bind(server.listen, limits, deadlines);
    listener.map_err(|error| cannot_listen(gateway, server.listen, &error).into())
}

/// Waits for the first worker that ends although nobody stopped it: a gateway without it looks well and does
/// not do its work (I9), so it is better stopped and started again.
async fn first_dead(workers: &mut JoinSet<()>) -> anyhow::Error {
    let how = match workers.join_next().await {
        Some(Err(error)) => error.to_string(),
        Some(Ok(())) => "it ended by itself".to_owned(),
        None => "there is none left".to_owned(),
    };
    anyhow::anyhow!("a worker died ({how}), so the gateway stops; nothing that was accepted is lost: start it again")
}

/// Waits for damage to be found in the database. A large file is read to its end beside everything else: who visits
/// a city need not wait for gigabytes. A small one was checked when it was opened.
async fn damage(store: &Store) -> anyhow::Error {
    match store.check().await {
        Err(error @ StoreError::Corrupt { .. }) => error.into(),
        Err(error) => {
            tracing::warn!(%error, "the database could not be checked for damage");
            std::future::pending().await
        }
        Ok(()) => std::future::pending().await,
    }
}

fn cannot_listen(gateway: &Gateway, listen: SocketAddr, error: &std::io::Error) -> Refused {
    let (code, message, help) = match error.kind() {
        ErrorKind::AddrInUse => (
            "serve.port-taken",
            format!("{listen} is already in use"),
            "stop what listens there, or set another server.listen; nothing was started",
        ),
        _ => (
            "serve.no-listener",
            format!("cannot listen on {listen}: {error}"),
            "set server.listen to an address of this machine and a port that this user may open; nothing was started",
        ),
    };
    Refused::at_setting(gateway.config.wrong(code, "server.listen", "", &message, help))
}

fn spawn_workers(gateway: &Arc<Gateway>, stopped: &watch::Receiver<bool>, tasks: &mut JoinSet<()>) -> anyhow::Result<()> {
    let federation = gateway.federation.clone();
    tasks.spawn(repeat("planner", stopped.clone(), move || {
        let federation = federation.clone();
        async move { planner::step(&federation).await }
    }));
    let federation = gateway.federation.clone();
    tasks.spawn(repeat("effects", stopped.clone(), move || {
        let federation = federation.clone();
        async move { effect::step(&federation).await }
    }));
    let federation = gateway.federation.clone();
    tasks.spawn(repeat("backfill", stopped.clone(), move || {
        let federation = federation.clone();
        async move { backfill::step(&federation).await }
    }));
    let federation = gateway.federation.clone();
    tasks.spawn(repeat("freshness", stopped.clone(), move || {
        let federation = federation.clone();
        async move { freshness::step(&federation).await }
    }));
    let federation = gateway.federation.clone();
    tasks.spawn(repeat("retention", stopped.clone(), move || {
        let federation = federation.clone();
        async move { retention::step(&federation).await }
    }));
    let settings = delivery::Settings {
        concurrency: u32::try_from(gateway.config.delivery.concurrency.clamp(1, 256))?,
        park_after: gateway.config.delivery.park_after.duration(),
        ..delivery::Settings::default()
    };
    let worker = Worker::new(gateway.federation.clone(), settings);
    let drained = worker.clone();
    let loop_ends = repeat("delivery", stopped.clone(), move || {
        let worker = worker.clone();
        async move { worker.step().await }
    });
    tasks.spawn(async move {
        loop_ends.await;
        drained.drain().await;
    });
    Ok(())
}

/// Calls a step until the process stops: at once again while there is work, else after a pause.
async fn repeat<F, Fut>(name: &'static str, mut stopped: watch::Receiver<bool>, mut step: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Outcome, StoreError>>,
{
    while !*stopped.borrow() {
        let pause = match step().await {
            Ok(Outcome::Worked(_)) => continue,
            Ok(Outcome::Idle) => IDLE,
            Err(error) => {
                tracing::error!(worker = name, %error, "a step failed; it is tried again");
                AFTER_FAILURE
            }
        };
        let _until = tokio::time::timeout(pause, stopped.wait_for(|stop| *stop)).await;
    }
}

/// Reads one platform every so often, with a little jitter so that cities do not knock in step.
async fn read_on_schedule(gateway: &Gateway, platform: &Platform, mut stopped: watch::Receiver<bool>) {
    let mut rng = match chance() {
        Ok(rng) => rng,
        Err(error) => return tracing::error!(%error, "the platform is not read"),
    };
    let every = platform.every.duration();
    loop {
        let wait = wait_for_turn(gateway, platform).await.unwrap_or_else(|error| {
            tracing::warn!(platform = %platform.name, %error, "it is not known when it was read");
            Some(every)
        });
        if platform.publish && wait.is_none() {
            let options = Options::default();
            let run = async { gateway.sync(platform)?.run(options, &mut rng, &mut |_| ()).await.map_err(anyhow::Error::from) };
            tokio::select! {
                ended = run => match ended {
                    Ok(summary) => tracing::info!(platform = %platform.name, outcome = %summary.outcome, "read"),
                    Err(error) => tracing::warn!(platform = %platform.name, %error, "not read"),
                },
                // A run that is cut off left nothing half done: what was committed stays.
                _ = stopped.wait_for(|stop| *stop) => return,
            }
        }
        let jitter = every.mul_f64(f64::from(rng.next_u32()) / f64::from(u32::MAX) * 0.1);
        if tokio::time::timeout(wait.unwrap_or(every) + jitter, stopped.wait_for(|stop| *stop)).await.is_ok() {
            return;
        }
    }
}

/// How long a platform has to wait because it was read by another process, or by the one before this.
async fn wait_for_turn(gateway: &Gateway, platform: &Platform) -> Result<Option<Duration>, StoreError> {
    let runs = gateway.federation.store.read().await?.last_runs(&platform.name, 2).await?;
    Ok(still_fresh(&runs, platform.every.duration(), gateway.federation.now()))
}

/// How much longer what was read last is fresh. A run that failed or never ended counts as none.
fn still_fresh(runs: &[SyncRun], every: Duration, now: Timestamp) -> Option<Duration> {
    let last = runs.iter().find(|run| run.finished.is_some() && run.outcome != RunOutcome::Failed)?;
    every.checked_sub(now.since(last.started)).filter(|left| !left.is_zero() && last.started <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_process_read_just_now_is_not_read_again() {
        let at = |minute: i64| Timestamp::from_seconds(1_790_000_000 + 60 * minute).expect("a time");
        let run = |started, outcome| SyncRun {
            number: started,
            platform: "lyon".parse().expect("a name"),
            started: at(started),
            finished: (outcome != RunOutcome::Running).then(|| at(started + 1)),
            outcome,
            counts: serde_json::Value::Null,
            message: None,
        };
        let hour = Duration::from_hours(1);
        let left = |runs: &[SyncRun], now| still_fresh(runs, hour, at(now)).map(|left| left.as_secs() / 60);
        assert_eq!(left(&[run(0, RunOutcome::Complete)], 20), Some(40));
        assert_eq!(left(&[run(0, RunOutcome::Complete)], 60), None);
        assert_eq!(left(&[run(5, RunOutcome::Partial), run(0, RunOutcome::Complete)], 20), Some(45));
        for broken in [RunOutcome::Failed, RunOutcome::Running] {
            assert_eq!(left(&[run(10, broken)], 20), None, "{broken}");
            assert_eq!(left(&[run(10, broken), run(0, RunOutcome::Complete)], 20), Some(40), "{broken}");
        }
        assert_eq!(left(&[], 20), None);
    }

    #[tokio::test]
    async fn a_worker_that_dies_ends_the_gateway_with_a_reason() {
        let mut workers = JoinSet::new();
        workers.spawn(std::future::pending());
        workers.spawn(async { panic!("the planner lost its plan") });
        let reason = first_dead(&mut workers).await.to_string();
        assert!(reason.contains("the planner lost its plan") && reason.contains("start it again"), "{reason}");
    }
}
