//! A host and a port on it, as the operator writes them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use address::{Domain, Host};

/// A host and a port on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAndPort {
    /// A name or an address.
    pub host: Host,
    /// The port, not 0.
    pub port: u16,
}

impl HostAndPort {
    /// Parses `host:port`; an IPv6 address is in brackets.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.trim().rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port != 0)?;
        let host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(v6) => Host::Literal(IpAddr::V6(v6.parse().ok()?)),
            None => match host.parse::<IpAddr>() {
                // Without brackets the port is indistinguishable from the last group.
                Ok(IpAddr::V6(_)) => return None,
                Ok(v4) => Host::Literal(v4),
                Err(_) => Host::Domain(name(host)?),
            },
        };
        Some(Self { host, port })
    }

    /// Parses `host` or `host:port`.
    pub(super) fn parse_with(text: &str, port: u16) -> Option<Self> {
        let text = text.trim();
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return Some(Self { host: Host::Literal(ip), port });
        }
        match text.contains(':') {
            true => Self::parse(text),
            false => Some(Self { host: Host::Domain(name(text)?), port }),
        }
    }
}

/// Rejects an IPv4 address with a dot at its end, though its labels would be valid.
fn name(text: &str) -> Option<Domain> {
    Domain::parse(text).ok().filter(|name| name.as_str().parse::<IpAddr>().is_err())
}

impl fmt::Display for HostAndPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Domain(name) => write!(f, "{name}:{}", self.port),
            Host::Literal(ip) => write!(f, "{}", SocketAddr::from((*ip, self.port))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_or_an_address_has_a_port() {
        for (typed, read) in [
            ("127.0.0.1:2525", Some("127.0.0.1:2525")),
            ("[2001:db8::1]:25", Some("[2001:db8::1]:25")),
            ("Smarthost.example.net:587", Some("smarthost.example.net:587")),
            ("localhost:25", Some("localhost:25")),
            ("2001:db8::1:25", None),
            ("192.0.2.7.:25", None),
            ("smarthost:0", None),
            ("smarthost", None),
            (":25", None),
        ] {
            assert_eq!(HostAndPort::parse(typed).map(|read| read.to_string()).as_deref(), read, "{typed}");
        }
    }

    #[test]
    fn the_port_may_be_left_out() {
        for (typed, read) in [
            ("mx.example.net", Some("mx.example.net:25")),
            ("mx.example.net:2525", Some("mx.example.net:2525")),
            ("192.0.2.1", Some("192.0.2.1:25")),
            ("192.0.2.1:2525", Some("192.0.2.1:2525")),
            ("[2001:db8::1]", Some("[2001:db8::1]:25")),
            ("[2001:db8::1]:2525", Some("[2001:db8::1]:2525")),
            ("2001:db8::1", Some("[2001:db8::1]:25")),
            ("mx.example.net:", None),
            ("mx.example.net:0", None),
            ("mx.example.net:smtp", None),
            ("", None),
            ("a b", None),
        ] {
            let parsed = HostAndPort::parse_with(typed, 25).map(|read| read.to_string());
            assert_eq!(parsed.as_deref(), read, "{typed}");
        }
    }
}
