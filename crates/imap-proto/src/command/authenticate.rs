//! AUTHENTICATE: a SASL exchange (RFC 3501 §6.2.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Request;
use crate::cursor::{Cursor, SyntaxError};

/// The start of a SASL exchange.
#[derive(Clone, PartialEq, Eq)]
pub struct Authenticate {
    /// The mechanism's name in upper case.
    pub mechanism: String,
    /// The client's first answer, if it came along (RFC 4959 §3).
    pub initial: Option<Vec<u8>>,
}

impl std::fmt::Debug for Authenticate {
    /// Never shows the answer: with PLAIN it is the password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Authenticate").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

/// ```abnf
/// authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")]
/// auth-type    = atom
/// ```
/// A single `=` is an answer without octets (RFC 4959 §3).
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    let mechanism = String::from_utf8_lossy(&cursor.word("a SASL mechanism")?).into_owned();
    let mut initial = None;
    if cursor.accept(b' ') {
        let at = cursor.position();
        let text =
            cursor.take_while(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'='));
        let octets =
            if text == b"=" { Some(Vec::new()) } else { decode(text).filter(|octets| !octets.is_empty()) };
        initial = Some(octets.ok_or(SyntaxError { at, expected: "base64" })?);
    }
    Ok(Request::Authenticate(Authenticate { mechanism, initial }))
}

/// What the client said to a `+`.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// Octets of the mechanism.
    Octets(Vec<u8>),
    /// `*`: the client gives up.
    Cancelled,
}

/// The line that answers a `+`: `base64 / "*"`; `None` if it is neither (RFC 3501 §6.2.2).
pub fn answer(line: &[u8]) -> Option<Answer> {
    if line == b"*" { Some(Answer::Cancelled) } else { decode(line).map(Answer::Octets) }
}

/// `base64 = *(4base64-char) [base64-terminal]` (RFC 3501 §9)
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn initial(text: &str) -> Option<Vec<u8>> {
        match parse(&mut Cursor::new(text.as_bytes())) {
            Ok(Request::Authenticate(read)) => read.initial,
            _ => panic!("{text} is not read"),
        }
    }

    #[test]
    fn a_first_answer_may_come_along() {
        assert_eq!(initial(" PLAIN"), None);
        assert_eq!(initial(" plain AGEAYg=="), Some(b"\0a\0b".to_vec()));
        assert_eq!(initial(" PLAIN ="), Some(Vec::new()));
        assert!(parse(&mut Cursor::new(b" PLAIN AGEAYg=")).is_err());
        assert!(parse(&mut Cursor::new(b" PLAIN ")).is_err());
    }

    #[test]
    fn an_answer_is_base64_or_a_star() {
        assert!(answer(b"*") == Some(Answer::Cancelled));
        assert!(answer(b"") == Some(Answer::Octets(Vec::new())));
        assert!(answer(b"**").is_none());
    }

    #[test]
    fn a_password_is_not_shown() {
        let text = format!(
            "{:?}",
            Authenticate { mechanism: "PLAIN".into(), initial: Some(b"\0a\0secret".to_vec()) }
        );
        assert_eq!(text, "Authenticate { mechanism: \"PLAIN\", .. }");
    }
}
