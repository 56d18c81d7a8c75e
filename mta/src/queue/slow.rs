//! The workers that wait for a connection in a slow place, the longest first, and the eviction of one of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The waiting workers.
#[derive(Clone, Debug, Default)]
pub(super) struct SlowWorkers(Arc<Mutex<WaitingWorkers>>);

#[derive(Debug, Default)]
struct WaitingWorkers {
    workers: BTreeMap<u64, oneshot::Sender<()>>,
    next: u64,
}

/// One waiting worker; dropped, it leaves the list.
#[derive(Debug)]
pub(super) struct Waiter {
    slow: SlowWorkers,
    number: u64,
    request: oneshot::Receiver<()>,
}

impl SlowWorkers {
    /// Adds a worker.
    pub(super) fn add_waiter(&self) -> Waiter {
        let (sender, request) = oneshot::channel();
        let mut waiting = self.waiting();
        let number = waiting.next;
        waiting.next += 1;
        waiting.workers.insert(number, sender);
        Waiter { slow: self.clone(), number, request }
    }

    /// Requests the eviction of the worker that has waited longest.
    pub(super) fn evict(&self) {
        if let Some((_, request)) = self.waiting().workers.pop_first() {
            // A worker that has just got its connection has dropped its end.
            let _ = request.send(());
        }
    }

    fn waiting(&self) -> MutexGuard<'_, WaitingWorkers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.slow.waiting().workers.remove(&self.number);
    }
}

/// Completes when the worker's eviction is requested; never for one that does not wait.
pub(super) async fn eviction_requested(waiter: &mut Option<Waiter>) {
    if let Some(waiter) = waiter
        && (&mut waiter.request).await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_worker_that_has_waited_longest_is_evicted() {
        let slow = SlowWorkers::default();
        let (gone, mut first, mut second) =
            (slow.add_waiter(), Some(slow.add_waiter()), Some(slow.add_waiter()));
        drop(gone);
        slow.evict();
        eviction_requested(&mut first).await;
        assert!(second.as_mut().is_some_and(|waiter| waiter.request.try_recv().is_err()));
        slow.evict();
        eviction_requested(&mut second).await;
        // With all workers gone there is nothing to do.
        slow.evict();
    }
}
