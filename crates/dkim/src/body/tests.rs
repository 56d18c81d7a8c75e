use aws_lc_rs::digest::digest;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;

use super::*;

fn hash(form: Canonicalization, pieces: &[&[u8]]) -> BodyHash {
    let mut hasher = BodyHasher::new(form);
    pieces.iter().for_each(|piece| hasher.update(piece));
    hasher.finish()
}

/// A body, and the octets of it that are hashed in simple and in relaxed form.
const BODIES: [(&str, &str, &str); 42] = [
    // Empty bodies (RFC 6376 §3.4.3, §3.4.4): one line end, and nothing.
    ("", "\r\n", ""),
    ("\r\n", "\r\n", ""),
    ("\r\n\r\n\r\n", "\r\n", ""),
    // Lines of white space at the end are lines to simple and empty lines to relaxed.
    (" \r\n", " \r\n", ""),
    ("\t\r\n", "\t\r\n", ""),
    (" \r\n\r\n \t \r\n", " \r\n\r\n \t \r\n", ""),
    ("text\r\n \r\n", "text\r\n \r\n", "text\r\n"),
    ("text\r\n\t\r\n", "text\r\n\t\r\n", "text\r\n"),
    ("text\r\n \r\n\r\n", "text\r\n \r\n", "text\r\n"),
    ("text\r\n\r\n \r\n", "text\r\n\r\n \r\n", "text\r\n"),
    ("text\r\n\r\n \t\r\n\r\n \r\n\r\n", "text\r\n\r\n \t\r\n\r\n \r\n", "text\r\n"),
    ("text \r\n \r\n", "text \r\n \r\n", "text\r\n"),
    ("\r\n \r\ntext\r\n", "\r\n \r\ntext\r\n", "\r\n\r\ntext\r\n"),
    ("a\r\n \r\n \r\nb\r\n", "a\r\n \r\n \r\nb\r\n", "a\r\n\r\n\r\nb\r\n"),
    // No line end at the end.
    ("text", "text\r\n", "text\r\n"),
    ("text ", "text \r\n", "text\r\n"),
    ("text\t", "text\t\r\n", "text\r\n"),
    ("text\r\n ", "text\r\n \r\n", "text\r\n"),
    ("text\r\n\r\n ", "text\r\n\r\n \r\n", "text\r\n"),
    (" ", " \r\n", ""),
    (" \t", " \t\r\n", ""),
    ("a\r\nb", "a\r\nb\r\n", "a\r\nb\r\n"),
    // Empty lines at the end are removed, those before stay.
    ("text\r\n", "text\r\n", "text\r\n"),
    ("text\r\n\r\n\r\n", "text\r\n", "text\r\n"),
    ("a\r\n\r\nb\r\n\r\n", "a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n"),
    ("\r\na\r\n", "\r\na\r\n", "\r\na\r\n"),
    // White space within a line.
    (" a\r\n", " a\r\n", " a\r\n"),
    ("\ta\r\n", "\ta\r\n", " a\r\n"),
    ("\t a  b\t\tc \t d\t \r\n", "\t a  b\t\tc \t d\t \r\n", " a b c d\r\n"),
    ("a b c\r\n d  e\r\n", "a b c\r\n d  e\r\n", "a b c\r\n d e\r\n"),
    // RFC 6376 §3.4.5
    (" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"),
    // A lone CR or LF does not end a line, and other control characters are not white space.
    ("a\rb\r\n", "a\rb\r\n", "a\rb\r\n"),
    ("a\nb\r\n", "a\nb\r\n", "a\nb\r\n"),
    ("a \n b\r\n", "a \n b\r\n", "a \n b\r\n"),
    ("a\r", "a\r\r\n", "a\r\r\n"),
    ("a\n", "a\n\r\n", "a\n\r\n"),
    ("a \r\r\n", "a \r\r\n", "a \r\r\n"),
    ("\r\r\n\r", "\r\r\n\r\r\n", "\r\r\n\r\r\n"),
    ("\n\n\r\n", "\n\n\r\n", "\n\n\r\n"),
    ("a \r \r\n", "a \r \r\n", "a \r\r\n"),
    ("a\x0b \x0c\r\n", "a\x0b \x0c\r\n", "a\x0b \x0c\r\n"),
    ("a\u{a0}\u{a0}\r\n", "a\u{a0}\u{a0}\r\n", "a\u{a0}\u{a0}\r\n"),
];

