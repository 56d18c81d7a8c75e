use std::net::SocketAddr;
use std::path::PathBuf;

use address::Domain;
use serde::{Deserialize, Serialize};

/// `presence.toml`: what the world is to see of this machine. The records that its domains need are made from it, and
/// what the world does see is compared with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presence {
    /// The name of this machine.
    pub hostname: Domain,
    /// The domains whose mail arrives here, the home domain first.
    pub domains: Vec<Domain>,
    /// Whether the web's pages are served on port 443: clients' settings, and the MTA-STS policies.
    pub serves_web: bool,
    /// Whether others will trust the certificate, so that an MTA-STS policy may ask for it.
    pub is_attested: bool,
    /// Whether it can be reached from this machine only, as the demo.
    pub is_local: bool,
    /// Whether outgoing mail is handed to another host, so that port 25 of others need not be reached.
    pub is_relayed: bool,
    /// The certificate.
    pub certificate: PathBuf,
    /// Certificates in PEM of authorities of which this machine's users' devices know besides the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities: Option<PathBuf>,
    /// The volume.
    pub volume: PathBuf,
    /// The directory of the authority that certificates are asked of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acme_directory: Option<String>,
    /// The name servers to ask; none means those of the system.
    #[serde(default)]
    pub dns_servers: Vec<SocketAddr>,
    /// The zones of the blocklists in which our own addresses are looked up.
    #[serde(default)]
    pub blocklists: Vec<Domain>,
    /// The host to which a connection shows whether mail can leave this machine, as `host:port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_host: Option<String>,
    /// The public halves of the keys that sign outgoing mail.
    #[serde(default)]
    pub signatures: Vec<PublicSignature>,
}

/// The public half of a signing key, as its record has it (RFC 6376 §3.6.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicSignature {
    /// The domain whose mail it signs.
    pub domain: Domain,
    /// The selector.
    pub selector: String,
    /// The `k=` tag.
    pub kind: String,
    /// The `p=` tag.
    pub base64: String,
}
