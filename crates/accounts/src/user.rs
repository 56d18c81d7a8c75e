use std::fmt;
use std::path::{Path, PathBuf};

use address::{Address, Domain, LocalPart};

/// A user of this host, with a mailbox and a login.
///
/// The name is folded to lower case, since case does not matter here (RFC 5321 §2.4 leaves it to the receiving
/// host), and it is always a valid name for the folder of the user's mail.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct User {
    domain: Domain,
    name: LocalPart,
}

/// The reason why an address cannot be a user's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// It ends in an address literal.
    #[error("{0} has an IP address where a domain is needed")]
    NoDomain(Address),
    /// It cannot name a folder of its own.
    #[error(
        "{0}: a user's name becomes a folder, so it may not begin with a dot, nor contain a slash, a \
         backslash, a quote or a control character, and it has at most 64 octets"
    )]
    NotAFolder(Address),
}

impl User {
    /// RFC 5321 §4.5.3.1.1; longer local parts are accepted from others, but not created here.
    const MAX_NAME: usize = 64;

    /// The user with this address.
    pub fn new(address: &Address) -> Result<Self, UserError> {
        let domain = address.domain().ok_or_else(|| UserError::NoDomain(address.clone()))?;
        let folded = address.local.to_lower_case();
        let is_folder = !folded.is_empty()
            && folded.len() <= Self::MAX_NAME
            && !folded.starts_with('.')
            && !folded.contains(|c: char| c.is_control() || matches!(c, '/' | '\\' | '"'));
        let name = is_folder
            .then(|| LocalPart::parse(&folded).or_else(|_| LocalPart::parse(&format!("\"{folded}\""))).ok())
            .flatten()
            .ok_or_else(|| UserError::NotAFolder(address.clone()))?;
        Ok(Self { domain: domain.clone(), name })
    }

    /// The user's address.
    pub fn address(&self) -> Address {
        Address::new(self.name.clone(), self.domain.clone())
    }

    /// The domain.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The name within the domain, in lower case.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The user's folder below `mail`: `mail/example.org/ann`. The Maildir is `Maildir` within it.
    pub fn folder(&self, mail: &Path) -> PathBuf {
        mail.join(self.domain.as_str()).join(self.name.as_str())
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.domain)
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{self}>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> Result<User, UserError> {
        User::new(&Address::parse(text).unwrap())
    }

    #[test]
    fn a_user_name_ignores_case_and_names_a_folder() {
        let ann = user("Ann@Example.ORG").unwrap();
        assert_eq!(ann, user("ann@example.org").unwrap());
        assert_eq!(ann.folder(Path::new("/data/mail")), Path::new("/data/mail/example.org/ann"));
        assert_eq!(user("\"ann smith\"@example.org").unwrap().to_string(), "\"ann smith\"@example.org");
    }

    #[test]
    fn no_name_escapes_its_folder() {
        for bad in [
            "a/b@example.org",
            "\"..\"@example.org",
            "\".\"@example.org",
            "\"../x\"@example.org",
            "\"/etc\"@example.org",
            "\"\"@example.org",
            "\"a\\\\b\"@example.org",
            "ann@[192.0.2.1]",
            &format!("{}@example.org", "a".repeat(65)),
        ] {
            assert!(user(bad).is_err(), "{bad} was accepted");
        }
    }
}
