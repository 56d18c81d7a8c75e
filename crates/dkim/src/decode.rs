//! Decodes the values of tags: folding white space, Base64, numbers, quoted-printable.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The padding is optional in RFC 6376 §2.10, and keys are published without it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// An octet of folding white space: `FWS = [*WSP CRLF] 1*WSP`, read octet by octet.
pub(crate) fn is_fws(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// The value without the folding white space around it.
pub(crate) fn trim_fws(mut value: &[u8]) -> &[u8] {
    while let Some((_, rest)) = value.split_first().filter(|(first, _)| is_fws(**first)) {
        value = rest;
    }
    while let Some((_, rest)) = value.split_last().filter(|(last, _)| is_fws(**last)) {
        value = rest;
    }
    value
}

/// The value without the folding white space in it.
pub(crate) fn without_fws(value: &[u8]) -> Cow<'_, [u8]> {
    if value.iter().any(|octet| is_fws(*octet)) {
        Cow::Owned(value.iter().copied().filter(|octet| !is_fws(*octet)).collect())
    } else {
        Cow::Borrowed(value)
    }
}

/// Decodes Base64 with folding white space in it.
///
/// ```abnf
/// base64string = ALPHADIGITPS *([FWS] ALPHADIGITPS) [ [FWS] "=" [ [FWS] "=" ] ]
/// ```
pub(crate) fn base64(value: &[u8]) -> Option<Vec<u8>> {
    BASE64.decode(without_fws(value)).ok()
}

/// Digits as a number; a number too large for the type becomes the largest value (RFC 6376 §3.5 allows 76 digits).
pub(crate) fn number(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let append_digit =
        |number: u64, octet: &u8| number.saturating_mul(10).saturating_add(u64::from(octet - b'0'));
    Some(value.iter().fold(0, append_digit))
}

/// Items between colons, without the white space around them. Empty items are left out.
pub(crate) fn items(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|octet| *octet == b':').map(trim_fws).filter(|item| !item.is_empty())
}

/// `dkim-quoted-printable` (RFC 6376 §2.11): `=` and two hexadecimal digits in upper case stand for an octet.
pub(crate) fn quoted_printable(value: &[u8]) -> Option<Vec<u8>> {
    let value = without_fws(value);
    let mut octets = Vec::with_capacity(value.len());
    let mut rest = value.iter();
    while let Some(octet) = rest.next() {
        if *octet == b'=' {
            let (high, low) = (hex_digit(*rest.next()?)?, hex_digit(*rest.next()?)?);
            octets.push(high << 4 | low);
        } else {
            octets.push(*octet);
        }
    }
    Some(octets)
}

fn hex_digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}
