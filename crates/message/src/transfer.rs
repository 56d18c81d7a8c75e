//! Decoding of transfer encodings (RFC 2045 §6.7 and §6.8), leniently: invalid octets are kept or skipped, as mail
//! programs do. A part is decoded in pieces of any size; output is never longer than input.

fn hex_value(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn hex_pair(octets: &[u8]) -> Option<u8> {
    match octets {
        [high, low, ..] => Some(hex_value(*high)? << 4 | hex_value(*low)?),
        _ => None,
    }
}

/// Decodes `mark` with two hexadecimal digits.
fn decode_escapes(octets: &[u8], mark: u8, out: &mut Vec<u8>) {
    let mut rest = octets;
    while let Some((first, after)) = rest.split_first() {
        match hex_pair(after) {
            Some(octet) if *first == mark => {
                out.push(octet);
                rest = &after[2..];
            }
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
}

/// `%41` to `A` (RFC 2231 §4).
pub(crate) fn decode_percent(octets: &[u8], out: &mut Vec<u8>) {
    decode_escapes(octets, b'%', out);
}

/// The Q encoding of encoded words (RFC 2047 §4.2): an underscore is a space; a literal one is written `=5F`.
pub(crate) fn decode_q(octets: &[u8], out: &mut Vec<u8>) {
    let spaced: Vec<u8> = octets.iter().map(|octet| if *octet == b'_' { b' ' } else { *octet }).collect();
    decode_escapes(&spaced, b'=', out);
}

/// Base64 of one encoded word.
pub(crate) fn decode_base64(octets: &[u8], out: &mut Vec<u8>) {
    let mut base64 = Base64::default();
    base64.push(octets, out);
    base64.finish(out);
}

/// Decodes a part's transfer encoding while the part is read.
#[derive(Debug)]
pub struct TransferDecoder(Encoding);

#[derive(Debug)]
enum Encoding {
    /// 7bit, 8bit, binary, and unknown encodings.
    Identity,
    Base64(Base64),
    QuotedPrintable(QuotedPrintable),
}

impl TransferDecoder {
    /// A decoder for the value of Content-Transfer-Encoding. An unknown encoding is left as it is.
    pub fn new(encoding: Option<&[u8]>) -> Self {
        let encoding = encoding.unwrap_or_default();
        Self(if encoding.eq_ignore_ascii_case(b"base64") {
            Encoding::Base64(Base64::default())
        } else if encoding.eq_ignore_ascii_case(b"quoted-printable") {
            Encoding::QuotedPrintable(QuotedPrintable::default())
        } else {
            Encoding::Identity
        })
    }

    /// Appends the decoded next octets.
    pub fn push(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        match &mut self.0 {
            Encoding::Identity => out.extend_from_slice(octets),
            Encoding::Base64(base64) => base64.push(octets, out),
            Encoding::QuotedPrintable(quoted) => octets.iter().for_each(|octet| quoted.octet(*octet, out)),
        }
    }

    /// Appends the rest at the part's end.
    pub fn finish(self, out: &mut Vec<u8>) {
        match self.0 {
            Encoding::Identity => {}
            Encoding::Base64(base64) => base64.finish(out),
            Encoding::QuotedPrintable(quoted) => quoted.finish(out),
        }
    }
}

/// Base64 (RFC 2045 §6.8): octets outside the alphabet are skipped, padding ends a group and decoding continues, since
/// some programs write one padded group after another.
#[derive(Debug, Default)]
struct Base64 {
    bits: u32,
    count: u8,
}

impl Base64 {
    fn push(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        for octet in octets {
            let value = BASE64[usize::from(*octet)];
            if value < 64 {
                self.bits = self.bits << 6 | u32::from(value);
                self.count += 1;
                if self.count == 4 {
                    out.extend_from_slice(&self.bits.to_be_bytes()[1..]);
                    *self = Self::default();
                }
            } else if *octet == b'=' {
                std::mem::take(self).finish(out);
            }
        }
    }

    fn finish(self, out: &mut Vec<u8>) {
        let octets = (self.bits << (6 * (4 - u32::from(self.count)))).to_be_bytes();
        let whole = match self.count {
            2 => 1,
            3 => 2,
            _ => 0,
        };
        out.extend_from_slice(&octets[1..=whole]);
    }
}

/// Quoted-printable (RFC 2045 §6.7): escapes, soft line breaks, and no white space at a line's end.
#[derive(Debug, Default)]
struct QuotedPrintable {
    escape: Escape,
    /// White space that may be at a line's end.
    blanks: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy)]
enum Escape {
    #[default]
    None,
    /// `=`
    Mark,
    /// `=4`
    Digit(u8),
    /// `= `, a soft line break if the line ends there.
    Blanks,
}

/// A longer run of white space belongs to the text.
const MAX_BLANKS: usize = 1024;

impl QuotedPrintable {
    fn octet(&mut self, octet: u8, out: &mut Vec<u8>) {
        let is_blank = matches!(octet, b' ' | b'\t' | b'\r');
        match self.escape {
            Escape::Digit(high) => {
                self.escape = Escape::None;
                if let Some(octet) = hex_pair(&[high, octet]) {
                    out.push(octet);
                    return;
                }
                out.extend_from_slice(&[b'=', high]);
            }
            Escape::Mark if hex_value(octet).is_some() => {
                self.escape = Escape::Digit(octet);
                return;
            }
            Escape::Mark | Escape::Blanks if octet == b'\n' => {
                *self = Self::default();
                return;
            }
            Escape::Mark | Escape::Blanks if is_blank && self.blanks.len() < MAX_BLANKS => {
                self.escape = Escape::Blanks;
                self.blanks.push(octet);
                return;
            }
            Escape::Mark | Escape::Blanks => {
                self.escape = Escape::None;
                out.push(b'=');
            }
            Escape::None => {}
        }
        match octet {
            b'\n' => {
                self.blanks.clear();
                out.push(b'\n');
            }
            _ if is_blank && self.blanks.len() < MAX_BLANKS => self.blanks.push(octet),
            _ => {
                out.append(&mut self.blanks);
                match octet {
                    b'=' => self.escape = Escape::Mark,
                    octet => out.push(octet),
                }
            }
        }
    }

    fn finish(self, out: &mut Vec<u8>) {
        if let Escape::Digit(high) = self.escape {
            out.extend_from_slice(&[b'=', high]);
        }
    }
}

const BASE64: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [255u8; 256];
    let mut value = 0;
    while value < 64 {
        table[alphabet[value as usize] as usize] = value;
        value += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes in pieces of every size, which must not matter.
    fn decoded(encoding: &str, octets: &[u8]) -> Vec<u8> {
        let in_pieces = |size| {
            let mut decoder = TransferDecoder::new(Some(encoding.as_bytes()));
            let mut out = Vec::new();
            octets.chunks(size).for_each(|piece| decoder.push(piece, &mut out));
            decoder.finish(&mut out);
            out
        };
        let whole = in_pieces(octets.len().max(1));
        for size in 1..octets.len().min(9) {
            assert_eq!(in_pieces(size), whole, "in pieces of {size}");
        }
        whole
    }

    #[test]
    fn quoted_printable_joins_soft_breaks_and_drops_white_space_at_the_end() {
        // RFC 2045 §6.7, rule 5
        let example = b"Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.";
        assert_eq!(
            decoded("quoted-printable", example),
            b"Now's the time for all folk to come to the aid of their country."
        );
        for (encoded, plain) in [
            (&b"a=3Db \t\r\nc"[..], &b"a=b\nc"[..]),
            (b"=C3=a4 = =ZZ =4", b"\xc3\xa4 = =ZZ =4"),
            (b"=", b""),
            (b"a= \t\r\nb", b"ab"),
            (b"a=\n=\nb == =\r\n=", b"ab == "),
        ] {
            assert_eq!(decoded("Quoted-Printable", encoded), plain, "{}", encoded.escape_ascii());
        }
    }

    #[test]
    fn long_white_space_is_not_held() {
        let mut decoder = TransferDecoder::new(Some(b"quoted-printable"));
        let mut out = Vec::new();
        decoder.push(&[b' '; 100_000], &mut out);
        assert!(out.len() >= 100_000 - 2 * MAX_BLANKS, "{}", out.len());
    }

    #[test]
    fn base64_skips_other_octets() {
        for (encoded, plain) in [
            (&b"Zm9vYmFy"[..], &b"foobar"[..]),
            (b"Zm9v\r\n YmE=\r\n", b"fooba"),
            (b"Zg==Zg==", b"ff"),
            (b"Zm9vY", b"foo"),
            (b"Zm9vYm", b"foob"),
            (b"====", b""),
        ] {
            assert_eq!(decoded("BASE64", encoded), plain);
        }
    }

    #[test]
    fn an_unknown_encoding_is_left_as_it_is() {
        assert_eq!(decoded("x-uuencode", b"=41 Zg=="), b"=41 Zg==");
    }

    #[test]
    fn an_underscore_in_q_encoding_is_a_space_and_its_escape_is_not() {
        let mut out = Vec::new();
        decode_q(b"a_b=5Fc=3d", &mut out);
        assert_eq!(out, b"a b_c=");
    }
}
