//! A strict gateway behind its own listener, and clients with addresses of their own.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use passerelle::app::listener::{Deadlines, Door, Limits, Listener, affordable};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::federation::rig::Rig;
use crate::support::peer::Knock;
use crate::support::stores::Databases;

/// After this a test gives up waiting for what should have happened at a deadline.
const PATIENCE: Duration = Duration::from_secs(5);

/// The deadlines of the real listener, ten times shorter.
pub const QUICK: Deadlines = Deadlines {
    head: Duration::from_secs(1),
    body: Duration::from_millis(1200),
    idle: Duration::from_secs(3),
    stall: Duration::from_secs(3),
    exchange: Duration::from_mins(1),
    drain: Duration::from_secs(3),
};

/// Whether the cases are tried with their own numbers, on a machine that does nothing else.
fn long() -> bool {
    std::env::var_os("PASSERELLE_LONG").is_some()
}

/// How many sockets an attack has.
pub fn sockets(usual: usize, long_form: usize) -> usize {
    if long() { long_form } else { usual }
}

/// The deadlines of the listener under test.
pub fn deadlines() -> Deadlines {
    if long() { Deadlines::default() } else { QUICK }
}

/// Pauses of those who drip.
pub fn drop_by_drop() -> Duration {
    deadlines().head / 10
}

/// When a connection that is still open is never closed.
fn never() -> Duration {
    2 * deadlines().idle + PATIENCE
}

/// When something that has this deadline must be over. Between other tests on two processors the deadline may
/// pass once more; alone, a fifth of it.
pub fn over_by(deadline: Duration) -> Duration {
    deadline.mul_f64(if long() { 1.2 } else { 2.0 })
}

/// The address of the n-th attacker.
pub fn attacker(n: usize) -> Ipv4Addr {
    let byte = |n: usize| u8::try_from(n).expect("a byte");
    Ipv4Addr::new(127, 9, byte(n / 250), byte(n % 250 + 1))
}

/// An address that does no harm.
pub const HONEST: Ipv4Addr = Ipv4Addr::new(127, 0, 7, 7);

