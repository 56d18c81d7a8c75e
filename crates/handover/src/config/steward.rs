use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use address::Domain;
use serde::{Deserialize, Serialize};

use super::{Heartbeat, Log, Renewal, Tls};

/// `steward.toml`: the configuration of `mailstead steward`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steward {
    /// The address that answers health checks, also for `mailstead health`.
    pub health: SocketAddr,
    /// The file in which process 1 writes the status of the whole server.
    pub status: PathBuf,
    /// The certificate and its key.
    pub tls: Tls,
    /// The volume, whose free space is watched.
    pub volume: PathBuf,
    /// The sockets on which the daemons serve metrics.
    #[serde(default)]
    pub metrics: BTreeMap<String, PathBuf>,
    /// The log's settings.
    #[serde(default)]
    pub log: Log,
    /// The message that the steward sends itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Heartbeat>,
    /// The web's settings.
    pub web: Web,
    /// The name servers to ask; if empty, those of `/etc/resolv.conf`.
    #[serde(default)]
    pub dns_servers: Vec<SocketAddr>,
    /// The settings for issuing and renewing the certificate, if the steward does that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<Renewal>,
}

/// The web pages that the steward serves on ports 80 and 443.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    /// The mail host's name, which the pages send clients to.
    pub hostname: Domain,
    /// The domains whose pages are served.
    pub domains: Vec<Domain>,
    /// The lines of the operator's name and address on the page of the mail host.
    #[serde(default)]
    pub operator: Vec<String>,
    /// The addresses to listen on if no sockets were handed over.
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
