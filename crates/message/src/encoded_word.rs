//! Encoded words (RFC 2047) to text.
//!
//! Leniently, as people's mail needs it: an encoded word is taken wherever it stands, and neighbours of
//! the same charset are joined before they are decoded, since many programs split a character between two
//! words.

use std::borrow::Cow;

use mail_parser::decoders::charsets::map::charset_decoder;

use crate::{field::unfold, transfer};

/// Octets of text that are decoded of one value; the rest is left out.
pub const MAX_TEXT: usize = 256 * 1024;

/// A field's value as text: unfolded, encoded words decoded, the octets between them as UTF-8 (RFC 6532)
/// or, where they are not, as Windows-1252, which is what raw octets in old mail nearly always are.
pub fn decode(value: &[u8]) -> String {
    let unfolded = unfold(value);
    let mut rest = &unfolded[..unfolded.len().min(MAX_TEXT)];
    let mut text = String::with_capacity(rest.len());
    let mut run: Option<Run<'_>> = None;
    while let Some(start) = memchr::memmem::find(rest, b"=?") {
        let Some((word, length)) = EncodedWord::parse(&rest[start..]) else {
            flush(&mut run, &mut text);
            text.push_str(&charset_text(&rest[..start + 2], None));
            rest = &rest[start + 2..];
            continue;
        };
        // White space between two encoded words does not count (RFC 2047 §6.2).
        let between = &rest[..start];
        if run.is_none() || !between.trim_ascii().is_empty() {
            flush(&mut run, &mut text);
            text.push_str(&charset_text(between, None));
        }
        if run.as_ref().is_some_and(|run| !run.charset.eq_ignore_ascii_case(word.charset)) {
            flush(&mut run, &mut text);
        }
        let run = run.get_or_insert_with(|| Run { charset: word.charset, octets: Vec::new() });
        word.append(&mut run.octets);
        rest = &rest[start + length..];
    }
    flush(&mut run, &mut text);
    text.push_str(&charset_text(rest, None));
    text
}

/// Text of a charset; of UTF-8 or Windows-1252 when it is unknown or not named.
pub(crate) fn charset_text<'a>(octets: &'a [u8], charset: Option<&[u8]>) -> Cow<'a, str> {
    let utf8 = std::str::from_utf8(octets);
    match charset.filter(|name| !is_utf8(name)).map(charset_decoder) {
        // ASCII is the same in nearly all charsets, and what calls itself ASCII is often UTF-8.
        None | Some(None) => match utf8 {
            Ok(text) => Cow::Borrowed(text),
            Err(_) if charset.is_some_and(is_utf8) => String::from_utf8_lossy(octets),
            Err(_) => Cow::Owned(encoding_windows_1252(octets)),
        },
        Some(Some(decode)) => Cow::Owned(decode(octets)),
    }
}

fn is_utf8(name: &[u8]) -> bool {
    [&b"utf-8"[..], b"utf8", b"us-ascii", b"ascii"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn encoding_windows_1252(octets: &[u8]) -> String {
    charset_decoder(b"windows-1252")
        .map_or_else(|| String::from_utf8_lossy(octets).into_owned(), |decode| decode(octets))
}

/// Neighbouring encoded words of one charset.
struct Run<'a> {
    charset: &'a [u8],
    octets: Vec<u8>,
}

fn flush(run: &mut Option<Run<'_>>, text: &mut String) {
    if let Some(run) = run.take() {
        text.push_str(&charset_text(&run.octets, Some(run.charset)));
    }
}

struct EncodedWord<'a> {
    charset: &'a [u8],
    base64: bool,
    text: &'a [u8],
}

impl<'a> EncodedWord<'a> {
    /// ```abnf
    /// encoded-word = "=?" charset "?" encoding "?" encoded-text "?="
    /// charset      = token [ "*" language ]       ; RFC 2231 §5
    /// ```
    /// Gives also its length.
    fn parse(octets: &'a [u8]) -> Option<(Self, usize)> {
        let mut pieces = octets.strip_prefix(b"=?")?.splitn(3, |octet| *octet == b'?');
        let (charset, encoding, rest) = (pieces.next()?, pieces.next()?, pieces.next()?);
        let named = charset.split(|octet| *octet == b'*').next().unwrap_or_default();
        let sane = !named.is_empty() && charset.len() <= 75 && charset.iter().all(u8::is_ascii_graphic);
        let base64 = match encoding {
            b"B" | b"b" => true,
            b"Q" | b"q" => false,
            _ => return None,
        };
        let length = memchr::memmem::find(rest, b"?=").filter(|_| sane)?;
        let word = Self { charset: named, base64, text: &rest[..length] };
        Some((word, 2 + charset.len() + 1 + 1 + 1 + length + 2))
    }

    fn append(&self, out: &mut Vec<u8>) {
        if self.base64 {
            transfer::undo_base64(self.text, out, usize::MAX);
        } else {
            transfer::undo_q(self.text, out);
        }
    }
}

#[cfg(test)]
mod tests;
