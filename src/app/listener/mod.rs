//! The accept loop of the public listener: who may connect, how long a connection may take over what, and
//! how all of it ends (HRD 4.1, F12).
//!
//! A [`door::Door`] counts connections and turns away who would take another's place; the [`pulse::Pulse`] of
//! a connection knows what it waits for and until when. Nothing here knows what an address means or what a
//! request asks for: that is the router's matter, which is handed in. We speak HTTP/1.1; TLS and HTTP/2 end
//! at the reverse proxy.

mod connection;
mod descriptors;
mod door;
mod farewell;
mod forwarded;
mod pulse;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rustix::io::Errno;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;

use connection::Shared;
use farewell::Farewells;

pub use descriptors::affordable;
pub use door::{Door, Limits};

/// How long the accept loop waits when the system has no descriptor or no memory for one more connection.
const NO_ROOM: Duration = Duration::from_millis(100);

/// Connections that the system keeps waiting for the accept loop.
const BACKLOG: u32 = 1024;
/// Bytes of answers that the system keeps for one connection. By itself it would take megabytes, for each of
/// thousands; and the less it keeps, the sooner it is seen that nobody takes them.
const SEND_BUFFER: u32 = 128 * 1024;

/// How long a connection may take over what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// The whole head of a request; for the first one from the accept on (10 s).
    pub head: Duration,
    /// The whole body of a request, from its head on (12 s); then it is answered with 408.
    pub body: Duration,
    /// A connection that was answered and asks nothing more (30 s).
    pub idle: Duration,
    /// Bytes of ours that the other side does not take (30 s).
    pub stall: Duration,
    /// A whole request with its whole answer (10 min): what somebody takes drop by drop ends too.
    pub exchange: Duration,
    /// What is under way when the process stops (30 s).
    pub drain: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            body: Duration::from_secs(12),
            idle: Duration::from_secs(30),
            stall: Duration::from_secs(30),
            exchange: Duration::from_mins(10),
            drain: Duration::from_secs(30),
        }
    }
}

/// The public listener.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    door: Arc<Door>,
    deadlines: Deadlines,
}

impl Listener {
    /// A listener on this address. Inside a runtime.
    ///
    /// # Errors
    /// When the address is taken or not ours.
    pub fn bind(address: SocketAddr, limits: Limits, deadlines: Deadlines) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // What a process left behind keeps its address for minutes.
        socket.set_reuseaddr(true)?;
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.bind(address)?;
        Ok(Self { socket: socket.listen(BACKLOG)?, door: Arc::new(Door::new(limits)), deadlines })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Who is inside.
    #[must_use]
    pub fn door(&self) -> Arc<Door> {
        Arc::clone(&self.door)
    }

    /// Answers everybody by `router` until `stop`; then nobody new is taken, idle connections are closed, and
    /// what is under way may end within [`Deadlines::drain`]. No failure of a single connection ends it.
    pub async fn serve(self, router: Router, stop: impl Future<Output = ()> + Send) {
        let Self { socket, door, deadlines } = self;
        let shared = Arc::new(Shared { router, door: Arc::clone(&door), deadlines });
        let farewells = Farewells::default();
        let (tell, told) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut stop = pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                Some(_ended) = connections.join_next() => continue,
                accepted = socket.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) if is_its_own_fault(&error) => continue,
                Err(error) => {
                    tracing::error!(%error, open = door.open(), "no new connection can be taken; tried again");
                    tokio::time::sleep(NO_ROOM).await;
                    continue;
                }
            };
            match door.enter(peer.ip()) {
                Ok(place) => {
                    connections.spawn(connection::serve(stream, peer, place, Arc::clone(&shared), told.clone()));
                }
                Err(full) => farewells.say(stream, full),
            }
        }
        drop(socket);
        let _nobody_is_left = tell.send(true);
        let all = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(deadlines.drain, all).await.is_err() {
            tracing::warn!(open = door.open(), "connections were cut because they did not end");
        }
    }
}

/// The connection went away before it was taken: the next one may be fine.
fn is_its_own_fault(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::CONNABORTED | Errno::CONNRESET | Errno::CONNREFUSED | Errno::INTR | Errno::PROTO | Errno::PERM)
    )
}
