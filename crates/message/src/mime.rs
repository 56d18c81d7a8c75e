//! Content-Type and Content-Disposition (RFC 2045 §5.1, RFC 2183) with their parameters as written.
//!
//! [`Parameters::joined`] joins the sections of RFC 2231 for IMAP, which shows them percent encoded;
//! [`Parameters::decoded`] returns the decoded value.

mod continuations;
mod parameters;

pub use parameters::{Decoded, MAX_PARAMETERS, Parameter, Parameters};

use crate::token::Cursor;

/// A media type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType {
    /// `text`, `multipart` and so on, as spelled by the sender.
    pub kind: Vec<u8>,
    /// `plain`, `mixed` and so on.
    pub subtype: Vec<u8>,
    /// The parameters after the semicolon.
    pub parameters: Parameters,
}

/// The intended presentation of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentDisposition {
    /// `inline`, `attachment` or another word.
    pub kind: Vec<u8>,
    /// The parameters after the semicolon.
    pub parameters: Parameters,
}

impl ContentType {
    /// Parses the value of a Content-Type field. `None` without a type and subtype: then the default of the context
    /// applies (RFC 2045 §5.2).
    ///
    /// ```abnf
    /// content := "Content-Type" ":" type "/" subtype *(";" parameter)
    /// ```
    pub fn parse(value: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(value);
        cursor.skip_cfws();
        let kind = cursor.take_while(is_token).to_vec();
        cursor.skip_cfws();
        if !cursor.accept(b'/') {
            return None;
        }
        cursor.skip_cfws();
        let subtype = cursor.take_while(is_token).to_vec();
        if kind.is_empty() || subtype.is_empty() {
            return None;
        }
        Some(Self { kind, subtype, parameters: Parameters::read(&mut cursor) })
    }

    /// A type without parameters.
    pub fn plain(kind: &str, subtype: &str) -> Self {
        Self { kind: kind.into(), subtype: subtype.into(), parameters: Parameters::default() }
    }

    /// `text/plain; charset=us-ascii`, the default for a part without a type (RFC 2045 §5.2).
    pub fn default_text() -> Self {
        let charset = Parameter { name: b"charset".to_vec(), value: b"us-ascii".to_vec() };
        Self { parameters: Parameters(vec![charset]), ..Self::plain("text", "plain") }
    }

    /// True if this is `kind/subtype`, ignoring case.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.has_kind(kind) && self.subtype.eq_ignore_ascii_case(subtype.as_bytes())
    }

    /// True if this is any `kind/…`.
    pub fn has_kind(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes())
    }
}

impl ContentDisposition {
    /// Parses the value of a Content-Disposition field.
    ///
    /// ```abnf
    /// disposition := "Content-Disposition" ":" disposition-type *(";" disposition-parm)
    /// ```
    pub fn parse(value: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(value);
        cursor.skip_cfws();
        let kind = cursor.take_while(is_token).to_vec();
        if kind.is_empty() {
            return None;
        }
        Some(Self { kind, parameters: Parameters::read(&mut cursor) })
    }
}

/// The words of a Content-Language value (RFC 3282).
pub fn language_tags(value: &[u8]) -> Vec<Vec<u8>> {
    let mut cursor = Cursor::new(value);
    let mut tags = Vec::new();
    while tags.len() < MAX_PARAMETERS {
        cursor.skip_cfws();
        let tag = cursor.take_while(is_token);
        if !tag.is_empty() {
            tags.push(tag.to_vec());
        } else if cursor.peek().is_none() {
            break;
        } else {
            cursor.advance();
        }
    }
    tags
}

/// The encodings of RFC 2045 §6.1, each with its letters and digits alone.
const ENCODINGS: [(&str, &str); 7] = [
    ("7bit", "7bit"),
    ("8bit", "8bit"),
    ("7", "7bit"),
    ("8", "8bit"),
    ("binary", "binary"),
    ("base64", "base64"),
    ("quotedprintable", "quoted-printable"),
];

/// The value of a Content-Transfer-Encoding field, which is one word (RFC 2045 §6.1).
pub fn transfer_encoding(value: &[u8]) -> Option<Vec<u8>> {
    let mut cursor = Cursor::new(value);
    cursor.skip_cfws();
    let word = cursor.take_while(is_token);
    let is_known = |(_, name): &(&str, &str)| name.as_bytes().eq_ignore_ascii_case(word);
    match quirk_encoding(value).filter(|_| !ENCODINGS.iter().any(is_known)) {
        Some(known) => Some(known.into()),
        None => (!word.is_empty()).then(|| word.to_vec()),
    }
}

/// The encoding meant by `8 bit`, `8-bit`, `"base64"`, `quoted printable` and the like, which old programs and
/// web forms write. Clients refuse a part whose encoding they do not know, so `8` is of no use to them.
fn quirk_encoding(value: &[u8]) -> Option<&'static str> {
    let mut cursor = Cursor::new(value);
    let mut spelled = Vec::new();
    loop {
        cursor.skip_cfws();
        let Some(octet) = cursor.peek() else { break };
        if octet.is_ascii_alphanumeric() {
            spelled.push(octet.to_ascii_lowercase());
        }
        if spelled.len() > 2 * "quotedprintable".len() {
            return None;
        }
        cursor.advance();
    }
    let spelled = spelled.strip_suffix(b"s").unwrap_or(&spelled);
    ENCODINGS.iter().find(|(letters, _)| letters.as_bytes() == spelled).map(|(_, name)| *name)
}

/// True for `token` of RFC 2045 §5.1, and octets beyond ASCII.
fn is_token(octet: u8) -> bool {
    !matches!(
        octet,
        0..=b' '
            | 0x7f
            | b'('
            | b')'
            | b'<'
            | b'>'
            | b'@'
            | b','
            | b';'
            | b':'
            | b'\\'
            | b'"'
            | b'/'
            | b'['
            | b']'
            | b'?'
            | b'='
    )
}

#[cfg(test)]
mod tests;
