//! The strings of a search (RFC 3501 §6.4.4, CHARSET), in the form in which texts are compared.

use memchr::memmem::Finder;
use message::Charset;
use message::text::folded;

use super::SearchError;

/// The charset that the client named. Without one it is US-ASCII; other octets are read as UTF-8, or as Windows-1252
/// where they are not valid UTF-8, as in mail.
pub(super) fn charset(name: Option<&[u8]>) -> Result<Charset, SearchError> {
    name.map_or(Some(Charset::UNDECLARED), Charset::named).ok_or(SearchError::BadCharset)
}

/// A text that is searched for.
#[derive(Debug, Clone)]
pub(super) struct Needle {
    finder: Finder<'static>,
    /// True if it has no character that addresses are written with but not shown with.
    plain: bool,
}

impl Needle {
    /// A string in this charset.
    pub(super) fn new(charset: Charset, octets: &[u8]) -> Self {
        let text = folded(&charset.decode(octets));
        let plain = !text.contains(['"', '(', ')', '<', '>', ',', ';', ':', '\\']);
        Self { finder: Finder::new(text.as_bytes()).into_owned(), plain }
    }

    /// Returns true if it is empty, and so contained in any text.
    pub(super) fn is_empty(&self) -> bool {
        self.finder.needle().is_empty()
    }

    /// The length in octets.
    pub(super) fn len(&self) -> usize {
        self.finder.needle().len()
    }

    /// Returns true if a list of addresses can contain it only where the addresses themselves do.
    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Returns true if the text, which is folded, contains it.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.finder.find(text.as_bytes()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: Option<&str>, octets: &[u8], text: &str) -> bool {
        let charset = charset(name.map(str::as_bytes)).unwrap();
        Needle::new(charset, octets).is_in(&folded(text))
    }

    #[test]
    fn strings_are_decoded_from_their_charset() {
        assert!(found(None, b"hello", "Say HELLO"));
        assert!(found(Some("utf-8"), "grüße".as_bytes(), "Viele GRÜSSE"));
        assert!(found(Some("ISO-8859-1"), b"gr\xfc\xdfe", "Grüße"));
        assert!(found(Some("koi8-r"), b"\xd0\xd2\xc9\xd7\xc5\xd4", "ПРИВЕТ"));
        assert!(found(Some("iso-2022-kr"), b"\x1b$)C\x0e>H\x0f", "안녕"));
        assert!(found(Some("cp932"), b"\xee\xe0", "髙橋"));
        assert!(found(Some("US-ASCII"), "grüße".as_bytes(), "Grüße"));
        assert!(found(None, b"gr\xfc\xdfe", "Grüße"));
        assert!(!found(Some("utf-8"), b"b", "aaa"));
    }

    #[test]
    fn an_unknown_charset_is_refused() {
        for name in ["X-NO-SUCH", "", "replacement"] {
            assert!(charset(Some(name.as_bytes())).is_err(), "{name}");
        }
    }
}
