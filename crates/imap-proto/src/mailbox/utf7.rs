//! Modified UTF-7, the encoding of mailbox names on the wire (RFC 3501 §5.1.3).
//!
//! Printable ASCII represents itself, `&-` represents `&`, and all else is UTF-16 in a modified base64 (`,` in place of
//! `/`, no padding) between `&` and `-`. Dovecot also uses it for the folder names of a Maildir.

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;

const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

fn is_direct(letter: char) -> bool {
    matches!(letter, ' '..='~')
}

/// The text in modified UTF-7.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    let mut shifted = String::new();
    for letter in text.chars() {
        if is_direct(letter) {
            unshift(&mut encoded, &mut shifted);
            encoded.push(letter);
            if letter == '&' {
                encoded.push('-');
            }
        } else {
            shifted.push(letter);
        }
    }
    unshift(&mut encoded, &mut shifted);
    encoded
}

fn unshift(encoded: &mut String, shifted: &mut String) {
    if !shifted.is_empty() {
        let units: Vec<u8> = shifted.encode_utf16().flat_map(u16::to_be_bytes).collect();
        encoded.push('&');
        BASE64.encode_string(units, encoded);
        encoded.push('-');
        shifted.clear();
    }
}

/// The text encoded by the octets, or `None` if they are not modified UTF-7 or not the one spelling of their text
/// (`&AGE-` for `a`).
pub fn decode(octets: &[u8]) -> Option<String> {
    let encoded = std::str::from_utf8(octets).ok()?;
    let mut text = String::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((plain, shifted)) = rest.split_once('&') {
        text.push_str(plain);
        let (shifted, after) = shifted.split_once('-')?;
        if shifted.is_empty() {
            text.push('&');
        } else {
            text.push_str(&decode_shifted(shifted)?);
        }
        rest = after;
    }
    text.push_str(rest);
    (encode(&text) == encoded).then_some(text)
}

fn decode_shifted(shifted: &str) -> Option<String> {
    let octets = BASE64.decode(shifted).ok()?;
    let units = octets.chunks(2).map(|unit| <[u8; 2]>::try_from(unit).ok().map(u16::from_be_bytes));
    String::from_utf16(&units.collect::<Option<Vec<u16>>>()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of RFC 3501 §5.1.3, and others.
    #[test]
    fn known_names_are_decoded_and_encoded() {
        let table = [
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("R&D", "R&-D"),
            ("😀", "&2D3eAA-"),
            ("INBOX", "INBOX"),
        ];
        for (text, encoded) in table {
            assert_eq!(encode(text), encoded);
            assert_eq!(decode(encoded.as_bytes()).as_deref(), Some(text));
        }
    }

    #[test]
    fn invalid_and_non_canonical_encodings_are_refused() {
        // In order: no end, printable in base64, half a unit, lone surrogate, raw UTF-8, adjoining shifts, padding.
        for wrong in ["&", "&AGE-", "&AP-", "&2D0-", "ü", "&APw-&APw-", "&APw=-", "a\u{7f}"] {
            assert_eq!(decode(wrong.as_bytes()), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_encoded_text_decodes_back(text in ".*") {
            prop_assert_eq!(decode(encode(&text).as_bytes()), Some(text));
        }
    }
}
