//! Two roles that only answer: the fastest server there is (what HTTP itself costs), and a gateway's door
//! without its workers (what accepting costs, apart from doing what was accepted): the listener of `serve` with
//! its limits and deadlines, its router, its inbox with every count that it keeps of a partner.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use axum::Router;
use axum::routing::get;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use super::process::Caller;
use super::receivers::Ready;
use crate::app::{Gateway, public_listener};
use crate::config::Config;
use crate::federation::inbox::Inbox;
use crate::federation::quota::Quota;
use crate::web::language::Language;
use crate::web::{self, Site, WebState};

/// "Answer as fast as you can."
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Hello;

/// "Open the door of this installation."
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Door {
    pub(super) config: PathBuf,
}

/// Answers `hello, world` to everybody.
pub(super) async fn hello() -> anyhow::Result<()> {
    let mut caller = Caller::new();
    let Some(Hello) = caller.next().await? else { return Ok(()) };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let router = Router::new().route("/", get(|| async { "hello, world" }));
    serve(port, axum::serve(listener, router).into_future(), caller).await
}

/// Serves the pages and the inbox of an installation; nothing that arrives is worked on.
pub(super) async fn door() -> anyhow::Result<()> {
    let mut caller = Caller::new();
    let Some(Door { config }) = caller.next().await? else { return Ok(()) };
    let gateway = Gateway::open(Config::load(&config)?).await?;
    let listener = public_listener(&gateway)?;
    let port = listener.address()?.port();
    let (inbox, journal) = Inbox::new(gateway.federation.clone());
    let inbox = inbox.with_quota(Quota::unlimited());
    let journal = tokio::spawn(journal.run());
    let site = Site::new(Language::ALL, TimeZone::UTC);
    let router = web::router(WebState::new(gateway.federation.clone(), inbox, site));
    serve(port, listener.serve(router, std::future::pending()), caller).await?;
    journal.abort();
    gateway.close().await;
    Ok(())
}

/// Until the caller goes.
async fn serve<F>(port: u16, server: F, mut caller: Caller) -> anyhow::Result<()>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    let server = tokio::spawn(server);
    caller.answer(&Ready { port }).await?;
    while let Some(Hello) = caller.next().await? {
        caller.answer(&Ready { port }).await?;
    }
    server.abort();
    Ok(())
}
