//! AUTHENTICATE: a SASL exchange (RFC 3501 §6.2.2).

use super::Request;
use crate::cursor::{Cursor, SyntaxError};

/// The start of a SASL exchange.
#[derive(Clone, PartialEq, Eq)]
pub struct Authenticate {
    /// The mechanism's name in upper case.
    pub mechanism: String,
    /// The initial response, if the client sent one (RFC 4959 §3): base64, or `=` for an empty one.
    pub initial: Option<Vec<u8>>,
}

impl std::fmt::Debug for Authenticate {
    /// Never shows the initial response: with PLAIN it contains the password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Authenticate").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

/// ```abnf
/// authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")]
/// auth-type    = atom
/// ```
/// A single `=` is an empty initial response (RFC 4959 §3).
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    let mechanism = String::from_utf8_lossy(&cursor.word("a SASL mechanism")?).into_owned();
    let mut initial = None;
    if cursor.accept(b' ') {
        let wrong = cursor.error("base64");
        let text =
            cursor.take_while(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'='));
        initial = Some(text.to_vec()).filter(|text| !text.is_empty());
        if initial.is_none() {
            return Err(wrong);
        }
    }
    Ok(Request::Authenticate(Authenticate { mechanism, initial }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn initial(text: &str) -> Option<Vec<u8>> {
        match parse(&mut Cursor::new(text.as_bytes())) {
            Ok(Request::Authenticate(read)) => read.initial,
            _ => panic!("{text} is not parsed"),
        }
    }

    #[test]
    fn an_initial_response_may_be_sent() {
        assert_eq!(initial(" PLAIN"), None);
        assert_eq!(initial(" plain AGEAYg=="), Some(b"AGEAYg==".to_vec()));
        assert_eq!(initial(" PLAIN ="), Some(b"=".to_vec()));
        assert!(parse(&mut Cursor::new(b" PLAIN ")).is_err());
    }

    #[test]
    fn a_password_is_not_shown() {
        let text =
            format!("{:?}", Authenticate { mechanism: "PLAIN".into(), initial: Some(b"AGEAYg==".to_vec()) });
        assert_eq!(text, "Authenticate { mechanism: \"PLAIN\", .. }");
    }
}
