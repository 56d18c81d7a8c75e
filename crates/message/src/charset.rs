//! Charsets of mail by name, and the decoding of their text to Unicode, in pieces of any size.
//!
//! The encodings on the WHATWG's list are decoded by `encoding_rs`. Mail has more names for them (`cp932`, `ms949`),
//! and charsets that web pages do not use: those that shift by escape sequences are rewritten as their eight-bit
//! relative ([`shifted`]), Johab is computed ([`johab`]), and code pages are tables ([`code_pages`]). Octets that are
//! invalid in the charset become U+FFFD.

mod code_pages;
mod johab;
mod names;
mod shifted;
mod undeclared;
mod utf7;

use encoding_rs::{CoderResult, EUC_JP, EUC_KR, Encoding, GBK, UTF_8};

use self::johab::Johab;
use self::shifted::{Hz, Iso2022Jp, ShiftOut};
use self::undeclared::Undeclared;
use self::utf7::Utf7;

/// A charset that can be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset(CharsetKind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CharsetKind {
    /// UTF-8 where it is valid, Windows-1252 elsewhere: raw octets in mail are nearly always one of these.
    Undeclared,
    Encoding(&'static Encoding),
    /// ISO-2022-JP and its extensions.
    Iso2022Jp,
    /// ISO-2022-KR.
    Iso2022Kr,
    /// ISO-2022-CN, without the characters of CNS 11643.
    Iso2022Cn,
    /// HZ-GB-2312 (RFC 1843).
    Hz,
    Johab,
    Utf7,
    /// US-ASCII and a table for the upper half.
    CodePage(&'static str),
}

impl Charset {
    /// Text whose charset is unknown or not given.
    pub const UNDECLARED: Self = Self(CharsetKind::Undeclared);
    /// UTF-8.
    pub const UTF_8: Self = Self(CharsetKind::Encoding(UTF_8));

    /// The charset of that name, in the spellings of mail programs.
    pub fn named(name: &[u8]) -> Option<Self> {
        names::kind(name).map(Self)
    }

    /// The charset of that name; [`Charset::UNDECLARED`] if it is missing or unknown.
    pub(crate) fn named_or_undeclared(name: Option<&[u8]>) -> Self {
        name.and_then(Self::named).unwrap_or(Self::UNDECLARED)
    }

    /// Decodes a whole text.
    pub fn decode(self, octets: &[u8]) -> String {
        let mut decoder = CharsetDecoder::new(self);
        let mut text = String::with_capacity(octets.len());
        decoder.push(octets, &mut text);
        decoder.finish(&mut text);
        text
    }
}

/// Decodes a text in pieces.
#[derive(Debug)]
pub struct CharsetDecoder(DecoderState);

enum DecoderState {
    Undeclared(Undeclared),
    Plain(encoding_rs::Decoder),
    Jp(Iso2022Jp, encoding_rs::Decoder),
    ShiftOut(ShiftOut, encoding_rs::Decoder),
    Hz(Hz, encoding_rs::Decoder),
    Johab(Johab),
    Utf7(Utf7),
    CodePage(Vec<char>),
}

impl std::fmt::Debug for DecoderState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("State")
    }
}

impl CharsetDecoder {
    /// A decoder at the beginning of a text.
    pub fn new(charset: Charset) -> Self {
        let plain = |encoding: &'static Encoding| encoding.new_decoder_with_bom_removal();
        Self(match charset.0 {
            CharsetKind::Undeclared => DecoderState::Undeclared(Undeclared::default()),
            // A byte order mark selects the UTF-16 variant (RFC 2781 §4.3).
            CharsetKind::Encoding(encoding) if encoding.name().starts_with("UTF-16") => {
                DecoderState::Plain(encoding.new_decoder())
            }
            CharsetKind::Encoding(encoding) => DecoderState::Plain(plain(encoding)),
            CharsetKind::Iso2022Jp => DecoderState::Jp(Iso2022Jp::default(), plain(EUC_JP)),
            CharsetKind::Iso2022Kr => DecoderState::ShiftOut(ShiftOut::default(), plain(EUC_KR)),
            CharsetKind::Iso2022Cn => DecoderState::ShiftOut(ShiftOut::default(), plain(GBK)),
            CharsetKind::Hz => DecoderState::Hz(Hz::default(), plain(GBK)),
            CharsetKind::Johab => DecoderState::Johab(Johab::default()),
            CharsetKind::Utf7 => DecoderState::Utf7(Utf7::default()),
            CharsetKind::CodePage(table) => DecoderState::CodePage(table.chars().collect()),
        })
    }

    /// Appends the text of the next octets.
    pub fn push(&mut self, octets: &[u8], text: &mut String) {
        self.feed(octets, false, text);
    }

    /// Appends the rest at the end of the text: half a character is U+FFFD.
    pub fn finish(&mut self, text: &mut String) {
        self.feed(b"", true, text);
    }

    fn feed(&mut self, octets: &[u8], is_last: bool, text: &mut String) {
        let mut eight_bit = Vec::new();
        let decoder = match &mut self.0 {
            DecoderState::Undeclared(unnamed) => return unnamed.feed(octets, is_last, text),
            DecoderState::Johab(johab) => return johab.feed(octets, is_last, text),
            DecoderState::Utf7(utf7) => return utf7.feed(octets, is_last, text),
            DecoderState::CodePage(upper) => {
                text.extend(octets.iter().map(|octet| match octet.checked_sub(0x80) {
                    None => char::from(*octet),
                    Some(index) => upper.get(usize::from(index)).copied().unwrap_or('\u{fffd}'),
                }));
                return;
            }
            DecoderState::Plain(decoder) => return decode(decoder, octets, is_last, text),
            DecoderState::Jp(shift, decoder) => {
                octets.iter().for_each(|octet| shift.octet(*octet, &mut eight_bit));
                decoder
            }
            DecoderState::ShiftOut(shift, decoder) => {
                octets.iter().for_each(|octet| shift.octet(*octet, &mut eight_bit));
                decoder
            }
            DecoderState::Hz(shift, decoder) => {
                octets.iter().for_each(|octet| shift.octet(*octet, &mut eight_bit));
                decoder
            }
        };
        decode(decoder, &eight_bit, is_last, text);
    }
}

fn decode(decoder: &mut encoding_rs::Decoder, octets: &[u8], is_last: bool, text: &mut String) {
    let mut rest = octets;
    loop {
        text.reserve(decoder.max_utf8_buffer_length(rest.len()).unwrap_or(rest.len()));
        let (result, read, _) = decoder.decode_to_string(rest, text, is_last);
        rest = &rest[read..];
        if result == CoderResult::InputEmpty {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
