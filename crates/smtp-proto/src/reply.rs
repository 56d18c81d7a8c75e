use std::borrow::Cow;
use std::fmt;

use crate::Status;

/// A reply to a command (RFC 5321 §4.2): a code, an optional enhanced status (RFC 2034), and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: Code,
    status: Option<Status>,
    /// Lines separated by `\n`; without CR or NUL.
    text: Cow<'static, str>,
}

/// A reply code of three digits, 200 to 599.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

/// The meaning of a code's first digit (RFC 5321 §4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// 2yz: success.
    Completion,
    /// 3yz: more input is expected.
    Intermediate,
    /// 4yz: a temporary failure.
    Transient,
    /// 5yz: a permanent failure.
    Permanent,
}

impl Code {
    /// Creates a code; `None` outside of 200 to 599.
    pub const fn new(number: u16) -> Option<Self> {
        if number >= 200 && number <= 599 { Some(Self(number)) } else { None }
    }

    /// The three digits as a number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The meaning of the first digit.
    pub const fn severity(self) -> Severity {
        match self.0 / 100 {
            2 => Severity::Completion,
            3 => Severity::Intermediate,
            4 => Severity::Transient,
            _ => Severity::Permanent,
        }
    }
}

impl Reply {
    /// A reply with an enhanced status. The text is ours: one line, or several separated by `\n`.
    pub(crate) const fn fixed(code: u16, status: Status, text: &'static str) -> Self {
        Self { code: known(code), status: Some(status), text: Cow::Borrowed(text) }
    }

    /// A reply without an enhanced status: greetings, replies to EHLO, and 3yz have none (RFC 2034 §4).
    pub(crate) const fn bare(code: u16, text: &'static str) -> Self {
        Self { code: known(code), status: None, text: Cow::Borrowed(text) }
    }

    /// The same reply with another text. Octets that could break the reply's lines are replaced by `?`, since the text
    /// may repeat a peer's words.
    pub fn with_text(self, text: impl Into<String>) -> Self {
        let mut text: String = text.into();
        if text.contains(['\r', '\0']) {
            text = text.replace(['\r', '\0'], "?");
        }
        Self { text: Cow::Owned(text), ..self }
    }

    /// A reply that was received from a peer.
    pub(crate) fn received(code: Code, status: Option<Status>, text: String) -> Self {
        Self { code, status, text: Cow::Owned(text) }
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The meaning of the code's first digit.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// The enhanced status, if the reply has one.
    pub fn status(&self) -> Option<Status> {
        self.status
    }

    /// The status as a delivery report writes it, `5.1.1`; `5.0.0` if the peer gave none (RFC 3464 §2.3.4).
    pub fn status_code(&self) -> String {
        format!("{}.{}", self.code.0 / 100, self.status.unwrap_or(Status::OTHER))
    }

    /// The text, lines separated by `\n`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Writes the lines of the reply: `Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring
    /// ] CRLF` (RFC 5321 §4.2), the status before each line's text (RFC 2034 §4).
    pub(crate) fn write(&self, output: &mut Vec<u8>) {
        let mut lines = self.text.split('\n').peekable();
        while let Some(line) = lines.next() {
            let separator = if lines.peek().is_some() { '-' } else { ' ' };
            output.extend_from_slice(format!("{}{separator}", self.code.0).as_bytes());
            if let Some(status) = self.status {
                output.extend_from_slice(format!("{}.{status} ", self.code.0 / 100).as_bytes());
            }
            output.extend_from_slice(line.as_bytes());
            output.extend_from_slice(b"\r\n");
        }
    }
}

/// The code of a reply that is written in this crate.
const fn known(code: u16) -> Code {
    match Code::new(code) {
        Some(code) => code,
        None => panic!("a reply code has three digits, 200 to 599"),
    }
}

/// Formats the reply on one line, for logs and reports.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code.0)?;
        if let Some(status) = self.status {
            write!(f, " {}.{status}", self.code.0 / 100)?;
        }
        for line in self.text.split('\n') {
            write!(f, " {line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(reply: &Reply) -> String {
        let mut output = Vec::new();
        reply.write(&mut output);
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn every_line_of_a_reply_has_the_code_and_the_status() {
        let reply = Reply::fixed(550, Status::BAD_MAILBOX, "one\ntwo");
        assert_eq!(written(&reply), "550-5.1.1 one\r\n550 5.1.1 two\r\n");
        assert_eq!(reply.to_string(), "550 5.1.1 one two");
    }

    #[test]
    fn a_text_from_a_peer_cannot_break_the_lines() {
        let reply = Reply::fixed(550, Status::BAD_MAILBOX, "").with_text("a\r\n250 b\0");
        assert_eq!(written(&reply), "550-5.1.1 a?\r\n550 5.1.1 250 b?\r\n");
    }

    #[test]
    fn a_status_of_another_class_than_the_code_is_ignored() {
        assert_eq!(Status::parse(5, "5.1.1"), Some(Status::BAD_MAILBOX));
        for bad in ["4.1.1", "5.1", "5.1.1.1", "5..1", "5.1.1000", "5.1.x", ""] {
            assert_eq!(Status::parse(5, bad), None, "{bad:?}");
        }
    }
}
