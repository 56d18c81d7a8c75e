//! The one reaper: all dead children are buried here, our own and those that processes left to us.
//!
//! Nothing else may wait for a child. A second waiter (the standard library's, a runtime's) would take the
//! statuses that this one needs, and this one theirs.

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;

use super::unit::End;

/// Buries the next dead child and says how it ended. SIGCHLD merges: one signal may stand for many, so this is
/// called until there is none left.
///
/// Before the child is buried, whatever it left in its process group is killed: as long as it lies there, its
/// number cannot be given to another process. So a daemon's helper never holds a port or a lock against the
/// daemon's successor.
pub fn bury_next() -> Option<(Pid, End)> {
    loop {
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        let (pid, end) = match waitid(Id::All, look).ok()? {
            WaitStatus::Exited(pid, status) => (pid, End::Exit(status)),
            WaitStatus::Signaled(pid, signal, _) => (pid, End::Signal(signal as i32)),
            // Nobody has ended; or, with this flag, nothing else that could be.
            _ => return None,
        };
        // Most children lead no group, and then there is nobody to kill.
        let _ = killpg(pid, Signal::SIGKILL);
        if waitpid(pid, Some(WaitPidFlag::WNOHANG)).is_ok() {
            return Some((pid, end));
        }
    }
}
