//! Pages of one partner that are asked for and judged while those before them are kept: the partner writes,
//! the wire carries, our cores prove and our store writes, each another page at the same time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::page::{self, Leads, Page, PageError};
use crate::domain::partner::Partner;
use crate::federation::Federation;
use crate::store::stream::READ_AHEAD;

/// How long who could keep a page waits for another one to keep with it.
const A_MOMENT: Duration = Duration::from_millis(20);

/// A page that is being judged, and its place among those that wait: nobody else has it while it is judged.
type Coming = JoinHandle<(Room, Result<Page, PageError>)>;

/// A place among the pages that were asked for and are not kept yet: of this partner, and of all. Given up only when the
/// page is kept, or when no page is asked for any more: what is asked for behind it says that it was kept.
pub(super) struct Room {
    _own: OwnedSemaphorePermit,
    _shared: OwnedSemaphorePermit,
}

/// See the module. Dropping it ends the reading before the places are given up.
pub(super) struct Ahead {
    coming: mpsc::Receiver<Coming>,
    /// The first of those that come, while it is waited for.
    first: Option<Coming>,
    /// The places of this partner.
    own: Arc<Semaphore>,
    _reader: JoinSet<()>,
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.own.close();
    }
}

impl Ahead {
    /// Begins to read on where a page leads, at most so many pages; `shared`: how many of all partners may wait.
    /// A task of its own: no transaction waits for a socket, and the one that writes a page waits for no proof.
    pub(super) fn begin(
        federation: &Federation,
        partner: &Partner,
        from: &Leads,
        pages: usize,
        shared: &Arc<Semaphore>,
    ) -> Option<Self> {
        let from = from.ahead.clone().filter(|_| pages > 0)?;
        let (send, coming) = mpsc::channel(READ_AHEAD);
        let (mut reader, own) = (JoinSet::new(), Arc::new(Semaphore::new(READ_AHEAD)));
        let places = (Arc::clone(&own), Arc::clone(shared));
        reader.spawn(read(federation.clone(), partner.clone(), from, pages, places, send));
        Some(Self { coming, first: None, own, _reader: reader })
    }

    /// The next page, with its place, which it gives up when it is kept. None when no more comes: what remains
    /// is asked for in turn.
    pub(super) async fn next(&mut self) -> Option<(Room, Page)> {
        if self.first.is_none() {
            self.first = self.coming.recv().await;
        }
        let judged = self.first.as_mut()?.await;
        self.first = None;
        let whole = judged.ok().and_then(|(room, page)| Some((room, page.ok().filter(|page| !page.items.is_empty())?)));
        if whole.is_none() {
            // What was read behind a page that is none must not take its place.
            self.coming = mpsc::channel(1).1;
        }
        whole
    }

    /// The next page, if it is judged in a moment; else it is still to come.
    pub(super) async fn soon(&mut self) -> Option<(Room, Page)> {
        timeout(A_MOMENT, self.next()).await.ok().flatten()
    }
}

/// Asks for one page after the other while there is room for it.
async fn read(
    federation: Federation,
    partner: Partner,
    from: String,
    pages: usize,
    (own, shared): (Arc<Semaphore>, Arc<Semaphore>),
    send: mpsc::Sender<Coming>,
) {
    let mut at = from;
    for _ in 0..pages {
        // Its own pages are kept sooner or later; those of others may wait for a turn that waits for this one.
        let (Ok(own), Ok(shared)) = (Arc::clone(&own).acquire_owned().await, Arc::clone(&shared).try_acquire_owned()) else {
            return;
        };
        let Ok(fetched) = page::fetch(&federation, &partner, &at).await else { return };
        let next = fetched.ahead.clone();
        let (federation, partner) = (federation.clone(), partner.clone());
        let room = Room { _own: own, _shared: shared };
        let judged = tokio::spawn(async move { (room, page::judged(&federation, &partner, fetched).await) });
        if send.send(judged).await.is_err() {
            return;
        }
        let Some(next) = next else { return };
        at = next;
    }
}
