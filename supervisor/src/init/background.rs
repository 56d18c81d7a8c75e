//! The long work of process 1, beside its loop.
//!
//! Settings are read and refined, accounts merged and written, passwords hashed and configurations written by a thread,
//! one task at a time. The loop requests a task and is woken when it is done, so that it handles signals, deaths and
//! notices meanwhile.
//!
//! ```text
//!  loop ── task ──▶ thread ── outcome, and an octet that wakes the loop ──▶ loop
//! ```
//!
//! A task that is requested while one runs is done afterwards, once, however often it was requested meanwhile: the
//! running one may have read the old files already.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::Duration;

use handover::Concern;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use super::signals::Signals;
use super::supervision::Reloaded;

/// A task that the loop may request, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// Reads the settings again, and applies them.
    Reload,
    /// Finds out if any user has a mailbox.
    CheckForUsers,
}

/// The outcome of a task.
#[derive(Debug)]
pub enum TaskOutcome {
    /// The result of a reload, or the reason why it was refused.
    Reloaded(Result<Reloaded, Concern>),
    /// The answer to [`Task::CheckForUsers`].
    Users {
        /// There is at least one.
        has_any: bool,
    },
}

/// A request to the running work to stop writing. Cloned freely; all clones are the same request.
#[derive(Debug, Clone, Default)]
pub struct Abandon(Arc<AtomicBool>);

impl Abandon {
    /// Makes the request.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns true once the request was made.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The tasks themselves.
pub trait BackgroundWork: Send + 'static {
    /// Reads the settings again and applies them, all or nothing.
    fn reload(&mut self, abandon: &Abandon) -> Result<Reloaded, Concern>;
    /// Returns true when at least one user has a mailbox.
    fn has_users(&mut self) -> bool;
}

/// The loop's side of the thread.
#[derive(Debug)]
pub struct Background {
    tasks: Sender<Task>,
    outcomes: Receiver<TaskOutcome>,
    /// Readable when there is an outcome.
    woken: UnixDatagram,
    requested: BTreeSet<Task>,
    is_busy: bool,
    abandon: Abandon,
}

/// The wait for abandoned work, before process 1 ends without it. Between its steps it checks for the request, and most
/// steps take milliseconds; but one may wait for a lock, or hash many passwords.
const LAST_STEP: Duration = Duration::from_secs(1);

/// The concern after a panic in a task: it must not end process 1.
const PANICKED: Concern = Concern::constant(
    "the last reload failed by a bug of Mailstead; the old settings stay in force",
    "report it with the log lines around it; a restart may help",
);

impl Background {
    /// Starts the thread, which waits for tasks.
    pub fn start(mut work: impl BackgroundWork) -> io::Result<Self> {
        let (woken, wake) = UnixDatagram::pair()?;
        woken.set_nonblocking(true)?;
        wake.set_nonblocking(true)?;
        let (tasks, requests) = channel::<Task>();
        let (finished, outcomes) = channel();
        let abandon = Abandon::default();
        let abandoned = abandon.clone();
        thread::Builder::new().name("background".into()).spawn(move || {
            while let Ok(task) = requests.recv() {
                if finished.send(run_task(task, &mut work, &abandoned)).is_err() {
                    return;
                }
                // It fails only when the loop has ended, or has been woken already.
                let _ = wake.send(&[0]);
            }
        })?;
        Ok(Self { tasks, outcomes, woken, requested: BTreeSet::new(), is_busy: false, abandon })
    }

    /// Requests a task: it begins now, or when the running one has ended.
    pub fn request(&mut self, task: Task) {
        if !self.abandon.is_requested() {
            self.requested.insert(task);
            self.begin_next();
        }
    }

