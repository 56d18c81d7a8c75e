use std::fmt;

use zeroize::Zeroizing;

/// A password in clear, for as short a time as possible: wiped when dropped, never shown by `Debug`.
///
/// Passwords are compared as the octets that the client sent; no Unicode preparation is applied
/// (RFC 4616 §2 recommends SASLprep; the hashes that are brought along were made without).
#[derive(Clone)]
pub struct Password(Zeroizing<Vec<u8>>);

/// Why octets are not a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Nothing was given. An empty password is always a mistake, and never right.
    #[error("the password is empty")]
    Empty,
    /// Longer than anything a person types or a program makes.
    #[error("the password has {0} octets; at most {max} are accepted", max = Password::LONGEST)]
    TooLong(usize),
    /// A NUL, at which the C implementations of crypt end the password (RFC 4616 §2 forbids it too).
    #[error("the password contains a NUL")]
    Nul,
}

impl Password {
    /// RFC 4616 §5 leaves the limit open; the work of SHA-crypt grows with the square of the length.
    pub const LONGEST: usize = 1024;

    /// Takes the octets of a password.
    pub fn new(octets: impl Into<Vec<u8>>) -> Result<Self, PasswordError> {
        let octets = Zeroizing::new(octets.into());
        match octets.len() {
            0 => Err(PasswordError::Empty),
            length if length > Self::LONGEST => Err(PasswordError::TooLong(length)),
            _ if octets.contains(&0) => Err(PasswordError::Nul),
            _ => Ok(Self(octets)),
        }
    }

    /// The octets, for whoever hashes or sends them, and for nothing else.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let password = Password::new("correct horse").unwrap();
        assert!(!format!("{password:?} {password:#?}").contains("horse"));
    }

    #[test]
    fn empty_endless_and_nul_are_no_passwords() {
        assert_eq!(Password::new("").unwrap_err(), PasswordError::Empty);
        assert_eq!(Password::new("a\0b").unwrap_err(), PasswordError::Nul);
        assert_eq!(Password::new(vec![b'a'; 1025]).unwrap_err(), PasswordError::TooLong(1025));
        assert!(Password::new(vec![b'a'; 1024]).is_ok());
    }
}
