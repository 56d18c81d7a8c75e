//! Parsing of the lexical parts of a command: atoms, strings, numbers.
//!
//! A cursor is a position in one whole command: its lines without the end of the last one, with the literals in their
//! places as they came (`{5}` CRLF `INBOX`). The reader has collected them; here they are only stepped over.

use std::num::NonZeroU32;

/// A syntax error in a command, with its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at octet {at}")]
pub struct SyntaxError {
    /// Number of octets before the fault.
    pub at: usize,
    /// The expected syntax at this position.
    pub expected: &'static str,
}

/// `ATOM-CHAR = <any CHAR except atom-specials>` (RFC 3501 §9)
pub(crate) fn is_atom_char(octet: u8) -> bool {
    octet.is_ascii_graphic() && !matches!(octet, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}

/// `ASTRING-CHAR = ATOM-CHAR / resp-specials` (RFC 3501 §9)
pub(crate) fn is_astring_char(octet: u8) -> bool {
    is_atom_char(octet) || octet == b']'
}

/// `list-char = ATOM-CHAR / list-wildcards / resp-specials` (RFC 3501 §9)
fn is_list_char(octet: u8) -> bool {
    is_astring_char(octet) || matches!(octet, b'%' | b'*')
}

/// A position in a command.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Cursor<'a> {
        Cursor { octets, at: 0 }
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    pub(crate) fn error(&self, expected: &'static str) -> SyntaxError {
        SyntaxError { at: self.at, expected }
    }

    /// Consumes the octet if it is the next one.
    pub(crate) fn accept(&mut self, octet: u8) -> bool {
        let is_next = self.peek() == Some(octet);
        self.at += usize::from(is_next);
        is_next
    }

    pub(crate) fn expect(&mut self, octet: u8, expected: &'static str) -> Result<(), SyntaxError> {
        if self.accept(octet) { Ok(()) } else { Err(self.error(expected)) }
    }

    /// Consumes the one space between two arguments.
    pub(crate) fn space(&mut self) -> Result<(), SyntaxError> {
        self.expect(b' ', "a space")
    }

    /// Fails unless the command is at its end.
    pub(crate) fn end(&self) -> Result<(), SyntaxError> {
        if self.at == self.octets.len() { Ok(()) } else { Err(self.error("the end of the command")) }
    }

    pub(crate) fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = &self.octets[self.at..];
        let length = rest.iter().position(|octet| !belongs(*octet)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Like [`Cursor::take_while`], but examines and consumes no more than `count` octets.
    pub(crate) fn take_up_to(&mut self, count: usize, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = &self.octets[self.at..];
        let rest = &rest[..rest.len().min(count)];
        let length = rest.iter().position(|octet| !belongs(*octet)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Consumes exactly `count` octets.
    pub(crate) fn take(&mut self, count: usize, expected: &'static str) -> Result<&'a [u8], SyntaxError> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.octets.len());
        let end = end.ok_or_else(|| self.error(expected))?;
        let taken = &self.octets[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// Consumes the octets if they come next, in any case of letters.
    pub(crate) fn accept_ignoring_case(&mut self, octets: &[u8]) -> bool {
        let is_next =
            self.octets[self.at..].get(..octets.len()).is_some_and(|here| here.eq_ignore_ascii_case(octets));
        if is_next {
            self.at += octets.len();
        }
        is_next
    }

    /// `atom = 1*ATOM-CHAR` (RFC 3501 §9)
    pub(crate) fn atom(&mut self) -> Result<&'a [u8], SyntaxError> {
        self.one_or_more(is_atom_char, "an atom")
    }

    /// An atom in upper case, for words that the grammar names.
    pub(crate) fn word(&mut self, expected: &'static str) -> Result<Vec<u8>, SyntaxError> {
        Ok(self.one_or_more(is_atom_char, expected)?.to_ascii_uppercase())
    }

    fn one_or_more(
        &mut self,
        belongs: fn(u8) -> bool,
        expected: &'static str,
    ) -> Result<&'a [u8], SyntaxError> {
        let taken = self.take_while(belongs);
        if taken.is_empty() { Err(self.error(expected)) } else { Ok(taken) }
    }

    /// `number = 1*DIGIT`, below 2^32 (RFC 3501 §9)
    pub(crate) fn number(&mut self) -> Result<u32, SyntaxError> {
        u32::try_from(self.number64()?).map_err(|_| self.error("a number below 2^32"))
    }

    /// `number64 = 1*DIGIT`, below 2^63 (RFC 9051 §9); literals and partial ranges may be that large.
    pub(crate) fn number64(&mut self) -> Result<u64, SyntaxError> {
        let start = self.at;
        let digits = self.one_or_more(|octet| octet.is_ascii_digit(), "a number")?;
        let value = digits.iter().try_fold(0_u64, |value, digit| {
            value
                .checked_mul(10)?
                .checked_add(u64::from(digit - b'0'))
                .filter(|value| *value <= i64::MAX as u64)
        });
        value.ok_or(SyntaxError { at: start, expected: "a smaller number" })
    }

    /// `nz-number = digit-nz *DIGIT` (RFC 3501 §9)
    pub(crate) fn nonzero_number(&mut self) -> Result<NonZeroU32, SyntaxError> {
        let start = self.at;
        if self.peek() == Some(b'0') {
            return Err(self.error("a number above zero"));
        }
        NonZeroU32::new(self.number()?).ok_or(SyntaxError { at: start, expected: "a number above zero" })
    }

    /// `astring = 1*ASTRING-CHAR / string` (RFC 3501 §9)
    pub(crate) fn astring(&mut self) -> Result<Vec<u8>, SyntaxError> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => self.one_or_more(is_astring_char, "an atom or a string").map(<[u8]>::to_vec),
        }
    }

    /// `mailbox = "INBOX" / astring` (RFC 3501 §9). Octets above 127, as in a name in UTF-8, are accepted in an atom as
    /// in a string: the mailbox does not exist, but the syntax is valid.
    pub(crate) fn mailbox(&mut self) -> Result<Vec<u8>, SyntaxError> {
        let belongs = |octet: u8| is_astring_char(octet) || !octet.is_ascii();
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => self.one_or_more(belongs, "an atom or a string").map(<[u8]>::to_vec),
        }
    }

    /// `list-mailbox = 1*list-char / string` (RFC 3501 §9), with octets above 127 as in [`Cursor::mailbox`].
    pub(crate) fn list_mailbox(&mut self) -> Result<Vec<u8>, SyntaxError> {
        let belongs = |octet: u8| is_list_char(octet) || !octet.is_ascii();
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => self.one_or_more(belongs, "a mailbox pattern").map(<[u8]>::to_vec),
        }
    }

    /// `nstring = string / nil` (RFC 3501 §9)
    pub(crate) fn nstring(&mut self) -> Result<Option<Vec<u8>>, SyntaxError> {
        if self.accept_ignoring_case(b"NIL") { Ok(None) } else { self.string().map(Some) }
    }

    /// `string = quoted / literal` (RFC 3501 §9)
    pub(crate) fn string(&mut self) -> Result<Vec<u8>, SyntaxError> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal().map(<[u8]>::to_vec),
            _ => Err(self.error("a string")),
        }
    }

    /// ```abnf
    /// quoted          = DQUOTE *QUOTED-CHAR DQUOTE
    /// QUOTED-CHAR     = <any TEXT-CHAR except quoted-specials> / "\" quoted-specials
    /// quoted-specials = DQUOTE / "\"
    /// ```
    /// (RFC 3501 §9)
    fn quoted(&mut self) -> Result<Vec<u8>, SyntaxError> {
        self.expect(b'"', "a quoted string")?;
        let mut content = Vec::new();
        loop {
            content.extend_from_slice(self.take_while(is_plain_quoted_char));
            if self.accept(b'"') {
                return Ok(content);
            }
            self.expect(b'\\', "a closing quote")?;
            match self.peek() {
                Some(special @ (b'"' | b'\\')) => {
                    content.push(special);
                    self.at += 1;
                }
                _ => return Err(self.error("a quote or a backslash after a backslash")),
            }
        }
    }

    /// ```abnf
    /// literal = "{" number ["+"] "}" CRLF *CHAR8
    /// CHAR8   = %x01-ff
    /// ```
    /// (RFC 3501 §9, RFC 7888 §8)
    fn literal(&mut self) -> Result<&'a [u8], SyntaxError> {
        let announced = self.literal_header()?;
        self.accept(b'\r');
        self.expect(b'\n', "the literal's line end")?;
        let start = self.at;
        let size = usize::try_from(announced.size).map_err(|_| self.error("a smaller literal"))?;
        let content = self.take(size, "the whole literal")?;
        match memchr::memchr(0, content) {
            Some(nul) => Err(SyntaxError { at: start + nul, expected: "no NUL octet" }),
            None => Ok(content),
        }
    }

    /// `"{" number ["+"] "}"`: only the announcement, for a literal that is passed on instead of collected.
    pub(crate) fn literal_header(&mut self) -> Result<LiteralHeader, SyntaxError> {
        self.expect(b'{', "a literal")?;
        let size = self.number64()?;
        let synchronising = !self.accept(b'+');
        self.expect(b'}', "the end of a literal's announcement")?;
        Ok(LiteralHeader { size, synchronising })
    }
}

/// Returns true for a character that represents itself in a quoted string. Octets above 127 are not in RFC 3501's
/// TEXT-CHAR; they are accepted since a password may contain them, and every client with a password in UTF-8 sends them
/// so. Arguments that must be ASCII are checked on their own.
fn is_plain_quoted_char(octet: u8) -> bool {
    !matches!(octet, 0 | b'\r' | b'\n' | b'"' | b'\\')
}

/// A literal that a client is about to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiteralHeader {
    /// Size in octets.
    pub size: u64,
    /// True if the client waits for a continuation request (`+`) before it sends them (RFC 7888 §3).
    pub synchronising: bool,
}

#[cfg(test)]
mod tests;