    /// The outcome of the task that has ended, if one has.
    pub fn next(&mut self) -> io::Result<Option<TaskOutcome>> {
        loop {
            match self.woken.recv(&mut [0]) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        match self.outcomes.try_recv() {
            Ok(outcome) => {
                self.is_busy = false;
                self.begin_next();
                Ok(Some(outcome))
            }
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(io::Error::other("the thread has ended")),
        }
    }

    /// Begins no further task, and keeps the running one from writing.
    pub fn abandon(&mut self) {
        self.requested.clear();
        self.abandon.request();
    }

    /// Waits a moment for the running task, so that it does not write into folders that are removed afterwards.
    pub fn end(mut self) {
        self.abandon();
        if self.is_busy {
            await_last_step(&self.woken);
        }
    }

    fn begin_next(&mut self) {
        if !self.is_busy
            && let Some(task) = self.requested.pop_first()
        {
            // A thread that is gone is reported by `next`.
            self.is_busy = self.tasks.send(task).is_ok();
        }
    }
}

impl AsFd for Background {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.woken.as_fd()
    }
}

fn run_task(task: Task, work: &mut impl BackgroundWork, abandon: &Abandon) -> TaskOutcome {
    match task {
        Task::Reload => TaskOutcome::Reloaded(
            catch_unwind(AssertUnwindSafe(|| work.reload(abandon))).unwrap_or(Err(PANICKED)),
        ),
        Task::CheckForUsers => TaskOutcome::Users {
            // As for accounts that cannot be read: another concern reports that.
            has_any: catch_unwind(AssertUnwindSafe(|| work.has_users())).unwrap_or(true),
        },
    }
}

fn await_last_step(woken: &UnixDatagram) {
    let timeout = PollTimeout::try_from(LAST_STEP).unwrap_or(PollTimeout::ZERO);
    // A signal may end the wait earlier, which does no harm.
    let _ = poll(&mut [PollFd::new(woken.as_fd(), PollFlags::POLLIN)], timeout);
}

