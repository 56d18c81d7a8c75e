//! Status responses: the results of commands, and the server's own status (RFC 3501 §7.1).

use super::Code;
use super::string::{formatted, human_text};
use crate::Tag;

/// The three results of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The command succeeded.
    Ok,
    /// The command failed.
    No,
    /// The command is malformed, or not allowed in this state.
    Bad,
}

impl Condition {
    const fn as_str(self) -> &'static str {
        match self {
            Condition::Ok => "OK ",
            Condition::No => "NO ",
            Condition::Bad => "BAD ",
        }
    }
}

/// `response-tagged = tag SP resp-cond-state CRLF` (RFC 3501 §9)
pub fn tagged(out: &mut Vec<u8>, tag: &Tag, condition: Condition, code: Option<&Code>, words: &str) {
    out.extend_from_slice(tag.as_str().as_bytes());
    out.push(b' ');
    state(out, condition.as_str(), code, words);
}

/// `"*" SP resp-cond-state CRLF` (RFC 3501 §9)
pub fn untagged(out: &mut Vec<u8>, condition: Condition, code: Option<&Code>, words: &str) {
    out.extend_from_slice(b"* ");
    state(out, condition.as_str(), code, words);
}

/// `"*" SP resp-cond-bye CRLF` (RFC 3501 §9)
pub fn bye(out: &mut Vec<u8>, code: Option<&Code>, words: &str) {
    state(out, "* BYE ", code, words);
}

/// `continue-req = "+" SP (resp-text / base64) CRLF` (RFC 3501 §9), with a text.
pub fn continuation(out: &mut Vec<u8>, words: &str) {
    state(out, "+ ", None, words);
}

/// `continue-req = "+" SP (resp-text / base64) CRLF` (RFC 3501 §9), with the challenge of a SASL mechanism, already in
/// base64; it may be empty (RFC 3501 §6.2.2).
pub fn challenge(out: &mut Vec<u8>, base64: &str) {
    formatted(out, format_args!("+ {base64}\r\n"));
}

fn state(out: &mut Vec<u8>, start: &str, code: Option<&Code>, words: &str) {
    out.extend_from_slice(start.as_bytes());
    if let Some(code) = code {
        code.write(out);
    }
    human_text(out, words);
    out.extend_from_slice(b"\r\n");
}
