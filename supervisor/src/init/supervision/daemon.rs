//! One daemon: its unit, the facts that it has reported, and the reloads that it still has to get.

use std::collections::BTreeMap;

use handover::Concern;
use handover::notice::{ACCOUNTS, GATEWAY_COUNT, Notice, QUEUE, QUEUE_SINCE, SANDBOX, SANDBOX_LACKS};
use handover::status::DaemonStatus;
use nix::unistd::Pid;

use super::watchdog::SilenceTimer;
use crate::init::role::Role;
use crate::init::unit::{Event, Moment, Phase, Unit};

/// A supervised daemon.
#[derive(Debug)]
pub(super) struct SupervisedDaemon {
    pub(super) role: Role,
    pub(super) unit: Unit,
    /// The restrictions that the launcher last reported; outlasts a run, so that it is logged when it changes.
    sandbox: Option<String>,
    /// The facts of its present process.
    pub(super) run: RunFacts,
}

/// The facts of one process of a daemon, discarded when the next one starts.
#[derive(Debug, Default)]
pub(super) struct RunFacts {
    /// The last reported number of messages in its queue.
    queue: Option<u64>,
    /// The arrival time of the oldest message.
    queue_since: Option<u64>,
    /// The number of connections from the address of our gateway.
    gateway_clients: u64,
    /// The problems that it reports, by topic.
    concerns: BTreeMap<String, Concern>,
    /// The fingerprint of the accounts that it uses.
    accounts: Option<String>,
    /// Set if it started with a configuration that may be the old one, and must reload when it is ready to handle
    /// signals.
    pub(super) needs_reload: bool,
    /// The same for the accounts alone.
    pub(super) needs_accounts_reload: bool,
    /// Set if it got a signal to end, so that another process replaces it.
    pub(super) is_replaced: bool,
    /// The time for which it has not responded.
    pub(super) silence: SilenceTimer,
}

/// The most topics that are kept of one daemon: a faulty daemon must not fill the memory of process 1.
const TOPICS: usize = 16;

impl SupervisedDaemon {
    /// A daemon that is to be started at once.
    pub(super) fn new(role: Role, now: Moment) -> Self {
        Self { role, unit: Unit::new(now), sandbox: None, run: RunFacts::default() }
    }

    /// Its process, while it starts or is ready and has no signal to end.
    pub(super) fn running_pid(&self) -> Option<Pid> {
        match self.unit.phase() {
            Phase::Starting { pid } | Phase::Ready { pid, .. } => Some(pid),
            _ => None,
        }
    }

    /// Passes an event to the unit.
    pub(super) fn handle(&mut self, event: Event, now: Moment) {
        // A bug in Mailstead, which must not end the other daemons.
        if let Err(illegal) = self.unit.handle(event, now) {
            tracing::error!(role = self.role.name(), %illegal, "illegal event ignored");
        }
    }

    /// Applies the facts of a notice; returns true if they change the status.
    pub(super) fn apply_notice(&mut self, notice: &Notice) -> bool {
        let mut has_changed = notice.is_alive && self.responds();
        if let Some(queue) = notice.facts.get(QUEUE).and_then(|queue| queue.parse().ok()) {
            has_changed |= self.run.queue != Some(queue);
            self.run.queue = Some(queue);
        }
        if let Some(since) = notice.facts.get(QUEUE_SINCE).and_then(|since| since.parse().ok()) {
            self.run.queue_since = Some(since).filter(|since| *since != 0);
        }
        if let Some(clients) = notice.facts.get(GATEWAY_COUNT).and_then(|clients| clients.parse().ok()) {
            self.run.gateway_clients = clients;
        }
        if let Some(sandbox) = notice.facts.get(SANDBOX) {
            let lacks = notice.facts.get(SANDBOX_LACKS).filter(|lacks| !lacks.is_empty());
            self.log_sandbox(sandbox, lacks.map(String::as_str));
            has_changed = true;
        }
        if let Some(accounts) = notice.facts.get(ACCOUNTS) {
            has_changed |= self.run.accounts.as_ref() != Some(accounts);
            self.run.accounts = Some(accounts.clone());
        }
        for (topic, wrong) in notice.concerns() {
            has_changed |= self.set_concern(topic, wrong);
        }
        has_changed
    }

    /// Logs the restrictions when they differ from those of the last start, so that a daemon that dies again and again
    /// does not fill the log with them.
    fn log_sandbox(&mut self, sandbox: &str, lacks: Option<&str>) {
        if self.sandbox.as_deref() == Some(sandbox) {
            return;
        }
        let role = self.role.name();
        match lacks {
            None => tracing::info!(role, enforced = sandbox, "sandboxed"),
            Some(lacks) => tracing::warn!(role, enforced = sandbox, lacks, "partly sandboxed"),
        }
        self.sandbox = Some(sandbox.to_owned());
    }

    /// Records a problem or its end; returns true if that is new.
    fn set_concern(&mut self, topic: &str, wrong: Option<Concern>) -> bool {
        let concerns = &mut self.run.concerns;
        let Some(wrong) = wrong else { return concerns.remove(topic).is_some() };
        if concerns.len() >= TOPICS && !concerns.contains_key(topic) {
            return false;
        }
        concerns.insert(topic.to_owned(), wrong.clone()) != Some(wrong)
    }

    /// The problems that it reports.
    pub(super) fn concerns(&self) -> impl Iterator<Item = &Concern> {
        self.run.concerns.values()
    }

    /// Its entry in the status.
    pub(super) fn report(&self) -> DaemonStatus {
        DaemonStatus {
            queue_since: self.run.queue_since,
            silent_since: self.run.silence.since(),
            gateway_clients: self.run.gateway_clients,
            sandbox: self.sandbox.clone(),
            accounts: self.run.accounts.clone(),
            ..self.unit.report(self.role.name(), self.run.queue)
        }
    }
}
