//! The parameters of delivery status notifications (RFC 3461). Only LMTP offers them here.

use std::fmt;

/// The identifier that the sending side gives to a message (RFC 3461 §4.4): graphic ASCII and spaces, at most 100
/// characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopeId(Box<str>);

impl EnvelopeId {
    /// "ENVID … MUST NOT exceed 100 characters in length" (RFC 3461 §4.4).
    const MAX_LEN: usize = 100;

    /// Creates an identifier; `None` when the text is not a valid one.
    pub fn new(text: &str) -> Option<Self> {
        let fits = (1..=Self::MAX_LEN).contains(&text.len());
        let graphic = text.bytes().all(|octet| matches!(octet, b' '..=b'~'));
        (fits && graphic).then(|| Self(text.into()))
    }

    /// `envid-parameter = "ENVID=" xtext` (RFC 3461 §4.4).
    pub(super) fn read(value: &str) -> Option<Self> {
        Self::new(std::str::from_utf8(&from_xtext(value)?).ok()?)
    }

    /// The identifier as a parameter's value.
    pub(crate) fn to_xtext(&self) -> String {
        let mut xtext = String::with_capacity(self.0.len());
        for octet in self.0.bytes() {
            match octet {
                b'+' | b'=' | b' ' => xtext.push_str(&format!("+{octet:02X}")),
                _ => xtext.push(char::from(octet)),
            }
        }
        xtext
    }

    /// The identifier itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnvelopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `ret-value = "FULL" / "HDRS"` (RFC 3461 §4.3).
pub(super) fn is_ret(value: &str) -> bool {
    value.eq_ignore_ascii_case("FULL") || value.eq_ignore_ascii_case("HDRS")
}

/// `notify-esmtp-value = "NEVER" / 1#notify-list-element` (RFC 3461 §4.1).
pub(super) fn is_notify(value: &str) -> bool {
    let element =
        |word: &str| ["SUCCESS", "FAILURE", "DELAY"].iter().any(|known| word.eq_ignore_ascii_case(known));
    value.eq_ignore_ascii_case("NEVER") || value.split(',').all(element)
}

/// `original-recipient-address = addr-type ";" xtext` (RFC 3461 §4.2).
pub(super) fn is_original_recipient(value: &str) -> bool {
    value.split_once(';').is_some_and(|(kind, address)| {
        !kind.is_empty()
            && kind.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
            && from_xtext(address).is_some()
    })
}

/// Decodes `xtext = *( xchar / hexchar )`, `hexchar = "+" 2HEXDIG` in upper case (RFC 3461 §4).
pub(super) fn from_xtext(value: &str) -> Option<Vec<u8>> {
    let digit = |octet: u8| match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    };
    let mut octets = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'+' => (digit(rest.next()?)? << 4) | digit(rest.next()?)?,
            b'!'..=b'~' if octet != b'=' => octet,
            _ => return None,
        });
    }
    Some(octets)
}
