//! The one loop of process 1: signals, deaths, notices, deadlines.

use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use handover::notice::ACCOUNTS_CHANGED;
use handover::status::{HEARTBEAT_SECONDS, Status};
use handover::{Concern, Memory};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::unistd::Gid;

use super::notices::Notices;
use super::reaper;
use super::signals::Signals;
use super::supervision::{Processes, Reloaded, Supervision};
use super::unit::Moment;
use crate::exit::Exit;
use crate::volume;

/// What the loop leaves to others.
pub trait Attendant {
    /// SIGHUP came: reads again what may have changed. The reason when that was refused.
    fn reload(&mut self) -> Result<Reloaded, Concern>;
    /// Whether anybody has a mailbox, asked after a command has changed the accounts.
    fn has_users(&self) -> bool;
    /// Every daemon is ready, for the first time.
    fn all_ready(&mut self);
}

/// Where the state of the whole is written.
#[derive(Debug)]
pub struct StatusFile {
    path: PathBuf,
    group: Option<Gid>,
    written: Option<Instant>,
    is_failing: bool,
}

/// So many notices and deaths are taken in one round, so that a daemon that talks without end cannot keep the
/// loop from what is due.
const ROUND: usize = 256;

const HEARTBEAT: Duration = Duration::from_secs(HEARTBEAT_SECONDS);

/// Runs until all has stopped.
pub fn watch<P: Processes>(
    supervision: &mut Supervision<P>,
    signals: &Signals,
    notices: &Notices,
    status: &mut StatusFile,
    attendant: &mut impl Attendant,
) -> Exit {
    let mut was_ready = false;
    loop {
        let now = Moment::now();
        for (sender, notice) in std::iter::from_fn(|| notices.next()).take(ROUND) {
            supervision.noticed(sender.process, &notice, now);
            if sender.is_operator() && notice.facts.contains_key(ACCOUNTS_CHANGED) {
                tracing::info!("the accounts have changed");
                supervision.accounts_changed(attendant.has_users());
            }
        }
        for (pid, end) in std::iter::from_fn(reaper::bury_next).take(ROUND) {
            supervision.buried(pid, end, now);
        }
        while let Some(signal) = signals.next() {
            match signal {
                Signal::SIGTERM | Signal::SIGINT | Signal::SIGQUIT => supervision.stop(now),
                Signal::SIGHUP => {
                    tracing::info!("reloading");
                    supervision.ports_may_be_free(now);
                    match attendant.reload() {
                        Ok(reloaded) => supervision.reload(reloaded),
                        Err(concern) => supervision.reload_refused(concern),
                    }
                }
                // SIGCHLD has woken the loop, which is all it is for; nobody has a use for the others.
                _ => {}
            }
        }
        supervision.turn(now);
        if !was_ready && supervision.all_ready() {
            was_ready = true;
            attendant.all_ready();
        }
        status.write(supervision, now);
        if let Some(exit) = supervision.outcome(now) {
            return exit;
        }
        wait(signals, notices, supervision.wakes_at().unwrap_or(now.instant + HEARTBEAT));
    }
}

/// Waits for a signal, a notice, or the moment; never longer than a heartbeat.
fn wait(signals: &Signals, notices: &Notices, until: Instant) {
    let left = until.saturating_duration_since(Instant::now()).min(HEARTBEAT);
    // Rounded up: waking a moment too early would make the loop turn without a rest.
    let timeout = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
    let mut sources =
        [PollFd::new(signals.as_fd(), PollFlags::POLLIN), PollFd::new(notices.as_fd(), PollFlags::POLLIN)];
    // It fails only when the system has no memory for it; then the next round tries again.
    let _ = poll(&mut sources, timeout);
}

impl StatusFile {
    /// A status file for that group to read.
    pub fn new(path: PathBuf, group: Option<Gid>) -> Self {
        Self { path, group, written: None, is_failing: false }
    }

    /// Writes the status when it has changed, or has not been written for a heartbeat.
    fn write<P: Processes>(&mut self, supervision: &mut Supervision<P>, now: Moment) {
        let is_old = self.written.is_none_or(|written| now.instant - written >= HEARTBEAT);
        if !supervision.take_changed() && !is_old {
            return;
        }
        self.written = Some(now.instant);
        let status = Status { memory: Memory::of_this_process(), ..supervision.status(now) };
        let json = status.to_json();
        match volume::write(&self.path, &json, 0o640, self.group) {
            Ok(()) => self.is_failing = false,
            // Once: what cannot be written now is tried again with every heartbeat.
            Err(error) if !self.is_failing => {
                tracing::warn!(%error, "the status cannot be written; health will be out of date");
                self.is_failing = true;
            }
            Err(_) => {}
        }
    }
}
