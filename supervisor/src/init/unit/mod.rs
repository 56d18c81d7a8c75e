//! One daemon's life as a value: its phase, and the effect of each event.
//!
//! ```text
//!                 spawned                ready
//!  backing-off ────────────▶ starting ──────────▶ ready ⟲ ready
//!     ▲  │ ⟲ refused             │                  │
//!     │  │                       │ ended            │ ended
//!     └──┼───────────────────────┴──────────────────┘
//!        │ stop                  │ stop             │ stop
//!        ▼           ended       ▼                  ▼
//!     stopped ◀─────────────── stopping ⟲ stop, ready
//! ```
//!
//! A unit begins in `backing-off` with nothing to wait for. `stopped` is final. The clock is passed in; nothing here
//! starts, signals or waits for a process.

mod restart_delay;
mod signal_name;

use std::fmt;
use std::time::{Duration, Instant};

use handover::status;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use restart_delay::{RunKind, STABLE_AFTER};
pub use signal_name::SignalName;

/// A moment on both clocks: the monotonic one for deadlines, and the wall clock.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// For deadlines.
    pub instant: Instant,
    /// In seconds since 1970.
    pub wall: u64,
}

impl Moment {
    /// Now.
    pub fn now() -> Self {
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self { instant: Instant::now(), wall: since_1970.unwrap_or_default().as_secs() }
    }
}

/// The end of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, with this status.
    Exit(i32),
    /// By a signal.
    Signal(i32),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(status) => write!(f, "exit {status}"),
            Self::Signal(number) => write!(f, "{}", SignalName(*number)),
        }
    }
}

/// The phase of a unit. Each state owns only the values that are known by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It does not run, and is started at that time.
    BackingOff {
        /// The time of the next start.
        until: Instant,
    },
    /// It runs, and has not reported that it is ready.
    Starting {
        /// Its process.
        pid: Pid,
    },
    /// It reported that it is ready.
    Ready {
        /// Its process.
        pid: Pid,
        /// The time of that report.
        since: Instant,
    },
    /// It was asked to end.
    Stopping {
        /// Its process.
        pid: Pid,
        /// The time at which it is killed.
        deadline: Instant,
        /// Set once it was killed.
        killed: bool,
    },
    /// It has ended and stays so.
    Stopped,
}

/// The events of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Its process was started.
    Spawned(Pid),
    /// Its process could not be started.
    Refused,
    /// It reports that it is ready.
    Ready,
    /// Its process ended.
    Ended(End),
    /// It must end within that time.
    Stop(Duration),
}

/// An event that is illegal in the unit's phase. It changes nothing; its sender has a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("event {event:?} is illegal in phase {phase:?}")]
pub struct IllegalEvent {
    /// The phase of the unit.
    pub phase: Phase,
    /// The event.
    pub event: Event,
}

/// A daemon that is kept running.
#[derive(Debug)]
pub struct Unit {
    phase: Phase,
    /// The beginning of the phase, on the wall clock.
    since: u64,
    /// The number of starts.
    starts: u64,
    /// The number of times that it ended by itself without a stable run in between.
    failures: u32,
    last_end: Option<End>,
    was_killed: bool,
}

impl Unit {
    /// A unit that is to be started at once.
    pub fn new(now: Moment) -> Self {
        Self {
            phase: Phase::BackingOff { until: now.instant },
            since: now.wall,
            starts: 0,
            failures: 0,
            last_end: None,
            was_killed: false,
        }
    }

    /// Its phase.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Its process, while there is one.
    pub fn pid(&self) -> Option<Pid> {
        match self.phase {
            Phase::Starting { pid } | Phase::Ready { pid, .. } | Phase::Stopping { pid, .. } => Some(pid),
            Phase::BackingOff { .. } | Phase::Stopped => None,
        }
    }

    /// True if it had to be killed because it did not stop.
    pub fn was_killed(&self) -> bool {
        self.was_killed
    }

