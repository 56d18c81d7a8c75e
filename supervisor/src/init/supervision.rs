//! All daemons together: who is started when, who is told what, and in which order they stop.
//!
//! Decides by the units' states and the time passed in; what it decides is done through [`Processes`]. So the
//! whole of it is tested without a process, and with real ones that are doubles.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use handover::Concern;
use handover::notice::{
    ACCOUNTS, CERTIFICATE, GATEWAY_COUNT, Notice, QUEUE, QUEUE_SINCE, SANDBOX, SANDBOX_LACKS,
};
use handover::status::{Process, Status};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::role::Role;
use super::spawn::Program;
use super::unit::{End, Event, Moment, Phase, Unit};
use crate::exit::Exit;
use crate::site::NOBODY;

/// What is done to processes.
pub trait Processes {
    /// Starts a daemon.
    fn start(&mut self, role: Role) -> io::Result<Pid>;
    /// Sends a signal to the process group of a daemon.
    fn signal(&mut self, leader: Pid, signal: Signal);
    /// Starts daemons from these programs from now on. Which of them are others than before comes back.
    fn adopt(&mut self, programs: BTreeMap<Role, Program>) -> Vec<Role>;
    /// Lets go of a daemon's listening sockets: from now on its peers are refused.
    fn close_sockets(&mut self, role: Role);
}

/// After a second request to stop, each daemon gets this long.
const HURRY: Duration = Duration::from_secs(1);
/// What is not dead by then, killed or not, cannot be waited for: the container's engine ends its patience at 40
/// seconds, and then it says so with another exit status.
const PATIENCE: Duration = Duration::from_secs(38);

#[derive(Debug)]
struct Daemon {
    role: Role,
    unit: Unit,
    /// What it last said of its queue.
    queue: Option<u64>,
    /// Since when the oldest message is there.
    queue_since: Option<u64>,
    /// How many came to it under the address of our gateway.
    gateway_clients: u64,
    /// What the launcher last said that the kernel keeps it from.
    sandbox: Option<String>,
    /// What it says is wrong, by topic.
    concerns: BTreeMap<String, Concern>,
    /// It started with a configuration that may be the old one, and is told when it is ready to listen.
    owes_reload: bool,
    /// The same for the accounts alone.
    owes_accounts: bool,
    /// It was asked to end, to be started from another program.
    is_replaced: bool,
    /// The fingerprint of the accounts that it works with.
    accounts: Option<String>,
}

#[derive(Debug)]
struct Stop {
    /// Who is still to be stopped, the first one next.
    remaining: VecDeque<Role>,
    give_up: Instant,
}

/// What a reload has brought.
#[derive(Debug, Default)]
pub struct Reloaded {
    /// What is left to be put right by a person.
    pub concerns: Vec<Concern>,
    /// What the daemons are to be started from.
    pub programs: BTreeMap<Role, Program>,
}

/// The daemons and what is to become of them.
#[derive(Debug)]
pub struct Supervision<P> {
    processes: P,
    daemons: Vec<Daemon>,
    stop: Option<Stop>,
    started: u64,
    concerns: Vec<Concern>,
    /// What no reload puts right.
    standing: Vec<Concern>,
    /// The fingerprint of the certificate that the daemons know.
    certificate: Option<String>,
    has_changed: bool,
}

impl<P: Processes> Supervision<P> {
    /// Daemons that are to be started at the first [`Supervision::turn`].
    pub fn new(processes: P, roles: &[Role], concerns: Vec<Concern>, now: Moment) -> Self {
        let daemon = |role: &Role| Daemon {
            role: *role,
            unit: Unit::new(now),
            queue: None,
            queue_since: None,
            gateway_clients: 0,
            sandbox: None,
            concerns: BTreeMap::new(),
            owes_reload: false,
            owes_accounts: false,
            is_replaced: false,
            accounts: None,
        };
        let daemons = roles.iter().map(daemon).collect();
        Self {
            processes,
            daemons,
            stop: None,
            started: now.wall,
            concerns,
            standing: Vec::new(),
            certificate: None,
            has_changed: true,
        }
    }

