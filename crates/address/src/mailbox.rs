use std::fmt;

use crate::{Domain, Host, HostError, LocalPart, LocalPartError, serde_as_text};

/// `Mailbox = Local-part "@" ( Domain / address-literal )` (RFC 5321 §4.1.2).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The part before the `@`.
    pub local: LocalPart,
    /// The part after it.
    pub host: Host,
}

/// The reason why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no `@` outside of quotes.
    #[error("{0:?} has no @ between a name and a domain")]
    NoAt(String),
    /// The part before the `@` is malformed.
    #[error(transparent)]
    Local(#[from] LocalPartError),
    /// The part after the `@` is malformed.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl Address {
    /// Reads `ann@example.org`, without angle brackets, display name or comments.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        // Only a quoted local part may contain an `@`, so the last one is the separator.
        let (local, host) = text.rsplit_once('@').ok_or_else(|| AddressError::NoAt(text.to_owned()))?;
        Ok(Self { local: LocalPart::parse(local)?, host: Host::parse(host)? })
    }

    /// The address with this local part and domain.
    pub fn new(local: LocalPart, domain: Domain) -> Self {
        Self { local, host: Host::Domain(domain) }
    }

    /// The domain, unless the address ends in an address literal.
    pub fn domain(&self) -> Option<&Domain> {
        self.host.domain()
    }

    /// True if a path can contain the address without SMTPUTF8 (RFC 6531 §3.2). This depends on the local part alone:
    /// domains are held as A-labels.
    pub fn is_ascii(&self) -> bool {
        self.local.as_str().is_ascii()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.host)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{self}>")
    }
}

impl std::str::FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

serde_as_text!(Address);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_they_are_read() {
        for text in ["ann@example.org", "\"a@b\"@example.org", "ann@[192.0.2.1]", "ann+x@[IPv6:2001:db8::1]"]
        {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_domain_is_folded_and_the_local_part_is_not() {
        assert_eq!(Address::parse("Ann@EXAMPLE.org").unwrap().to_string(), "Ann@example.org");
    }

    #[test]
    fn malformed_addresses_are_refused() {
        for bad in [
            "",
            "ann",
            "@example.org",
            "ann@",
            "a@b@example.org",
            "ann@exa mple",
            "<ann@example.org>",
            "a\r\n@b",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
