//! Generated passwords for devices, one for each, so that a lost telephone costs one password and not all.
//!
//! ```text
//! k7mq-x3fp-9dwn-t2hc-b6vr      selector and secret, twenty characters of five bits
//! └──┘ └─────────────────┘
//! ```
//!
//! The selector is stored in clear and identifies one of the user's app passwords, so a login costs one hash
//! however many devices there are. The other sixteen characters, 80 bits, are random, and the file stores only the
//! hash of the whole. Hyphens, spaces and case are ignored, since people type the password from a screen.

use std::fmt;

use zeroize::Zeroizing;

use crate::generated_password::{self, ALPHABET, GROUP};
use crate::{Password, Secret};

/// The number of characters of the selector and of the secret part.
const SELECTOR: usize = GROUP;
const LENGTH: usize = SELECTOR + 16;

/// An app password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppPassword {
    /// The name that the user gave the device.
    pub name: AppName,
    /// The first characters, by which it is looked up.
    pub selector: Selector,
    /// The hash that it is checked against.
    pub secret: Secret,
    /// The time of its creation, as RFC 3339 writes it.
    pub created: String,
}

/// The name of a device: `telephone`, `Ann's laptop`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppName(String);

/// The error for a text that is not a device name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot name an app password: use 1 to 64 characters and no control characters")]
pub struct AppNameError(pub String);

/// The first characters of an app password.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selector(String);

impl AppName {
    const MAX_LEN: usize = 64;

    /// Reads a name; spaces around it are dropped.
    pub fn parse(text: &str) -> Result<Self, AppNameError> {
        let name = text.trim();
        let is_name = (1..=Self::MAX_LEN).contains(&name.chars().count()) && !name.contains(char::is_control);
        if is_name { Ok(Self(name.to_owned())) } else { Err(AppNameError(text.to_owned())) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True if both are the same name, ignoring case.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.0.to_lowercase() == other.0.to_lowercase()
    }
}

impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Selector {
    /// Reads a selector from the file.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_selector = text.len() == SELECTOR && text.bytes().all(|octet| ALPHABET.contains(&octet));
        is_selector.then(|| Self(text.to_owned()))
    }

    /// The characters.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl AppPassword {
    /// Generates an app password whose selector differs from those of `others`. Its text is returned once and not
    /// stored.
    pub fn issue(name: AppName, created: String, others: &[Self]) -> (Self, Zeroizing<String>) {
        let (selector, characters) = loop {
            let characters = generated_password::random_characters(LENGTH);
            let selector = Selector(characters[..SELECTOR].to_owned());
            if others.iter().all(|other| other.selector != selector) {
                break (selector, characters);
            }
        };
        let password = Password::new(characters.as_bytes()).expect("twenty letters are a password");
        let issued = Self { name, selector, secret: Secret::hash(&password), created };
        (issued, generated_password::grouped(&characters))
    }

    /// True if both have the same name or the same selector.
    pub(crate) fn collides_with(&self, other: &Self) -> bool {
        self.name.is_same_as(&other.name) || self.selector == other.selector
    }
}

/// The selector and the text as it was hashed, if what the client sent has the form of an app password.
pub(crate) fn parse_app_password(password: &Password) -> Option<(Selector, Password)> {
    let text = str::from_utf8(password.octets()).ok()?;
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    plain.extend(text.chars().filter(|c| !matches!(c, '-' | ' ')).map(|c| c.to_ascii_lowercase()));
    let selector = Selector::parse(plain.get(..SELECTOR)?)?;
    let is_ours = plain.len() == LENGTH && plain.bytes().all(|octet| ALPHABET.contains(&octet));
    let password = Password::new(plain.as_bytes()).ok()?;
    is_ours.then_some((selector, password))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> AppName {
        AppName::parse(text).unwrap()
    }

    #[test]
    fn an_app_password_is_recognised_in_any_spelling_and_not_stored() {
        let (issued, shown) = AppPassword::issue(name("telephone"), String::new(), &[]);
        assert_eq!(shown.len(), 24);
        let spaced = shown.replace('-', " ");
        let bare = shown.replace('-', "");
        for typed in [shown.as_str(), &spaced, &bare, &shown.to_uppercase()] {
            let (selector, password) = parse_app_password(&Password::new(typed).unwrap()).unwrap();
            assert_eq!(selector, issued.selector);
            assert!(issued.secret.verifies(&password), "{typed}");
        }
        assert!(!format!("{issued:?}").contains(&bare[SELECTOR..]));
    }

    #[test]
    fn other_passwords_are_not_app_passwords() {
        for password in [
            "correct horse",
            "k7mq-x3fp-9dwn-t2hc",
            "k7mq-x3fp-9dwn-t2hc-b6v",
            "k7mq-x3fp-9dwn-t2hc-b6vo1",
            "é7mqx3fp9dwnt2hcb6vr",
            "1",
        ] {
            assert!(parse_app_password(&Password::new(password).unwrap()).is_none(), "{password}");
        }
        assert!(parse_app_password(&Password::new(vec![0xff; 20]).unwrap()).is_none());
    }

    #[test]
    fn a_name_is_anything_that_fits_on_a_line() {
        assert_eq!(name("  Ann's laptop ").as_str(), "Ann's laptop");
        assert!(name("Telephone").is_same_as(&name("telephone")));
        for bad in ["", "  ", "a\nb", "\u{1b}[31m", &"x".repeat(65)] {
            assert!(AppName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
