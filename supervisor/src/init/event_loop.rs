//! The one loop of process 1: signals, deaths, notices, deadlines. Long work is done beside it ([`super::background`]).

use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use handover::Memory;
use handover::notice::ACCOUNTS_CHANGED;
use handover::status::{HEARTBEAT_SECONDS, Status};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::unistd::Gid;

use super::background::{Background, Task, TaskOutcome};
use super::notices::Notices;
use super::reaper;
use super::refused_calls::RefusedCalls;
use super::signals::Signals;
use super::supervision::{Processes, Supervision};
use super::unit::Moment;
use crate::exit::Exit;
use crate::ports::Listening;
use crate::volume;

/// An observer of the loop, for output to the operator.
pub trait LoopObserver {
    /// The ports are bound, and all is written; no daemon runs yet.
    fn prepared(&mut self, _listening: &[Listening]) {}
    /// Every daemon is ready, for the first time.
    fn all_ready(&mut self);
}

/// Everything that wakes the loop.
#[derive(Debug)]
pub struct Sources<'a> {
    /// Signals to process 1.
    pub signals: &'a Signals,
    /// Notices of daemons and of the operator's commands.
    pub notices: Notices,
    /// Outcomes of long work.
    pub background: Background,
}

/// The file with the status of the whole server.
#[derive(Debug)]
pub struct StatusFile {
    path: PathBuf,
    group: Option<Gid>,
    written: Option<Instant>,
    is_failing: bool,
}

/// The most notices, deaths and signals of one round each, so that a daemon that sends without end cannot keep the loop
/// from its deadlines.
const MAX_PER_TICK: usize = 256;

/// The pause after the kernel has refused to wait.
const POLL_RETRY: Duration = Duration::from_millis(100);

const HEARTBEAT: Duration = Duration::from_secs(HEARTBEAT_SECONDS);

/// Runs until all have stopped.
pub fn run<P: Processes>(
    supervision: &mut Supervision<P>,
    mut sources: Sources<'_>,
    status: &mut StatusFile,
    observer: &mut impl LoopObserver,
) -> Exit {
    let mut was_ready = false;
    let mut refused = RefusedCalls::default();
    loop {
        let now = Moment::now();
        handle_events(supervision, &mut sources, &mut refused, now);
        supervision.tick(now);
        if !was_ready && supervision.all_ready() {
            was_ready = true;
            observer.all_ready();
        }
        status.write(supervision, now);
        if let Some(exit) = supervision.outcome(now) {
            sources.background.end();
            return exit;
        }
        let until = supervision.wakes_at().unwrap_or(now.instant + HEARTBEAT);
        if let Err(error) = wait(&sources, until) {
            refused.log("poll", &error, now.instant);
            // Otherwise the loop would spin as long as that lasts.
            thread::sleep(POLL_RETRY);
        }
    }
}

/// Handles notices, deaths, signals, and finished tasks.
fn handle_events<P: Processes>(
    supervision: &mut Supervision<P>,
    sources: &mut Sources<'_>,
    refused: &mut RefusedCalls,
    now: Moment,
) {
    let Sources { signals, notices, background } = sources;
    for _ in 0..MAX_PER_TICK {
        let Some((sender, notice)) = refused.or_log("recvmsg", notices.next(), now.instant) else { break };
        supervision.handle_notice(sender.process, &notice, now);
        if sender.is_operator() && notice.facts.contains_key(ACCOUNTS_CHANGED) {
            tracing::info!("accounts changed");
            supervision.accounts_changed();
            background.request(Task::CheckForUsers);
        }
    }
    // On every iteration, signal or not: SIGCHLD merges, and a death must not wait for the next one.
    for _ in 0..MAX_PER_TICK {
        let dead = reaper::reap_next(&supervision.leaders());
        let Some((pid, end)) = refused.or_log("waitid", dead, now.instant) else { break };
        supervision.child_ended(pid, end, now);
    }
    for _ in 0..MAX_PER_TICK {
        let Some(number) = refused.or_log("read of signals", signals.next(), now.instant) else { break };
        match Signal::try_from(number) {
            Ok(Signal::SIGTERM | Signal::SIGINT | Signal::SIGQUIT) => {
                background.abandon();
                supervision.stop(now);
            }
            Ok(Signal::SIGHUP) => {
                tracing::info!("reloading");
                supervision.retry_ports_soon(now);
                background.request(Task::Reload);
            }
            // SIGCHLD has woken the loop, its only purpose; the others have no meaning here.
            _ => {}
        }
    }
    while let Some(outcome) = refused.or_log("read of outcomes", background.next(), now.instant) {
        match outcome {
            TaskOutcome::Reloaded(Ok(reloaded)) => supervision.reload(reloaded),
            TaskOutcome::Reloaded(Err(concern)) => supervision.reload_refused(concern),
            TaskOutcome::Users { has_any } => supervision.users_counted(has_any),
        }
    }
}

/// Waits for a signal, a notice, an outcome, or the moment; at most for one status interval.
fn wait(sources: &Sources<'_>, until: Instant) -> io::Result<()> {
    let left = until.saturating_duration_since(Instant::now()).min(HEARTBEAT);
    // Rounded up: waking a moment too early would make the loop spin.
    let timeout = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
    let mut sources = [sources.signals.as_fd(), sources.notices.as_fd(), sources.background.as_fd()]
        .map(|source| PollFd::new(source, PollFlags::POLLIN));
    match poll(&mut sources, timeout) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    let broken = PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL;
    match sources.iter().any(|source| source.revents().is_none_or(|seen| seen.intersects(broken))) {
        true => Err(io::Error::other("a descriptor of the loop is broken")),
        false => Ok(()),
    }
}

impl StatusFile {
    /// A status file that the group may read.
    pub fn new(path: PathBuf, group: Option<Gid>) -> Self {
        Self { path, group, written: None, is_failing: false }
    }

    /// Writes the status when it has changed, or is due.
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
            // Once: a failed write is retried at the next interval.
            Err(error) if !self.is_failing => {
                tracing::warn!(%error, "cannot write the status file, health is out of date");
                self.is_failing = true;
            }
            Err(_) => {}
        }
    }
}
