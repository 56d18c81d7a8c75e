use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The main task's side of a shutdown: requests all tasks to stop and waits until they have.
#[derive(Debug)]
pub struct Drain {
    stopping: watch::Sender<bool>,
    running: watch::Sender<()>,
}

/// A session's side of a shutdown: signals when to stop.
#[derive(Debug, Clone)]
pub struct StopSignal {
    stopping: watch::Receiver<bool>,
}

/// Work that the daemon waits for while this is held.
#[derive(Debug, Clone)]
pub struct DrainGuard {
    _running: watch::Receiver<()>,
}

/// The outcome of a drain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrainOutcome {
    /// All tasks have stopped.
    Complete,
    /// The time limit was reached while this many were still running.
    StillRunning(usize),
}

impl Drain {
    /// A drain that has not begun.
    pub fn new() -> Self {
        Self { stopping: watch::Sender::new(false), running: watch::Sender::new(()) }
    }

    /// The signal for one more task.
    pub fn stop(&self) -> StopSignal {
        StopSignal { stopping: self.stopping.subscribe() }
    }

    /// The guard for one more task that is waited for. Accept loops and sessions get theirs from their service.
    pub fn guard(&self) -> DrainGuard {
        DrainGuard { _running: self.running.subscribe() }
    }

    /// Runs a task that is waited for.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let guard = self.guard();
        tokio::spawn(async move {
            let _guard = guard;
            task.await
        })
    }

    /// The number of tasks that are waited for: sessions, accept loops and others.
    pub fn running(&self) -> usize {
        self.running.receiver_count()
    }

    /// Requests all to stop: accept loops at once, sessions where their protocol allows it.
    pub fn begin(&self) {
        self.stopping.send_replace(true);
    }

    /// Requests all to stop, and waits for them, but no longer than `limit`.
    pub async fn finish(&self, limit: Duration) -> DrainOutcome {
        self.begin();
        match tokio::time::timeout(limit, self.running.closed()).await {
            Ok(()) => DrainOutcome::Complete,
            Err(_) => DrainOutcome::StillRunning(self.running()),
        }
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

impl StopSignal {
    /// Completes when stopping has been requested. May be dropped and called again, as `select!` does.
    pub async fn requested(&mut self) {
        // An error means that the daemon's main task has ended, which is as good a reason to stop.
        let _ = self.stopping.wait_for(|stopping| *stopping).await;
    }

    /// True if stopping has been requested.
    pub fn is_requested(&self) -> bool {
        *self.stopping.borrow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_drain_waits_for_every_running_task() {
        let drain = Drain::new();
        let mut stop = drain.stop();
        let session = drain.spawn(async move {
            stop.requested().await;
            stop.is_requested()
        });
        assert_eq!(drain.running(), 1);
        assert_eq!(drain.finish(Duration::MAX).await, DrainOutcome::Complete);
        assert!(session.await.unwrap());
    }

    #[tokio::test]
    async fn a_drain_does_not_wait_for_ever() {
        let drain = Drain::new();
        let guard = drain.guard();
        let another = guard.clone();
        assert_eq!(drain.finish(Duration::ZERO).await, DrainOutcome::StillRunning(2));
        drop((guard, another));
        assert_eq!(drain.finish(Duration::MAX).await, DrainOutcome::Complete);
    }

    #[tokio::test]
    async fn a_late_task_stops_at_once() {
        let drain = Drain::new();
        drain.begin();
        drain.stop().requested().await;
    }
}
