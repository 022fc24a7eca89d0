use std::fmt::Write as _;
use std::process::ExitCode;
use std::str::FromStr;

use clap::Args;
use serde_json::{Value, json};

use super::{Common, Trouble};
use crate::app::existing_store;
use crate::domain::digest::Digest;
use crate::store::{Chain, ChainEnd, Store, StoreError};

/// Checks that the log of what partners were sent is what was written.
///
/// The log is a chain per partner: each row carries the digest of the row
/// before it and of its own content. One line a partner: how many rows, and
/// its end as ROW:DIGEST. Note that end elsewhere, with a date: given as
/// --pinned later, it proves that nothing before it was rewritten.
///
/// Exit code 1 when a chain does not hold; the first broken row is named.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  passerelle verify-log
  passerelle verify-log --json
  passerelle verify-log \\
    --pinned 1532:zQmZUWGyzPMig8KcDWHdpxojsjqoU8mLHWFbVBkfu6unEJa")]
pub(super) struct VerifyLog {
    /// The end of a chain as an earlier run printed it; may be repeated.
    #[arg(long, value_name = "ROW:DIGEST")]
    pinned: Vec<Pinned>,
}

/// A row and the digest that it carried.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pinned {
    row: i64,
    digest: Digest,
}

impl FromStr for Pinned {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (row, digest) = text.split_once(':').ok_or("not ROW:DIGEST, as an earlier run printed it")?;
        let row = row.parse().map_err(|_| format!("`{row}` is not the number of a row"))?;
        Ok(Self { row, digest: digest.parse().map_err(|error| format!("{error}"))? })
    }
}

impl VerifyLog {
    pub(super) async fn run(self, common: &Common) -> Result<ExitCode, Trouble> {
        let config = common.load()?;
        let store = existing_store(&config).await?;
        let found = self.walk(&store).await;
        store.close().await;
        let (chains, pinned) = found.map_err(anyhow::Error::from)?;
        let holds = chains.iter().all(|chain| chain.broken.is_none()) && pinned.iter().all(|(_, holds)| *holds);
        common.output().data(|| text(&chains, &pinned), || document(&chains, &pinned, holds));
        Ok(if holds { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    /// Every chain, and whether each pinned row still carries its digest and lies in a chain that holds up to it.
    async fn walk(&self, store: &Store) -> Result<(Vec<Chain>, Vec<(Pinned, bool)>), StoreError> {
        let mut tx = store.read().await?;
        let chains = tx.verify_exchanges().await?;
        let mut pinned = Vec::with_capacity(self.pinned.len());
        for pin in &self.pinned {
            let carried = tx.exchange_digest(pin.row).await?;
            pinned.push((pin.clone(), carried.as_deref() == Some(pin.digest.as_str())));
        }
        Ok((chains, pinned))
    }
}

fn end(end: &ChainEnd) -> String {
    format!("{}:{}", end.row, end.digest)
}

fn text(chains: &[Chain], pinned: &[(Pinned, bool)]) -> String {
    if chains.is_empty() && pinned.is_empty() {
        return "nothing is logged yet: no partner has answered anything".to_owned();
    }
    let width = chains.iter().map(|chain| chain.partner.as_str().len()).max().unwrap_or(0);
    let mut text = String::new();
    for chain in chains {
        let mark = if chain.broken.is_some() { "fail" } else { "ok  " };
        let last = chain.end.as_ref().map_or_else(|| "-".to_owned(), end);
        let _ = write!(text, "{:width$}  {mark}  {} rows  {last}", chain.partner.as_str(), chain.rows);
        if chain.before > 0 {
            let _ = write!(text, "  ({} older rows are not covered)", chain.before);
        }
        text.push('\n');
        if let Some(broken) = &chain.broken {
            let _ = writeln!(text, "{:width$}  row {}: {}", "", broken.row, broken.problem);
        }
    }
    for (pin, holds) in pinned {
        let said = if *holds { "ok    is what it was" } else { "fail  is not what it was, or not there" };
        let _ = writeln!(text, "pinned {}:{}  {said}", pin.row, pin.digest);
    }
    text
}

fn document(chains: &[Chain], pinned: &[(Pinned, bool)], holds: bool) -> Value {
    let end = |end: &ChainEnd| json!({ "row": end.row, "digest": end.digest });
    let chain = |chain: &Chain| {
        json!({
            "partner": chain.partner,
            "rows": chain.rows,
            "notCovered": chain.before,
            "end": chain.end.as_ref().map(end),
            "broken": chain.broken.as_ref().map(|broken| json!({ "row": broken.row, "problem": broken.problem })),
        })
    };
    let pin = |(pin, holds): &(Pinned, bool)| json!({ "row": pin.row, "digest": pin.digest, "holds": holds });
    json!({
        "schema": "passerelle.verify-log/1",
        "holds": holds,
        "partners": chains.iter().map(chain).collect::<Vec<_>>(),
        "pinned": pinned.iter().map(pin).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_read_as_it_is_printed() {
        let printed = ChainEnd { row: 7, digest: Digest::of(b"x") };
        assert_eq!(end(&printed).parse(), Ok(Pinned { row: 7, digest: Digest::of(b"x") }));
        for wrong in ["", "7", "x:zQm", "7:zQm", "7:"] {
            assert!(wrong.parse::<Pinned>().is_err(), "{wrong}");
        }
    }
}
