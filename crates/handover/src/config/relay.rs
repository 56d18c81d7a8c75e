use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use address::Host;
use serde::{Deserialize, Serialize};

use crate::Confidential;

/// The host that takes all outgoing mail, instead of each destination's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    /// Its name or address.
    pub host: Host,
    /// The port, not 0.
    pub port: u16,
    /// How the connection is kept private.
    pub security: RelaySecurity,
    /// Who we are to it; none where it knows us by our address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<RelayCredentials>,
    /// Certificates in PEM of authorities that are trusted for it besides the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities: Option<PathBuf>,
}

/// How the connection to the relay is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelaySecurity {
    /// STARTTLS when it is offered, any certificate: as between hosts that do not know each other. No credentials.
    Opportunistic,
    /// STARTTLS, and a certificate with the relay's name (RFC 6409 over RFC 3207).
    StartTls,
    /// TLS from the first octet, and a certificate with the relay's name (RFC 8314 §3.3).
    ImplicitTls,
}

/// Who we are to the relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayCredentials {
    /// The login.
    pub user: String,
    /// Its password.
    pub password: Confidential,
}

/// `host:port`, an IPv6 address in brackets.
impl fmt::Display for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Domain(name) => write!(f, "{name}:{}", self.port),
            Host::Literal(ip) => write!(f, "{}", SocketAddr::from((*ip, self.port))),
        }
    }
}
