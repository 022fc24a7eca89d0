//! Asking for the addresses of a name, on threads of its own: a server of names that does not answer keeps
//! neither the others waiting nor the threads that files and databases need (SEC-113).

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

/// How long a name may take (SEC-113).
const DEADLINE: Duration = Duration::from_secs(5);
/// Names that are asked for at the same time. Each is one thread, however many want to know it.
const AT_ONCE: usize = 256;
/// The system's resolver and its modules need little, but more than nothing.
const STACK: usize = 512 * 1024;

/// What answers for a name. Blocking.
type Ask = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// Who is asked for names: the system (`/etc/hosts` included), or a test.
#[derive(Clone, Default)]
pub struct Names(Option<Arc<Ask>>);

impl Names {
    /// Asks `ask` instead of the system; it may block.
    #[must_use]
    pub fn by(ask: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(ask)))
    }

    fn ask(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        match &self.0 {
            Some(ask) => ask(host),
            None => Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect()),
        }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "a test" } else { "the system" })
    }
}

/// An answer that several may wait for; the words of a failure.
type Answer = Result<Vec<IpAddr>, String>;

/// The look-ups under way.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    under_way: Mutex<HashMap<String, watch::Receiver<Option<Answer>>>>,
}

impl Lookups {
    /// The addresses of a name, within the deadline.
    pub(super) async fn of(self: &Arc<Self>, names: &Names, host: &str) -> Answer {
        let mut answer = self.join(names, host)?;
        let answered = tokio::time::timeout(DEADLINE, answer.wait_for(Option::is_some)).await;
        let found = answered.map_err(|_| format!("no answer within {} s", DEADLINE.as_secs()))?;
        let found = found.map_err(|_| "the look-up broke".to_owned())?;
        found.clone().unwrap_or_else(|| Ok(Vec::new()))
    }

    /// Waits with others for the same name, or begins.
    fn join(self: &Arc<Self>, names: &Names, host: &str) -> Result<watch::Receiver<Option<Answer>>, String> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = under_way.get(host) {
            return Ok(answer.clone());
        }
        if under_way.len() >= AT_ONCE {
            return Err("too many names are being looked up".to_owned());
        }
        let (tell, told) = watch::channel(None);
        under_way.insert(host.to_owned(), told.clone());
        // A thread that does not begin ends its look-up at once, and that takes the lock.
        drop(under_way);
        let (names, asked) = (names.clone(), UnderWay { lookups: Arc::clone(self), host: host.to_owned() });
        let begun = thread::Builder::new().name("look-up".to_owned()).stack_size(STACK).spawn(move || {
            let found = names.ask(&asked.host).map_err(|error| error.to_string());
            // Whoever asks from now on asks anew.
            drop(asked);
            let _nobody_waits = tell.send(Some(found));
        });
        begun.map_err(|error| format!("no thread for the look-up: {error}"))?;
        Ok(told)
    }
}

/// Ends with its look-up, whatever happens to it.
struct UnderWay {
    lookups: Arc<Lookups>,
    host: String,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.lookups.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.host);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_name_is_asked_for_once_however_many_want_to_know_it() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let names = Names::by(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(300));
            Ok(vec!["192.0.2.1".parse().unwrap()])
        });
        let lookups = Arc::new(Lookups::default());
        let all = futures_util::future::join_all((0..100).map(|_| lookups.of(&names, "city-b.test"))).await;
        assert!(all.iter().all(|answer| answer.as_ref().is_ok_and(|found| found.len() == 1)));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(lookups.of(&names, "city-b.test").await.is_ok());
        assert_eq!(asked.load(Ordering::SeqCst), 2, "an answer is not kept");
        assert!(lookups.under_way.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_look_up_that_breaks_is_over() {
        let names = Names::by(|_| panic!("a module of the resolver broke"));
        let lookups = Arc::new(Lookups::default());
        assert!(lookups.of(&names, "city-b.test").await.is_err());
        assert!(lookups.under_way.lock().unwrap().is_empty());
        let refused = Names::by(|_| Err(io::Error::other("SERVFAIL")));
        assert_eq!(lookups.of(&refused, "city-b.test").await, Err("SERVFAIL".to_owned()));
    }

    #[tokio::test]
    async fn the_number_of_threads_is_bounded() {
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let names = Names::by(move |_| {
            let _closed = gate.lock().unwrap_or_else(PoisonError::into_inner).recv();
            Ok(Vec::new())
        });
        let lookups = Arc::new(Lookups::default());
        let begun: Vec<_> = (0..AT_ONCE).map(|n| lookups.join(&names, &format!("x{n}.test"))).collect();
        assert!(begun.iter().all(Result::is_ok));
        assert!(lookups.of(&names, "one-more.test").await.is_err());
        drop(open);
    }
}
