use std::net::SocketAddr;
use std::path::PathBuf;

use address::Domain;
use serde::{Deserialize, Serialize};

/// `presence.toml`: the facts that are published about this machine. The records that its domains need are made from
/// it, and the records that resolvers see are compared with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presence {
    /// The name of this machine.
    pub hostname: Domain,
    /// The domains whose mail arrives here, the home domain first.
    pub domains: Vec<Domain>,
    /// Set if the web pages are served on port 443: clients' settings, and the MTA-STS policies.
    pub serves_web: bool,
    /// Set if others will trust the certificate, so that an MTA-STS policy may require it.
    pub is_attested: bool,
    /// Set if it can be reached from this machine only, as the demo.
    pub is_local: bool,
    /// Set if outgoing mail goes through a relay, so that port 25 of others need not be reachable.
    pub is_relayed: bool,
    /// The certificate.
    pub certificate: PathBuf,
    /// CA certificates in PEM that this machine's users' devices trust besides the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities: Option<PathBuf>,
    /// The volume.
    pub volume: PathBuf,
    /// The directory of the authority that issues certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acme_directory: Option<String>,
    /// The name servers to ask; if empty, those of the system.
    #[serde(default)]
    pub dns_servers: Vec<SocketAddr>,
    /// The zones of the blocklists in which our own addresses are looked up.
    #[serde(default)]
    pub blocklists: Vec<Domain>,
    /// A host, as `host:port`; connecting to it shows whether mail can leave this machine.
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
