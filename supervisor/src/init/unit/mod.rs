//! One daemon's life, as a value: what it is doing, and what each event makes of it.
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
//! A unit begins in `backing-off` with nothing to wait for. There is no way out of `stopped`. The clock is passed
//! in; nothing here starts, signals or waits for a process.

mod signal_name;
mod wait;

use std::fmt;
use std::time::{Duration, Instant};

use handover::status;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

pub use signal_name::SignalName;
use wait::{Run, STABLE_AFTER};

/// A moment on both clocks: the one that deadlines are counted by, and the one that people read.
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

/// How a process ended.
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

/// What a unit is doing. Each state owns only what is known by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It does not run, and is started at that time.
    BackingOff {
        /// When to start it.
        until: Instant,
    },
    /// It runs, and has not said that it is ready.
    Starting {
        /// Its process.
        pid: Pid,
    },
    /// It said that it is ready.
    Ready {
        /// Its process.
        pid: Pid,
        /// When it said so.
        since: Instant,
    },
    /// It was asked to end.
    Stopping {
        /// Its process.
        pid: Pid,
        /// When it is killed.
        deadline: Instant,
        /// Whether it has been.
        killed: bool,
    },
    /// It has ended for good.
    Stopped,
}

/// What may happen to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Its process was started.
    Spawned(Pid),
    /// Its process could not be started.
    Refused,
    /// It says that it is ready.
    Ready,
    /// Its process ended.
    Ended(End),
    /// It is to end within that time.
    Stop(Duration),
}

/// An event that the unit's phase has no move for. It changes nothing; whoever raised it has a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} does not happen to a unit in {phase:?}")]
pub struct Illegal {
    /// What the unit was doing.
    pub phase: Phase,
    /// What happened.
    pub event: Event,
}

/// A daemon that is kept running.
#[derive(Debug)]
pub struct Unit {
    phase: Phase,
    /// When the phase began, for people.
    since: u64,
    /// How often it was started.
    starts: u64,
    /// How often it ended by itself without having run well in between.
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

    /// What it is doing.
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

    /// Whether it had to be killed because it did not stop.
    pub fn was_killed(&self) -> bool {
        self.was_killed
    }

    /// The moves, all of them.
    pub fn handle(&mut self, event: Event, now: Moment) -> Result<(), Illegal> {
        let next = match (self.phase, event) {
            (Phase::BackingOff { .. }, Event::Spawned(pid)) => {
                self.starts += 1;
                Phase::Starting { pid }
            }
            (Phase::BackingOff { .. }, Event::Refused) => self.back_off(Run::NeverReady, now),
            (Phase::BackingOff { .. }, Event::Stop(_)) => Phase::Stopped,
            (Phase::Starting { pid }, Event::Ready) => Phase::Ready { pid, since: now.instant },
            (Phase::Starting { .. }, Event::Ended(end)) => {
                self.last_end = Some(end);
                let was_killed = end == End::Signal(Signal::SIGKILL as i32);
                self.back_off(if was_killed { Run::CameUp } else { Run::NeverReady }, now)
            }
            (Phase::Ready { since, .. }, Event::Ended(end)) => {
                self.last_end = Some(end);
                if now.instant - since >= STABLE_AFTER {
                    self.failures = 0;
                }
                self.back_off(Run::CameUp, now)
            }
            // After a reload it says so again; it has been ready all the time.
            (ready @ Phase::Ready { .. }, Event::Ready) => ready,
            (Phase::Starting { pid } | Phase::Ready { pid, .. }, Event::Stop(limit)) => {
                Phase::Stopping { pid, deadline: now.instant + limit, killed: false }
            }
            (Phase::Stopping { pid, deadline, killed }, Event::Stop(limit)) => {
                Phase::Stopping { pid, deadline: deadline.min(now.instant + limit), killed }
            }
            // The notice was on its way when the unit was told to stop.
            (stopping @ Phase::Stopping { .. }, Event::Ready) => stopping,
            (Phase::Stopping { .. }, Event::Ended(end)) => {
                self.last_end = Some(end);
                Phase::Stopped
            }
            (Phase::Stopped, Event::Stop(_)) => Phase::Stopped,
            (phase, event) => return Err(Illegal { phase, event }),
        };
        if next.state() != self.phase.state() {
            self.since = now.wall;
        }
        self.phase = next;
        Ok(())
    }

    /// The wait before the next start.
    fn back_off(&mut self, run: Run, now: Moment) -> Phase {
        let until = now.instant + wait::after(self.failures, run);
        self.failures = self.failures.saturating_add(1);
        Phase::BackingOff { until }
    }

    /// Whether it is time to start it.
    pub fn is_due(&self, now: Moment) -> bool {
        matches!(self.phase, Phase::BackingOff { until } if until <= now.instant)
    }

    /// Its process, when it did not stop in time and has not been killed yet; from now on it counts as killed.
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

    /// When something is to be done about it although nothing happens.
    pub fn wakes_at(&self) -> Option<Instant> {
        match self.phase {
            Phase::BackingOff { until } => Some(until),
            Phase::Stopping { deadline, killed: false, .. } => Some(deadline),
            _ => None,
        }
    }

    /// How the steward is told about it.
    pub fn report(&self, name: &str, queue: Option<u64>) -> status::Process {
        status::Process {
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
    fn state(self) -> status::State {
        match self {
            Self::BackingOff { .. } => status::State::BackingOff,
            Self::Starting { .. } => status::State::Starting,
            Self::Ready { .. } => status::State::Ready,
            Self::Stopping { .. } => status::State::Stopping,
            Self::Stopped => status::State::Stopped,
        }
    }
}

#[cfg(test)]
mod tests;
