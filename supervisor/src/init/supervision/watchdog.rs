//! The watchdog: a daemon that does not respond is reported, and restarted when that lasts.
//!
//! A daemon's runtime sends `WATCHDOG=1` every few seconds (sd_notify(3)). Only its silence while process 1 itself
//! ran its loop counts: a machine that slept, or a container that was paused, has missed nothing. The runtime starts
//! before the slow part of a start, so a daemon sends notices during that; until the first one arrives, all limits are
//! [`FIRST_NOTICE_FACTOR`] times as long.

use std::time::Duration;

use handover::notice::WATCHDOG_SECONDS;
use handover::status::HEARTBEAT_SECONDS;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::daemon::SupervisedDaemon;
use super::{Processes, Supervision};
use crate::init::unit::Moment;

/// Several notices are missing: the daemon is reported. A busy machine delays them by a second or two.
const LATE: Duration = Duration::from_secs(5 * WATCHDOG_SECONDS);
/// A daemon that has been silent for this long does not recover: it gets SIGTERM and is restarted.
const HUNG: Duration = Duration::from_secs(60);
/// A hanging daemon seldom handles SIGTERM; it is killed, the only way to end a stopped process.
const KILLED: Duration = Duration::from_secs(65);
/// Loading the program from a slow disk may take a while.
const FIRST_NOTICE_FACTOR: u32 = 6;
/// The loop runs at least once per status interval. A longer pause means that process 1 did not run either.
const MAX_TICK: Duration = Duration::from_secs(2 * HEARTBEAT_SECONDS);

/// The silence of one process.
#[derive(Debug, Default)]
pub(super) struct SilenceTimer {
    /// Set if a notice has come since the process was started.
    has_responded: bool,
    duration: Duration,
    /// The time since which it is silent, in seconds since 1970, once it is late.
    since: Option<u64>,
    action: WatchdogAction,
}

/// The action that was taken about it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum WatchdogAction {
    #[default]
    Waiting,
    Reported,
    Terminated,
    Killed,
}

impl SilenceTimer {
    /// The time since which it has lasted, if it is long enough to be reported.
    pub(super) fn since(&self) -> Option<u64> {
        self.since
    }
}

impl SupervisedDaemon {
    /// Records that it responds; returns true if that changes the status.
    pub(super) fn responds(&mut self) -> bool {
        let responded = SilenceTimer { has_responded: true, ..SilenceTimer::default() };
        let was_late = std::mem::replace(&mut self.run.silence, responded).since.is_some();
        if was_late {
            tracing::info!(role = self.role.name(), "responding again");
        }
        was_late
    }

    /// Counts silence. Returns the process and the signal that is due for it.
    fn stays_silent(&mut self, elapsed: Duration, now: Moment) -> Option<(Pid, Option<Signal>)> {
        let pid = self.running_pid()?;
        let silence = &mut self.run.silence;
        silence.duration += elapsed;
        let times = if silence.has_responded { 1 } else { FIRST_NOTICE_FACTOR };
        let action = match silence.duration {
            duration if duration >= KILLED * times => WatchdogAction::Killed,
            duration if duration >= HUNG * times => WatchdogAction::Terminated,
            duration if duration >= LATE * times => WatchdogAction::Reported,
            _ => WatchdogAction::Waiting,
        };
        if action <= silence.action {
            return None;
        }
        silence.action = action;
        let seconds = silence.duration.as_secs();
        silence.since.get_or_insert(now.wall.saturating_sub(seconds));
        let (role, pid_number) = (self.role.name(), pid.as_raw());
        let signal = match action {
            WatchdogAction::Waiting => return None,
            WatchdogAction::Reported => {
                tracing::warn!(role, pid = pid_number, seconds, "does not respond");
                None
            }
            WatchdogAction::Terminated => {
                tracing::error!(role, pid = pid_number, seconds, "does not respond, restarting");
                Some(Signal::SIGTERM)
            }
            WatchdogAction::Killed => {
                tracing::error!(role, pid = pid_number, seconds, "does not respond, killed");
                Some(Signal::SIGKILL)
            }
        };
        self.run.is_replaced |= signal.is_some();
        Some((pid, signal))
    }
}

