//! Ports that could not be bound at the start, and without which mail is still served: they are retried until they can
//! be bound.

use std::time::{Duration, Instant};

use handover::Concern;

use super::{Processes, Supervision};
use crate::init::unit::Moment;
use crate::ports::Unbound;

/// An operator who has just stopped another web server need not wait long; an attempt is three system calls.
const FIRST: Duration = Duration::from_secs(5);
/// A port that another program holds permanently is not retried more often.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// The ports, and the time of their next attempt.
#[derive(Debug)]
pub(super) struct UnboundPorts {
    ports: Vec<Unbound>,
    wait: Duration,
    next: Instant,
}

impl UnboundPorts {
    pub(super) fn new(ports: Vec<Unbound>, now: Moment) -> Self {
        Self { ports, wait: FIRST, next: now.instant + FIRST }
    }

    /// The concerns about them for the operator.
    pub(super) fn concerns(&self) -> impl Iterator<Item = Concern> {
        self.ports.iter().map(Unbound::concern)
    }

    /// The time of the next attempt, as long as a port is unbound.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        (!self.ports.is_empty()).then_some(self.next)
    }
}

impl<P: Processes> Supervision<P> {
    /// The operator may have fixed something: the unbound ports are tried at the next [`Supervision::tick`].
    pub fn retry_ports_soon(&mut self, now: Moment) {
        (self.unbound.wait, self.unbound.next) = (FIRST, now.instant);
    }

    /// Retries the unbound ports, when it is time. A daemon gets its sockets at its start, so the one that serves such a
    /// port is restarted.
    pub(super) fn retry_ports(&mut self, now: Moment) {
        if self.stop.is_some() || self.unbound.wakes_at().is_none_or(|next| next > now.instant) {
            return;
        }
        self.unbound.wait = (self.unbound.wait * 2).min(MAX_WAIT);
        self.unbound.next = now.instant + self.unbound.wait;
        let mut gained = Vec::new();
        for port in std::mem::take(&mut self.unbound.ports) {
            match self.processes.bind(&port) {
                Ok(role) => {
                    tracing::info!(port = port.number(), "port bound");
                    gained.push(role);
                }
                Err(still) => self.unbound.ports.push(still),
            }
        }
        gained.dedup();
        for role in gained {
            self.has_changed = true;
            self.restart(role, "one more port");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Recorded, STEWARD, all_started, later};
    use super::*;
    use crate::init::unit::End;
    use crate::ports::taken;

    /// Another program holds the web's ports.
    fn without_web(now: Moment) -> Supervision<Recorded> {
        let mut supervision = all_started(now);
        supervision.set_initial_state(vec![taken("http"), taken("https")], None, now);
        supervision.processes.taken = vec!["http", "https"];
        supervision.take_changed();
        supervision
    }

    fn concerns(supervision: &Supervision<Recorded>, now: Moment) -> usize {
        supervision.status(now).concerns.len()
    }

    #[test]
    fn a_port_that_becomes_free_is_passed_to_its_daemon() {
        let now = Moment::now();
        let mut supervision = without_web(now);
        assert_eq!(concerns(&supervision, now), 2);
        supervision.processes.taken = vec!["https"];
        supervision.tick(later(now, 4));
        assert_eq!(supervision.processes.take(), [""; 0]);
        assert_eq!(supervision.wakes_at(), Some(later(now, 5).instant));
        supervision.tick(later(now, 5));
        assert_eq!(supervision.processes.take(), ["bind http", "SIGTERM 1"]);
        assert_eq!(concerns(&supervision, now), 1);
        assert!(supervision.take_changed());
        supervision.child_ended(STEWARD, End::Exit(0), later(now, 5));
        supervision.tick(later(now, 6));
        assert_eq!(supervision.processes.take(), ["start steward"]);
    }

    #[test]
    fn several_ports_at_once_cost_one_restart() {
        let now = Moment::now();
        let mut supervision = without_web(now);
        supervision.processes.taken.clear();
        supervision.tick(later(now, 5));
        assert_eq!(supervision.processes.take(), ["bind http", "bind https", "SIGTERM 1"]);
        assert_eq!((concerns(&supervision, now), supervision.wakes_at()), (0, None));
    }

    #[test]
    fn a_port_in_use_is_retried_less_often_until_a_reload() {
        let now = Moment::now();
        let mut supervision = without_web(now);
        let mut at = now;
        let mut waits = Vec::new();
        for _ in 0..6 {
            let next = supervision.wakes_at().unwrap();
            waits.push((next - at.instant).as_secs());
            at = Moment { instant: next, ..at };
            supervision.tick(at);
        }
        assert_eq!(waits, [5, 10, 20, 40, 60, 60]);
        assert!(!supervision.take_changed());
        supervision.processes.taken.clear();
        supervision.retry_ports_soon(at);
        supervision.tick(at);
        assert_eq!(supervision.processes.take(), ["bind http", "bind https", "SIGTERM 1"]);
    }

    #[test]
    fn a_stopping_server_retries_no_ports() {
        let now = Moment::now();
        let mut supervision = without_web(now);
        supervision.processes.taken.clear();
        supervision.stop(now);
        supervision.tick(later(now, 5));
        assert!(!supervision.processes.take().iter().any(|done| done.starts_with("bind")));
    }
}
