use std::net::SocketAddr;
use std::path::PathBuf;

use address::Domain;
use serde::{Deserialize, Serialize};

use super::{HeartbeatMailbox, Log, Login, Policy, Quotas, Relay, SessionTimeouts, Tls};

/// `mta.toml`: the configuration of `mailstead mta`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mta {
    /// The name of this host in greetings, EHLO and trace fields.
    pub hostname: Domain,
    /// The accounts file (`accounts.toml`).
    pub accounts: PathBuf,
    /// The queue's folder.
    pub queue: PathBuf,
    /// The MDA's LMTP socket.
    pub lmtp: PathBuf,
    /// The relay for all outgoing mail, instead of its MX.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<Relay>,
    /// The quotas of users: the MTA queries the MDA about a user with a quota before it accepts mail.
    #[serde(default)]
    pub quotas: Quotas,
    /// The addresses to listen on if no sockets were handed over.
    #[serde(default)]
    pub listen: MtaListen,
    /// The certificate and its key.
    pub tls: Tls,
    /// The limits of peers.
    #[serde(default)]
    pub limits: MtaLimits,
    /// The settings of logins.
    #[serde(default)]
    pub login: Login,
    /// The policy for mail from other hosts.
    #[serde(default)]
    pub policy: Policy,
    /// The settings of DNS queries.
    #[serde(default)]
    pub dns: Dns,
    /// The settings of outgoing mail.
    #[serde(default)]
    pub outbound: Outbound,
    /// The log's settings.
    #[serde(default)]
    pub log: Log,
    /// The mailbox of the heartbeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<HeartbeatMailbox>,
    /// The keys that sign outgoing mail.
    #[serde(default)]
    pub dkim: Vec<DkimKey>,
}

/// The MTA's own listeners.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MtaListen {
    /// SMTP from other hosts, port 25.
    pub smtp: Vec<SocketAddr>,
    /// Submission with STARTTLS, port 587 (RFC 6409).
    pub submission: Vec<SocketAddr>,
    /// Submission over implicit TLS, port 465 (RFC 8314).
    pub submissions: Vec<SocketAddr>,
    /// The socket that serves metrics, a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<PathBuf>,
}

/// The limits of the MTA's peers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MtaLimits {
    /// The largest message, in octets, announced by SIZE (RFC 1870).
    pub message_size: u64,
    /// Recipients of one transaction; RFC 5321 §4.5.3.1.8 asks for at least 100.
    pub recipients: usize,
    /// Simultaneous connections: this many from other hosts, and as many from users.
    pub connections: usize,
    /// Simultaneous connections from one address, counted in the same way; 0 means unlimited.
    pub connections_per_address: usize,
    /// The time limits of a session.
    pub timeouts: SessionTimeouts,
}

impl Default for MtaLimits {
    fn default() -> Self {
        Self {
            message_size: 50 << 20,
            recipients: 200,
            connections: 500,
            connections_per_address: 20,
            timeouts: SessionTimeouts::default(),
        }
    }
}

/// The settings of DNS queries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dns {
    /// The servers; if empty, those of `/etc/resolv.conf`.
    pub servers: Vec<SocketAddr>,
    /// The time limit for all queries about one incoming message together, in milliseconds.
    pub budget_ms: u64,
}

impl Default for Dns {
    fn default() -> Self {
        Self { servers: Vec::new(), budget_ms: 8_000 }
    }
}

/// The settings of outgoing mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outbound {
    /// The port of other hosts' SMTP servers.
    pub port: u16,
    /// The time after which delivery is given up and the sender notified, in seconds; RFC 5321 §4.5.4.1 asks for 4 to 5
    /// days.
    pub expire_seconds: u64,
    /// The wait after the first failed attempt, in seconds; it grows with each.
    pub retry_seconds: u64,
}

impl Default for Outbound {
    fn default() -> Self {
        Self { port: 25, expire_seconds: 5 * 24 * 3600, retry_seconds: 5 * 60 }
    }
}

/// One signing key of one domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DkimKey {
    /// The domain whose mail it signs.
    pub domain: Domain,
    /// The selector: the record's name is `<selector>._domainkey.<domain>` (RFC 6376 §3.1).
    pub selector: String,
    /// The private key, PKCS#8 in PEM; its kind (RSA or Ed25519) is in it.
    pub key: PathBuf,
}
