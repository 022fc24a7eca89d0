//! Who is listed, asked by many at once: one look-up serves everybody who waits when it begins. A look-up
//! costs three exchanges with the database whether it looks for one or for fifty, and while it runs the next
//! ones gather by themselves.
//!
//! Nobody is answered from a look-up that began before they asked: who was taken off the list, and which
//! key was replaced, counts from the commit that says so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::{Store, StoreError};
use crate::domain::account::Account;
use crate::domain::partner::{Partner, PartnerKind};
use crate::domain::{ActorId, PartnerDomain};

/// Whom one look-up looks for at most.
const BATCH: usize = 256;

/// Who is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    /// The domain that is to be listed.
    pub domain: PartnerDomain,
    /// The account that is wanted too where the domain is a reader server's.
    pub actor: ActorId,
}

/// What is known of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The listed partner or reader server.
    pub partner: Option<Partner>,
    /// The account, where the partner is a reader server and its account is known.
    pub account: Option<Account>,
}

/// Why it is not known who is listed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RollError {
    /// The look-up ended without an answer: the process is stopping.
    #[error("the look-up ended without an answer")]
    Closed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Arc<StoreError>),
}

/// The list of partners, for those who ask often. Cloning shares it. Needs a tokio runtime.
#[derive(Debug, Clone)]
pub struct Roll(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Store,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Somebody looks up, and will look again before ending.
    at_work: bool,
    jobs: Vec<Job>,
}

#[derive(Debug)]
struct Job {
    sought: Sought,
    answer: oneshot::Sender<Result<Found, RollError>>,
}

impl Roll {
    /// The list in this store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self(Arc::new(Shared { store, waiting: Mutex::default() }))
    }

    /// What the store knows of somebody, as of now or later.
    ///
    /// # Errors
    /// [`RollError`].
    pub async fn find(&self, sought: Sought) -> Result<Found, RollError> {
        let (answer, answered) = oneshot::channel();
        let begins = {
            let mut waiting = self.0.waiting();
            waiting.jobs.push(Job { sought, answer });
            !std::mem::replace(&mut waiting.at_work, true)
        };
        if begins {
            // Its own task: who asked may go away, and with it whatever it was doing for the others.
            tokio::spawn(AtWork { shared: Arc::clone(&self.0), done: false }.run());
        }
        answered.await.unwrap_or(Err(RollError::Closed))
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those who wait now; none when the work is done.
    fn next(&self) -> Vec<Job> {
        let mut waiting = self.waiting();
        let count = waiting.jobs.len().min(BATCH);
        let jobs: Vec<Job> = waiting.jobs.drain(..count).collect();
        waiting.at_work = !jobs.is_empty();
        jobs
    }

    async fn look_up(&self, jobs: &[Job]) -> Result<Known, StoreError> {
        let mut domains: Vec<&PartnerDomain> = jobs.iter().map(|job| &job.sought.domain).collect();
        domains.sort();
        domains.dedup();
        let mut tx = self.store.read().await?;
        let partners: HashMap<PartnerDomain, Partner> =
            tx.lookup_partners(&domains).await?.into_iter().map(|partner| (partner.domain.clone(), partner)).collect();
        let reader = |domain| partners.get(domain).is_some_and(|partner| partner.kind == PartnerKind::Reader);
        let mut actors: Vec<&ActorId> =
            jobs.iter().filter(|job| reader(&job.sought.domain)).map(|job| &job.sought.actor).collect();
        actors.sort();
        actors.dedup();
        let accounts = tx.lookup_accounts(&actors).await?.into_iter().map(|account| (account.actor.clone(), account)).collect();
        Ok(Known { partners, accounts })
    }
}

/// What one look-up found.
struct Known {
    partners: HashMap<PartnerDomain, Partner>,
    accounts: HashMap<ActorId, Account>,
}

impl Known {
    fn of(&self, sought: &Sought) -> Found {
        let partner = self.partners.get(&sought.domain).cloned();
        let reader = partner.as_ref().is_some_and(|partner| partner.kind == PartnerKind::Reader);
        Found { account: if reader { self.accounts.get(&sought.actor).cloned() } else { None }, partner }
    }
}

/// Whoever looks up. However it ends, nobody waits for it afterwards.
struct AtWork {
    shared: Arc<Shared>,
    done: bool,
}

impl AtWork {
    async fn run(mut self) {
        loop {
            let jobs = self.shared.next();
            if jobs.is_empty() {
                self.done = true;
                return;
            }
            match self.shared.look_up(&jobs).await {
                Ok(known) => {
                    for Job { sought, answer } in jobs {
                        // Whoever asked may have gone away.
                        drop(answer.send(Ok(known.of(&sought))));
                    }
                }
                Err(error) => {
                    let error = Arc::new(error);
                    for job in jobs {
                        drop(job.answer.send(Err(RollError::Store(Arc::clone(&error)))));
                    }
                }
            }
        }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        if !self.done {
            // It panicked, or the process stops: those who wait are told so, and the next one begins anew.
            *self.shared.waiting() = Waiting::default();
        }
    }
}
