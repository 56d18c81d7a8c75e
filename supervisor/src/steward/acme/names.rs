//! Which names a certificate is wanted for, and by which way each may be proved.

use address::Domain;
use handover::config;

use crate::mta_sts;
use crate::steward::web::{AUTOCONFIG, AUTODISCOVER};

/// Authorities take a hundred names into one certificate (Let's Encrypt's limit, and that of most).
const MOST: usize = 100;

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

/// The names, the host's own first, then those under which the web's pages of each domain are asked for.
pub(super) fn wanted(web: &config::Web) -> Vec<String> {
    let mut names = vec![web.hostname.to_string()];
    let labels = [mta_sts::LABEL, AUTOCONFIG, AUTODISCOVER];
    let pages = web.domains.iter().flat_map(|domain| labels.map(|label| domain.with_prefix(label)));
    // A domain so long that nothing fits in front of it has no such pages.
    for name in pages.filter_map(Result::ok).map(|name: Domain| name.to_string()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.truncate(MOST);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_comes_first_and_each_domain_has_three_more() {
        let domain = |name: &str| Domain::parse(name).unwrap();
        let web = |domains| config::Web {
            hostname: domain("mail.example.org"),
            domains,
            listen: config::WebListen::default(),
        };
        assert_eq!(
            wanted(&web(vec![domain("example.org")])),
            ["mail.example.org", "mta-sts.example.org", "autoconfig.example.org", "autodiscover.example.org"]
        );
        let many = (0..60).map(|n| domain(&format!("d{n}.example"))).collect();
        assert_eq!(wanted(&web(many)).len(), MOST);
    }
}
