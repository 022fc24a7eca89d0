//! What one connection waits for and until when, and the socket that notes it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::Deadlines;

/// How long the other side may take to close after we did; what it still sends meanwhile is thrown away, so
/// that it gets to read our last answer (a close over unread bytes would take that back).
const LINGER: Duration = Duration::from_secs(1);
/// How much of it.
const LINGER_BYTES: usize = 4 << 20;

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The head of a request has begun, or was never begun yet.
    Head,
    /// A request is being answered.
    Exchange,
    /// The last answer is written; nothing is asked.
    Idle,
    /// We have closed.
    Closing,
}

/// The pulse of one connection; cloning shares it.
#[derive(Debug, Clone)]
pub(super) struct Pulse {
    deadlines: Deadlines,
    beat: Arc<Mutex<Beat>>,
}

#[derive(Debug)]
struct Beat {
    phase: Phase,
    /// Since when it stands there.
    since: Instant,
    /// When the last request began.
    began: Instant,
    /// When the other side took bytes last.
    taken: Instant,
    /// Since when it takes none although we have some.
    blocked: Option<Instant>,
}

impl Beat {
    const fn new(now: Instant) -> Self {
        Self { phase: Phase::Head, since: now, began: now, taken: now, blocked: None }
    }

    const fn request(&mut self, now: Instant) {
        (self.phase, self.since, self.began) = (Phase::Exchange, now, now);
    }

    fn enter(&mut self, from: Phase, to: Phase, now: Instant) {
        if self.phase == from {
            (self.phase, self.since) = (to, now);
        }
    }

    const fn closing(&mut self, now: Instant) {
        (self.phase, self.since, self.blocked) = (Phase::Closing, now, None);
    }

    const fn wrote(&mut self, now: Instant) {
        (self.taken, self.blocked) = (now, None);
    }

    fn held_up(&mut self, now: Instant) {
        self.blocked = self.blocked.or(Some(now));
    }

    fn deadline(&self, deadlines: &Deadlines) -> Instant {
        let whole = self.began + deadlines.exchange;
        match (self.blocked, self.phase) {
            (Some(blocked), _) => whole.min(blocked + deadlines.stall),
            (None, Phase::Head) => self.since + deadlines.head,
            (None, Phase::Exchange) => whole,
            (None, Phase::Idle) => self.since.max(self.taken) + deadlines.idle,
            (None, Phase::Closing) => self.since + LINGER,
        }
    }
}

impl Pulse {
    /// The pulse of a connection that was accepted just now.
    pub(super) fn new(deadlines: Deadlines) -> Self {
        Self { deadlines, beat: Arc::new(Mutex::new(Beat::new(Instant::now()))) }
    }

    fn beat(&self) -> MutexGuard<'_, Beat> {
        self.beat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A whole head is there.
    pub(super) fn request(&self) {
        self.beat().request(Instant::now());
    }

    /// The whole answer is written, or at least handed to the socket.
    pub(super) fn answered(&self) {
        self.beat().enter(Phase::Exchange, Phase::Idle, Instant::now());
    }

    fn wrote(&self, outcome: &Poll<io::Result<usize>>) {
        let now = Instant::now();
        if outcome.is_ready() { self.beat().wrote(now) } else { self.beat().held_up(now) }
    }

    /// When it is cut, unless something happens before.
    pub(super) fn deadline(&self) -> Instant {
        self.beat().deadline(&self.deadlines)
    }
}

/// A socket that notes in a [`Pulse`] what happens to it.
#[derive(Debug)]
pub(super) struct Felt {
    stream: TcpStream,
    pulse: Pulse,
    /// Bytes thrown away since we closed; none while we have not.
    thrown_away: Option<usize>,
}

impl Felt {
    pub(super) const fn new(stream: TcpStream, pulse: Pulse) -> Self {
        Self { stream, pulse, thrown_away: None }
    }
}

impl AsyncRead for Felt {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.pulse.beat().enter(Phase::Idle, Phase::Head, Instant::now());
        }
        outcome
    }
}

impl AsyncWrite for Felt {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.pulse.wrote(&outcome);
        outcome
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.pulse.wrote(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.thrown_away.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            self.pulse.beat().closing(Instant::now());
        }
        let mut thrown_away = self.thrown_away.unwrap_or_default();
        let mut scratch = [0; 4096];
        while thrown_away < LINGER_BYTES {
            self.thrown_away = Some(thrown_away);
            let mut buffer = ReadBuf::new(&mut scratch);
            if ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)).is_err() || buffer.filled().is_empty() {
                break;
            }
            thrown_away += buffer.filled().len();
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A beat that began now, and the instants after it.
    fn beat() -> (Beat, impl Fn(u64) -> Instant) {
        let began = Instant::now();
        (Beat::new(began), move |seconds| began + Duration::from_secs(seconds))
    }

    #[test]
    fn each_phase_has_its_own_deadline() {
        let (mut beat, at) = beat();
        let deadlines = Deadlines::default();
        assert_eq!(beat.deadline(&deadlines), at(10), "a socket that says nothing");
        beat.enter(Phase::Idle, Phase::Head, at(5));
        assert_eq!(beat.deadline(&deadlines), at(10), "the first head counts from the accept on, however it drips");
        beat.request(at(5));
        assert_eq!(beat.deadline(&deadlines), at(5 + 600));
        beat.enter(Phase::Exchange, Phase::Idle, at(7));
        assert_eq!(beat.deadline(&deadlines), at(7 + 30), "idle");
        beat.enter(Phase::Idle, Phase::Head, at(27));
        beat.enter(Phase::Idle, Phase::Head, at(30));
        assert_eq!(beat.deadline(&deadlines), at(27 + 10), "the next head counts from its first byte on");
    }

    #[test]
    fn a_long_answer_is_not_idle_while_it_is_taken_and_is_cut_when_it_is_not() {
        let (mut beat, at) = beat();
        let deadlines = Deadlines::default();
        beat.request(at(0));
        // Handed to the socket at once, and taken in pieces for longer than a connection may idle.
        beat.enter(Phase::Exchange, Phase::Idle, at(0));
        for second in [20, 40, 60, 80] {
            beat.wrote(at(second));
            assert_eq!(beat.deadline(&deadlines), at(second + 30));
        }
        beat.held_up(at(80));
        beat.held_up(at(81));
        assert_eq!(beat.deadline(&deadlines), at(80 + 30), "counted from the first piece that was not taken");
        beat.wrote(at(590));
        beat.held_up(at(590));
        assert_eq!(beat.deadline(&deadlines), at(600), "drop by drop it ends too");
    }
}
