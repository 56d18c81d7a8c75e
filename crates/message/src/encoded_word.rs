//! Encoded words (RFC 2047) to text.
//!
//! The decoding is lenient, as real mail requires: an encoded word is decoded wherever it occurs, and neighbours of
//! the same charset are joined before they are decoded, since many programs split a character between two
//! words.

use crate::{charset::Charset, field::unfold, transfer};

/// The most octets of text decoded from one value; the rest is left out.
pub const MAX_TEXT: usize = 256 * 1024;

/// Maximum length of a charset name: RFC 2047 §2 allows 75 octets for a whole encoded word.
const MAX_CHARSET: usize = 75;

/// A field's value as text: unfolded, encoded words decoded, the octets between them as UTF-8 (RFC 6532)
/// or, where that is invalid, as Windows-1252, which raw octets in old mail nearly always are.
pub fn decode(value: &[u8]) -> String {
    let unfolded = unfold(value);
    let value = &unfolded[..unfolded.len().min(MAX_TEXT)];
    let mut text = String::with_capacity(value.len());
    let mut run: Option<Run<'_>> = None;
    let mut closings = WordEnds { value, next: Some(0) };
    let mut at = 0;
    while let Some(start) = memchr::memmem::find(&value[at..], b"=?").map(|found| at + found) {
        let Some((word, end)) = EncodedWord::parse(value, start, &mut closings) else {
            flush(&mut run, &mut text);
            text.push_str(&Charset::UNDECLARED.decode(&value[at..start + 2]));
            at = start + 2;
            continue;
        };
        // White space between two encoded words does not count (RFC 2047 §6.2).
        let between = &value[at..start];
        if run.is_none() || !between.trim_ascii().is_empty() {
            flush(&mut run, &mut text);
            text.push_str(&Charset::UNDECLARED.decode(between));
        }
        if run.as_ref().is_some_and(|run| !run.charset.eq_ignore_ascii_case(word.charset)) {
            flush(&mut run, &mut text);
        }
        let run = run.get_or_insert_with(|| Run { charset: word.charset, octets: Vec::new() });
        word.append(&mut run.octets);
        at = end;
    }
    flush(&mut run, &mut text);
    text.push_str(&Charset::UNDECLARED.decode(&value[at..]));
    text
}

/// Finds the ends of encoded words one after another. The text before a found end is searched once, even if
/// a thousand words begin there.
struct WordEnds<'a> {
    value: &'a [u8],
    /// The last end that was found, 0 at first; `None` without an end after the last position given.
    next: Option<usize>,
}

impl WordEnds<'_> {
    /// The first `?=` from there on. The positions given only increase.
    fn from(&mut self, position: usize) -> Option<usize> {
        let is_passed = self.next.is_some_and(|next| next < position);
        if is_passed {
            self.next = memchr::memmem::find(&self.value[position..], b"?=").map(|found| position + found);
        }
        self.next
    }
}

/// Neighbouring encoded words of one charset.
struct Run<'a> {
    charset: &'a [u8],
    octets: Vec<u8>,
}

fn flush(run: &mut Option<Run<'_>>, text: &mut String) {
    if let Some(run) = run.take() {
        text.push_str(&Charset::named_or_undeclared(Some(run.charset)).decode(&run.octets));
    }
}

struct EncodedWord<'a> {
    charset: &'a [u8],
    is_base64: bool,
    text: &'a [u8],
}

impl<'a> EncodedWord<'a> {
    /// Parses the word that begins at `start`, which is the position of `=?`, and returns it with its end.
    ///
    /// ```abnf
    /// encoded-word = "=?" charset "?" encoding "?" encoded-text "?="
    /// charset      = token [ "*" language ]       ; RFC 2231 §5
    /// ```
    fn parse(value: &'a [u8], start: usize, closings: &mut WordEnds<'_>) -> Option<(Self, usize)> {
        let rest = &value[start + 2..];
        let tagged = &rest[..memchr::memchr(b'?', &rest[..rest.len().min(MAX_CHARSET + 1)])?];
        let charset = tagged.split(|octet| *octet == b'*').next().unwrap_or_default();
        if charset.is_empty() || !tagged.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let is_base64 = match rest.get(tagged.len() + 1..tagged.len() + 3)? {
            b"B?" | b"b?" => true,
            b"Q?" | b"q?" => false,
            _ => return None,
        };
        let text = start + 2 + tagged.len() + 3;
        let end = closings.from(text)?;
        Some((Self { charset, is_base64, text: &value[text..end] }, end + 2))
    }

    fn append(&self, out: &mut Vec<u8>) {
        if self.is_base64 {
            transfer::decode_base64(self.text, out);
        } else {
            transfer::decode_q(self.text, out);
        }
    }
}

#[cfg(test)]
mod tests;
