use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use address::Host;
use serde::{Deserialize, Serialize};

use crate::Confidential;

/// The host that accepts all outgoing mail, instead of each destination's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    /// Its name or address.
    pub host: Host,
    /// The port, not 0.
    pub port: u16,
    /// The protection of the connection.
    pub security: RelaySecurity,
    /// Our credentials; `None` if it recognises us by our address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<RelayCredentials>,
    /// CA certificates in PEM that it is verified with besides the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities: Option<PathBuf>,
}

/// The protection of the connection to the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelaySecurity {
    /// STARTTLS if it is offered, with any certificate: as between unrelated hosts. No credentials.
    Opportunistic,
    /// STARTTLS, and a certificate with the relay's name (RFC 6409 over RFC 3207).
    StartTls,
    /// TLS from the first octet, and a certificate with the relay's name (RFC 8314 §3.3).
    ImplicitTls,
}

/// Our credentials for the relay.
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
