//! The folders: their purpose, owners and modes.
//!
//! | folder | owner | mode | why so |
//! |---|---|---|---|
//! | the volume | root, `mailstead` | 0751 | each daemon passes through to its own folders |
//! | `mail`, `index` | `vmail` | 0700 | only the MDA reads mail |
//! | `queue` | `mta` | 0700 | only the MTA reads the queue |
//! | `dkim` | root, `mta` | 0750 | the MTA signs and cannot change the keys |
//! | `tls` | `steward`, `mailstead` | 2751 | the steward writes certificates, and what it writes is the group's to read |
//! | `acme` | `steward` | 0700 | the account's key, and the ledger of orders |
//! | the runtime folder | root, `mailstead` | 0751 | sockets and configuration, gone with the machine |
//!
//! Only what is wrong is changed, and the content of a mail folder only when the folder itself had another owner, as
//! after a copy was restored: a volume with a million messages is not walked at every start. The few other files are
//! checked each time. Process 1 is root without the capability to override rights, so the files that it writes belong
//! to root, and the daemons read them through their group. Without root (the demo) everything belongs to the user that
//! started it.

mod accounts;
mod file;
mod format;
mod handle;
mod layout;
mod lock;
mod owners;
mod ownership;

use std::path::{Path, PathBuf};

pub use accounts::{AccountsFile, AccountsFileError};
pub use file::write;
pub(crate) use file::{change_owner, ignore_not_found};
pub use format::{FormatError, check_format, refuse_foreign_format};
pub use layout::{LayoutError, lay_out};
pub(crate) use layout::{RequiredFolder, required_folders};
pub use lock::{VolumeInUseError, VolumeLock, is_locked, lock};
pub use owners::{Owner, Owners, OwnersError};

/// The paths of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// The folder of all that must outlive the machine.
    pub volume: PathBuf,
    /// The folder of the files that are created at every start.
    pub runtime: PathBuf,
}

impl Folders {
    /// Those of the container.
    pub fn of_container() -> Self {
        Self { volume: "/data".into(), runtime: "/run/mailstead".into() }
    }

    /// `mail/<domain>/<user>/Maildir`.
    pub fn mail(&self) -> PathBuf {
        self.volume.join("mail")
    }

    /// The MDA's caches.
    pub fn index(&self) -> PathBuf {
        self.volume.join("index")
    }

    /// The messages that the MTA is responsible for.
    pub fn queue(&self) -> PathBuf {
        self.volume.join("queue")
    }

    /// The signing keys: `dkim/<domain>/<selector>.pem`.
    pub fn dkim(&self) -> PathBuf {
        self.volume.join("dkim")
    }

    /// The certificate and its key.
    pub fn tls(&self) -> PathBuf {
        self.volume.join("tls")
    }

    /// The steward's account at the authority, and its ledger.
    pub fn acme(&self) -> PathBuf {
        self.volume.join("acme")
    }

    /// Copies of an external certificate and its key.
    pub fn external_certificate(&self) -> PathBuf {
        self.runtime.join("tls")
    }

    /// The CA certificate that the authority's own web server is verified with, if one was set.
    pub fn authority_ca(&self) -> PathBuf {
        self.runtime.join("acme-ca.pem")
    }

    /// The CA certificates that the relay is verified with besides the public ones, if they were set.
    pub fn relay_ca(&self) -> PathBuf {
        self.runtime.join("relay-ca.pem")
    }

    /// Users, hashes, aliases, domains.
    pub fn accounts(&self) -> PathBuf {
        self.volume.join("accounts.toml")
    }

    /// The file that is locked to change the accounts. It is empty and stays.
    pub fn accounts_lock(&self) -> PathBuf {
        self.volume.join("accounts.lock")
    }

    /// The file that process 1 locks as long as it runs. It is empty and stays.
    pub fn lock(&self) -> PathBuf {
        self.volume.join("lock")
    }

    /// The settings in force, for a plan to compare with.
    pub fn applied(&self) -> PathBuf {
        self.volume.join("settings.toml")
    }

    /// The number of the volume's format.
    pub fn format(&self) -> PathBuf {
        self.volume.join("format")
    }

    /// All entries that may exist at the top of the volume.
    pub fn top_entries(&self) -> [PathBuf; 11] {
        [
            self.mail(),
            self.index(),
            self.queue(),
            self.dkim(),
            self.tls(),
            self.acme(),
            self.accounts(),
            self.accounts_lock(),
            self.lock(),
            self.applied(),
            self.format(),
        ]
    }

    /// The socket on which the MDA accepts mail from the MTA.
    pub fn lmtp_socket(&self) -> PathBuf {
        self.runtime.join(LMTP_SOCKET)
    }

    /// The socket on which a daemon serves its metrics.
    pub fn metrics_socket(&self, role: &str) -> PathBuf {
        self.runtime.join(format!("{role}-{METRICS_SOCKET}"))
    }

    /// The socket to which the daemons send process 1 their notices.
    pub fn notify_socket(&self) -> PathBuf {
        self.runtime.join(NOTIFY_SOCKET)
    }

    /// The status of the whole server, for the steward.
    pub fn status(&self) -> PathBuf {
        self.runtime.join("status.json")
    }

    /// The file with what is published about this machine.
    pub fn presence(&self) -> PathBuf {
        self.runtime.join("presence.toml")
    }

    /// A daemon's configuration.
    pub fn configuration(&self, role: &str) -> PathBuf {
        self.runtime.join(format!("{role}.toml"))
    }
}

const LMTP_SOCKET: &str = "lmtp.sock";
const NOTIFY_SOCKET: &str = "notify.sock";
const METRICS_SOCKET: &str = "metrics.sock";

/// True if the kernel accepts the names of the sockets in a runtime folder at that path.
pub fn can_hold_sockets(runtime: &Path) -> bool {
    let fits = |name: &str| handover::sockets::fits_unix_address(&runtime.join(name));
    fits(NOTIFY_SOCKET) && fits(LMTP_SOCKET) && fits(&format!("mta-{METRICS_SOCKET}"))
}
