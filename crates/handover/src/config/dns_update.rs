use std::net::SocketAddr;

use address::Domain;
use serde::{Deserialize, Serialize};

use crate::Confidential;

/// The name server that accepts updates of our zones (RFC 2136).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DnsUpdate {
    /// Its address.
    pub server: SocketAddr,
    /// The key that signs the updates; `None` if it recognises us by our address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<TsigKey>,
}

/// A key that is shared with the name server (RFC 8945).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TsigKey {
    /// Its name on both sides.
    pub name: Domain,
    /// The algorithm that it signs with.
    pub algorithm: TsigAlgorithm,
    /// The key, in base64.
    pub secret: Confidential,
}

/// The algorithms that sign a message (RFC 8945 §6), without those that must not be used any more.
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
