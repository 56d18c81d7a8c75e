//! The one reaper: all dead children are reaped here, our own and the orphans that the kernel gives to process 1.
//!
//! No other code may wait for a child. A second waiter (the standard library's, a runtime's) would get the statuses
//! that this one needs, and vice versa.
//!
//! A status is read by its numbers: some signals have no name in any library, and a child killed by one is dead all the
//! same.

use std::io;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rustix::process::{WaitId, WaitIdOptions, WaitOptions, WaitStatus, wait, waitid, waitpid};

use super::unit::End;

/// Reaps the next dead child and returns its end. SIGCHLD merges: one signal may stand for many, so this is called
/// until no dead child is left.
///
/// Each of the `leaders` leads a process group. Before it is reaped, the rest of its group is killed: as long as it is
/// a zombie, its number cannot be given to another process. So a daemon's helper never holds a port or a lock against
/// the daemon's successor.
pub fn reap_next(leaders: &[Pid]) -> io::Result<Option<(Pid, End)>> {
    for leader in leaders.iter().copied() {
        if is_dead(leader)? {
            // Usually the leader was the last one of its group.
            let _ = killpg(leader, Signal::SIGKILL);
            return Ok(waitpid(number(leader), WaitOptions::NOHANG)?.and_then(end));
        }
    }
    match wait(WaitOptions::NOHANG) {
        Ok(Some(dead)) => {
            let dead = end(dead);
            // It died after the check. Any rest of its group keeps the number in use; without such a rest, no process has
            // got the number since the line above.
            if let Some((leader, _)) = dead.filter(|(pid, _)| leaders.contains(pid)) {
                let _ = killpg(leader, Signal::SIGKILL);
            }
            Ok(dead)
        }
        Ok(None) | Err(rustix::io::Errno::CHILD) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Returns true when a child has ended and is not reaped yet.
fn is_dead(child: Pid) -> io::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let Some(child) = number(child) else { return Ok(false) };
    match waitid(WaitId::Pid(child), options) {
        Ok(status) => Ok(status.is_some()),
        // Not a child, or reaped already.
        Err(rustix::io::Errno::CHILD) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

fn number(pid: Pid) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(pid.as_raw())
}

/// Converts a status. Without the options that ask for it, the kernel reports no child that was stopped or resumed.
fn end((pid, status): (rustix::process::Pid, WaitStatus)) -> Option<(Pid, End)> {
    let end = status.exit_status().map(End::Exit).or_else(|| status.terminating_signal().map(End::Signal))?;
    Some((Pid::from_raw(pid.as_raw_pid()), end))
}
