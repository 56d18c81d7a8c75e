use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use handover::certificate::{self, CertificateError, Facts};
use handover::config::Steward;
use handover::status::{Status, StatusError};
use serve::metrics::Metrics;

use super::acme;
use super::acme::{Board, Times};
use super::findings::{Finding, Findings};
use super::heartbeat::{Beats, Pulse};

/// What was found at one moment. What could not be found out is a part of it.
#[derive(Debug)]
pub(super) struct Observation {
    /// When, in seconds since 1970.
    pub(super) at: u64,
    /// What process 1 says.
    pub(super) status: Result<Status, StatusError>,
    /// What the certificate says of itself.
    pub(super) certificate: Result<Facts, CertificateError>,
    /// How the certificate's renewal stands, where that is the steward's business.
    pub(super) renewal: Option<acme::State>,
    /// The room that is free on the volume.
    pub(super) free: Result<Free, std::io::Error>,
    /// What the parts of the steward have found.
    pub(super) findings: Vec<Finding>,
    /// How the heartbeat goes.
    pub(super) beats: Beats,
    /// When certificates were asked for, where they are.
    pub(super) acme: Option<Times>,
}

/// The room on a volume for those who are not root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Free {
    /// In octets.
    pub(super) bytes: u64,
    /// Files that can still be created; nothing where the file system sets no limit, as btrfs.
    pub(super) files: Option<FreeFiles>,
}

/// The inodes of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FreeFiles {
    /// Those that are free.
    pub(super) free: u64,
    /// All of them.
    pub(super) total: u64,
}

/// What the parts of the steward know without looking.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) findings: Findings,
    pub(super) pulse: Pulse,
    pub(super) board: Option<Board>,
    /// The numbers of the web's connections.
    pub(super) web: Option<Arc<Metrics>>,
}

impl Observation {
    /// Looks. Blocks for as long as the disks do.
    pub(super) fn make(steward: &Steward, known: &Known) -> Self {
        Self {
            at: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            status: Status::load(&steward.status),
            certificate: certificate::facts(&steward.tls.certificate),
            renewal: steward.renewal.as_ref().and_then(|renewal| acme::State::load(&renewal.folder)),
            free: free(&steward.volume),
            findings: known.findings.all(),
            beats: known.pulse.beats(),
            acme: known.board.as_ref().map(Board::times),
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
