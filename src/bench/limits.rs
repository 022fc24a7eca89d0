//! What the machine can do at all: the floor under every other figure.

use std::time::{Duration, Instant};

use super::load::{self, Done, Go, Requests};
use super::process::{Helper, cpu};
use super::receivers::Ready;
use super::servers::Hello;
use super::{Bench, Figure};
use crate::domain::digest::sha256;
use crate::federation::keys::{Keys, RsaPublicKey, verify_ed25519};

/// How long each primitive is repeated.
const LONG_ENOUGH: Duration = Duration::from_millis(400);

impl Bench<'_> {
    /// Signing, verifying, hashing, one durable commit, one request to a server that does nothing.
    pub(super) async fn limits(&self) -> anyhow::Result<Vec<Figure>> {
        let keys = Keys::generate("http://limits.localhost/actor".parse()?)?;
        let mut figures = tokio::task::spawn_blocking(move || primitives(&keys)).await??;
        figures.push(self.commit().await?);
        figures.push(self.hello().await?);
        Ok(figures)
    }

    async fn commit(&self) -> anyhow::Result<Figure> {
        let city = self.city("limits", "").await?;
        let commits = self.options.items.min(5_000);
        let (spent, began, server) = (cpu(std::process::id())?, Instant::now(), city.database_cpu()?);
        for n in 0..commits {
            let mut tx = city.store().write().await?;
            tx.put_fact(&format!("bench/{n}"), "a value of some length, so that a row is not empty").await?;
            tx.save().await?;
        }
        let mut figure = Figure::new("limits", "one row, durable, one commit", commits, began.elapsed())
            .cpu("program", cpu(std::process::id())?.saturating_sub(spent));
        if let (Some(before), Some(after)) = (server, city.database_cpu()?) {
            figure = figure.cpu("database", after.saturating_sub(before));
        }
        city.close().await?;
        Ok(figure)
    }

    async fn hello(&self) -> anyhow::Result<Figure> {
        let (hello, Ready { port }): (_, Ready) = Helper::start("hello", &Hello).await?;
        let count = self.options.items * 2;
        let requests = Requests::Get { paths: vec!["/".to_owned()], accept: "*/*".to_owned(), count };
        let job =
            load::Job { to: format!("http://hello.localhost:{port}").parse()?, connections: self.options.connections, requests };
        let (mut load, _): (_, load::Ready) = Helper::start("load", &job).await?;
        let spent = hello.cpu()?;
        let done: Done = load.ask(&Go).await?;
        done.all(200, count)?;
        let figure = Figure::new("limits", "a request that is answered `hello, world`", count, done.took)
            .cpu("server", hello.cpu()?.saturating_sub(spent))
            .cpu("load", done.cpu)
            .latency(done.p50, done.p99);
        Ok(figure)
    }
}

fn primitives(keys: &Keys) -> anyhow::Result<Vec<Figure>> {
    let message = [7_u8; 300];
    let rsa = RsaPublicKey::from_pem(keys.rsa_pem())?;
    let (rsa_signature, ed_signature) = (keys.sign_rsa(&message)?, keys.sign_ed25519(&message)?);
    let kilobyte = [7_u8; 1024];
    Ok(vec![
        repeat("RSA-2048: sign", || keys.sign_rsa(&message).is_ok())?,
        repeat("RSA-2048: verify, the key kept", || rsa.verify(&message, &rsa_signature).is_ok())?,
        repeat("RSA-2048: verify, the key read each time", || {
            RsaPublicKey::from_pem(keys.rsa_pem()).is_ok_and(|key| key.verify(&message, &rsa_signature).is_ok())
        })?,
        repeat("Ed25519: sign", || keys.sign_ed25519(&message).is_ok())?,
        repeat("Ed25519: verify", || verify_ed25519(keys.multikey(), &message, &ed_signature).is_ok())?,
        repeat("SHA-256 of 1 KiB", || sha256(&kilobyte)[0] != sha256(&message)[0] || kilobyte.len() != message.len())?,
    ])
}

fn repeat(name: &str, mut once: impl FnMut() -> bool) -> anyhow::Result<Figure> {
    let (spent, began) = (cpu(std::process::id())?, Instant::now());
    let mut count = 0_u64;
    while began.elapsed() < LONG_ENOUGH {
        for _ in 0..20 {
            anyhow::ensure!(once(), "{name} does not work");
        }
        count += 20;
    }
    let figure = Figure::new("limits", name, count, began.elapsed());
    Ok(figure.cpu("program", cpu(std::process::id())?.saturating_sub(spent)))
}
