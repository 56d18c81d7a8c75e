use std::net::SocketAddr;
use std::path::PathBuf;

use address::Domain;
use serde::{Deserialize, Serialize};

use super::{HeartbeatMailbox, Log, Login, Quotas, SessionTimeouts, Tls};

/// `mda.toml`: the configuration of `mailstead mda`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mda {
    /// The name of this host in greetings and in the names of messages' files.
    pub hostname: Domain,
    /// The accounts file (`accounts.toml`).
    pub accounts: PathBuf,
    /// The folder of all mail: `<mail>/<domain>/<user>/Maildir`.
    pub mail: PathBuf,
    /// The folder of the indexes, which are caches.
    pub index: PathBuf,
    /// The addresses to listen on if no sockets were handed over.
    #[serde(default)]
    pub listen: MdaListen,
    /// The certificate and its key.
    pub tls: Tls,
    /// The quotas of users.
    #[serde(default)]
    pub quotas: Quotas,
    /// The limits of clients.
    #[serde(default)]
    pub limits: MdaLimits,
    /// The settings of logins.
    #[serde(default)]
    pub login: Login,
    /// The log's settings.
    #[serde(default)]
    pub log: Log,
    /// The mailbox of the heartbeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<HeartbeatMailbox>,
}

/// The MDA's own listeners.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MdaListen {
    /// IMAP with STARTTLS, port 143.
    pub imap: Vec<SocketAddr>,
    /// IMAP over implicit TLS, port 993 (RFC 8314).
    pub imaps: Vec<SocketAddr>,
    /// LMTP from the MTA, a path (RFC 2033).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lmtp: Option<PathBuf>,
    /// The socket that serves metrics, a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<PathBuf>,
}

/// The limits of the MDA's clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MdaLimits {
    /// The largest message that is stored, in octets.
    pub message_size: u64,
    /// Simultaneous IMAP connections.
    pub connections: usize,
    /// Simultaneous IMAP connections from one address; 0 means unlimited.
    pub connections_per_address: usize,
    /// The time limits of a session.
    pub timeouts: SessionTimeouts,
}

impl Default for MdaLimits {
    fn default() -> Self {
        // Trace fields are added to a message of the MTA's largest size.
        Self {
            message_size: (50 << 20) + (64 << 10),
            connections: 1000,
            connections_per_address: 50,
            timeouts: SessionTimeouts::default(),
        }
    }
}
