//! The grammar of a mailbox list, with the decisions of the table in [`super`].
//!
//! ```abnf
//! mailbox-list = mailbox *("," mailbox)
//! mailbox      = name-addr / addr-spec
//! name-addr    = [display-name] [CFWS] "<" *WSP addr-spec *WSP ">" [CFWS]
//! display-name = 1*([CFWS] (atom / quoted-string))      ; an atom may have dots
//! addr-spec    = local-part "@" domain
//! ```

use address::{Address, Host, LocalPart};

use super::{Author, AuthorError, AuthorMailbox};
use crate::address_list::Mailbox;

/// Reads a field's value.
pub(super) fn mailboxes(value: &[u8]) -> Result<Vec<AuthorMailbox>, AuthorError> {
    if value.len() > Author::MAX_LEN {
        return Err(AuthorError::TooLong);
    }
    let text = unfold(value)?;
    // In Shift_JIS and related charsets a backslash can be half of a character, so programs disagree on where quotes
    // end.
    if text.contains(&b'\\') && std::str::from_utf8(&text).is_err() {
        return Err(AuthorError::BadName);
    }
    let mut reader = Reader { text: &text, at: 0 };
    let mut found = Vec::new();
    loop {
        if found.len() == Author::MAX_AUTHORS {
            return Err(AuthorError::TooMany);
        }
        found.push(reader.mailbox()?);
        match reader.next() {
            None => return Ok(found),
            Some(b',') => {}
            Some(b':' | b';') => return Err(AuthorError::Group),
            Some(_) => return Err(AuthorError::TextBehindAddress),
        }
    }
}

