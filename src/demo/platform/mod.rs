//! Decidim platforms that live in this process: with state, over real HTTP, in two generations.
//!
//! [`SimulatedDecidim::start`] serves one tenant on a free port of the loopback interface; any `Host` reaches it, and
//! addresses in its answers carry the host that was asked. People act on it through [`SimulatedDecidim::change`] with the
//! verbs of [`State`]; it misbehaves through [`SimulatedDecidim::misbehave`]. The demo's two cities and the tests use the
//! same simulators. They hold participatory processes, proposals, meetings, ballots, results and comments; other spaces and
//! components answer empty.

mod bend;
mod faults;
pub mod graphql;
mod http;
mod open_data;
mod open_data_things;
mod state;
mod things;
mod verbs;
mod verbs_things;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::tz::TimeZone;
use tokio::task::JoinHandle;

pub use faults::{Fault, REAL_THROTTLE, When};
pub use state::{Amendment, Comment, Component, Generation, Process, Proposal, State, Term, Texts, User};
pub use things::{Budget, Filed, Meeting, On, Outcome, Project};
pub use verbs::NewProposal;

use crate::domain::time::{Clock, Timestamp};

/// Lyon as recorded from Decidim 0.31.8.
pub const LYON: &str = include_str!("../fixtures/lyon.json");
/// Bordeaux as recorded from Decidim 0.28.6.
pub const BORDEAUX: &str = include_str!("../fixtures/bordeaux.json");

/// What the open-data download gives.
#[derive(Debug, Clone, Default)]
enum Download {
    /// Made anew from the state at each request.
    #[default]
    Live,
    /// Not generated yet: 302 to the page about open data.
    Missing,
    /// Made some time ago, as on a real platform, where a nightly job makes it.
    Frozen(Vec<(String, String)>),
}

/// What the handlers share.
struct City {
    state: Mutex<State>,
    faults: faults::Faults,
    download: Mutex<Download>,
    requests: AtomicU64,
    clock: Arc<dyn Clock>,
}

impl City {
    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A running simulated platform; it stops when this handle is dropped.
pub struct SimulatedDecidim {
    city: Arc<City>,
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl SimulatedDecidim {
    /// Starts a platform of `generation` with the content of `fixture` ([`LYON`], [`BORDEAUX`], or another of that format).
    ///
    /// # Errors
    /// When the fixture cannot be read or no port is free.
    pub async fn start(generation: Generation, fixture: &str, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let mut state = State::parse(fixture)?;
        state.generation = generation;
        let city = Arc::new(City {
            state: Mutex::new(state),
            faults: faults::Faults::default(),
            download: Mutex::default(),
            requests: AtomicU64::new(0),
            clock,
        });
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let router = http::router(Arc::clone(&city));
        let server = tokio::spawn(async move {
            // Serving ends with the handle; there is nobody to tell about an error here.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { city, address, server })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Acts on the platform, at the present moment of its clock.
    pub fn change<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.city.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = written(self.city.clock.now());
        act(&mut state)
    }

    /// Looks at the state, withheld things included.
    pub fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        self.city.read(look)
    }

    /// Makes it misbehave from now on, or behave again with `None`. Counting starts anew.
    pub fn misbehave(&self, fault: Option<(Fault, When)>) {
        self.city.faults.arm(fault);
    }

    /// From now on people do this between two questions of a reader: after each one that is answered.
    pub fn meanwhile(&self, act: impl FnMut(&mut State, &str) + Send + 'static) {
        self.city.faults.meanwhile(Some(Box::new(act)));
    }

    /// Nobody does anything while it is read any more.
    pub fn calm_down(&self) {
        self.city.faults.meanwhile(None);
    }

    /// Refuses more than so many requests per minute of the clock ([`REAL_THROTTLE`] on real ones); `None` refuses none.
    pub fn throttle(&self, per_minute: Option<u32>) {
        self.city.faults.throttle(per_minute);
    }

    /// How many requests it has answered, pages and downloads included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.city.requests.load(Ordering::Relaxed)
    }

    /// The open-data file stays what it is now, whatever happens to the state: the nightly job has run.
    pub fn freeze_open_data(&self) {
        let files = self.city.read(|state| open_data::files(state, &self.url()));
        self.set_download(Download::Frozen(files));
    }

    /// The open-data file follows the state again.
    pub fn thaw_open_data(&self) {
        self.set_download(Download::Live);
    }

    /// There is no open-data file yet.
    pub fn forget_open_data(&self) {
        self.set_download(Download::Missing);
    }

    fn set_download(&self, download: Download) {
        *self.city.download.lock().unwrap_or_else(PoisonError::into_inner) = download;
    }
}

impl Drop for SimulatedDecidim {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An instant as the platform writes it: in the tenant's zone, to the second.
fn written(instant: Timestamp) -> String {
    let zone = TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC);
    let instant = jiff::Timestamp::from_second(instant.seconds()).unwrap_or_default();
    instant.to_zoned_datetime(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}