/// Runs work before there is a loop, on a thread, and handles signals meanwhile: returns `None`, with `abandon`
/// requested, when process 1 was asked to stop first. A SIGHUP is passed on to the loop.
pub(super) fn unless_stopped<T: Send + 'static>(
    signals: &Signals,
    abandon: &Abandon,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Option<T>> {
    let (woken, wake) = UnixDatagram::pair()?;
    let (finished, outcome) = channel();
    thread::Builder::new().name("prepare".into()).spawn(move || {
        // The loop has ended when it was asked to stop.
        let _ = finished.send(work());
        drop(finished);
        let _ = wake.send(&[0]);
    })?;
    let mut is_reload_wanted = false;
    loop {
        let mut sources =
            [signals.as_fd(), woken.as_fd()].map(|source| PollFd::new(source, PollFlags::POLLIN));
        match poll(&mut sources, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        while let Some(number) = signals.next()? {
            match Signal::try_from(number) {
                Ok(Signal::SIGTERM | Signal::SIGINT | Signal::SIGQUIT) => {
                    abandon.request();
                    await_last_step(&woken);
                    return Ok(None);
                }
                Ok(Signal::SIGHUP) => is_reload_wanted = true,
                _ => {}
            }
        }
        match outcome.try_recv() {
            Ok(outcome) => {
                if is_reload_wanted {
                    signals.requeue_reload();
                }
                return Ok(Some(outcome));
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => {
                return Err(io::Error::other("it panicked"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Work that reports its beginning and ends when it is allowed to.
    struct Slow {
        begun: Sender<Task>,
        may_end: Receiver<()>,
        panics: bool,
    }

    impl Slow {
        fn begin(&mut self, task: Task) {
            self.begun.send(task).unwrap();
            self.may_end.recv().unwrap();
            assert!(!std::mem::take(&mut self.panics), "as requested");
        }
    }

    impl BackgroundWork for Slow {
        fn reload(&mut self, abandon: &Abandon) -> Result<Reloaded, Concern> {
            self.begin(Task::Reload);
            if abandon.is_requested() { Err(Concern::new("abandoned", "")) } else { Ok(Reloaded::default()) }
        }

        fn has_users(&mut self) -> bool {
            self.begin(Task::CheckForUsers);
            false
        }
    }

    fn slow(panics: bool) -> (Background, Receiver<Task>, Sender<()>) {
        let ((begun, has_begun), (end, may_end)) = (mpsc::channel(), mpsc::channel());
        (Background::start(Slow { begun, may_end, panics }).unwrap(), has_begun, end)
    }

    /// Waits as the loop does.
    fn await_outcome(background: &mut Background) -> TaskOutcome {
        let mut sources = [PollFd::new(background.as_fd(), PollFlags::POLLIN)];
        poll(&mut sources, PollTimeout::NONE).unwrap();
        // The octet follows the outcome.
        background.next().unwrap().unwrap()
    }

    #[test]
    fn a_task_requested_while_it_runs_is_repeated_once() {
        let (mut background, begun, end) = slow(false);
        background.request(Task::Reload);
        assert_eq!(begun.recv().unwrap(), Task::Reload);
        assert!(background.next().unwrap().is_none(), "the loop does not wait for it");
        for _ in 0..3 {
            background.request(Task::CheckForUsers);
            background.request(Task::Reload);
        }
        for expected in [Task::Reload, Task::CheckForUsers] {
            end.send(()).unwrap();
            assert!(matches!(await_outcome(&mut background), TaskOutcome::Reloaded(Ok(_))));
            assert_eq!(begun.recv().unwrap(), expected);
        }
        end.send(()).unwrap();
        assert!(matches!(await_outcome(&mut background), TaskOutcome::Users { has_any: false }));
        assert!(begun.recv_timeout(Duration::ZERO).is_err());
    }

    #[test]
    fn a_panic_is_a_refused_reload_and_the_next_one_works() {
        let (mut background, _begun, end) = slow(true);
        for is_refused in [true, false] {
            background.request(Task::Reload);
            end.send(()).unwrap();
            let TaskOutcome::Reloaded(reloaded) = await_outcome(&mut background) else {
                panic!("another task")
            };
            assert_eq!(reloaded.is_err(), is_refused);
        }
    }

    #[test]
    fn abandoned_work_writes_nothing_and_no_other_begins() {
        let (mut background, begun, end) = slow(false);
        background.request(Task::Reload);
        begun.recv().unwrap();
        background.request(Task::Reload);
        background.abandon();
        background.request(Task::Reload);
        end.send(()).unwrap();
        assert!(matches!(await_outcome(&mut background), TaskOutcome::Reloaded(Err(_))));
        assert!(begun.recv_timeout(Duration::ZERO).is_err());
    }

    #[test]
    fn a_stop_does_not_wait_and_a_reload_is_passed_on() {
        use nix::sys::signal::raise;
        // Its own thread: a signal mask belongs to a thread, and the signals are sent to it alone.
        let tested = thread::spawn(|| {
            super::super::signals::block().unwrap();
            let signals = Signals::open().unwrap();
            raise(Signal::SIGUSR1).unwrap();
            raise(Signal::SIGHUP).unwrap();
            let (go, may_go) = mpsc::channel();
            go.send(7).unwrap();
            let abandon = Abandon::default();
            assert_eq!(unless_stopped(&signals, &abandon, move || may_go.recv()).unwrap(), Some(Ok(7)));
            assert!(!abandon.is_requested());
            assert_eq!(signals.next().unwrap(), Some(Signal::SIGHUP as i32));
            assert_eq!(signals.next().unwrap(), None);
            raise(Signal::SIGTERM).unwrap();
            // Never ends by itself.
            let (_go, may_go) = mpsc::channel::<()>();
            assert!(unless_stopped(&signals, &abandon, move || may_go.recv()).unwrap().is_none());
            assert!(abandon.is_requested());
        });
        tested.join().unwrap();
    }
}
