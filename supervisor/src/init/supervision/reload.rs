//! The reloads of running daemons: requested by a signal, once they can handle it.

use std::collections::BTreeMap;

use handover::Concern;
use handover::notice::{CERTIFICATE, Notice};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::{Processes, Supervision};
use crate::init::role::Role;
use crate::init::spawn::Program;
use crate::init::unit::{Event, Moment, Phase};
use crate::site::NO_USERS;

/// The result of a reload.
#[derive(Debug, Default)]
pub struct Reloaded {
    /// Concerns that the operator has to resolve.
    pub concerns: Vec<Concern>,
    /// The programs that the daemons are to be started from.
    pub programs: BTreeMap<Role, Program>,
}

impl<P: Processes> Supervision<P> {
    /// Handles a notice.
    pub fn handle_notice(&mut self, pid: Pid, notice: &Notice, now: Moment) {
        let Some(daemon) = self.daemons.iter_mut().find(|daemon| daemon.unit.pid() == Some(pid)) else {
            return;
        };
        self.has_changed |= daemon.apply_notice(notice);
        // The steward alone writes certificates.
        let certificate = notice.facts.get(CERTIFICATE).filter(|_| daemon.role == Role::Steward);
        if notice.is_ready {
            if matches!(daemon.unit.phase(), Phase::Starting { .. }) {
                tracing::info!(role = daemon.role.name(), "ready");
                self.has_changed = true;
            }
            daemon.handle(Event::Ready, now);
            if matches!(daemon.unit.phase(), Phase::Ready { .. }) {
                for (is_owed, signal) in [
                    (std::mem::take(&mut daemon.run.needs_reload), Signal::SIGHUP),
                    (std::mem::take(&mut daemon.run.needs_accounts_reload), Signal::SIGUSR1),
                ] {
                    if is_owed {
                        self.processes.signal(pid, signal);
                    }
                }
            }
        }
        if let Some(certificate) = certificate.filter(|new| self.certificate.as_ref() != Some(new)) {
            tracing::info!(certificate = certificate.as_str(), "new certificate");
            self.certificate = Some(certificate.clone());
            self.request_reload(&[Role::Mda, Role::Mta]);
        }
    }

    /// Asks the daemons to reload. The restrictions of a daemon cannot change while it runs: one whose rules have
    /// changed is restarted.
    pub fn reload(&mut self, reloaded: Reloaded) {
        if self.stop.is_some() {
            return;
        }
        self.concerns = reloaded.concerns;
        self.refused = None;
        self.has_changed = true;
        let replaced = self.processes.adopt(reloaded.programs);
        for role in &replaced {
            self.restart(*role, "changed sandbox rules");
        }
        let reloading: Vec<Role> =
            Role::START_ORDER.into_iter().filter(|role| !replaced.contains(role)).collect();
        self.request_reload(&reloading);
    }

    /// Keeps the reason for which a reload was refused among the concerns until one succeeds. The daemons read their
    /// files nevertheless: a renewed certificate must not wait for the operator to fix the settings.
    pub fn reload_refused(&mut self, reason: Concern) {
        if self.stop.is_some() {
            return;
        }
        self.refused = Some(reason);
        self.has_changed = true;
        self.request_reload(&Role::START_ORDER);
    }

    /// Asks a daemon to end, to be restarted at once. Clients that connect meanwhile wait.
    pub(super) fn restart(&mut self, role: Role, why: &str) {
        let Some(daemon) = self.daemons.iter_mut().find(|daemon| daemon.role == role) else { return };
        if let Some(pid) = daemon.running_pid() {
            tracing::info!(role = role.name(), why, "restarting");
            daemon.run.is_replaced = true;
            self.processes.signal(pid, Signal::SIGTERM);
        }
    }

    /// Asks the daemons to reload the accounts. Other files may be faulty for other reasons, and are left alone.
    pub fn accounts_changed(&mut self) {
        for daemon in self.daemons.iter_mut().filter(|daemon| daemon.role != Role::Steward) {
            match daemon.unit.phase() {
                Phase::Ready { pid, .. } => self.processes.signal(pid, Signal::SIGUSR1),
                Phase::Starting { .. } => daemon.run.needs_accounts_reload = true,
                _ => {}
            }
        }
    }

    /// Keeps the concern that no user has a mailbox for as long as that holds.
    pub fn users_counted(&mut self, has_any: bool) {
        let before = self.concerns.len();
        self.concerns.retain(|concern| *concern != NO_USERS);
        self.concerns.extend((!has_any).then_some(NO_USERS));
        self.has_changed |= self.concerns.len() != before;
    }

    /// Asks the daemons of these roles to reload. One that is not ready yet would be killed by the signal, and is asked
    /// later.
    fn request_reload(&mut self, roles: &[Role]) {
        for daemon in self.daemons.iter_mut().filter(|daemon| roles.contains(&daemon.role)) {
            match daemon.unit.phase() {
                Phase::Ready { pid, .. } => self.processes.signal(pid, Signal::SIGHUP),
                Phase::Starting { .. } => daemon.run.needs_reload = true,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
