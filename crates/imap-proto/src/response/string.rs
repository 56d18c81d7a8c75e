//! The strings of responses: atom, quoted or literal, as the content allows.

use std::io::Write;

use crate::MailboxName;
use crate::cursor::is_astring_char;

/// Maximum length of a quoted string in octets. A longer one is sent as a literal, so that the client need not search
/// for its end.
const MAX_QUOTED: usize = 1000;

/// Writes formatted text. Writing to a `Vec` cannot fail.
pub(super) fn formatted(out: &mut Vec<u8>, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("writing to a Vec cannot fail");
}

/// `string = quoted / literal` (RFC 3501 §9). The content must not contain NUL: see [`nul_free`].
pub fn string(out: &mut Vec<u8>, content: &[u8]) {
    let is_quotable = |octet: &u8| matches!(octet, 1..=0x7f) && !matches!(octet, b'\r' | b'\n');
    if content.len() <= MAX_QUOTED && content.iter().all(is_quotable) {
        quoted(out, content);
    } else {
        literal_header(out, content.len() as u64);
        out.extend(content.iter().map(nul_free));
    }
}

fn quoted(out: &mut Vec<u8>, content: &[u8]) {
    out.push(b'"');
    for octet in content {
        if matches!(octet, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*octet);
    }
    out.push(b'"');
}

/// RFC 3501 §9: `CHAR8 = %x01-ff`. A literal never contains NUL; each NUL of a message becomes 0x80, so that the count
/// of octets stays right.
pub fn nul_free(octet: &u8) -> u8 {
    if *octet == 0 { 0x80 } else { *octet }
}

/// `nstring = string / nil` (RFC 3501 §9)
pub fn nstring(out: &mut Vec<u8>, content: Option<&[u8]>) {
    match content {
        Some(content) => string(out, content),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// `astring = 1*ASTRING-CHAR / string` (RFC 3501 §9). `NIL` is quoted, so that no client reads it as nil.
pub fn astring(out: &mut Vec<u8>, content: &[u8]) {
    let is_atom = !content.is_empty() && content.iter().all(|octet| is_astring_char(*octet));
    if is_atom && !content.eq_ignore_ascii_case(b"NIL") {
        out.extend_from_slice(content);
    } else {
        string(out, content);
    }
}

/// `mailbox = "INBOX" / astring`, in modified UTF-7 (RFC 3501 §5.1.3)
pub fn mailbox(out: &mut Vec<u8>, name: &MailboxName) {
    astring(out, name.encode().as_bytes());
}

/// The beginning of a literal, `"{" number "}" CRLF`. The caller then sends exactly this many octets, none of them NUL.
pub fn literal_header(out: &mut Vec<u8>, size: u64) {
    formatted(out, format_args!("{{{size}}}\r\n"));
}

/// The human-readable text at the end of a response: a line of printable ASCII for any input, at most 400 characters
/// and never empty.
pub(super) fn human_text(out: &mut Vec<u8>, words: &str) {
    if words.is_empty() {
        out.push(b'-');
    }
    out.extend(words.chars().take(400).map(|c| match c {
        ' '..='~' => c as u8,
        _ => b'?',
    }));
}

/// Writes items with one space between them.
pub(super) fn spaced<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    write: impl Fn(&mut Vec<u8>, T),
) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        write(out, item);
    }
}
