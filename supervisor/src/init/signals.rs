//! The signals, read one after the other instead of interrupting.
//!
//! The kernel drops every signal to process 1 whose action is the default one, and a handler could run at any
//! instruction. So all are blocked before anything else happens, and read from a descriptor when the loop has time for
//! them: a SIGTERM in the first millisecond waits there and is not lost.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// Faults of this program itself. They are sent to the thread that caused them; blocked, they end the process without a
/// trace of the reason.
const FAULTS: [Signal; 7] = [
    Signal::SIGSEGV,
    Signal::SIGBUS,
    Signal::SIGFPE,
    Signal::SIGILL,
    Signal::SIGABRT,
    Signal::SIGTRAP,
    Signal::SIGSYS,
];

/// Signals that have arrived.
#[derive(Debug)]
pub struct Signals {
    arrived: SignalFd,
    /// A SIGHUP that was read before it could be handled.
    has_requeued_reload: Cell<bool>,
}

/// Blocks all signals but the faults, in this thread and those that it will start. A child inherits the mask, until the
/// launcher stage calls [`unblock`].
pub fn block() -> nix::Result<()> {
    handled().thread_block()?;
    refuse_to_ignore();
    Ok(())
}

/// Gives each signal a handler, which never runs, because the signal is blocked. Our parent may have ignored some (a
/// shell does so for background commands), and an ignored signal is dropped before it can be read. A child does not
/// inherit handlers, so it begins with the default actions, whatever ours were at the start.
fn refuse_to_ignore() {
    let unused = Arc::new(AtomicBool::new(false));
    // Writing to a reader that is gone is an error to be handled, as the standard library has arranged.
    for signal in handled().iter().filter(|signal| *signal != Signal::SIGPIPE) {
        // Two cannot have a handler, since they cannot be ignored either.
        if !matches!(signal, Signal::SIGKILL | Signal::SIGSTOP) {
            let _ = signal_hook::flag::register(signal as i32, unused.clone());
        }
    }
}

/// Unblocks all signals. One that came before is delivered now.
pub fn unblock() -> nix::Result<()> {
    SigSet::empty().thread_set_mask()
}

fn handled() -> SigSet {
    let mut signals = SigSet::all();
    FAULTS.into_iter().for_each(|fault| signals.remove(fault));
    signals
}

impl Signals {
    /// Opens the descriptor. The signals must have been blocked before.
    pub fn open() -> nix::Result<Self> {
        let arrived = SignalFd::with_flags(&handled(), SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Self { arrived, has_requeued_reload: Cell::new(false) })
    }

    /// Makes [`Signals::next`] return a SIGHUP once more.
    pub fn requeue_reload(&self) {
        self.has_requeued_reload.set(true);
    }

    /// The number of the next pending signal, if any. Not all numbers have a name: real-time signals have none, and
    /// each of them waits here as often as it was sent.
    pub fn next(&self) -> io::Result<Option<i32>> {
        if self.has_requeued_reload.take() {
            return Ok(Some(Signal::SIGHUP as i32));
        }
        loop {
            match self.arrived.read_signal() {
                // The kernel has no signals of other numbers; the loop ignores zero.
                Ok(arrived) => {
                    return Ok(arrived.map(|arrived| i32::try_from(arrived.ssi_signo).unwrap_or(0)));
                }
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.arrived.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocked_signal_waits_to_be_read_whatever_its_number_is() {
        // Its own thread: a signal mask belongs to a thread, and the signals are sent to it alone.
        std::thread::spawn(|| {
            block().unwrap();
            let signals = Signals::open().unwrap();
            assert_eq!(signals.next().unwrap(), None);
            for signal in [Signal::SIGUSR1, Signal::SIGTERM] {
                nix::sys::signal::raise(signal).unwrap();
            }
            let mut arrived = [signals.next().unwrap(), signals.next().unwrap()];
            arrived.sort();
            assert_eq!(arrived, [Some(Signal::SIGUSR1 as i32), Some(Signal::SIGTERM as i32)]);
            assert_eq!(signals.next().unwrap(), None);
        })
        .join()
        .unwrap();
    }
}
