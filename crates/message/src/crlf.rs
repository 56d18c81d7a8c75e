//! Lone LF to CRLF, in pieces of any size. A lone CR is kept: it is the sender's, and not a line end.

use memchr::memchr_iter;

/// Converts a stream of octets. Its only state is whether the last octet was a CR.
#[derive(Debug, Clone, Default)]
pub struct ToCrlf {
    after_cr: bool,
}

impl ToCrlf {
    /// Appends `octets` to `out`, with each lone LF as CRLF.
    pub fn convert(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        let mut copied = 0;
        for lf in memchr_iter(b'\n', octets) {
            let preceded = if lf == 0 { self.after_cr } else { octets[lf - 1] == b'\r' };
            if !preceded {
                out.extend_from_slice(&octets[copied..lf]);
                out.push(b'\r');
                copied = lf;
            }
        }
        out.extend_from_slice(&octets[copied..]);
        if let Some(last) = octets.last() {
            self.after_cr = *last == b'\r';
        }
    }
}

/// `octets` with CRLF line ends.
pub fn to_crlf(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 32);
    ToCrlf::default().convert(octets, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lone_line_feed_gets_a_carriage_return() {
        for (stored, sent) in [
            (&b""[..], &b""[..]),
            (b"\n", b"\r\n"),
            (b"a\nb\r\nc", b"a\r\nb\r\nc"),
            (b"\r\r\n\n\n", b"\r\r\n\r\n\r\n"),
            (b"a\rb", b"a\rb"),
        ] {
            assert_eq!(to_crlf(stored), sent);
        }
    }

    #[test]
    fn the_size_of_the_pieces_does_not_matter() {
        let stored = b"one\r\ntwo\n\r\nthree\r\n\n";
        for size in 1..stored.len() {
            let mut convert = ToCrlf::default();
            let mut out = Vec::new();
            stored.chunks(size).for_each(|piece| convert.convert(piece, &mut out));
            assert_eq!(out, to_crlf(stored), "pieces of {size}");
        }
    }
}
