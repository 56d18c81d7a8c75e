//! The challenge types by which a name can be proved.

use handover::config;

/// A challenge type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(in crate::steward) enum ChallengeKind {
    /// A page on port 80 (RFC 8555 §8.3).
    #[serde(rename = "http-01")]
    Http,
    /// A certificate on port 443 (RFC 8737).
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn,
    /// A record in DNS (RFC 8555 §8.4).
    #[serde(rename = "dns-01")]
    Dns,
}

impl ChallengeKind {
    /// All challenge types, in the order that `auto` prefers.
    pub(super) const ALL: [Self; 3] = [Self::Http, Self::TlsAlpn, Self::Dns];

    /// The name in the RFCs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Http => "http-01",
            Self::TlsAlpn => "tls-alpn-01",
            Self::Dns => "dns-01",
        }
    }

    /// Returns true if the settings allow this challenge type.
    pub(super) fn is_allowed(self, challenge: config::Challenge) -> bool {
        match challenge {
            config::Challenge::Auto => true,
            config::Challenge::Http01 => self == Self::Http,
            config::Challenge::TlsAlpn01 => self == Self::TlsAlpn,
            config::Challenge::Dns01 => self == Self::Dns,
        }
    }
}