impl<P: Processes> Supervision<P> {
    /// Handles the daemons that have not responded since the last call.
    pub(super) fn check_silent(&mut self, now: Moment) {
        let elapsed = now.instant.saturating_duration_since(self.last_tick);
        self.last_tick = now.instant;
        if elapsed > MAX_TICK {
            return;
        }
        for daemon in &mut self.daemons {
            if let Some((pid, signal)) = daemon.stays_silent(elapsed, now) {
                self.has_changed = true;
                if let Some(signal) = signal {
                    self.processes.signal(pid, signal);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use handover::notice::Notice;

    use super::super::tests::{MDA, MTA, Recorded, STEWARD, all_started, later};
    use super::*;
    use crate::init::unit::End;

    fn alive() -> Notice {
        Notice::parse(b"WATCHDOG=1")
    }

    /// Runs the loop once a second, the other two daemons responding.
    fn silent_for(supervision: &mut Supervision<Recorded>, now: Moment, seconds: std::ops::Range<u64>) {
        for second in seconds {
            for pid in [STEWARD, MDA] {
                supervision.handle_notice(pid, &alive(), later(now, second));
            }
            supervision.tick(later(now, second));
        }
    }

    fn silent_since(supervision: &Supervision<Recorded>, now: Moment) -> Vec<Option<u64>> {
        supervision.status(now).processes.iter().map(|process| process.silent_since).collect()
    }

    #[test]
    fn a_silent_daemon_is_reported_then_terminated_and_then_killed() {
        let now = Moment::now();
        let mut supervision = all_started(now);
        supervision.handle_notice(MTA, &alive(), now);
        silent_for(&mut supervision, now, 0..10);
        assert_eq!(silent_since(&supervision, now), [None; 3]);
        supervision.take_changed();
        silent_for(&mut supervision, now, 10..60);
        assert_eq!(silent_since(&supervision, now), [None, None, Some(now.wall)]);
        assert!(supervision.take_changed());
        assert_eq!(supervision.processes.take(), [""; 0]);
        silent_for(&mut supervision, now, 60..65);
        assert_eq!(supervision.processes.take(), ["SIGTERM 3"]);
        silent_for(&mut supervision, now, 65..80);
        assert_eq!(supervision.processes.take(), ["SIGKILL 3"]);
        supervision.child_ended(MTA, End::Signal(9), later(now, 80));
        silent_for(&mut supervision, now, 80..82);
        assert_eq!(supervision.processes.take(), ["start mta"]);
        assert_eq!(silent_since(&supervision, now), [None; 3]);
    }

    #[test]
    fn a_daemon_that_responds_again_is_left_alone() {
        let now = Moment::now();
        let mut supervision = all_started(now);
        supervision.handle_notice(MTA, &alive(), now);
        for _ in 0..5 {
            silent_for(&mut supervision, now, 0..59);
            assert!(silent_since(&supervision, now)[2].is_some());
            supervision.handle_notice(MTA, &alive(), later(now, 59));
            assert_eq!(silent_since(&supervision, now), [None; 3]);
            // The next round begins at an earlier time than this one has ended, which counts as no time.
        }
        assert_eq!(supervision.processes.take(), [""; 0]);
    }

    #[test]
    fn time_in_which_process_1_did_not_run_does_not_count() {
        let now = Moment::now();
        let mut supervision = all_started(now);
        supervision.handle_notice(MTA, &alive(), now);
        for hour in 1..100 {
            supervision.tick(later(now, 3600 * hour));
        }
        assert_eq!(silent_since(&supervision, now), [None; 3]);
        assert_eq!(supervision.processes.take(), [""; 0]);
    }

    #[test]
    fn a_daemon_without_a_first_notice_gets_six_times_as_long() {
        let now = Moment::now();
        let mut supervision = all_started(now);
        silent_for(&mut supervision, now, 0..60);
        assert_eq!(silent_since(&supervision, now), [None; 3]);
        silent_for(&mut supervision, now, 60..360);
        assert_eq!(silent_since(&supervision, now), [None, None, Some(now.wall)]);
        assert_eq!(supervision.processes.take(), [""; 0]);
        silent_for(&mut supervision, now, 360..400);
        assert_eq!(supervision.processes.take(), ["SIGTERM 3", "SIGKILL 3"]);
    }
}
