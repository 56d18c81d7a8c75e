use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// A request to a daemon by signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// SIGTERM or SIGINT: accept nothing more, let the sessions end, exit. On a second one, exit at once.
    Stop,
    /// SIGHUP: read configuration, accounts and certificate again.
    Reload,
    /// SIGUSR1: read the accounts again, and nothing else.
    Accounts,
}

/// The signals of this process as a stream of events.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    user: Signal,
}

impl Signals {
    /// Registers the handlers, so that the signals no longer end the process. To be called within the runtime, before
    /// READY.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            user: signal(SignalKind::user_defined1())?,
        })
    }

    /// The next event. May be dropped and called again, as `select!` does.
    pub async fn next(&mut self) -> Event {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Event::Stop,
            _ = self.interrupt.recv() => Event::Stop,
            _ = self.hangup.recv() => Event::Reload,
            _ = self.user.recv() => Event::Accounts,
        }
    }

    /// Completes at the next request to stop; ignores requests to reload.
    pub async fn stop(&mut self) {
        while self.next().await != Event::Stop {}
    }
}
