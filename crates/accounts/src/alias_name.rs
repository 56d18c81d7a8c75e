use std::fmt;

use address::{Address, Domain};

/// What an alias is asked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AliasName {
    /// One address.
    Address(Address),
    /// Whatever is for nobody else in a domain, written `@example.org`.
    Rest(Domain),
}

/// Why a text is not the name of an alias.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor an @ and a domain")]
pub struct AliasNameError(String);

impl AliasName {
    /// Reads an address, or `@domain`.
    pub fn parse(text: &str) -> Result<Self, AliasNameError> {
        let name = match text.strip_prefix('@') {
            Some(domain) => Domain::parse(domain).ok().map(Self::Rest),
            None => Address::parse(text).ok().map(Self::Address),
        };
        name.ok_or_else(|| AliasNameError(text.to_owned()))
    }

    /// The domain, where it has one.
    pub fn domain(&self) -> Option<&Domain> {
        match self {
            Self::Address(address) => address.domain(),
            Self::Rest(domain) => Some(domain),
        }
    }

    /// Whether it is this address; case does not matter.
    pub fn is_address(&self, address: &Address) -> bool {
        match self {
            Self::Address(own) => own.host == address.host && own.local.folded() == address.local.folded(),
            Self::Rest(_) => false,
        }
    }

    /// Whether both mean the same mail; case does not matter.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Rest(one), Self::Rest(two)) => one == two,
            (one, Self::Address(address)) => one.is_address(address),
            (Self::Address(_), Self::Rest(_)) => false,
        }
    }
}

impl fmt::Display for AliasName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Rest(domain) => write!(f, "@{domain}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_an_address_or_a_whole_domain() {
        for text in ["info@example.org", "@example.org"] {
            assert_eq!(AliasName::parse(text).unwrap().to_string(), text);
        }
        for bad in ["", "@", "info", "@exa mple.org", "@@example.org"] {
            assert!(AliasName::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn case_does_not_matter_and_a_domain_is_no_address() {
        let name = |text: &str| AliasName::parse(text).unwrap();
        assert!(name("Info@Example.org").is_same(&name("info@example.ORG")));
        assert!(!name("@example.org").is_same(&name("info@example.org")));
        assert!(!name("info@example.org").is_same(&name("@example.org")));
        assert!(name("@example.org").is_same(&name("@Example.org")));
    }
}
