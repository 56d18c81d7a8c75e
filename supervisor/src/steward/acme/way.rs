//! By which way a name may be proved.

use handover::config;

/// How a name is proved to be ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(in crate::steward) enum Way {
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

impl Way {
    /// All, in the order in which `auto` prefers them.
    pub(super) const ALL: [Self; 3] = [Self::Http, Self::TlsAlpn, Self::Dns];

    /// As the RFCs call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Http => "http-01",
            Self::TlsAlpn => "tls-alpn-01",
            Self::Dns => "dns-01",
        }
    }

    /// Whether the settings allow it.
    pub(super) fn is_chosen(self, challenge: config::Challenge) -> bool {
        match challenge {
            config::Challenge::Auto => true,
            config::Challenge::Http01 => self == Self::Http,
            config::Challenge::TlsAlpn01 => self == Self::TlsAlpn,
            config::Challenge::Dns01 => self == Self::Dns,
        }
    }
}
