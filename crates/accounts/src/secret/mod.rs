//! Password hashes in the schemes that Dovecot, OpenSMTPD and crypt write.

mod argon2id;
mod scheme;
mod verify;

use std::fmt;

use crate::Password;
pub(crate) use scheme::Scheme;
pub use scheme::SecretError;

/// A password's hash.
///
/// Stored as it was written, without Dovecot's `{SCHEME}` prefix where it is not needed: `$argon2id$v=19$m=…`. Its
/// costs are checked to be bearable, so that verifying can neither take minutes nor use up the memory.
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

    /// Hashes the prepared form of a password ([`Password::prepared`]) with Argon2id and a new salt. Needs 19 MiB and
    /// tens of milliseconds.
    pub fn hash(password: &Password) -> Self {
        let text = argon2id::hash(&password.prepared());
        Self::parse(&text).expect("our own hashes are within our own limits")
    }

    /// True if the text looks like a hash and not like a password: it names a scheme, supported or not.
    pub fn looks_like(text: &str) -> bool {
        scheme::looks_like_hash(text)
    }

    /// The beginning of a complete hash in the scheme that a text names or is a part of, such as `$6$…`. It is safe to
    /// show, since it contains nothing else of the text.
    pub fn shape(text: &str) -> String {
        scheme::shape(text)
    }

    /// True if this is the hash of that password in one of its forms ([`Password::forms`]). Computes one hash for a
    /// password of ASCII and two at most. Blocks for as long as the scheme needs, which does not depend on how much of
    /// the password is correct.
    pub fn verifies(&self, password: &Password) -> bool {
        password.forms().any(|form| verify::verify(self.scheme, &self.text, &form))
    }

    /// The hash as it is in the file.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The memory that one check needs, in MiB, rounded up.
    pub(crate) fn memory(&self) -> u32 {
        self.scheme.memory()
    }
}

/// Prints the scheme alone: a hash can be guessed at offline, so it does not belong in a log.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({:?})", self.scheme)
    }
}

#[cfg(test)]
mod tests;
