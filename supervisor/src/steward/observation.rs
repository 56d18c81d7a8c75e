use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use handover::certificate::{self, CertificateError, CertificateFacts};
use handover::config::Steward;
use handover::status::{Status, StatusError};
use serve::metrics::Metrics;

use super::acme;
use super::acme::{EventTimes, RenewalStatus};
use super::findings::{Finding, Findings};
use super::heartbeat::{BeatResults, BeatSnapshot};

/// The state of the server at one time, including what could not be determined.
#[derive(Debug)]
pub(super) struct Observation {
    /// The time, in seconds since 1970.
    pub(super) at: u64,
    /// The status written by process 1.
    pub(super) status: Result<Status, StatusError>,
    /// The facts of the certificate.
    pub(super) certificate: Result<CertificateFacts, CertificateError>,
    /// The state of the renewal, if the steward obtains the certificate.
    pub(super) renewal: Option<acme::RenewalState>,
    /// The free space of the volume.
    pub(super) free: Result<Free, std::io::Error>,
    /// The current findings of the steward's parts.
    pub(super) findings: Vec<Finding>,
    /// The results of the heartbeat.
    pub(super) beats: BeatSnapshot,
    /// The times of certificate orders, if there are any.
    pub(super) acme: Option<EventTimes>,
}

/// The space of a volume that is available to unprivileged users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Free {
    /// Free octets.
    pub(super) bytes: u64,
    /// Free inodes; `None` if the file system sets no limit, as btrfs.
    pub(super) files: Option<FreeFiles>,
}

/// The inodes of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FreeFiles {
    /// The number of free ones.
    pub(super) free: u64,
    /// The total number.
    pub(super) total: u64,
}

/// The state that the steward's parts keep in memory.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedState {
    pub(super) findings: Findings,
    pub(super) heartbeat: BeatResults,
    pub(super) renewal: Option<RenewalStatus>,
    /// The metrics of the web's connections.
    pub(super) web: Option<Arc<Metrics>>,
}

impl Observation {
    /// Takes an observation. Blocks for as long as the disks do.
    pub(super) fn take(steward: &Steward, known: &SharedState) -> Self {
        Self {
            at: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            status: Status::load(&steward.status),
            certificate: certificate::facts(&steward.tls.certificate),
            renewal: steward.renewal.as_ref().and_then(|renewal| acme::RenewalState::load(&renewal.folder)),
            free: free(&steward.volume),
            findings: known.findings.all(),
            beats: known.heartbeat.beats(),
            acme: known.renewal.as_ref().map(RenewalStatus::times),
        }
    }
}

fn free(volume: &Path) -> Result<Free, std::io::Error> {
    let statistics = nix::sys::statvfs::statvfs(volume)?;
    let (total, free) = (statistics.files(), statistics.files_available());
    Ok(Free {
        bytes: statistics.blocks_available().saturating_mul(statistics.fragment_size()),
        files: (total != 0).then_some(FreeFiles { free, total }),
    })
}
