//! Message identifiers (RFC 5322 §3.6.4).

use crate::token::Cursor;

/// The most identifiers of one field that are read; long threads have some hundreds.
pub const MAX_IDENTIFIERS: usize = 2_000;

/// The identifiers in a Message-ID, In-Reply-To or References value, with their angle brackets. Other text
/// that the obsolete syntax allows between them is skipped.
///
/// ```abnf
/// references = "References:" 1*msg-id CRLF
/// msg-id     = [CFWS] "<" id-left "@" id-right ">" [CFWS]
/// ```
pub fn identifiers(value: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut cursor = Cursor::new(value);
    while found.len() < MAX_IDENTIFIERS {
        cursor.skip_cfws();
        match cursor.peek() {
            None => break,
            Some(b'<') => {
                let inner = cursor.take_while(|octet| octet != b'>');
                if !cursor.accept(b'>') {
                    break;
                }
                let mut identifier: Vec<u8> =
                    inner.iter().copied().filter(|octet| !matches!(octet, 0..=b' ' | 0x7f)).collect();
                if identifier.len() > 1 {
                    identifier.push(b'>');
                    found.push(identifier);
                }
            }
            Some(b'"') => {
                cursor.quoted_string();
            }
            Some(_) => cursor.advance(),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_found_between_other_text() {
        for (value, expected) in [
            (&b"<1234@local.machine.example>"[..], &["<1234@local.machine.example>"][..]),
            (b" <1@a>\r\n\t<2@b> <3@c>", &["<1@a>", "<2@b>", "<3@c>"]),
            (b"Your message of \"<not this>\" <4@d> (nor <this@one>)", &["<4@d>"]),
            (b"<folded\r\n @id>", &["<folded@id>"]),
            (b"<open@end", &[]),
            (b"<>", &[]),
            (b"", &[]),
        ] {
            let found = identifiers(value);
            assert_eq!(found, expected.iter().map(|id| id.as_bytes().to_vec()).collect::<Vec<_>>());
        }
    }
}
