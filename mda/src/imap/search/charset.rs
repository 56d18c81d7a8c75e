//! The strings of a search as text (RFC 3501 §6.4.4, CHARSET).

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use memchr::memmem::Finder;
use message::text::fold_case;

use super::SearchError;

/// What a search's strings are written in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Charset(&'static Encoding);

impl Charset {
    /// The charset that the client named. Without one it is US-ASCII; what is not is read as UTF-8, its
    /// superset.
    pub(super) fn named(name: Option<&[u8]>) -> Result<Self, SearchError> {
        let Some(name) = name else { return Ok(Self(UTF_8)) };
        let ascii = [&b"US-ASCII"[..], b"ASCII", b"ANSI_X3.4-1968"];
        if ascii.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Ok(Self(UTF_8));
        }
        // The label `replacement` and those of its kind decode to one error character: they are as good
        // as unknown.
        Encoding::for_label_no_replacement(name).map(Self).ok_or(SearchError::BadCharset)
    }

    /// The string in the form in which texts are compared. What is not in the charset becomes a character
    /// that no text has; but raw octets without a charset, which are not UTF-8 either, are Windows-1252,
    /// as in mail.
    pub(super) fn needle(self, octets: &[u8]) -> Needle {
        let (text, broken) = self.0.decode_without_bom_handling(octets);
        let text =
            if broken && self.0 == UTF_8 { WINDOWS_1252.decode_without_bom_handling(octets).0 } else { text };
        Needle::new(&text)
    }
}

/// A text that is searched for, whatever its case.
#[derive(Debug, Clone)]
pub(super) struct Needle {
    finder: Finder<'static>,
    /// Does it hold nothing that addresses are written with but not shown with?
    plain: bool,
}

impl Needle {
    fn new(text: &str) -> Self {
        let folded = fold_case(text);
        let plain = !folded.contains(['"', '(', ')', '<', '>', ',', ';', ':', '\\']);
        Self { finder: Finder::new(folded.as_bytes()).into_owned(), plain }
    }

    /// Is it empty? Then any text holds it.
    pub(super) fn is_empty(&self) -> bool {
        self.finder.needle().is_empty()
    }

    /// Can it only be found in a list of addresses where the addresses themselves hold it?
    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Does the text, in the form of [`fold_case`], hold it?
    pub(super) fn is_in(&self, folded: &str) -> bool {
        self.finder.find(folded.as_bytes()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(charset: Option<&str>, octets: &[u8], text: &str) -> bool {
        Charset::named(charset.map(str::as_bytes)).unwrap().needle(octets).is_in(&fold_case(text))
    }

    #[test]
    fn strings_are_read_in_their_charset() {
        assert!(found(None, b"hello", "Say HELLO"));
        assert!(found(Some("utf-8"), "grüße".as_bytes(), "Viele GRÜSSE"));
        assert!(found(Some("ISO-8859-1"), b"gr\xfc\xdfe", "Grüße"));
        assert!(found(Some("koi8-r"), b"\xd0\xd2\xc9\xd7\xc5\xd4", "ПРИВЕТ"));
        assert!(found(Some("US-ASCII"), "grüße".as_bytes(), "Grüße"));
        assert!(found(None, b"gr\xfc\xdfe", "Grüße"));
        assert!(!found(Some("utf-8"), b"b", "aaa"));
    }

    #[test]
    fn a_charset_that_nobody_knows_is_refused() {
        for name in ["X-NO-SUCH", "", "iso-2022-kr"] {
            assert!(Charset::named(Some(name.as_bytes())).is_err(), "{name}");
        }
    }
}
