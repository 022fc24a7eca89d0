//! How many requests are under way to one host: none gets so many of ours that others wait for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// To one host at the same time; who comes beyond waits within its own deadline.
const PER_HOST: usize = 32;

/// The requests under way, by host. Holds nothing of hosts that are not asked just now (SEC-142).
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<String, Arc<Semaphore>>>);

/// One request under way.
pub(super) struct Flight {
    flights: Arc<Flights>,
    host: String,
    permit: Option<OwnedSemaphorePermit>,
}

impl Flights {
    /// Waits for a turn at this host.
    pub(super) async fn begin(self: &Arc<Self>, host: &str) -> Flight {
        let semaphore = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(host.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(PER_HOST))))
        };
        // Made before the wait: who gives up waiting leaves nothing behind either.
        let mut flight = Flight { flights: Arc::clone(self), host: host.to_owned(), permit: None };
        // It is never closed.
        flight.permit = semaphore.acquire_owned().await.ok();
        flight
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        drop(self.permit.take());
        let mut all = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody flies and nobody waits: whoever waits holds the semaphore too.
        if all.get(&self.host).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            all.remove(&self.host);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn one_host_has_its_share_and_leaves_no_trace() {
        let flights = Arc::new(Flights::default());
        let mut under_way = Vec::new();
        for _ in 0..PER_HOST {
            under_way.push(flights.begin("city-b.test").await);
        }
        let waiting = tokio::time::timeout(Duration::from_millis(20), flights.begin("city-b.test")).await;
        assert!(waiting.is_err(), "one more than its share");
        drop(flights.begin("city-c.test").await);
        under_way.pop();
        drop(flights.begin("city-b.test").await);
        drop(under_way);
        assert!(flights.0.lock().unwrap().is_empty());
    }
}