#[test]
fn bodies_are_hashed_in_canonical_form_in_pieces_of_any_size() {
    for (body, simple, relaxed) in BODIES {
        for (form, canonical) in [(Canonicalization::Simple, simple), (Canonicalization::Relaxed, relaxed)] {
            let expected = digest(&SHA256, canonical.as_bytes());
            for size in 1..=body.len().max(1) {
                let pieces: Vec<_> = body.as_bytes().chunks(size).collect();
                let hash = hash(form, &pieces);
                assert_eq!(
                    hash.digest.as_ref(),
                    expected.as_ref(),
                    "{body:?} as {form:?} in pieces of {size}"
                );
                assert_eq!(hash.length, canonical.len() as u64, "{body:?} as {form:?} in pieces of {size}");
            }
        }
    }
}

#[test]
fn the_hashes_of_an_empty_body_are_those_of_the_standard() {
    // RFC 6376 §3.4.3, §3.4.4
    for (form, expected) in [
        (Canonicalization::Simple, "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="),
        (Canonicalization::Relaxed, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
    ] {
        assert_eq!(BASE64_STANDARD.encode(hash(form, &[]).digest), expected);
    }
}

/// The canonical form computed literally as the standard describes it, on a whole body.
fn canonical(form: Canonicalization, body: &[u8]) -> Vec<u8> {
    let mut lines = vec![Vec::new()];
    let mut rest = body;
    while let Some((first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(b"\r\n") {
            lines.push(Vec::new());
            rest = after;
        } else {
            lines.last_mut().unwrap().push(*first);
            rest = after;
        }
    }
    if form == Canonicalization::Relaxed {
        for line in &mut lines {
            let mut reduced: Vec<u8> = Vec::new();
            for octet in line.drain(..) {
                match octet {
                    b' ' | b'\t' if reduced.last() == Some(&b' ') => {}
                    b' ' | b'\t' => reduced.push(b' '),
                    octet => reduced.push(octet),
                }
            }
            if reduced.last() == Some(&b' ') {
                reduced.pop();
            }
            *line = reduced;
        }
    }
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    let mut octets: Vec<u8> = lines.into_iter().flat_map(|line| [line, b"\r\n".to_vec()].concat()).collect();
    if octets.is_empty() && form == Canonicalization::Simple {
        octets = b"\r\n".to_vec();
    }
    octets
}

#[test]
fn long_runs_are_hashed_as_short_ones() {
    for unit in ["\r\n", " ", "\t \r\n", "a b\r\n", "a", "\r", "  a"] {
        let body = format!("x{}y", unit.repeat(9_000));
        for form in [Canonicalization::Simple, Canonicalization::Relaxed] {
            let hash = hash(form, &[body.as_bytes()]);
            let canonical = canonical(form, body.as_bytes());
            assert_eq!(hash.digest.as_ref(), digest(&SHA256, &canonical).as_ref(), "{unit:?} as {form:?}");
        }
    }
}

proptest! {
    #[test]
    fn any_body_is_hashed_as_the_standard_describes(
        pieces in prop::collection::vec("[ \t\r\nab]{0,6}|(\r\n){1,2}|[ \t]{1,3}\r\n", 0..12)
    ) {
        let body = pieces.concat();
        let pieces: Vec<_> = pieces.iter().map(String::as_bytes).collect();
        for form in [Canonicalization::Simple, Canonicalization::Relaxed] {
            let canonical = canonical(form, body.as_bytes());
            let hash = hash(form, &pieces);
            prop_assert_eq!(hash.length, canonical.len() as u64);
            let expected = digest(&SHA256, &canonical);
            prop_assert_eq!(hash.digest.as_ref(), expected.as_ref());
        }
    }
}
