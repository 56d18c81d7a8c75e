use std::fmt;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use zeroize::Zeroizing;

/// The spaces beyond ASCII: the characters of the category Zs but U+0020.
const SPACES: [char; 16] = [
    '\u{a0}', '\u{1680}', '\u{2000}', '\u{2001}', '\u{2002}', '\u{2003}', '\u{2004}', '\u{2005}', '\u{2006}',
    '\u{2007}', '\u{2008}', '\u{2009}', '\u{200a}', '\u{202f}', '\u{205f}', '\u{3000}',
];

/// A password in clear text, for as short a time as possible: wiped when dropped, never shown by `Debug`.
///
/// It holds the octets that were typed. One text has several encodings, and the one that a keyboard produces depends on
/// the system, so comparisons use [`Password::forms`].
#[derive(Clone)]
pub struct Password(Zeroizing<Vec<u8>>);

/// The reason why octets are not a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// No octets. An empty password is always a mistake, and never right.
    #[error("the password is empty")]
    Empty,
    /// Longer than any password that a person types or a program generates.
    #[error("the password has {0} octets; at most {max} are accepted", max = Password::MAX_LEN)]
    TooLong(usize),
    /// A NUL, at which the C implementations of crypt end the password (RFC 4616 §2 forbids it too).
    #[error("the password contains a NUL")]
    Nul,
}

impl Password {
    /// The longest password. RFC 4616 §5 leaves the limit open; the work of SHA-crypt grows with the square of the
    /// length.
    pub const MAX_LEN: usize = 1024;

    /// Creates a password from its octets.
    pub fn new(octets: impl Into<Vec<u8>>) -> Result<Self, PasswordError> {
        let octets = Zeroizing::new(octets.into());
        match octets.len() {
            0 => Err(PasswordError::Empty),
            length if length > Self::MAX_LEN => Err(PasswordError::TooLong(length)),
            _ if octets.contains(&0) => Err(PasswordError::Nul),
            _ => Ok(Self(octets)),
        }
    }

    /// The octets as typed, only to be hashed or sent.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The password prepared by the OpaqueString profile (RFC 8265 §4.2.2): spaces of other scripts become U+0020,
    /// and the text is composed (NFC). Octets that are not UTF-8 have no such form and stay as they are.
    #[must_use]
    pub fn prepared(&self) -> Self {
        self.composed().unwrap_or_else(|| self.clone())
    }

    /// The forms that a hash may have been made from, the prepared one first: two at most, so that a login costs two
    /// hashes at most.
    ///
    /// The second is for hashes that were made without preparation: the octets as typed where they differ from the
    /// prepared form, otherwise the decomposed text (NFD), as older systems send it. ASCII has one form.
    pub fn forms(&self) -> impl Iterator<Item = Self> {
        let (first, second) = match self.composed() {
            Some(composed) => (composed, Some(self.clone())),
            None => (self.clone(), self.decomposed()),
        };
        std::iter::once(first).chain(second)
    }

    /// The prepared form, if it differs from the octets as typed.
    fn composed(&self) -> Option<Self> {
        let text = self.other_than_ascii()?;
        let spaces = text.chars().map(|c| if SPACES.contains(&c) { ' ' } else { c });
        let mut composed = Zeroizing::new(String::with_capacity(text.len()));
        composed.extend(ComposingNormalizerBorrowed::new_nfc().normalize_iter(spaces));
        self.other(composed)
    }

    /// The decomposed text, if it differs from the octets as typed.
    fn decomposed(&self) -> Option<Self> {
        let text = self.other_than_ascii()?;
        // Decomposition turns most characters into at most three octets each; more only costs a reallocation.
        let mut decomposed = Zeroizing::new(String::with_capacity(text.len() * 3));
        decomposed.extend(DecomposingNormalizerBorrowed::new_nfd().normalize_iter(text.chars()));
        self.other(decomposed)
    }

    fn other_than_ascii(&self) -> Option<&str> {
        str::from_utf8(&self.0).ok().filter(|text| !text.is_ascii())
    }

    fn other(&self, text: Zeroizing<String>) -> Option<Self> {
        (text.as_bytes() != &self.0[..]).then(|| Self::new(text.as_bytes()).ok()).flatten()
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
    fn empty_and_long_passwords_and_those_with_nul_are_refused() {
        assert_eq!(Password::new("").unwrap_err(), PasswordError::Empty);
        assert_eq!(Password::new("a\0b").unwrap_err(), PasswordError::Nul);
        assert_eq!(Password::new(vec![b'a'; 1025]).unwrap_err(), PasswordError::TooLong(1025));
        assert!(Password::new(vec![b'a'; 1024]).is_ok());
    }

    fn forms(typed: &[u8]) -> Vec<Vec<u8>> {
        Password::new(typed).unwrap().forms().map(|form| form.octets().to_vec()).collect()
    }

    #[test]
    fn composed_and_decomposed_have_the_same_first_form_and_never_more_than_two() {
        let (composed, decomposed) = ("\u{e9}clair", "e\u{301}clair");
        assert_eq!(forms(composed.as_bytes()), [composed.as_bytes(), decomposed.as_bytes()]);
        assert_eq!(forms(decomposed.as_bytes()), [composed.as_bytes(), decomposed.as_bytes()]);
        // Marks in another order: the octets as typed are neither the composed nor the decomposed form.
        assert_eq!(
            forms("s\u{307}\u{323}".as_bytes()),
            ["\u{1e69}".as_bytes(), "s\u{307}\u{323}".as_bytes()]
        );
        assert_eq!(forms("\u{ac00}".as_bytes()), ["\u{ac00}".as_bytes(), "\u{1100}\u{1161}".as_bytes()]);
    }

    /// The examples of RFC 8265 §4.3: case and width stay, and a space of any script is a space.
    #[test]
    fn spaces_become_ascii_and_case_and_width_stay() {
        for (typed, prepared) in [
            ("correct horse", "correct horse"),
            ("Correct Horse", "Correct Horse"),
            ("\u{3c0}\u{df}\u{e5}", "\u{3c0}\u{df}\u{e5}"),
            ("Jack of \u{2666}s", "Jack of \u{2666}s"),
            ("foo\u{1680}bar", "foo bar"),
            ("foo\u{a0}bar\u{3000}", "foo bar "),
            ("\u{ff21}\u{ff11}", "\u{ff21}\u{ff11}"),
        ] {
            assert_eq!(Password::new(typed).unwrap().prepared().octets(), prepared.as_bytes(), "{typed:?}");
        }
    }

    #[test]
    fn ascii_and_invalid_utf_8_have_one_form() {
        for typed in [&b"correct horse"[..], b"\xe9clair", b"\xff\xfe", b" ", b"\xcc\x81\xff"] {
            assert_eq!(forms(typed), [typed], "{typed:?}");
        }
        // Decomposed it would be longer than a password can be.
        let longest = "\u{e9}".repeat(Password::MAX_LEN / 2);
        assert_eq!(forms(longest.as_bytes()), [longest.as_bytes()]);
    }
}