    /// Applies an event: all transitions are here.
    pub fn handle(&mut self, event: Event, now: Moment) -> Result<(), IllegalEvent> {
        let next = match (self.phase, event) {
            (Phase::BackingOff { .. }, Event::Spawned(pid)) => {
                self.starts += 1;
                Phase::Starting { pid }
            }
            (Phase::BackingOff { .. }, Event::Refused) => self.back_off(RunKind::NeverReady, now),
            (Phase::BackingOff { .. }, Event::Stop(_)) => Phase::Stopped,
            (Phase::Starting { pid }, Event::Ready) => Phase::Ready { pid, since: now.instant },
            (Phase::Starting { .. }, Event::Ended(end)) => {
                self.last_end = Some(end);
                let was_killed = end == End::Signal(Signal::SIGKILL as i32);
                self.back_off(if was_killed { RunKind::CameUp } else { RunKind::NeverReady }, now)
            }
            (Phase::Ready { since, .. }, Event::Ended(end)) => {
                self.last_end = Some(end);
                if now.instant - since >= STABLE_AFTER {
                    self.failures = 0;
                }
                self.back_off(RunKind::CameUp, now)
            }
            // After a reload it reports so again; it has been ready all the time.
            (ready @ Phase::Ready { .. }, Event::Ready) => ready,
            (Phase::Starting { pid } | Phase::Ready { pid, .. }, Event::Stop(limit)) => {
                Phase::Stopping { pid, deadline: now.instant + limit, killed: false }
            }
            (Phase::Stopping { pid, deadline, killed }, Event::Stop(limit)) => {
                Phase::Stopping { pid, deadline: deadline.min(now.instant + limit), killed }
            }
            // The notice was on its way when the unit was asked to stop.
            (stopping @ Phase::Stopping { .. }, Event::Ready) => stopping,
            (Phase::Stopping { .. }, Event::Ended(end)) => {
                self.last_end = Some(end);
                Phase::Stopped
            }
            (Phase::Stopped, Event::Stop(_)) => Phase::Stopped,
            (phase, event) => return Err(IllegalEvent { phase, event }),
        };
        if next.state() != self.phase.state() {
            self.since = now.wall;
        }
        self.phase = next;
        Ok(())
    }

    /// The wait before the next start.
    fn back_off(&mut self, run: RunKind, now: Moment) -> Phase {
        let until = now.instant + restart_delay::restart_delay(self.failures, run);
        self.failures = self.failures.saturating_add(1);
        Phase::BackingOff { until }
    }

    /// True if it is time to start it.
    pub fn is_due(&self, now: Moment) -> bool {
        matches!(self.phase, Phase::BackingOff { until } if until <= now.instant)
    }

    /// Its process, if it did not stop in time and has not been killed yet; from now on it counts as killed.
    pub fn take_overdue(&mut self, now: Moment) -> Option<Pid> {
        match &mut self.phase {
            Phase::Stopping { pid, deadline, killed } if !*killed && *deadline <= now.instant => {
                *killed = true;
                self.was_killed = true;
                Some(*pid)
            }
            _ => None,
        }
    }

    /// The time at which it needs an action although nothing happens.
    pub fn wakes_at(&self) -> Option<Instant> {
        match self.phase {
            Phase::BackingOff { until } => Some(until),
            Phase::Stopping { deadline, killed: false, .. } => Some(deadline),
            _ => None,
        }
    }

    /// Its entry in the status for the steward.
    pub fn report(&self, name: &str, queue: Option<u64>) -> status::DaemonStatus {
        status::DaemonStatus {
            name: name.to_owned(),
            state: self.phase.state(),
            since: self.since,
            pid: self.pid().map(Pid::as_raw),
            silent_since: None,
            restarts: self.starts.saturating_sub(1),
            last_end: self.last_end.map(|end| end.to_string()),
            queue,
            queue_since: None,
            gateway_clients: 0,
            sandbox: None,
            accounts: None,
        }
    }
}

impl Phase {
    fn state(self) -> status::DaemonState {
        match self {
            Self::BackingOff { .. } => status::DaemonState::BackingOff,
            Self::Starting { .. } => status::DaemonState::Starting,
            Self::Ready { .. } => status::DaemonState::Ready,
            Self::Stopping { .. } => status::DaemonState::Stopping,
            Self::Stopped => status::DaemonState::Stopped,
        }
    }
}

#[cfg(test)]
mod tests;
