//! A new partner reads everything: two gateways, one that has the records and one that follows it.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::inbox::with_database;
use super::installation::{Installation, until};
use super::{Bench, Figure};
use crate::domain::PartnerDomain;
use crate::domain::partner::{FollowState, Partner, PartnerKind};

impl Bench<'_> {
    /// From the start of the one that follows until it holds every record.
    pub(super) async fn backfill(&self) -> anyhow::Result<Vec<Figure>> {
        let (origin, holder) = (self.city("origin", "").await?, self.city("holder", "").await?);
        let records = self.options.items;
        origin.fill(0..records, true).await?;
        origin.list([as_partner(&holder, FollowState::Accepted, FollowState::None)?]).await?;
        let sender = origin.serve().await?;
        // A file of this size is checked for damage beside serving, at its first start: that is not what is measured.
        sender.rest().await?;
        let domain = PartnerDomain::of(&origin.public_url);
        // Before it starts: one that is idle looks for work twice a second, which is no work.
        holder.list([as_partner(&origin, FollowState::None, FollowState::Accepted)?]).await?;
        let (paid, server, began, since) = (sender.cpu()?, origin.database_cpu()?, Instant::now(), holder.now());
        let receiver = holder.serve().await?;
        // Who has read to the end notes when; counting the copies all the time would cost as much as keeping them.
        until("the records", Duration::from_mins(30), async || {
            let (_, asked) = holder.store().read().await?.backfill_cursor(&domain).await?;
            Ok(asked.is_some_and(|asked| asked >= since))
        })
        .await?;
        let took = began.elapsed();
        let counts = holder.store().read().await?.copy_counts(&domain).await?;
        let held = counts.iter().map(|(_, count)| count).sum::<u64>();
        ensure!(held == records, "{held} of {records} records arrived");
        let figure = Figure::new("backfill", "records of one partner, each proof checked", records, took)
            .cpu("origin", sender.cpu()?.saturating_sub(paid))
            .cpu("holder", receiver.cpu()?);
        let figure = with_database(figure, &origin, server)?;
        sender.stop().await?;
        receiver.stop().await?;
        origin.close().await?;
        holder.close().await?;
        Ok(vec![figure.rate_at_least(10_000.0)])
    }
}

/// A running gateway as another one pins it.
fn as_partner(city: &Installation, follows_us: FollowState, followed: FollowState) -> anyhow::Result<Partner> {
    let keys = &city.gateway.federation.keys;
    let actor = keys.actor().clone();
    Ok(Partner {
        domain: PartnerDomain::of(&city.public_url),
        kind: PartnerKind::Partner,
        name: "A city".to_owned(),
        inbox: city.public_url.join("/actor/inbox")?.to_string(),
        records: Some(city.public_url.join("/actor/records")?.to_string()),
        key: Some(keys.multikey().clone()),
        key_id: Some(keys.ed25519_id()),
        rsa: Some((keys.rsa_pem().to_owned(), keys.rsa_id())),
        follows_us,
        followed,
        since: city.now(),
        actor,
    })
}
