use std::path::PathBuf;

use address::Address;
use serde::{Deserialize, Serialize};

use crate::Confidential;

/// The authority that issues certificates, and its settings (RFC 8555).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acme {
    /// Its directory's address, `https://…`.
    pub directory: String,
    /// A file with the CA certificate, in PEM, that its web server is verified with besides the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// The address that it writes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Address>,
    /// The way in which we prove control of the names.
    #[serde(default)]
    pub challenge: Challenge,
    /// The customer's account that ours is bound to (RFC 8555 §7.3.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_binding: Option<AccountBinding>,
}

/// The challenge type with which we prove control of a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Challenge {
    /// The first type that works.
    #[default]
    Auto,
    /// By a page on port 80 (RFC 8555 §8.3).
    #[serde(rename = "http-01")]
    Http01,
    /// By a certificate on port 443 (RFC 8737).
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn01,
    /// By a record in DNS (RFC 8555 §8.4).
    #[serde(rename = "dns-01")]
    Dns01,
}

/// An existing account at the authority, and the key that proves that it is ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountBinding {
    /// The authority's name for the key.
    pub key_id: String,
    /// The key for HMAC, in base64url without padding.
    pub key: Confidential,
}
