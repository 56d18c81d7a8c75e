//! A secret as a person enters it: a hash made by another program, or a chosen password.

use std::fmt;

use sasl::{Password, PasswordError};

use crate::{Secret, SecretError};

/// A declared or typed secret.
#[derive(Debug, Clone)]
pub enum DeclaredSecret {
    /// A hash, which is stored as it is.
    Hash(Secret),
    /// A password, of which only the hash is stored.
    Plain(ChosenPassword),
}

/// A password that may be set: long enough, and without control characters.
///
/// A password that is only compared is a [`Password`]: those that were set before this rule keep working.
#[derive(Clone)]
pub struct ChosenPassword(Password);

/// The length of the shortest password that may be set. Guessing is slowed down, but not stopped: NIST SP 800-63B names
/// eight characters as the minimum for a password that a person chooses.
pub const MIN_PASSWORD: usize = 8;

/// The reason why a password cannot be set. The password itself is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChosenPasswordError {
    /// It is empty, too long, or contains a NUL.
    #[error(transparent)]
    Unusable(#[from] PasswordError),
    /// Too short to withstand guessing.
    #[error("the password has {}; at least {MIN_PASSWORD} are needed", characters(*.0))]
    TooShort(usize),
    /// It contains a tab, an escape sequence or a line end by mistake: no login form accepts it (RFC 8265 §4.2.1).
    #[error(
        "the password contains a control character, such as a tab or the end of a line, which no client can type"
    )]
    Control,
}

/// The reason why a text cannot be set as a secret. The text itself is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeclaredSecretError {
    /// It looks like a hash and cannot be used.
    #[error(transparent)]
    Hash(#[from] SecretError),
    /// It is a password and cannot be used.
    #[error(transparent)]
    Password(#[from] ChosenPasswordError),
}

fn characters(count: usize) -> String {
    if count == 1 { "1 character".to_owned() } else { format!("{count} characters") }
}

impl ChosenPassword {
    /// Checks the octets of a password. Its characters are counted as RFC 8265 prepares them, so that an accent counts
    /// with its letter, however it is encoded.
    pub fn new(octets: impl Into<Vec<u8>>) -> Result<Self, ChosenPasswordError> {
        let password = Password::new(octets)?;
        let prepared = password.prepared();
        let text = String::from_utf8_lossy(prepared.octets());
        if text.contains(char::is_control) {
            return Err(ChosenPasswordError::Control);
        }
        match text.chars().count() {
            count if count < MIN_PASSWORD => Err(ChosenPasswordError::TooShort(count)),
            _ => Ok(Self(password)),
        }
    }

    /// The password, to be hashed or compared.
    pub fn password(&self) -> &Password {
        &self.0
    }
}

impl fmt::Debug for ChosenPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChosenPassword(…)")
    }
}

impl DeclaredSecret {
    /// Reads a secret. A text that names a scheme is a hash, also between blanks; a text after `{PLAIN}` is always a
    /// password.
    pub fn parse(text: &str) -> Result<Self, DeclaredSecretError> {
        for plain in ["{PLAIN}", "{CLEAR}", "{CLEARTEXT}"] {
            if let Some(password) = text.strip_prefix(plain) {
                return Ok(Self::Plain(ChosenPassword::new(password)?));
            }
        }
        if Secret::looks_like(text) {
            return Ok(Self::Hash(Secret::parse(text.trim())?));
        }
        Ok(Self::Plain(ChosenPassword::new(text)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_characters_are_enough_in_any_encoding() {
        let refused = |count| ChosenPasswordError::TooShort(count);
        assert!(ChosenPassword::new("äöüßäöüß").is_ok());
        assert_eq!(ChosenPassword::new("äöüßäöü").unwrap_err(), refused(7));
        // Decomposed, seven letters have fourteen characters.
        assert_eq!(ChosenPassword::new("e\u{301}".repeat(7)).unwrap_err(), refused(7));
        assert_eq!(ChosenPassword::new(&b"\xff\xff"[..]).unwrap_err(), refused(2));
        assert!(refused(1).to_string().contains("has 1 character;"));
    }

    #[test]
    fn a_control_character_cannot_be_set() {
        for password in [
            "correct\thorse",
            "correct-horse\r",
            "\u{1b}[200~correct",
            "correct horse\u{85}",
            "\u{7f}1234567",
        ] {
            assert_eq!(
                ChosenPassword::new(password).unwrap_err(),
                ChosenPasswordError::Control,
                "{password:?}"
            );
        }
        assert_eq!(ChosenPassword::new("\0").unwrap_err(), ChosenPasswordError::Unusable(PasswordError::Nul));
    }

    #[test]
    fn the_plain_prefix_marks_a_password_and_keeps_its_minimum_length() {
        let plain = |text: &str| match DeclaredSecret::parse(text) {
            Ok(DeclaredSecret::Plain(password)) => {
                String::from_utf8(password.password().octets().to_vec()).ok()
            }
            _ => None,
        };
        assert_eq!(plain("{PLAIN}$6$salt$hash").as_deref(), Some("$6$salt$hash"));
        assert_eq!(plain("{CLEARTEXT}{CRYPT}x"), Some("{CRYPT}x".to_owned()));
        assert_eq!(plain("{PLAIN}short"), None);
        assert_eq!(
            plain(" correct horse "),
            Some(" correct horse ".to_owned()),
            "blanks count in a password"
        );
    }

    #[test]
    fn a_password_is_never_shown() {
        let shown = format!("{:?}", DeclaredSecret::parse("correct horse").unwrap());
        assert!(!shown.contains("horse"), "{shown}");
    }
}
