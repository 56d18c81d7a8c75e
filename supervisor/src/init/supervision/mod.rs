//! All daemons together: their starts (here), their reloads ([`reload`]), the order in which they stop ([`stopping`]),
//! those that hang ([`watchdog`]), ports that another program held ([`unbound_ports`]), and the report about all of it
//! ([`status`]).
//!
//! Decides by the units' states and the time passed in, and acts through [`Processes`]. So all of it is tested without
//! a process, and with real ones that are doubles.

mod daemon;
mod reload;
mod status;
mod stopping;
mod unbound_ports;
mod watchdog;

use std::collections::BTreeMap;
use std::io;
use std::time::Instant;

use handover::Concern;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::role::Role;
use super::spawn::Program;
use super::unit::{End, Event, Moment, Phase};
use crate::ports::Unbound;
use daemon::{RunFacts, SupervisedDaemon};
pub use reload::Reloaded;
use stopping::StopProgress;
use unbound_ports::UnboundPorts;

/// The operations on processes.
pub trait Processes {
    /// Starts a daemon.
    fn start(&mut self, role: Role) -> io::Result<Pid>;
    /// Sends a signal to the process group of a daemon.
    fn signal(&mut self, leader: Pid, signal: Signal);
    /// Starts daemons from these programs from now on. Returns the roles whose programs have changed.
    fn adopt(&mut self, programs: BTreeMap<Role, Program>) -> Vec<Role>;
    /// Closes a daemon's listening sockets: from now on its peers are refused.
    fn close_sockets(&mut self, role: Role);
    /// Binds a port that could not be bound before and keeps its socket, for the restarted daemon.
    fn bind(&mut self, port: &Unbound) -> Result<Role, Unbound>;
}

/// The daemons and their supervision.
#[derive(Debug)]
pub struct Supervision<P> {
    processes: P,
    daemons: Vec<SupervisedDaemon>,
    stop: Option<StopProgress>,
    started: u64,
    concerns: Vec<Concern>,
    /// The reason for which the last reload was refused.
    refused: Option<Concern>,
    /// The ports that another program holds.
    unbound: UnboundPorts,
    /// The fingerprint of the certificate that the daemons have loaded.
    certificate: Option<String>,
    /// The time of the last call of [`Supervision::tick`].
    last_tick: Instant,
    has_changed: bool,
}

impl<P: Processes> Supervision<P> {
    /// Daemons that are to be started at the first [`Supervision::tick`].
    pub fn new(processes: P, roles: &[Role], concerns: Vec<Concern>, now: Moment) -> Self {
        let daemons = roles.iter().map(|role| SupervisedDaemon::new(*role, now)).collect();
        Self {
            processes,
            daemons,
            stop: None,
            started: now.wall,
            concerns,
            refused: None,
            unbound: UnboundPorts::new(Vec::new(), now),
            certificate: None,
            last_tick: now.instant,
            has_changed: true,
        }
    }

    /// Sets the state at the start: the ports that could not be bound, and the fingerprint of the certificate on disk.
    pub fn set_initial_state(&mut self, unbound: Vec<Unbound>, certificate: Option<String>, now: Moment) {
        self.unbound = UnboundPorts::new(unbound, now);
        self.certificate = certificate;
    }

    /// Does what is due: retries unbound ports, starts, kills, handles daemons that do not respond, continues the stop.
    pub fn tick(&mut self, now: Moment) {
        self.check_silent(now);
        self.retry_ports(now);
        for daemon in &mut self.daemons {
            if daemon.unit.is_due(now) {
                let event = match self.processes.start(daemon.role) {
                    Ok(pid) => {
                        tracing::info!(role = daemon.role.name(), pid = pid.as_raw(), "started");
                        Event::Spawned(pid)
                    }
                    Err(error) => {
                        tracing::error!(role = daemon.role.name(), %error, "cannot start, retrying");
                        Event::Refused
                    }
                };
                daemon.run = RunFacts::default();
                self.has_changed = true;
                daemon.handle(event, now);
            }
            if let Some(pid) = daemon.unit.take_overdue(now) {
                tracing::error!(
                    role = daemon.role.name(),
                    pid = pid.as_raw(),
                    "did not stop in time, killed"
                );
                self.processes.signal(pid, Signal::SIGKILL);
            }
        }
        self.continue_stopping(now);
    }

    /// Handles the end of a reaped child. Orphans that were not our daemons are ignored.
    pub fn child_ended(&mut self, pid: Pid, end: End, now: Moment) {
        let Some(daemon) = self.daemons.iter_mut().find(|daemon| daemon.unit.pid() == Some(pid)) else {
            tracing::debug!(pid = pid.as_raw(), %end, "reaped an orphan");
            return;
        };
        let role = daemon.role.name();
        match daemon.unit.phase() {
            Phase::Stopping { .. } => tracing::info!(role, pid = pid.as_raw(), %end, "stopped"),
            _ if daemon.run.is_replaced => {
                tracing::info!(role, pid = pid.as_raw(), %end, "exited, restarting")
            }
            _ => tracing::error!(role, pid = pid.as_raw(), %end, "exited unexpectedly, restarting"),
        }
        daemon.handle(Event::Ended(end), now);
        self.has_changed = true;
    }

    /// The daemons' processes, each of which leads a process group.
    pub fn leaders(&self) -> Vec<Pid> {
        self.daemons.iter().filter_map(|daemon| daemon.unit.pid()).collect()
    }

    /// True if every daemon is ready.
    pub fn all_ready(&self) -> bool {
        self.daemons.iter().all(|daemon| matches!(daemon.unit.phase(), Phase::Ready { .. }))
    }

    /// The time at which [`Supervision::tick`] must be called although nothing happens.
    pub fn wakes_at(&self) -> Option<Instant> {
        let units = self.daemons.iter().filter_map(|daemon| daemon.unit.wakes_at());
        units.chain(self.stop.as_ref().map(|stop| stop.give_up)).chain(self.unbound.wakes_at()).min()
    }
}

#[cfg(test)]
mod tests;
