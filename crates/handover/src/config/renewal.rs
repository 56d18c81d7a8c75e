use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Acme, DnsUpdate};

/// How the steward obtains the certificate and keeps it fresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// Where the account, the ledger of orders and their state are kept.
    pub folder: PathBuf,
    /// Whom it is asked of.
    pub authority: Acme,
    /// The name server that takes the records of DNS-01 challenges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_update: Option<DnsUpdate>,
    /// Where the world reaches the steward's web.
    #[serde(default)]
    pub reach: Reach,
}

/// The ports at which an authority asks. They are the world's, and not ours to choose: others than these are for an
/// authority of one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reach {
    /// For HTTP-01 (RFC 8555 §8.3).
    pub http: u16,
    /// For TLS-ALPN-01 (RFC 8737 §3).
    pub https: u16,
}

impl Default for Reach {
    fn default() -> Self {
        Self { http: 80, https: 443 }
    }
}
