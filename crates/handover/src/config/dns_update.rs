use std::net::SocketAddr;

use address::Domain;
use serde::{Deserialize, Serialize};

use crate::Confidential;

/// The name server that takes changes to our zones (RFC 2136).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DnsUpdate {
    /// Where it listens.
    pub server: SocketAddr,
    /// What the changes are signed with; none where it knows us by our address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<TsigKey>,
}

/// A key that both sides know (RFC 8945).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TsigKey {
    /// What both call it.
    pub name: Domain,
    /// How it signs.
    pub algorithm: TsigAlgorithm,
    /// The key, in base64.
    pub secret: Confidential,
}

/// How a message is signed (RFC 8945 §6); what is no longer to be used is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TsigAlgorithm {
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-384.
    HmacSha384,
    /// HMAC with SHA-512.
    HmacSha512,
}
