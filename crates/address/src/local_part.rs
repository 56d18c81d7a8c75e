use std::fmt::{self, Write};

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::serde_as_text;

/// The part before the `@`: its content, without quotes and backslashes.
///
/// Two local parts are equal when their octets are; the receiving host decides whether case matters (RFC 5321 §2.4).
/// [`LocalPart::to_lower_case`] is the form under which Mailstead looks up its own users.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalPart(Box<str>);

/// The reason why a text is not a local part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocalPartError {
    /// There is no text before the `@`.
    #[error("the part before the @ is empty")]
    Empty,
    /// Longer than the limit; RFC 5321 §4.5.3.1.1 requires 64 octets to be accepted.
    #[error("the part before the @ has {0} octets; at most 255 are accepted")]
    TooLong(usize),
    /// Neither a dot-string nor a quoted string.
    #[error("{0:?} is neither a dot-string nor a quoted string (RFC 5321 §4.1.2)")]
    Malformed(String),
}

impl LocalPart {
    /// RFC 5321 §4.5.3.1.1 names 64 and asks implementations to avoid limits where possible: bounce addresses
    /// of mailing lists (VERP) are longer in practice.
    pub const MAX_LEN: usize = 255;

    /// Reads `Local-part = Dot-string / Quoted-string` (RFC 5321 §4.1.2), UTF-8 allowed (RFC 6531 §3.3).
    pub fn parse(text: &str) -> Result<Self, LocalPartError> {
        if text.is_empty() {
            return Err(LocalPartError::Empty);
        }
        // Quoting at most doubles the octets and adds two.
        if text.len() > 2 * Self::MAX_LEN + 2 {
            return Err(LocalPartError::TooLong(text.len()));
        }
        let malformed = || LocalPartError::Malformed(text.to_owned());
        let content = match text.strip_prefix('"') {
            Some(quoted) => unquote(quoted).ok_or_else(malformed)?,
            None if is_dot_string(text) => text.to_owned(),
            None => return Err(malformed()),
        };
        if content.len() > Self::MAX_LEN {
            return Err(LocalPartError::TooLong(content.len()));
        }
        Ok(Self(content.into()))
    }

    /// The content, unquoted.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which local users are looked up: lower case, in Unicode's normalization form C (RFC 6532 §3.1), since
    /// keyboards and systems differ in the form in which they write the same letter.
    pub fn to_lower_case(&self) -> String {
        Self::fold(&self.0)
    }

    /// The form under which the user with this name is looked up, for a part of a local part or a login without a domain.
    pub fn fold(name: &str) -> String {
        let lower = name.to_lowercase();
        if lower.is_ascii() {
            return lower;
        }
        ComposingNormalizerBorrowed::new_nfc().normalize(&lower).into_owned()
    }

    /// The part before the first `separator`, and the detail after it: `ann+lists` is `ann` with `lists`
    /// (RFC 5233). Without a separator, or with nothing before it, there is no detail.
    pub fn split_detail(&self, separator: char) -> (&str, Option<&str>) {
        match self.0.split_once(separator) {
            Some((user, detail)) if !user.is_empty() => (user, Some(detail)),
            _ => (&self.0, None),
        }
    }
}

/// `Dot-string = Atom *("." Atom)`.
fn is_dot_string(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

/// `atext` of RFC 5322 §3.2.3, with the non-ASCII characters of RFC 6532 §3.2.
fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || (!c.is_ascii() && !c.is_control())
}

/// The content of `Quoted-string = DQUOTE *QcontentSMTP DQUOTE`, given the text after the first quote.
fn unquote(quoted: &str) -> Option<String> {
    let mut content = String::with_capacity(quoted.len());
    let mut rest = quoted.chars();
    loop {
        match rest.next()? {
            '"' => return rest.as_str().is_empty().then_some(content),
            '\\' => content.push(rest.next().filter(|c| matches!(c, ' '..='~'))?),
            c if c.is_control() => return None,
            c => content.push(c),
        }
    }
}

impl fmt::Display for LocalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_dot_string(&self.0) {
            return f.write_str(&self.0);
        }
        f.write_char('"')?;
        for c in self.0.chars() {
            if matches!(c, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(c)?;
        }
        f.write_char('"')
    }
}

impl fmt::Debug for LocalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

serde_as_text!(LocalPart);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_removed_and_written_again_where_needed() {
        for (given, content, written) in [
            ("ann", "ann", "ann"),
            ("\"ann\"", "ann", "ann"),
            ("\"ann smith\"", "ann smith", "\"ann smith\""),
            ("\"a\\\"b\"", "a\"b", "\"a\\\"b\""),
            ("\"\"", "", "\"\""),
            ("a.b+c", "a.b+c", "a.b+c"),
            ("\"a..b\"", "a..b", "\"a..b\""),
            ("jürgen", "jürgen", "jürgen"),
        ] {
            let local = LocalPart::parse(given).unwrap();
            assert_eq!((local.as_str(), local.to_string().as_str()), (content, written));
        }
    }

    #[test]
    fn the_form_of_a_lookup_is_normalized_lower_case() {
        for (given, folded) in [
            ("Ann", "ann"),
            ("jos\u{e9}", "jos\u{e9}"),
            ("JOSE\u{301}", "jos\u{e9}"),
            ("\u{410}\u{43d}\u{43d}\u{430}", "\u{430}\u{43d}\u{43d}\u{430}"),
            ("\u{212b}", "\u{e5}"),
            ("\u{ac01}", "\u{ac01}"),
            ("\u{1100}\u{1161}\u{11a8}", "\u{ac01}"),
        ] {
            let local = LocalPart::parse(given).unwrap();
            assert_eq!(local.to_lower_case(), folded, "{given:?}");
            assert_eq!(local.as_str(), given, "only the owner of a mailbox may change a local part");
        }
    }

    #[test]
    fn malformed_local_parts_are_refused() {
        let long = "a".repeat(256);
        for bad in [
            "", ".", "a.", ".a", "a..b", "a b", "\"a", "a\"b", "\"a\"b", "a\r\nb", "\"a\nb\"", "a\0", "<a>",
            &long,
        ] {
            assert!(LocalPart::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn the_detail_follows_the_first_separator() {
        for (local, user, detail) in [
            ("ann", "ann", None),
            ("ann+x", "ann", Some("x")),
            ("ann+x+y", "ann", Some("x+y")),
            ("+x", "+x", None),
        ] {
            assert_eq!(LocalPart::parse(local).unwrap().split_detail('+'), (user, detail));
        }
    }

    proptest::proptest! {
        #[test]
        fn the_form_of_a_lookup_is_stable(text in "\\PC{1,20}") {
            if let Ok(local) = LocalPart::parse(&text) {
                let folded = local.to_lower_case();
                if let Ok(again) = LocalPart::parse(&folded) {
                    proptest::prop_assert_eq!(again.to_lower_case(), folded);
                }
            }
        }

        #[test]
        fn every_local_part_round_trips(text in ".{0,40}") {
            if let Ok(local) = LocalPart::parse(&text) {
                proptest::prop_assert_eq!(LocalPart::parse(&local.to_string()), Ok(local));
            }
        }
    }
}
