use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use address::Domain;
use serde::{Deserialize, Serialize};

use super::{Heartbeat, Log, Renewal, Tls};

/// `steward.toml`: what `mailstead steward` needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steward {
    /// Where health is asked for, also by `mailstead health`.
    pub health: SocketAddr,
    /// The file in which process 1 writes the state of the whole.
    pub status: PathBuf,
    /// The certificate and its key.
    pub tls: Tls,
    /// The volume, whose free space is watched.
    pub volume: PathBuf,
    /// Where each daemon tells its numbers.
    #[serde(default)]
    pub metrics: BTreeMap<String, PathBuf>,
    /// What is logged.
    #[serde(default)]
    pub log: Log,
    /// The message that the steward sends itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Heartbeat>,
    /// What is served to the web.
    pub web: Web,
    /// The name servers to ask; when there are none, those of `/etc/resolv.conf`.
    #[serde(default)]
    pub dns_servers: Vec<SocketAddr>,
    /// How the certificate is obtained and renewed, where that is the steward's business.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<Renewal>,
}

/// What the steward serves on ports 80 and 443.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    /// The mail host's name, which the pages send clients to.
    pub hostname: Domain,
    /// The domains whose pages are served.
    pub domains: Vec<Domain>,
    /// Where to listen when no sockets were handed over.
    #[serde(default)]
    pub listen: WebListen,
}

/// The steward's own listeners for the web.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebListen {
    /// HTTP, port 80.
    pub http: Vec<SocketAddr>,
    /// HTTPS, port 443.
    pub https: Vec<SocketAddr>,
}
