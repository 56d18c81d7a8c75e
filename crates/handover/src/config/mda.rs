use std::net::SocketAddr;
use std::path::PathBuf;

use address::Domain;
use serde::{Deserialize, Serialize};

use super::{HeartbeatMailbox, Log, Login, Patience, Quotas, Tls};

/// `mda.toml`: what `mailstead mda` needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mda {
    /// The name under which this host speaks: in greetings and in the names of messages' files.
    pub hostname: Domain,
    /// The accounts file (`accounts.toml`).
    pub accounts: PathBuf,
    /// The folder of all mail: `<mail>/<domain>/<user>/Maildir`.
    pub mail: PathBuf,
    /// The folder of the indexes, which are caches.
    pub index: PathBuf,
    /// Where to listen when no sockets were handed over.
    #[serde(default)]
    pub listen: MdaListen,
    /// The certificate and its key.
    pub tls: Tls,
    /// How much mail each user may keep.
    #[serde(default)]
    pub quotas: Quotas,
    /// Bounds on what a client may ask for.
    #[serde(default)]
    pub limits: MdaLimits,
    /// How logins are judged.
    #[serde(default)]
    pub login: Login,
    /// What is logged.
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
    /// Where the numbers are told, a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<PathBuf>,
}

/// Bounds on what a client may ask the MDA for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MdaLimits {
    /// The largest message that is stored, in octets.
    pub message_size: u64,
    /// IMAP connections at one time.
    pub connections: usize,
    /// IMAP connections at one time from one address; 0 is no limit.
    pub connections_per_address: usize,
    /// How much time a session gets.
    pub patience: Patience,
}

impl Default for MdaLimits {
    fn default() -> Self {
        // Trace fields come on top of a message of the MTA's largest size.
        Self {
            message_size: (50 << 20) + (64 << 10),
            connections: 1000,
            connections_per_address: 50,
            patience: Patience::default(),
        }
    }
}
