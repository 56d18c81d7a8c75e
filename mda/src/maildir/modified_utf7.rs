//! Modified UTF-7, the encoding of mailbox names in IMAP4rev1 (RFC 3501 §5.1.3) and of folder names in a Maildir++.

use base64::Engine;
use base64::alphabet::Alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// BASE64 with `,` for `/` and without padding. A last character with stray bits is refused, so that no two encodings
/// stand for one name.
fn base64() -> GeneralPurpose {
    let alphabet = Alphabet::new("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,")
        .expect("the alphabet has 64 different characters");
    let config = GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone);
    GeneralPurpose::new(&alphabet, config)
}

/// Encodes a name.
pub fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        if is_direct(first) {
            encoded.push(first);
            if first == '&' {
                encoded.push('-');
            }
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let end = rest.find(is_direct).unwrap_or(rest.len());
        let octets: Vec<u8> = rest[..end].encode_utf16().flat_map(u16::to_be_bytes).collect();
        encoded.push('&');
        base64().encode_string(octets, &mut encoded);
        encoded.push('-');
        rest = &rest[end..];
    }
    encoded
}

/// Decodes a name; `None` if it is not encoded as the RFC requires.
pub fn decode(encoded: &str) -> Option<String> {
    let mut name = String::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some(first) = rest.chars().next() {
        if !is_direct(first) {
            return None;
        }
        rest = &rest[first.len_utf8()..];
        if first != '&' {
            name.push(first);
            continue;
        }
        let (shifted, after) = rest.split_once('-')?;
        if shifted.is_empty() {
            name.push('&');
        } else {
            let octets = base64().decode(shifted).ok()?;
            let (pairs, odd) = octets.as_chunks::<2>();
            if !odd.is_empty() {
                return None;
            }
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
            for c in char::decode_utf16(units) {
                // A character that can be written directly must be: otherwise one name had many encodings.
                name.push(c.ok().filter(|c| !is_direct(*c))?);
            }
            if after.strip_prefix('&').is_some_and(|more| !more.starts_with('-')) {
                // Two shifts in a row must be written as one.
                return None;
            }
        }
        rest = after;
    }
    Some(name)
}

/// Returns true if a character stands for itself; `&` does so as `&-`.
fn is_direct(c: char) -> bool {
    matches!(c, ' '..='~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_as_the_rfc_shows() {
        for (name, encoded) in [
            ("INBOX", "INBOX"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Q&A", "Q&-A"),
            ("&", "&-"),
            ("ü&ü", "&APw-&-&APw-"),
            ("😀", "&2D3eAA-"),
            ("", ""),
        ] {
            assert_eq!(encode(name), encoded);
            assert_eq!(decode(encoded).as_deref(), Some(name));
        }
    }

    #[test]
    fn another_encoding_of_the_same_name_is_refused() {
        for bad in ["&AGE-", "&", "&APw", "&APw=-", "ü", "&2D0-", "&APx-", "&A-", "&APw-&APw-", "a\tb"] {
            assert_eq!(decode(bad), None, "{bad:?} was decoded");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_name_survives(name in ".{0,40}") {
            proptest::prop_assert_eq!(decode(&encode(&name)), Some(name));
        }

        #[test]
        fn every_decoded_name_encodes_to_the_same(encoded in "[ -~]{0,20}") {
            if let Some(name) = decode(&encoded) {
                proptest::prop_assert_eq!(encode(&name), encoded);
            }
        }
    }
}
