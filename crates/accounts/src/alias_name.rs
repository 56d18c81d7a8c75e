use std::fmt;

use address::{Address, Domain, Host};

use crate::User;

/// The address or domain that an alias matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AliasName {
    /// One address.
    Address(Address),
    /// All other addresses of a domain, written `@example.org`.
    CatchAll(Domain),
}

/// The error for a text that is not an alias name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be an alias: give an address, or @ and a domain")]
pub struct AliasNameError(String);

impl AliasName {
    /// Reads an address, or `@domain`.
    pub fn parse(text: &str) -> Result<Self, AliasNameError> {
        let name = match text.strip_prefix('@') {
            Some(domain) => Domain::parse(domain).ok().map(Self::CatchAll),
            None => Address::parse(text).ok().map(Self::Address),
        };
        name.ok_or_else(|| AliasNameError(text.to_owned()))
    }

    /// The domain, if the name has one.
    pub fn domain(&self) -> Option<&Domain> {
        match self {
            Self::Address(address) => address.domain(),
            Self::CatchAll(domain) => Some(domain),
        }
    }

    /// The key by which the name is compared and looked up.
    pub fn key(&self) -> AliasKey {
        match self {
            Self::Address(address) => AliasKey::from(address),
            Self::CatchAll(domain) => AliasKey { host: Host::Domain(domain.clone()), local: None },
        }
    }

    /// True for this address, ignoring case.
    pub fn is_address(&self, address: &Address) -> bool {
        self.key() == AliasKey::from(address)
    }

    /// True when both match the same mail, ignoring case.
    pub fn is_same(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

/// The key of an alias, an address or a user, with its case folded, for lookups among tens of thousands of aliases.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AliasKey {
    host: Host,
    /// `None` for all other addresses of the domain.
    local: Option<String>,
}

impl From<&Address> for AliasKey {
    fn from(address: &Address) -> Self {
        Self { host: address.host.clone(), local: Some(address.local.to_lower_case()) }
    }
}

impl From<&User> for AliasKey {
    fn from(user: &User) -> Self {
        Self { host: Host::Domain(user.domain().clone()), local: Some(user.name().to_owned()) }
    }
}

impl fmt::Display for AliasName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::CatchAll(domain) => write!(f, "@{domain}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_an_address_or_a_catch_all() {
        for text in ["info@example.org", "@example.org"] {
            assert_eq!(AliasName::parse(text).unwrap().to_string(), text);
        }
        for bad in ["", "@", "info", "@exa mple.org", "@@example.org"] {
            assert!(AliasName::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn comparison_ignores_case_and_keeps_catch_alls_apart() {
        let name = |text: &str| AliasName::parse(text).unwrap();
        assert!(name("Info@Example.org").is_same(&name("info@example.ORG")));
        assert!(!name("@example.org").is_same(&name("info@example.org")));
        assert!(!name("info@example.org").is_same(&name("@example.org")));
        assert!(name("@example.org").is_same(&name("@Example.org")));
    }
}
