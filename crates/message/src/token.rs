//! The lexical tokens of structured fields (RFC 5322 §3.2), read leniently: an unclosed token ends with the field.

/// Reads tokens from a field's raw value. Line ends inside the value are white space.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self { octets, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    /// Skips one octet.
    pub(crate) fn advance(&mut self) {
        self.at = (self.at + 1).min(self.octets.len());
    }

    /// Skips `octet` if it is next.
    pub(crate) fn accept(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        if found {
            self.at += 1;
        }
        found
    }

    /// The octets that are not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.octets[self.at..]
    }

    /// Skips white space and comments, and returns the last comment's content if it is not empty.
    ///
    /// ```abnf
    /// CFWS    = (1*([FWS] comment) [FWS]) / FWS
    /// comment = "(" *([FWS] ccontent) [FWS] ")"
    /// ```
    pub(crate) fn skip_cfws(&mut self) -> Option<Vec<u8>> {
        let mut last = None;
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n' | 0) => self.at += 1,
                Some(b'(') => {
                    let content = self.comment();
                    if !content.trim_ascii().is_empty() {
                        last = Some(content.trim_ascii().to_vec());
                    }
                }
                _ => return last,
            }
        }
    }

    /// Reads a comment with nested ones. A counter, not recursion: nesting uses no stack.
    fn comment(&mut self) -> Vec<u8> {
        let mut content = Vec::new();
        let mut depth = 0usize;
        while let Some(octet) = self.peek() {
            self.at += 1;
            match octet {
                b'(' => {
                    depth += 1;
                    if depth == 1 {
                        continue;
                    }
                }
                b')' => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                b'\\' => {
                    if let Some(quoted) = self.peek() {
                        self.at += 1;
                        push_text(&mut content, quoted);
                    }
                    continue;
                }
                _ => {}
            }
            push_text(&mut content, octet);
        }
        content
    }

    /// Reads a quoted string if one is next, and returns its content.
    ///
    /// ```abnf
    /// quoted-string = [CFWS] DQUOTE *([FWS] qcontent) [FWS] DQUOTE [CFWS]
    /// ```
    pub(crate) fn quoted_string(&mut self) -> Option<Vec<u8>> {
        if !self.accept(b'"') {
            return None;
        }
        let mut content = Vec::new();
        while let Some(octet) = self.peek() {
            self.at += 1;
            match octet {
                b'"' => break,
                b'\\' => {
                    if let Some(quoted) = self.peek() {
                        self.at += 1;
                        push_text(&mut content, quoted);
                    }
                }
                _ => push_text(&mut content, octet),
            }
        }
        Some(content)
    }

    /// Reads octets while `wanted` is true. May be empty.
    pub(crate) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|octet| !wanted(*octet)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }
}

/// Appends an octet, except for line ends of folding and NUL, which never become part of a value.
fn push_text(content: &mut Vec<u8>, octet: u8) {
    if !matches!(octet, b'\r' | b'\n' | 0) {
        content.push(octet);
    }
}

/// True for `atext`, the dot, and every octet beyond ASCII (RFC 6532), for words that are read leniently:
/// everything that is neither white space nor special.
pub(crate) fn is_word(octet: u8) -> bool {
    !matches!(
        octet,
        0..=b' ' | 0x7f | b'(' | b')' | b'<' | b'>' | b'[' | b']' | b':' | b';' | b'@' | b'\\' | b',' | b'"'
    )
}
