use std::path::PathBuf;

use address::Address;
use serde::{Deserialize, Serialize};

use crate::Confidential;

/// The authority that certificates are asked of, and how (RFC 8555).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acme {
    /// Its directory's address, `https://…`.
    pub directory: String,
    /// A file with the certificate, in PEM, that its web server is trusted by, besides those that everybody trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Whom it writes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Address>,
    /// How the names are proved to be ours.
    #[serde(default)]
    pub challenge: Challenge,
    /// The customer's account that ours is bound to (RFC 8555 §7.3.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_binding: Option<AccountBinding>,
}

/// How a name is proved to be ours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Challenge {
    /// By whichever way works.
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

/// An account at the authority that was made before, and the key that proves that it is ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountBinding {
    /// What the authority calls the key.
    pub key_id: String,
    /// The key for HMAC, in base64url without padding.
    pub key: Confidential,
}
