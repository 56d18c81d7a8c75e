//! Makes the running daemons reload the accounts, and waits until they have.
//!
//! Process 1 gets the request over the socket of its notices, and answers through `status.json`: the fingerprint of the
//! accounts that each daemon reports. If there is no listener on the socket, nothing runs, and the change takes effect
//! with the next start.

use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use accounts::{Fingerprint, MAX_FILE_SIZE};
use handover::notice;
use handover::status::{DaemonState, Status};

use crate::init::role::Role;
use crate::volume::{self, Folders};

/// The result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Every running daemon uses the accounts in the file.
    Confirmed,
    /// No server runs here.
    NotRunning,
    /// The server on this volume runs elsewhere, and cannot be reached from here.
    RunsElsewhere,
}

/// The reason why the daemons are not known to use the change.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotConfirmed {
    /// The request could not be sent to process 1.
    #[error(
        "the change is written, but process 1 could not be notified over {}: {source}; the change takes effect at the \
         next start, or after a SIGHUP to process 1",
        path.display()
    )]
    Request {
        /// Its socket.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The daemons have not reported that they have read it.
    #[error(
        "the change is written, but {waiting} did not confirm it within {} seconds and may still use the previous \
         accounts; see the log and `mailstead health`",
        TIMEOUT.as_secs()
    )]
    Silent {
        /// The daemons.
        waiting: String,
    },
}

/// A daemon reads the file within milliseconds, unless the machine has no time for it.
const TIMEOUT: Duration = Duration::from_secs(15);
const CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// A notice is dropped when the socket's queue is full; so the request is repeated.
const RESEND_INTERVAL: Duration = Duration::from_secs(1);

/// The daemons that read the accounts.
const READERS: [Role; 2] = [Role::Mta, Role::Mda];

/// Sends the request, and waits until it is confirmed.
pub(super) fn wait(folders: &Folders) -> Result<Effect, NotConfirmed> {
    let begin = Instant::now();
    let mut requested_at: Option<Instant> = None;
    loop {
        if requested_at.is_none_or(|requested_at| requested_at.elapsed() >= RESEND_INTERVAL) {
            if !notify(folders)? {
                return Ok(if volume::is_locked(folders) {
                    Effect::RunsElsewhere
                } else {
                    Effect::NotRunning
                });
            }
            requested_at = Some(Instant::now());
        }
        let waiting = waiting_for(folders);
        match waiting {
            None => return Ok(Effect::Confirmed),
            Some(waiting) if begin.elapsed() >= TIMEOUT => return Err(NotConfirmed::Silent { waiting }),
            Some(_) => thread::sleep(CHECK_INTERVAL),
        }
    }
}

/// Sends the request to process 1; returns true if there is a listener.
fn notify(folders: &Folders) -> Result<bool, NotConfirmed> {
    let path = folders.notify_socket();
    match notice::send(&path, notice::ACCOUNTS_CHANGED, 1) {
        Ok(()) => Ok(true),
        // Its queue is full, so there is a listener; the next attempt may get through.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            Ok(false)
        }
        Err(source) => Err(NotConfirmed::Request { path, source }),
    }
}

/// The daemons that still use other accounts than those in the file, which another command may have changed again
/// meanwhile.
fn waiting_for(folders: &Folders) -> Option<String> {
    let content = durable::read_limited(&folders.accounts(), MAX_FILE_SIZE);
    let wanted = content.map(|content| Fingerprint::of(&content).to_string());
    let (Ok(wanted), Ok(status)) = (wanted, Status::load(&folders.status())) else {
        return Some("process 1".to_owned());
    };
    let late: Vec<&str> =
        READERS.map(Role::name).into_iter().filter(|role| is_late(role, &wanted, &status)).collect();
    (!late.is_empty()).then(|| late.join(" and "))
}

fn is_late(role: &str, wanted: &str, status: &Status) -> bool {
    status.processes.iter().find(|process| process.name == role).is_some_and(|process| match process.state {
        DaemonState::Starting | DaemonState::Ready => process.accounts.as_deref() != Some(wanted),
        // It reads the file when it is restarted, if ever.
        DaemonState::BackingOff | DaemonState::Stopping | DaemonState::Stopped => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use handover::status::DaemonStatus;

    fn status(processes: &[(&str, DaemonState, Option<&str>)]) -> Status {
        Status {
            written: 1,
            started: 1,
            memory: None,
            processes: processes
                .iter()
                .map(|(name, state, accounts)| DaemonStatus {
                    name: (*name).to_owned(),
                    state: *state,
                    since: 1,
                    pid: Some(7),
                    silent_since: None,
                    restarts: 0,
                    last_end: None,
                    queue: None,
                    queue_since: None,
                    gateway_clients: 0,
                    sandbox: None,
                    accounts: accounts.map(str::to_owned),
                })
                .collect(),
            concerns: Vec::new(),
        }
    }

    #[test]
    fn a_running_daemon_has_followed_when_it_uses_the_accounts_in_the_file() {
        for (state, accounts, late) in [
            (DaemonState::Ready, Some("new"), false),
            (DaemonState::Ready, Some("old"), true),
            (DaemonState::Ready, None, true),
            (DaemonState::Starting, None, true),
            (DaemonState::BackingOff, Some("old"), false),
            (DaemonState::Stopped, None, false),
        ] {
            let status = status(&[("steward", DaemonState::Ready, None), ("mta", state, accounts)]);
            assert_eq!(is_late("mta", "new", &status), late, "{state:?} {accounts:?}");
            assert!(!is_late("mda", "new", &status), "it does not run");
        }
    }

    #[test]
    fn the_error_names_the_daemons_that_did_not_confirm() {
        for waiting in ["mda", "mta and mda"] {
            let message = NotConfirmed::Silent { waiting: waiting.to_owned() }.to_string();
            assert!(
                message.contains(&format!("{waiting} did not confirm it within 15 seconds")),
                "{message}"
            );
        }
    }

    #[test]
    fn without_a_listener_nothing_runs_here_and_without_a_confirmation_the_change_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let folders = Folders { volume: folder.path().to_owned(), runtime: folder.path().to_owned() };
        std::fs::write(folders.accounts(), "new").unwrap();
        assert_eq!(wait(&folders).unwrap(), Effect::NotRunning);

        // A dead process leaves the socket's name behind.
        let socket = std::os::unix::net::UnixDatagram::bind(folders.notify_socket()).unwrap();
        assert!(notify(&folders).unwrap());
        assert_eq!(waiting_for(&folders).as_deref(), Some("process 1"));
        let fingerprint = Fingerprint::of(b"new").to_string();
        let half = status(&[
            ("mta", DaemonState::Ready, Some(&fingerprint)),
            ("mda", DaemonState::Ready, Some("old")),
        ]);
        std::fs::write(folders.status(), half.to_json()).unwrap();
        assert_eq!(waiting_for(&folders).as_deref(), Some("mda"));
        drop(socket);
        assert_eq!(wait(&folders).unwrap(), Effect::NotRunning);
        let _elsewhere = volume::lock(&folders, None).unwrap();
        assert_eq!(wait(&folders).unwrap(), Effect::RunsElsewhere);
    }
}
