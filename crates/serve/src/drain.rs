use std::time::Duration;

use tokio::sync::watch;

/// The end of a daemon's work, seen from its main task: asks everybody to stop and waits until they have.
#[derive(Debug)]
pub struct Drain {
    stopping: watch::Sender<bool>,
}

/// The same, seen from a session. As long as one exists the daemon waits for whoever holds it.
#[derive(Debug, Clone)]
pub struct Stop {
    stopping: watch::Receiver<bool>,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Everybody has stopped.
    Whole,
    /// Time was up while so many were still at work.
    Left(usize),
}

impl Drain {
    /// Nothing stops yet.
    pub fn new() -> Self {
        Self { stopping: watch::Sender::new(false) }
    }

    /// A token for one more task.
    pub fn stop(&self) -> Stop {
        Stop { stopping: self.stopping.subscribe() }
    }

    /// How many tokens are held.
    pub fn running(&self) -> usize {
        self.stopping.receiver_count()
    }

    /// Asks all to stop: accept loops at once, sessions where their protocol allows it.
    pub fn begin(&self) {
        self.stopping.send_replace(true);
    }

    /// Asks all to stop, and waits for them, but no longer than `limit`.
    pub async fn finish(&self, limit: Duration) -> Drained {
        self.begin();
        match tokio::time::timeout(limit, self.stopping.closed()).await {
            Ok(()) => Drained::Whole,
            Err(_) => Drained::Left(self.running()),
        }
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

impl Stop {
    /// Completes when stopping has been asked for. May be dropped and called again, as `select!` does.
    pub async fn requested(&mut self) {
        // An error means that the daemon's main task is gone, which is as good a reason to stop.
        let _ = self.stopping.wait_for(|stopping| *stopping).await;
    }

    /// Whether stopping has been asked for.
    pub fn is_requested(&self) -> bool {
        *self.stopping.borrow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_drain_waits_for_everybody_who_holds_a_token() {
        let drain = Drain::new();
        let mut stop = drain.stop();
        let session = tokio::spawn(async move {
            stop.requested().await;
            assert!(stop.is_requested());
        });
        assert_eq!(drain.running(), 1);
        assert_eq!(drain.finish(Duration::MAX).await, Drained::Whole);
        session.await.unwrap();
    }

    #[tokio::test]
    async fn a_drain_does_not_wait_for_ever() {
        let drain = Drain::new();
        let stop = drain.stop();
        let another = stop.clone();
        assert_eq!(drain.finish(Duration::ZERO).await, Drained::Left(2));
        drop((stop, another));
        assert_eq!(drain.finish(Duration::MAX).await, Drained::Whole);
    }

    #[tokio::test]
    async fn who_comes_late_stops_at_once() {
        let drain = Drain::new();
        drain.begin();
        drain.stop().requested().await;
    }
}
