use std::fmt;

use crate::{Address, AddressError, LocalPart, serde_as_text};

/// The address to which failures are reported: `Reverse-path = Path / "<>"` (RFC 5321 §4.1.2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReversePath {
    /// `<>`: no address. Reports of failures have it, so that they never cause another (RFC 5321 §4.5.5).
    Null,
    /// A mailbox.
    Address(Address),
}

/// The recipient of a message: `Forward-path = Path`, or the bare `<Postmaster>` (RFC 5321 §4.1.1.3).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ForwardPath {
    /// `<Postmaster>` in any case, without a domain: the postmaster of this host.
    Postmaster,
    /// A mailbox.
    Address(Address),
}

/// The reason why a text is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The angle brackets are missing.
    #[error("{0:?} is not in angle brackets")]
    NoBrackets(String),
    /// A source route without its colon.
    #[error("{0:?} begins with a source route without its colon")]
    BadRoute(String),
    /// The text in the brackets is not an address.
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl ReversePath {
    /// Reads `<ann@example.org>` or `<>`; the brackets are required.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        match within_brackets(text)? {
            "" => Ok(Self::Null),
            inner => Ok(Self::Address(mailbox(without_route(inner)?)?)),
        }
    }

    /// The mailbox, unless the path is null.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Null => None,
            Self::Address(address) => Some(address),
        }
    }
}

impl ForwardPath {
    /// Reads `<ann@example.org>` or `<Postmaster>`; the brackets are required.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let inner = without_route(within_brackets(text)?)?;
        if inner.eq_ignore_ascii_case("postmaster") {
            return Ok(Self::Postmaster);
        }
        Ok(Self::Address(mailbox(inner)?))
    }

    /// The mailbox, unless it is the bare postmaster.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Postmaster => None,
            Self::Address(address) => Some(address),
        }
    }
}

/// `Path = "<" [ A-d-l ":" ] Mailbox ">"`, without the brackets.
fn within_brackets(text: &str) -> Result<&str, PathError> {
    text.strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
        .ok_or_else(|| PathError::NoBrackets(text.to_owned()))
}

/// The text after a source route `@a,@b:`, which is accepted and ignored (RFC 5321 §3.6.1, appendix C).
fn without_route(inner: &str) -> Result<&str, PathError> {
    if !inner.starts_with('@') {
        return Ok(inner);
    }
    inner.split_once(':').map(|(_, mailbox)| mailbox).ok_or_else(|| PathError::BadRoute(inner.to_owned()))
}

fn mailbox(text: &str) -> Result<Address, AddressError> {
    Address::parse(text).or_else(|error| quirk_dots_anywhere(text).ok_or(error))
}

/// Two large Japanese providers issued addresses such as `a..b` and `a.` for years, and write them without the quotes
/// that RFC 5321 §4.1.2 requires. They are unambiguous. We write them with quotes, which is correct everywhere.
fn quirk_dots_anywhere(text: &str) -> Option<Address> {
    let (local, host) = text.rsplit_once('@')?;
    let atoms: Vec<_> = local.split('.').filter(|atom| !atom.is_empty()).collect();
    let plain = !local.contains('"') && LocalPart::parse(&atoms.join(".")).is_ok();
    plain.then(|| Address::parse(&format!("\"{local}\"@{host}")).ok()).flatten()
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("<>"),
            Self::Address(address) => write!(f, "<{address}>"),
        }
    }
}

impl fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postmaster => f.write_str("<postmaster>"),
            Self::Address(address) => write!(f, "<{address}>"),
        }
    }
}

serde_as_text!(ReversePath);
serde_as_text!(ForwardPath);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reverse_path_may_be_null_and_a_forward_path_may_not() {
        assert_eq!(ReversePath::parse("<>"), Ok(ReversePath::Null));
        assert!(ForwardPath::parse("<>").is_err());
    }

    #[test]
    fn the_postmaster_needs_no_domain_and_has_no_case() {
        assert_eq!(ForwardPath::parse("<PostMaster>"), Ok(ForwardPath::Postmaster));
        assert!(ReversePath::parse("<postmaster>").is_err());
    }

    #[test]
    fn a_source_route_is_ignored() {
        let path = ForwardPath::parse("<@a.example,@b.example:ann@example.org>").unwrap();
        assert_eq!(path.to_string(), "<ann@example.org>");
        assert!(ForwardPath::parse("<@a.example>").is_err());
    }

    #[test]
    fn dots_are_accepted_anywhere_in_a_local_part() {
        for (given, written) in [
            ("<a..b@example.org>", "<\"a..b\"@example.org>"),
            ("<a.@example.org>", "<\"a.\"@example.org>"),
            ("<.a@example.org>", "<\".a\"@example.org>"),
        ] {
            let path = ReversePath::parse(given).unwrap();
            assert_eq!(path.to_string(), written);
            assert_eq!(ReversePath::parse(written), Ok(path));
        }
        for bad in [
            "<..@example.org>",
            "<a..b\"@example.org>",
            "<a.. b@example.org>",
            "<a..b@c@example.org>",
            "<a..b>",
        ] {
            assert!(ForwardPath::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn brackets_are_required() {
        for bad in ["ann@example.org", "<ann@example.org", "ann@example.org>", "", "<<ann@example.org>>"] {
            assert!(ForwardPath::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