    /// Says what holds from the start: concerns that outlast every reload, and the fingerprint of the certificate that
    /// lies on disk.
    pub fn begin_with(&mut self, standing: Vec<Concern>, certificate: Option<String>) {
        self.standing = standing;
        self.certificate = certificate;
    }

    /// Does what is due: starts, kills, goes on with the stop.
    pub fn turn(&mut self, now: Moment) {
        for daemon in &mut self.daemons {
            if daemon.unit.is_due(now) {
                let event = match self.processes.start(daemon.role) {
                    Ok(pid) => {
                        tracing::info!(role = daemon.role.name(), pid = pid.as_raw(), "started");
                        Event::Spawned(pid)
                    }
                    Err(error) => {
                        tracing::error!(role = daemon.role.name(), %error, "cannot be started");
                        Event::Refused
                    }
                };
                (daemon.queue, daemon.queue_since) = (None, None);
                daemon.gateway_clients = 0;
                daemon.concerns.clear();
                daemon.owes_reload = false;
                daemon.owes_accounts = false;
                daemon.is_replaced = false;
                daemon.accounts = None;
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
        self.go_on_stopping(now);
    }

    /// A dead child was buried. Strangers' children are not ours to mourn.
    pub fn buried(&mut self, pid: Pid, end: End, now: Moment) {
        let Some(daemon) = self.daemons.iter_mut().find(|daemon| daemon.unit.pid() == Some(pid)) else {
            tracing::debug!(pid = pid.as_raw(), %end, "buried an orphan");
            return;
        };
        let role = daemon.role.name();
        match daemon.unit.phase() {
            Phase::Stopping { .. } => tracing::info!(role, pid = pid.as_raw(), %end, "stopped"),
            _ if daemon.is_replaced => tracing::info!(role, pid = pid.as_raw(), %end, "ended, to begin anew"),
            _ => tracing::error!(role, pid = pid.as_raw(), %end, "ended by itself"),
        }
        daemon.handle(Event::Ended(end), now);
        self.has_changed = true;
    }

    /// A notice came in.
    pub fn noticed(&mut self, pid: Pid, notice: &Notice, now: Moment) {
        let Some(daemon) = self.daemons.iter_mut().find(|daemon| daemon.unit.pid() == Some(pid)) else {
            return;
        };
        if let Some(queue) = notice.facts.get(QUEUE).and_then(|queue| queue.parse().ok()) {
            self.has_changed |= daemon.queue != Some(queue);
            daemon.queue = Some(queue);
        }
        if let Some(since) = notice.facts.get(QUEUE_SINCE).and_then(|since| since.parse().ok()) {
            daemon.queue_since = Some(since).filter(|since| *since != 0);
        }
        if let Some(clients) = notice.facts.get(GATEWAY_COUNT).and_then(|clients| clients.parse().ok()) {
            daemon.gateway_clients = clients;
        }
        if let Some(sandbox) = notice.facts.get(SANDBOX) {
            let lacks = notice.facts.get(SANDBOX_LACKS).filter(|lacks| !lacks.is_empty());
            daemon.confined(sandbox, lacks.map(String::as_str));
            self.has_changed = true;
        }
        if let Some(accounts) = notice.facts.get(ACCOUNTS) {
            self.has_changed |= daemon.accounts.as_ref() != Some(accounts);
            daemon.accounts = Some(accounts.clone());
        }
        // The steward alone writes certificates.
        let renewed = match notice.facts.get(CERTIFICATE) {
            Some(certificate)
                if daemon.role == Role::Steward && self.certificate.as_ref() != Some(certificate) =>
            {
                tracing::info!(certificate = certificate.as_str(), "there is a new certificate");
                self.certificate = Some(certificate.clone());
                true
            }
            _ => false,
        };
        for (topic, wrong) in notice.concerns() {
            self.has_changed |= daemon.hears(topic, wrong);
        }
        if notice.ready {
            if matches!(daemon.unit.phase(), Phase::Starting { .. }) {
                tracing::info!(role = daemon.role.name(), "ready");
                self.has_changed = true;
            }
            daemon.handle(Event::Ready, now);
            if daemon.owes_reload && matches!(daemon.unit.phase(), Phase::Ready { .. }) {
                daemon.owes_reload = false;
                self.processes.signal(pid, Signal::SIGHUP);
            }
            if daemon.owes_accounts && matches!(daemon.unit.phase(), Phase::Ready { .. }) {
                daemon.owes_accounts = false;
                self.processes.signal(pid, Signal::SIGUSR1);
            }
        }
        if renewed {
            self.tell_news(&[Role::Mda, Role::Mta]);
        }
    }

    /// Asks all to stop, in their order; asked again, all at once and soon.
    pub fn stop(&mut self, now: Moment) {
        if self.stop.is_none() {
            tracing::info!("stopping");
            self.stop = Some(Stop { remaining: Role::STOPPED.into(), give_up: now.instant + PATIENCE });
        } else {
            tracing::warn!("asked again to stop: the daemons get one second each");
            for role in Role::STOPPED {
                self.ask_to_stop(role, HURRY, now);
            }
        }
    }

    /// Tells the daemons that there is something new for them. One that has not come up yet would be killed by the
    /// signal, and is told later. What the kernel keeps a daemon from cannot change while it runs: whoever is to reach
    /// something else than before ends and begins anew, and who connects meanwhile waits.
    pub fn reload(&mut self, reloaded: Reloaded) {
        self.concerns = reloaded.concerns;
        self.has_changed = true;
        let replaced = self.processes.adopt(reloaded.programs);
        for daemon in self.daemons.iter_mut().filter(|daemon| replaced.contains(&daemon.role)) {
            if let Phase::Starting { pid } | Phase::Ready { pid, .. } = daemon.unit.phase() {
                tracing::info!(role = daemon.role.name(), "begins anew: it shall reach something else");
                daemon.is_replaced = true;
                self.processes.signal(pid, Signal::SIGTERM);
            }
        }
        let told: Vec<Role> = Role::STARTED.into_iter().filter(|role| !replaced.contains(role)).collect();
        self.tell_news(&told);
    }

    /// Tells the daemons that the accounts are others. What else there may be to read has its own ways to be wrong, and
    /// is left alone.
    pub fn accounts_changed(&mut self, has_users: bool) {
        let before = self.concerns.len();
        self.concerns.retain(|concern| *concern != NOBODY);
        self.concerns.extend((!has_users).then_some(NOBODY));
        self.has_changed |= self.concerns.len() != before;
        for daemon in self.daemons.iter_mut().filter(|daemon| daemon.role != Role::Steward) {
            match daemon.unit.phase() {
                Phase::Ready { pid, .. } => self.processes.signal(pid, Signal::SIGUSR1),
                Phase::Starting { .. } => daemon.owes_accounts = true,
                _ => {}
            }
        }
    }

    fn tell_news(&mut self, roles: &[Role]) {
        for daemon in self.daemons.iter_mut().filter(|daemon| roles.contains(&daemon.role)) {
            match daemon.unit.phase() {
                Phase::Ready { pid, .. } => self.processes.signal(pid, Signal::SIGHUP),
                Phase::Starting { .. } => daemon.owes_reload = true,
                _ => {}
            }
        }
    }

    fn go_on_stopping(&mut self, now: Moment) {
        while let Some(role) = self.stop.as_ref().and_then(|stop| stop.remaining.front().copied()) {
            let phase =
                self.daemons.iter().find(|daemon| daemon.role == role).map(|daemon| daemon.unit.phase());
            match phase {
                // Dead before it was asked, or not among ours: there is nothing to wait for.
                Some(Phase::Stopped) | None => {
                    if let Some(stop) = &mut self.stop {
                        stop.remaining.pop_front();
                    }
                }
                Some(Phase::Stopping { .. }) => break,
                Some(_) => self.ask_to_stop(role, role.stop_limit(), now),
            }
        }
    }

    fn ask_to_stop(&mut self, role: Role, limit: Duration, now: Moment) {
        self.processes.close_sockets(role);
        let Some(daemon) = self.daemons.iter_mut().find(|daemon| daemon.role == role) else { return };
        if let Phase::Starting { pid } | Phase::Ready { pid, .. } = daemon.unit.phase() {
            self.processes.signal(pid, Signal::SIGTERM);
        }
        daemon.handle(Event::Stop(limit), now);
        self.has_changed = true;
    }

    /// How it ended, when it has.
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

    /// Whether every daemon is ready.
    pub fn all_ready(&self) -> bool {
        self.daemons.iter().all(|daemon| matches!(daemon.unit.phase(), Phase::Ready { .. }))
    }

    /// When [`Supervision::turn`] is to be called although nothing happens.
    pub fn wakes_at(&self) -> Option<Instant> {
        let units = self.daemons.iter().filter_map(|daemon| daemon.unit.wakes_at());
        units.chain(self.stop.as_ref().map(|stop| stop.give_up)).min()
    }

    /// Whether the status has changed since this was last asked.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    /// All concerns, each once: both mail daemons may say the same.
    fn concerns(&self) -> Vec<Concern> {
        let of_daemons = self.daemons.iter().flat_map(|daemon| daemon.concerns.values());
        let mut all: Vec<Concern> = Vec::new();
        for concern in self.concerns.iter().chain(&self.standing).chain(of_daemons) {
            if !all.contains(concern) {
                all.push(concern.clone());
            }
        }
        all
    }

    /// The state of the whole.
    pub fn status(&self, now: Moment) -> Status {
        Status {
            written: now.wall,
            started: self.started,
            memory: None,
            processes: self
                .daemons
                .iter()
                .map(|daemon| Process {
                    queue_since: daemon.queue_since,
                    gateway_clients: daemon.gateway_clients,
                    sandbox: daemon.sandbox.clone(),
                    accounts: daemon.accounts.clone(),
                    ..daemon.unit.report(daemon.role.name(), daemon.queue)
                })
                .collect(),
            concerns: self.concerns(),
        }
    }
}

/// Topics of one daemon that are kept: a daemon that went mad shall not fill process 1.
const TOPICS: usize = 8;

impl Daemon {
    /// Logged when it is another thing than at the last start, so that a daemon that dies again and again does not fill
    /// the log with it.
    fn confined(&mut self, sandbox: &str, lacks: Option<&str>) {
        if self.sandbox.as_deref() == Some(sandbox) {
            return;
        }
        let role = self.role.name();
        match lacks {
            None => tracing::info!(role, enforced = sandbox, "sandboxed"),
            Some(lacks) => tracing::warn!(role, enforced = sandbox, lacks, "sandboxed in part"),
        }
        self.sandbox = Some(sandbox.to_owned());
    }

    /// Takes in what a daemon says is wrong, or not any more; whether that is new.
    fn hears(&mut self, topic: &str, wrong: Option<Concern>) -> bool {
        let Some(wrong) = wrong else { return self.concerns.remove(topic).is_some() };
        if self.concerns.len() >= TOPICS && !self.concerns.contains_key(topic) {
            return false;
        }
        self.concerns.insert(topic.to_owned(), wrong.clone()) != Some(wrong)
    }

    fn handle(&mut self, event: Event, now: Moment) {
        // A fault of ours, which must not be the end of all the others.
        if let Err(illegal) = self.unit.handle(event, now) {
            tracing::error!(role = self.role.name(), %illegal, "passed over");
        }
    }
}

#[cfg(test)]
mod tests;
