//! The stop: the order in which the daemons end, and its time limits.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::{Processes, Supervision};
use crate::exit::Exit;
use crate::init::role::Role;
use crate::init::unit::{Event, Moment, Phase};

/// After a second request to stop, each daemon gets this long.
const HURRY: Duration = Duration::from_secs(1);
/// A process that is not dead by then, killed or not, cannot be waited for: the container's engine waits 40 seconds,
/// and then reports another exit status.
const TIMEOUT: Duration = Duration::from_secs(38);

/// A stop that has begun.
#[derive(Debug)]
pub(super) struct StopProgress {
    /// The daemons that are still to be stopped, the next one first.
    remaining: VecDeque<Role>,
    /// The time at which the remaining ones are no longer waited for.
    pub(super) give_up: Instant,
}

impl<P: Processes> Supervision<P> {
    /// Stops all in their order; called again, all at once and soon.
    pub fn stop(&mut self, now: Moment) {
        if self.stop.is_none() {
            tracing::info!("stopping");
            self.stop =
                Some(StopProgress { remaining: Role::STOP_ORDER.into(), give_up: now.instant + TIMEOUT });
        } else {
            tracing::warn!("second request to stop, one second for each daemon");
            for role in Role::STOP_ORDER {
                self.request_stop(role, HURRY, now);
            }
        }
    }

    /// Stops the next one when the one before has ended.
    pub(super) fn continue_stopping(&mut self, now: Moment) {
        while let Some(role) = self.stop.as_ref().and_then(|stop| stop.remaining.front().copied()) {
            let phase =
                self.daemons.iter().find(|daemon| daemon.role == role).map(|daemon| daemon.unit.phase());
            match phase {
                // Dead before it got the signal, or not one of ours: there is nothing to wait for.
                Some(Phase::Stopped) | None => {
                    if let Some(stop) = &mut self.stop {
                        stop.remaining.pop_front();
                    }
                }
                Some(Phase::Stopping { .. }) => break,
                Some(_) => self.request_stop(role, role.stop_limit(), now),
            }
        }
    }

    fn request_stop(&mut self, role: Role, limit: Duration, now: Moment) {
        self.processes.close_sockets(role);
        let Some(daemon) = self.daemons.iter_mut().find(|daemon| daemon.role == role) else { return };
        if let Some(pid) = daemon.running_pid() {
            self.processes.signal(pid, Signal::SIGTERM);
        }
        daemon.handle(Event::Stop(limit), now);
        self.has_changed = true;
    }

    /// The exit status, once the stop has ended.
    pub fn outcome(&self, now: Moment) -> Option<Exit> {
        let stop = self.stop.as_ref()?;
        let all_ended = self.daemons.iter().all(|daemon| daemon.unit.phase() == Phase::Stopped);
        let any_killed = self.daemons.iter().any(|daemon| daemon.unit.was_killed());
        match (all_ended, any_killed) {
            (true, false) => Some(Exit::Stopped),
            (true, true) => Some(Exit::Killed),
            (false, _) => (stop.give_up <= now.instant).then_some(Exit::Killed),
        }
    }
}

#[cfg(test)]
mod tests;
