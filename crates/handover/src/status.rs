//! The status of the whole server, written by process 1 into a file and read by the steward.
//!
//! A file and not a connection, since process 1 reads only notices from the processes that it watches, and answers no
//! requests. It is replaced by rename, so a reader sees it whole.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Concern, Memory};

/// The largest file that is read, in octets: a status with hundreds of concerns has a fraction of it.
const MAX_SIZE: u64 = 16 << 20;

/// `status.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The time of writing, in seconds since 1970. Process 1 writes it at least every [`HEARTBEAT_SECONDS`].
    pub written: u64,
    /// The start of process 1, in seconds since 1970.
    pub started: u64,
    /// The memory that process 1 itself uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// The daemons, in the order in which they are started.
    pub processes: Vec<DaemonStatus>,
    /// Missing or wrong settings, none of which prevents the start.
    #[serde(default)]
    pub concerns: Vec<Concern>,
}

/// The interval at which process 1 writes the status when nothing changes. A status three times as old is stale.
pub const HEARTBEAT_SECONDS: u64 = 5;

/// The name of process 1 in the log and the metrics, where the daemons are named by their roles.
pub const PROCESS_1: &str = "process-1";

/// One daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonStatus {
    /// Its role: `steward`, `mta` or `mda`.
    pub name: String,
    /// Its state.
    pub state: DaemonState,
    /// The time since which it is in this state, in seconds since 1970.
    pub since: u64,
    /// Its number, while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    /// The time since which it has not responded although it runs, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_since: Option<u64>,
    /// The number of restarts since process 1 started.
    pub restarts: u64,
    /// The way it last ended, if it did: `exit 1`, `signal 9 (SIGKILL)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_end: Option<String>,
    /// Messages in its queue, for the MTA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<u64>,
    /// The arrival time of the oldest of them, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_since: Option<u64>,
    /// Connections that came from the address of our own gateway since it started.
    #[serde(default)]
    pub gateway_clients: u64,
    /// The operations that the kernel denies it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
    /// The fingerprint of the accounts that it uses, if it uses any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<String>,
}

/// The state of a daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DaemonState {
    /// Started, and not yet ready.
    Starting,
    /// It reported that it is ready.
    Ready,
    /// It ended by itself and is restarted after a wait.
    BackingOff,
    /// It was asked to stop.
    Stopping,
    /// It ended, and is not restarted.
    Stopped,
}

/// An error that keeps the status from being read.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The file is malformed.
    #[error("{} is not a status file: {source}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The parser's error, with its position.
        source: serde_json::Error,
    },
}

impl Status {
    /// Reads the status.
    pub fn load(path: &Path) -> Result<Self, StatusError> {
        let text = durable::read_limited(path, MAX_SIZE)
            .map_err(|source| StatusError::Read { path: path.to_owned(), source })?;
        serde_json::from_slice(&text).map_err(|source| StatusError::Parse { path: path.to_owned(), source })
    }

    /// The file's content.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("a status has string keys only")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_status_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("status.json");
        assert!(matches!(Status::load(&path), Err(StatusError::Read { .. })));
        let status = Status {
            written: 10,
            started: 5,
            memory: Some(Memory { anonymous: 4 << 20, file: 1 << 20 }),
            processes: vec![DaemonStatus {
                name: "mta".into(),
                state: DaemonState::BackingOff,
                since: 9,
                pid: None,
                silent_since: Some(8),
                restarts: 2,
                last_end: Some("signal 9".into()),
                queue: Some(3),
                queue_since: Some(7),
                gateway_clients: 2,
                sandbox: Some("seccomp".into()),
                accounts: Some("e3b0".into()),
            }],
            concerns: vec![Concern::new("no users: none at all", "add one; or two")],
        };
        std::fs::write(&path, status.to_json()).unwrap();
        assert_eq!(Status::load(&path).unwrap(), status);
        std::fs::write(&path, b"{").unwrap();
        assert!(matches!(Status::load(&path), Err(StatusError::Parse { .. })));
    }
}
