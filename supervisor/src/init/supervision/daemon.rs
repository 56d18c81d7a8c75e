//! One daemon: its unit, what it has said, and what it is still to be told.

use std::collections::BTreeMap;

use handover::Concern;
use handover::notice::{ACCOUNTS, GATEWAY_COUNT, Notice, QUEUE, QUEUE_SINCE, SANDBOX, SANDBOX_LACKS};
use handover::status::Process;
use nix::unistd::Pid;

use super::watchdog::Silence;
use crate::init::role::Role;
use crate::init::unit::{Event, Moment, Phase, Unit};

/// A daemon that is watched over.
#[derive(Debug)]
pub(super) struct Daemon {
    pub(super) role: Role,
    pub(super) unit: Unit,
    /// What the launcher last said that the kernel keeps it from; outlasts a run, so that it is logged when it changes.
    sandbox: Option<String>,
    /// What belongs to its present process.
    pub(super) run: Run,
}

/// What is known of one process of a daemon, and forgotten when the next one starts.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// What it last said of its queue.
    queue: Option<u64>,
    /// Since when the oldest message is there.
    queue_since: Option<u64>,
    /// How many came to it under the address of our gateway.
    gateway_clients: u64,
    /// What it says is wrong, by topic.
    concerns: BTreeMap<String, Concern>,
    /// The fingerprint of the accounts that it works with.
    accounts: Option<String>,
    /// It started with a configuration that may be the old one, and is told when it is ready to listen.
    pub(super) owes_reload: bool,
    /// The same for the accounts alone.
    pub(super) owes_accounts: bool,
    /// It was asked to end, so that another process takes its place.
    pub(super) is_replaced: bool,
    /// The time for which it has not responded.
    pub(super) silence: Silence,
}

/// Topics of one daemon that are kept: a daemon that went mad shall not fill process 1.
const TOPICS: usize = 16;

impl Daemon {
    /// One that is to be started at once.
    pub(super) fn new(role: Role, now: Moment) -> Self {
        Self { role, unit: Unit::new(now), sandbox: None, run: Run::default() }
    }

    /// Its process, while it works or comes up and was not asked to end.
    pub(super) fn pid_at_work(&self) -> Option<Pid> {
        match self.unit.phase() {
            Phase::Starting { pid } | Phase::Ready { pid, .. } => Some(pid),
            _ => None,
        }
    }

    /// Moves the unit.
    pub(super) fn handle(&mut self, event: Event, now: Moment) {
        // A fault of ours, which must not be the end of all the others.
        if let Err(illegal) = self.unit.handle(event, now) {
            tracing::error!(role = self.role.name(), %illegal, "passed over");
        }
    }

    /// Takes in the facts of a notice; whether the status is another by them.
    pub(super) fn says(&mut self, notice: &Notice) -> bool {
        let mut has_changed = notice.alive && self.responds();
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
            self.confined(sandbox, lacks.map(String::as_str));
            has_changed = true;
        }
        if let Some(accounts) = notice.facts.get(ACCOUNTS) {
            has_changed |= self.run.accounts.as_ref() != Some(accounts);
            self.run.accounts = Some(accounts.clone());
        }
        for (topic, wrong) in notice.concerns() {
            has_changed |= self.complains(topic, wrong);
        }
        has_changed
    }

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

    /// Takes in what is wrong, or not any more; whether that is new.
    fn complains(&mut self, topic: &str, wrong: Option<Concern>) -> bool {
        let concerns = &mut self.run.concerns;
        let Some(wrong) = wrong else { return concerns.remove(topic).is_some() };
        if concerns.len() >= TOPICS && !concerns.contains_key(topic) {
            return false;
        }
        concerns.insert(topic.to_owned(), wrong.clone()) != Some(wrong)
    }

    /// What it says is wrong.
    pub(super) fn concerns(&self) -> impl Iterator<Item = &Concern> {
        self.run.concerns.values()
    }

    /// What the status says of it.
    pub(super) fn report(&self) -> Process {
        Process {
            queue_since: self.run.queue_since,
            silent_since: self.run.silence.since(),
            gateway_clients: self.run.gateway_clients,
            sandbox: self.sandbox.clone(),
            accounts: self.run.accounts.clone(),
            ..self.unit.report(self.role.name(), self.run.queue)
        }
    }
}