/// The gateway and its listener.
pub struct House {
    pub rig: Rig,
    pub door: Arc<Door>,
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

/// What was answered.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Drop for House {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl House {
    /// Opens the listener.
    pub async fn open(databases: &Databases, limits: Limits, deadlines: Deadlines) -> anyhow::Result<Self> {
        // Both ends of every connection are in this process.
        let _files = affordable(30_000);
        let rig = Rig::new(databases).await?;
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), limits, deadlines)?;
        let address = listener.address()?;
        let door = listener.door();
        let (stop, stopped) = oneshot::channel();
        let router = rig.router.clone();
        let server = tokio::spawn(listener.serve(router, async move {
            let _gone = stopped.await;
        }));
        Ok(Self { rig, door, address, stop: Some(stop), server })
    }

    /// As many places as anybody wants, no proxies.
    pub async fn wide(databases: &Databases) -> anyhow::Result<Self> {
        Self::open(databases, Limits::new(20_000, 20_000, Vec::new()), deadlines()).await
    }

    /// Tells it to stop.
    pub fn stop(&mut self) {
        self.stop.take().expect("it was told once").send(()).expect("it listens");
    }

    /// Waits until it has stopped.
    pub async fn stopped(&mut self) {
        tokio::time::timeout(deadlines().drain + PATIENCE, &mut self.server).await.expect("it stops").expect("without a panic");
    }

    /// A connection from an address.
    pub async fn connect(&self, from: Ipv4Addr) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        socket.connect(self.address).await
    }

    /// One request on a connection of its own.
    pub async fn ask(&self, from: Ipv4Addr, knock: &Knock) -> anyhow::Result<Reply> {
        let mut stream = self.connect(from).await?;
        // A server that has seen enough closes before everything is sent.
        let _refused = stream.write_all(&wire(knock)).await;
        read_reply(&mut stream).await
    }

    /// A page, asked for by an honest reader.
    pub async fn page(&self) -> anyhow::Result<Reply> {
        self.ask(HONEST, &Knock::get("/aide", self.rig.now())).await
    }

    /// Attacks in so many waves; meanwhile an honest reader and an honest partner take turns, one request after
    /// the other, and are answered in time. The last one is waited for, however long it takes.
    pub async fn attacked<T>(&self, waves: usize, wave: impl AsyncFn() -> T) -> anyhow::Result<Vec<T>> {
        let over = Cell::new(false);
        let attack = async {
            let mut outcomes = Vec::new();
            for _ in 0..waves {
                outcomes.push(wave().await);
            }
            over.set(true);
            outcomes
        };
        let honest = async {
            let mut times = Vec::new();
            while !over.get() {
                let activity = format!("honest-{}", times.len());
                let activity = self.rig.b.activity(&activity, "Like", &serde_json::json!("https://a.example/x"));
                let (knock, status) = match times.len() % 2 {
                    0 => (Knock::get("/aide", self.rig.now()), 200),
                    _ => (self.rig.b.post(&activity, self.rig.now()), 202),
                };
                let begun = Instant::now();
                let reply = self.ask(HONEST, &knock).await?;
                anyhow::ensure!(reply.status == status, "instead of {status}, somebody honest got {reply:?}");
                times.push(begun.elapsed());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            anyhow::Ok(times)
        };
        let (outcomes, times) = tokio::join!(attack, honest);
        in_time(times?)?;
        Ok(outcomes)
    }

    /// Waits until nobody is inside any more.
    pub async fn empties(&self) {
        let empty = async {
            while self.door.open() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let open = || format!("{} connections stay open", self.door.open());
        tokio::time::timeout(deadlines().idle + PATIENCE, empty).await.unwrap_or_else(|_| panic!("{}", open()));
    }
}

/// Whether those who mean well were answered in time. Alone on the machine it is what the cases say: 99 of 100
/// within a second, a tenth of the deadline that an attacker exhausts. Between other tests it is 9 of 10 within
/// half of a deadline: enough to tell whether anybody waits for the attackers to be cut.
fn in_time(mut times: Vec<Duration>) -> anyhow::Result<()> {
    times.sort();
    let (of_100, within) = if long() { (99, Duration::from_secs(1)) } else { (90, deadlines().head / 2) };
    let place = (times.len() * of_100).div_ceil(100).checked_sub(1);
    let Some(slow) = place.and_then(|place| times.get(place)) else { anyhow::bail!("nobody honest was answered") };
    let (all, slowest) = (times.len(), &times[times.len().saturating_sub(10)..]);
    anyhow::ensure!(*slow < within, "{of_100} of 100 honest requests took up to {slow:?}; of {all}, the slowest: {slowest:?}");
    Ok(())
}

/// A request as bytes; the connection is closed after it.
pub fn wire(knock: &Knock) -> Vec<u8> {
    let mut text = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", knock.method, knock.target);
    for (name, value) in &knock.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&knock.body);
    bytes
}

/// Reads until the other side closes.
pub async fn read_reply(stream: &mut TcpStream) -> anyhow::Result<Reply> {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(never(), stream.read_to_end(&mut bytes)).await?;
    if let Err(error) = read {
        anyhow::ensure!(!bytes.is_empty(), "no answer: {error}");
    }
    parse(&bytes)
}

/// The first answer in what was read.
pub fn parse(bytes: &[u8]) -> anyhow::Result<Reply> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(end) = end else { anyhow::bail!("no answer in {:?}", String::from_utf8_lossy(bytes)) };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let Some(status) = status else { anyhow::bail!("no status in {head}") };
    Ok(Reply { status, head, body: bytes[end + 4..].to_vec() })
}

/// Waits until the other side closes; says how long after `begun`, and what it said. Whoever has thousands of
/// sockets begins before it connects: the other side's clock runs before its own turn comes.
pub async fn until_closed(mut stream: TcpStream, begun: Instant) -> (Duration, Vec<u8>) {
    let mut heard = Vec::new();
    // A reset is a close.
    let _reset = tokio::time::timeout(never(), stream.read_to_end(&mut heard)).await.expect("it is closed");
    (begun.elapsed(), heard)
}

/// Sends a first part, then one byte every so often, until the other side closes.
pub async fn drip(mut stream: TcpStream, first: &[u8], every: Duration, begun: Instant) -> (Duration, Vec<u8>) {
    let _refused = stream.write_all(first).await;
    let (mut reader, mut writer) = stream.into_split();
    let mut heard = Vec::new();
    let dripping = async {
        loop {
            tokio::time::sleep(every).await;
            if writer.write_all(b"x").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let read = async {
        let _reset = tokio::time::timeout(never(), reader.read_to_end(&mut heard)).await.expect("it is closed");
    };
    tokio::select! {
        () = dripping => {}
        () = read => {}
    }
    (begun.elapsed(), heard)
}
