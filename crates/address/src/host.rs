use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Domain, DomainError, serde_as_text};

/// The part after the `@`, or a client's name in HELO: a domain or an address literal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A domain name.
    Domain(Domain),
    /// An address literal (RFC 5321 §4.1.3), written `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
    Literal(IpAddr),
}

/// The reason why a text is neither a domain name nor an address literal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// It is not a domain name.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// The text in brackets is not an IP address.
    #[error("{0:?} is not an address literal such as [192.0.2.1] or [IPv6:2001:db8::1] (RFC 5321 §4.1.3)")]
    BadLiteral(String),
}

impl Host {
    /// Reads `Domain / address-literal` (RFC 5321 §4.1.2, §4.1.3).
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let Some(inner) = text.strip_prefix('[') else {
            return Ok(Self::Domain(Domain::parse(text)?));
        };
        inner
            .strip_suffix(']')
            .and_then(parse_literal)
            .map(Self::Literal)
            .ok_or_else(|| HostError::BadLiteral(text.to_owned()))
    }

    /// The domain, if it is one.
    pub fn domain(&self) -> Option<&Domain> {
        match self {
            Self::Domain(domain) => Some(domain),
            Self::Literal(_) => None,
        }
    }
}

/// `IPv4-address-literal / IPv6-address-literal`, without the brackets.
fn parse_literal(inner: &str) -> Option<IpAddr> {
    const TAG: &str = "IPv6:";
    match inner.split_at_checked(TAG.len()) {
        Some((tag, address)) if tag.eq_ignore_ascii_case(TAG) => {
            address.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
        }
        _ => inner.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => domain.fmt(f),
            Self::Literal(IpAddr::V4(address)) => write!(f, "[{address}]"),
            Self::Literal(IpAddr::V6(address)) => write!(f, "[IPv6:{address}]"),
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl From<Domain> for Host {
    fn from(domain: Domain) -> Self {
        Self::Domain(domain)
    }
}

serde_as_text!(Host);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_written_as_they_are_read() {
        for text in ["[192.0.2.1]", "[IPv6:2001:db8::1]", "example.org"] {
            assert_eq!(Host::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Host::parse("[ipv6:::1]").unwrap().to_string(), "[IPv6:::1]");
    }

    #[test]
    fn brackets_around_anything_else_are_refused() {
        for bad in
            ["[]", "[example.org]", "[1.2.3]", "[2001:db8::1]", "[IPv6:1.2.3.4]", "[192.0.2.1", "192.0.2.1]"]
        {
            assert!(Host::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
