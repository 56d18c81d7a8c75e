//! What a password is checked against: a hash in one of the schemes that Dovecot, OpenSMTPD and crypt write.

mod argon2id;
mod scheme;
mod verify;

use std::fmt;

use crate::Password;
pub(crate) use scheme::Scheme;
pub use scheme::SecretError;

/// A password's hash.
///
/// Held as it was written, without Dovecot's `{SCHEME}` in front where it can do without: `$argon2id$v=19$m=…`. Its costs are known to
/// be bearable, so that checking it can neither take minutes nor all of the memory.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: Box<str>,
    scheme: Scheme,
}

impl Secret {
    /// Reads a hash: `{ARGON2ID}$argon2id$…`, `$6$…`, `{BLF-CRYPT}$2y$…` and so on.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let (scheme, text) = scheme::read(text)?;
        Ok(Self { text: text.into(), scheme })
    }

    /// Hashes the prepared form of a password ([`Password::prepared`]) with Argon2id and a fresh salt. Takes 19 MiB and
    /// tens of milliseconds.
    pub fn hash(password: &Password) -> Self {
        let text = argon2id::hash(&password.prepared());
        Self::parse(&text).expect("our own hashes are within our own limits")
    }

    /// Whether the text is meant as a hash and not as a password: it names a scheme, known or not.
    pub fn looks_like(text: &str) -> bool {
        scheme::looks_like_hash(text)
    }

    /// How a whole hash begins in the scheme that a text names or is a part of, such as `$6$…`: to be shown, since nothing
    /// else of the text is in it.
    pub fn shape(text: &str) -> String {
        scheme::shape(text)
    }

    /// Whether this is the hash of that password in one of its forms ([`Password::forms`]). Computes one hash for a
    /// password of ASCII and two at most. Blocks for as long as the scheme wants, which does not depend on how much of
    /// the password is right.
    pub fn verifies(&self, password: &Password) -> bool {
        password.forms().any(|form| verify::verify(self.scheme, &self.text, &form))
    }

    /// The hash as it stands in the file.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The memory that one check takes, in MiB, rounded up.
    pub(crate) fn memory(&self) -> u32 {
        self.scheme.memory()
    }
}

/// The scheme alone: a hash can be guessed at offline, so it does not belong into a log.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({:?})", self.scheme)
    }
}

#[cfg(test)]
mod tests;
