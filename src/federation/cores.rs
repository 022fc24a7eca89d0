//! Work that keeps a core busy: reading and proving many documents, on all cores or beside other work. What
//! waits for sockets is not held up by it.

use std::num::NonZero;
use std::thread::available_parallelism;

use tokio::task::JoinHandle;

/// So few things are done where they are.
const FEW: usize = 4;

/// Does the same to each of some things; the answers are in their order. A panic goes on to the caller.
pub(super) async fn each<T, R>(items: Vec<T>, work: impl Fn(T) -> R + Clone + Send + 'static) -> Vec<R>
where
    T: Send + 'static,
    R: Send + 'static,
{
    if items.len() <= FEW {
        return items.into_iter().map(work).collect();
    }
    let (count, cores) = (items.len(), available_parallelism().map_or(1, NonZero::get));
    let mut items = items.into_iter();
    let mut parts = Vec::with_capacity(cores);
    while items.len() > 0 {
        let (part, work): (Vec<T>, _) = (items.by_ref().take(count.div_ceil(cores)).collect(), work.clone());
        parts.push(tokio::task::spawn_blocking(move || part.into_iter().map(work).collect::<Vec<R>>()));
    }
    let mut done = Vec::with_capacity(count);
    for part in parts {
        done.extend(finished(part).await);
    }
    done
}

/// Does one thing on a core of its own. A panic goes on to the caller.
pub(super) async fn beside<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    finished(tokio::task::spawn_blocking(work)).await
}

async fn finished<R>(part: JoinHandle<R>) -> R {
    match part.await {
        Ok(part) => part,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is stopping, and this future with it.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_are_in_the_order_of_the_questions() {
        for count in [0, 1, 4, 5, 7, 64, 101] {
            let answers = each((0..count).collect(), |n: u32| n * 2).await;
            assert_eq!(answers, (0..count).map(|n| n * 2).collect::<Vec<_>>());
        }
    }

    #[tokio::test]
    async fn a_panic_is_not_lost() {
        let asked = tokio::spawn(each((0..100).collect(), |n: u32| assert_ne!(n, 70)));
        assert!(asked.await.is_err_and(|error| error.is_panic()));
        let n = 70;
        let asked = tokio::spawn(beside(move || assert_ne!(n, 70)));
        assert!(asked.await.is_err_and(|error| error.is_panic()));
    }
}
