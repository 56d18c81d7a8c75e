use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Acme, DnsUpdate};

/// The settings for issuing and renewing the certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// The folder of the account, the ledger of orders and their state.
    pub folder: PathBuf,
    /// The authority that issues it.
    pub authority: Acme,
    /// The name server that accepts the records of DNS-01 challenges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_update: Option<DnsUpdate>,
    /// The public ports of the steward's web.
    #[serde(default)]
    pub challenge_ports: ChallengePorts,
}

/// The ports at which an authority connects. Standards define them; others are for a private authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChallengePorts {
    /// For HTTP-01 (RFC 8555 §8.3).
    pub http: u16,
    /// For TLS-ALPN-01 (RFC 8737 §3).
    pub https: u16,
}

impl Default for ChallengePorts {
    fn default() -> Self {
        Self { http: 80, https: 443 }
    }
}
