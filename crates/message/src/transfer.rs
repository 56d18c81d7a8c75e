//! Transfer encodings undone (RFC 2045 §6.7 and §6.8), leniently: what is no encoding is kept or passed
//! over, as mail programs do. Output never exceeds the given limit.

/// What part of `out` may still be filled.
fn room(out: &[u8], limit: usize) -> usize {
    limit.saturating_sub(out.len())
}

fn hex_value(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn hex_pair(octets: &[u8]) -> Option<u8> {
    match octets {
        [high, low, ..] => Some(hex_value(*high)? << 4 | hex_value(*low)?),
        _ => None,
    }
}

/// Replaces what `mark` and two hexadecimal digits stand for.
fn undo_escapes(octets: &[u8], mark: u8, out: &mut Vec<u8>) {
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
pub(crate) fn undo_percent(octets: &[u8], out: &mut Vec<u8>) {
    undo_escapes(octets, b'%', out);
}

/// The Q encoding of encoded words (RFC 2047 §4.2): an underscore is a space; one that is meant is
/// written `=5F`.
pub(crate) fn undo_q(octets: &[u8], out: &mut Vec<u8>) {
    let spaced: Vec<u8> = octets.iter().map(|octet| if *octet == b'_' { b' ' } else { *octet }).collect();
    undo_escapes(&spaced, b'=', out);
}

/// Quoted-printable (RFC 2045 §6.7): escapes, soft line breaks, and no white space at a line's end.
pub(crate) fn undo_quoted_printable(octets: &[u8], out: &mut Vec<u8>, limit: usize) {
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        if room(out, limit) == 0 {
            break;
        }
        let text = line.trim_ascii_end();
        let line_end = if text.len() < line.len() && line.ends_with(b"\n") { &b"\n"[..] } else { b"" };
        match text.strip_suffix(b"=") {
            Some(text) => undo_escapes(text, b'=', out),
            None => {
                undo_escapes(text, b'=', out);
                out.extend_from_slice(line_end);
            }
        }
    }
    out.truncate(limit);
}

/// Base64 (RFC 2045 §6.8): octets outside the alphabet are passed over, padding ends a group and the
/// reading goes on, since some programs write one padded group after another.
pub(crate) fn undo_base64(octets: &[u8], out: &mut Vec<u8>, limit: usize) {
    let mut bits = 0u32;
    let mut count = 0u8;
    for octet in octets {
        let value = BASE64[usize::from(*octet)];
        if value < 64 {
            bits = bits << 6 | u32::from(value);
            count += 1;
            if count == 4 {
                if room(out, limit) < 3 {
                    return;
                }
                out.extend_from_slice(&bits.to_be_bytes()[1..]);
                (bits, count) = (0, 0);
            }
        } else if *octet == b'=' {
            flush_base64(bits, count, out, limit);
            (bits, count) = (0, 0);
        }
    }
    flush_base64(bits, count, out, limit);
}

fn flush_base64(bits: u32, count: u8, out: &mut Vec<u8>, limit: usize) {
    let octets = (bits << (6 * (4 - u32::from(count)))).to_be_bytes();
    let whole = match count {
        2 => 1,
        3 => 2,
        _ => 0,
    };
    out.extend_from_slice(&octets[1..1 + whole.min(room(out, limit))]);
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

    fn quoted_printable(octets: &[u8], limit: usize) -> Vec<u8> {
        let mut out = Vec::new();
        undo_quoted_printable(octets, &mut out, limit);
        out
    }

    fn base64(octets: &[u8], limit: usize) -> Vec<u8> {
        let mut out = Vec::new();
        undo_base64(octets, &mut out, limit);
        out
    }

    #[test]
    fn quoted_printable_joins_soft_breaks_and_drops_white_space_at_the_end() {
        // RFC 2045 §6.7, rule 5
        let example = b"Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.";
        assert_eq!(
            quoted_printable(example, 1000),
            b"Now's the time for all folk to come to the aid of their country."
        );
        for (encoded, plain) in
            [(&b"a=3Db \t\r\nc"[..], &b"a=b\nc"[..]), (b"=C3=a4 = =ZZ =4", b"\xc3\xa4 = =ZZ =4"), (b"=", b"")]
        {
            assert_eq!(quoted_printable(encoded, 1000), plain);
        }
        assert_eq!(quoted_printable(b"abcdef\r\nghi", 4), b"abcd");
    }

    #[test]
    fn base64_passes_over_what_is_none() {
        for (encoded, plain) in [
            (&b"Zm9vYmFy"[..], &b"foobar"[..]),
            (b"Zm9v\r\n YmE=\r\n", b"fooba"),
            (b"Zg==Zg==", b"ff"),
            (b"Zm9vY", b"foo"),
            (b"Zm9vYm", b"foob"),
            (b"====", b""),
        ] {
            assert_eq!(base64(encoded, 1000), plain);
        }
        assert_eq!(base64(b"Zm9vYmFy", 4), b"foo");
    }

    #[test]
    fn an_underscore_in_q_encoding_is_a_space_and_its_escape_is_not() {
        let mut out = Vec::new();
        undo_q(b"a_b=5Fc=3d", &mut out);
        assert_eq!(out, b"a b_c=");
    }
}
