//! Encoders of a body that arrives in pieces.

use super::Scheme;

/// The longest line of an encoded body (RFC 2045 §6.7, §6.8).
const MAX_ENCODED: usize = 76;

/// An encoder of one body.
#[derive(Debug)]
pub(super) enum Encoder {
    Base64(Base64),
    QuotedPrintable(QuotedPrintable),
    Base64Lines(Column),
}

impl Encoder {
    pub(super) fn new(scheme: Scheme) -> Self {
        match scheme {
            Scheme::Base64 => Self::Base64(Base64::default()),
            Scheme::QuotedPrintable => Self::QuotedPrintable(QuotedPrintable::default()),
            Scheme::Base64Lines => Self::Base64Lines(Column::default()),
        }
    }

    pub(super) fn push(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Base64(base64) => base64.push(octets, out),
            Self::QuotedPrintable(quoted) => octets.iter().for_each(|octet| quoted.octet(*octet, out)),
            // Decoders ignore all other octets (RFC 2045 §6.8), and one of them could make a delimiter of a line.
            Self::Base64Lines(column) => {
                let is_kept =
                    |octet: &&u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=');
                octets.iter().filter(is_kept).for_each(|octet| column.write(*octet, out));
            }
        }
    }

    pub(super) fn finish(self, out: &mut Vec<u8>) {
        match self {
            Self::Base64(base64) => base64.finish(out),
            Self::QuotedPrintable(quoted) => quoted.finish(out),
            Self::Base64Lines(_) => {}
        }
    }
}

/// Lines of base64, separated by CRLF.
#[derive(Debug, Default)]
pub(super) struct Column(usize);

impl Column {
    fn write(&mut self, octet: u8, out: &mut Vec<u8>) {
        if self.0 == MAX_ENCODED {
            out.extend_from_slice(b"\r\n");
            self.0 = 0;
        }
        out.push(octet);
        self.0 += 1;
    }
}

/// Base64 (RFC 2045 §6.8).
#[derive(Debug, Default)]
pub(super) struct Base64 {
    held: [u8; 3],
    count: usize,
    column: Column,
}

impl Base64 {
    fn push(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        for octet in octets {
            self.held[self.count] = *octet;
            self.count += 1;
            if self.count == self.held.len() {
                self.group(out);
            }
        }
    }

    fn group(&mut self, out: &mut Vec<u8>) {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let [a, b, c] = std::mem::take(&mut self.held).map(usize::from);
        let digits = [a >> 2, (a << 4 | b >> 4) & 63, (b << 2 | c >> 6) & 63, c & 63];
        for (position, digit) in digits.into_iter().enumerate() {
            let octet = if position <= self.count { ALPHABET[digit] } else { b'=' };
            self.column.write(octet, out);
        }
        self.count = 0;
    }

    fn finish(mut self, out: &mut Vec<u8>) {
        if self.count > 0 {
            self.group(out);
        }
    }
}

/// Quoted-printable (RFC 2045 §6.7) of a text whose lines end with CRLF.
#[derive(Debug, Default)]
pub(super) struct QuotedPrintable {
    /// White space or a CR, which may be at a line's end.
    held: Option<u8>,
    column: usize,
}

impl QuotedPrintable {
    fn octet(&mut self, octet: u8, out: &mut Vec<u8>) {
        match (self.held.take(), octet) {
            (Some(b'\r'), b'\n') => {
                out.extend_from_slice(b"\r\n");
                self.column = 0;
                return;
            }
            (Some(held), b'\r') => self.escaped(held, out),
            (Some(b'\r'), _) => self.escaped(b'\r', out),
            (Some(held), _) => self.literal(held, out),
            (None, _) => {}
        }
        match octet {
            b' ' | b'\t' | b'\r' => self.held = Some(octet),
            // At a line's beginning: no line may look like a delimiter or end the message.
            b'-' | b'.' if self.column == 0 || self.column >= MAX_ENCODED - 1 => self.escaped(octet, out),
            b'=' => self.escaped(octet, out),
            b'!'..=b'~' => self.literal(octet, out),
            _ => self.escaped(octet, out),
        }
    }

    /// Breaks the line softly unless `width` more octets and the mark of a soft line break fit.
    fn make_room(&mut self, width: usize, out: &mut Vec<u8>) {
        if self.column + width >= MAX_ENCODED {
            out.extend_from_slice(b"=\r\n");
            self.column = 0;
        }
        self.column += width;
    }

    fn literal(&mut self, octet: u8, out: &mut Vec<u8>) {
        self.make_room(1, out);
        out.push(octet);
    }

    fn escaped(&mut self, octet: u8, out: &mut Vec<u8>) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        self.make_room(3, out);
        out.extend_from_slice(&[b'=', DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 15)]]);
    }

    fn finish(mut self, out: &mut Vec<u8>) {
        if let Some(held) = self.held.take() {
            self.escaped(held, out);
        }
    }
}