/// Joins the value to one line. Each folded line must contain something besides white space (RFC 5322 §3.2.2), and
/// other control characters are refused.
fn unfold(value: &[u8]) -> Result<Vec<u8>, AuthorError> {
    let mut text = Vec::with_capacity(value.len());
    let mut lines = value.split(|octet| *octet == b'\n').peekable();
    let mut is_first = true;
    while let Some(mut line) = lines.next() {
        if lines.peek().is_some() {
            line = line.strip_suffix(b"\r").unwrap_or(line);
        }
        let is_blank = line.iter().all(|octet| matches!(octet, b' ' | b'\t'));
        let is_control = |octet: &u8| octet.is_ascii_control() && *octet != b'\t';
        if line.iter().any(is_control) || (is_blank && !is_first) {
            return Err(AuthorError::Control);
        }
        text.extend_from_slice(line);
        is_first = false;
    }
    Ok(text)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

/// One word of a phrase, or the word that turns out to be a local part.
struct Word<'a> {
    /// The word without quoting.
    content: Vec<u8>,
    /// The word as it is written.
    written: &'a [u8],
    /// True if white space or a comment comes before it.
    is_apart: bool,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let octet = self.peek();
        self.at += usize::from(octet.is_some());
        octet
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|octet| !wanted(*octet)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Reads one mailbox, with all white space and comments after it.
    fn mailbox(&mut self) -> Result<AuthorMailbox, AuthorError> {
        let mut words: Vec<Word<'a>> = Vec::new();
        let mut comment = None;
        loop {
            let before = self.at;
            self.skip_cfws(&mut comment)?;
            let is_apart = self.at > before;
            match self.peek() {
                Some(b'<') => {
                    self.at += 1;
                    let (mut written, address) = self.angle_address()?;
                    self.skip_cfws(&mut comment)?;
                    written.name = phrase(&words).or(comment);
                    return Ok(AuthorMailbox { written, address });
                }
                Some(b'@') => {
                    let [word] = words.as_slice() else {
                        return Err(if words.is_empty() {
                            AuthorError::BadAddress
                        } else {
                            AuthorError::BadName
                        });
                    };
                    if is_apart {
                        return Err(AuthorError::BadAddress);
                    }
                    self.at += 1;
                    let (mut written, address) = self.address_of(word)?;
                    self.skip_cfws(&mut comment)?;
                    written.name = comment;
                    return Ok(AuthorMailbox { written, address });
                }
                Some(b'"' | b'!'..=b'~' | 0x80..) => words.push(self.word(is_apart)?),
                _ => return Err(AuthorError::NoAddress),
            }
        }
    }

    /// Reads a word of a phrase.
    fn word(&mut self, is_apart: bool) -> Result<Word<'a>, AuthorError> {
        let start = self.at;
        let content = match self.peek() {
            Some(b'"') => self.quoted_string()?,
            Some(octet) if is_word(octet) => self.take_while(is_word).to_vec(),
            Some(b':' | b';') => return Err(AuthorError::Group),
            Some(b',') | None => return Err(AuthorError::NoAddress),
            Some(_) => return Err(AuthorError::BadName),
        };
        Ok(Word { content, written: &self.text[start..self.at], is_apart })
    }

    /// Reads the rest after the `<`.
    fn angle_address(&mut self) -> Result<(Mailbox, Address), AuthorError> {
        self.take_while(is_white_space);
        match self.peek() {
            Some(b'@') => return Err(AuthorError::Route),
            Some(b'>') => return Err(AuthorError::NoAddress),
            _ => {}
        }
        let word = self.word(false).map_err(|_| AuthorError::BadAddress)?;
        if self.next() != Some(b'@') {
            return Err(AuthorError::BadAddress);
        }
        let found = self.address_of(&word)?;
        self.take_while(is_white_space);
        if self.next() == Some(b'>') { Ok(found) } else { Err(AuthorError::BadAddress) }
    }

    /// Reads the rest after the `@`, whose local part is `word`.
    fn address_of(&mut self, word: &Word<'_>) -> Result<(Mailbox, Address), AuthorError> {
        let bad = AuthorError::BadAddress;
        let domain = match self.peek() {
            Some(b'[') => {
                let start = self.at;
                self.take_while(|octet| octet.is_ascii_alphanumeric() || b"[:.".contains(&octet));
                if self.next() != Some(b']') {
                    return Err(bad);
                }
                &self.text[start..self.at]
            }
            _ => self.take_while(is_word),
        };
        let content = std::str::from_utf8(&word.content).map_err(|_| bad)?;
        let written = std::str::from_utf8(word.written).map_err(|_| bad)?;
        let host = std::str::from_utf8(domain).map_err(|_| bad)?;
        // Some programs decode encoded words before they look for the address.
        let is_encoded = content.contains("=?");
        // A dot at the end is not part of RFC 5322 §3.4.1, and programs disagree on whether it counts.
        if is_encoded || content.is_empty() || !content.chars().all(is_plain) || host.ends_with('.') {
            return Err(bad);
        }
        let local = LocalPart::parse(written).map_err(|_| bad)?;
        let address = Address { local, host: Host::parse(host).map_err(|_| bad)? };
        let (local, domain) = (word.content.clone(), domain.to_vec());
        Ok((Mailbox { local, domain, ..Mailbox::default() }, address))
    }

    /// `quoted-string = DQUOTE *([FWS] qcontent) [FWS] DQUOTE`
    fn quoted_string(&mut self) -> Result<Vec<u8>, AuthorError> {
        self.at += 1;
        let mut content = Vec::new();
        loop {
            match self.next().ok_or(AuthorError::BadName)? {
                b'"' => return Ok(content),
                b'\\' => content.push(self.next().ok_or(AuthorError::BadName)?),
                octet => content.push(octet),
            }
        }
    }

    /// Skips white space and comments; the last comment with content is put into `comment`. Nested comments are
    /// counted, so that nesting uses no stack.
    fn skip_cfws(&mut self, comment: &mut Option<Vec<u8>>) -> Result<(), AuthorError> {
        loop {
            self.take_while(is_white_space);
            if self.peek() != Some(b'(') {
                return Ok(());
            }
            let mut content = Vec::new();
            let mut depth = 0_usize;
            loop {
                let octet = self.next().ok_or(AuthorError::BadName)?;
                match octet {
                    b'(' => depth += 1,
                    b')' => depth -= 1,
                    b'\\' => content.push(self.next().ok_or(AuthorError::BadName)?),
                    _ => content.push(octet),
                }
                match (octet, depth) {
                    (b')', 0) => break,
                    (b'(', 2..) | (b')', _) => content.push(octet),
                    _ => {}
                }
            }
            let content = content.trim_ascii();
            if !content.is_empty() {
                *comment = Some(content.to_vec());
            }
        }
    }
}

/// The words of a display name, with a space in place of white space or a comment; `None` if it would be empty.
fn phrase(words: &[Word<'_>]) -> Option<Vec<u8>> {
    let mut phrase = Vec::new();
    for word in words {
        if word.is_apart && !phrase.is_empty() {
            phrase.push(b' ');
        }
        phrase.extend_from_slice(&word.content);
    }
    Some(phrase).filter(|phrase| !phrase.is_empty())
}

fn is_white_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// True for `atext`, the dot, and octets beyond ASCII.
fn is_word(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&octet) || !octet.is_ascii()
}

/// True for the characters of a local part: `atext`, the dot, and letters and digits beyond ASCII. Invisible characters
/// and those that change the direction of writing are not among them.
fn is_plain(c: char) -> bool {
    match u8::try_from(c) {
        Ok(octet) if octet.is_ascii() => is_word(octet),
        _ => c.is_alphanumeric(),
    }
}
