use crate::input::{Input, Line};
use crate::{Code, Reply, Status};

/// Collects the lines of a reply. Bounded: a peer cannot make it hold more than a few pages.
#[derive(Debug, Default)]
pub(super) struct ReplyReader {
    partial: Option<PartialReply>,
}

#[derive(Debug)]
struct PartialReply {
    code: Code,
    status: Option<Status>,
    lines: usize,
    text: String,
}

/// The result of reading the input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    Unfinished,
    Reply(Reply),
    /// The input is malformed.
    Malformed,
}

/// A line of a reply, without CRLF. RFC 5321 §4.5.3.1.5 says 512; some servers send much more.
const LINE: usize = 2_048;
/// Lines of a reply; a reply to EHLO has twenty or so.
const LINES: usize = 128;
/// Octets that are kept of a reply's text.
const TEXT: usize = 8 * 1024;

impl ReplyReader {
    /// Reads up to the end of a reply.
    pub(super) fn read(&mut self, input: &mut Input) -> Read {
        loop {
            let length = match input.line(LINE) {
                Line::Unfinished => return Read::Unfinished,
                Line::TooLong => return Read::Malformed,
                Line::Whole(length) => length,
            };
            let Some((code, more, text)) = reply_line(&input.take(length + 2)[..length]) else {
                return Read::Malformed;
            };
            let begun = match self.partial.as_mut() {
                Some(begun) if begun.code != code || begun.lines >= LINES => return Read::Malformed,
                Some(begun) => begun.next_line(&text),
                None => self.partial.insert(PartialReply::first_line(code, &text)),
            };
            if !more {
                let reply = Reply::received(begun.code, begun.status, std::mem::take(&mut begun.text));
                self.partial = None;
                return Read::Reply(reply);
            }
        }
    }
}

impl PartialReply {
    fn first_line(code: Code, text: &str) -> Self {
        let (word, _) = text.split_once(' ').unwrap_or((text, ""));
        let status = Status::parse(code.number() / 100, word);
        let mut begun = Self { code, status, lines: 0, text: String::new() };
        begun.append(text);
        begun
    }

    fn next_line(&mut self, text: &str) -> &mut Self {
        self.text.push('\n');
        self.append(text);
        self
    }

    /// Appends a line. The status precedes every line (RFC 2034 §4) and is kept once.
    fn append(&mut self, text: &str) {
        self.lines += 1;
        let text = match (self.status, text.split_once(' ')) {
            (Some(status), Some((word, rest)))
                if Status::parse(self.code.number() / 100, word) == Some(status) =>
            {
                rest
            }
            (Some(status), None) if Status::parse(self.code.number() / 100, text) == Some(status) => "",
            _ => text,
        };
        if self.text.len() + text.len() <= TEXT {
            self.text.push_str(text);
        }
    }
}

/// Parses `Reply-line = Reply-code ( "-" / SP ) [ textstring ]`, or the code alone (RFC 5321 §4.2). Returns the code,
/// true if another line follows, and the text with control octets replaced.
fn reply_line(line: &[u8]) -> Option<(Code, bool, String)> {
    let (digits, rest) = line.split_at_checked(3)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = Code::new(std::str::from_utf8(digits).ok()?.parse().ok()?)?;
    let (more, text) = match rest.split_first() {
        None => (false, rest),
        Some((b' ', text)) => (false, text),
        Some((b'-', text)) => (true, text),
        Some(_) => return None,
    };
    let text = String::from_utf8_lossy(text).replace(|c: char| c.is_control(), "?");
    Some((code, more, text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Severity, replies};

    fn read(wire: &[u8], step: usize) -> Read {
        let (mut input, mut reader) = (Input::new(), ReplyReader::default());
        let mut last = Read::Unfinished;
        for piece in wire.chunks(step) {
            for octet in piece {
                input.space(false)[0] = *octet;
                input.filled(1);
            }
            last = reader.read(&mut input);
            if last != Read::Unfinished {
                break;
            }
        }
        last
    }

    #[test]
    fn a_reply_that_a_server_writes_is_read_back() {
        for reply in [
            replies::MESSAGE_ACCEPTED,
            replies::UNKNOWN_RECIPIENT.with_text("a\nb b\n\nc"),
            replies::START_MESSAGE,
        ] {
            let mut wire = Vec::new();
            reply.write(&mut wire);
            for step in 1..wire.len() {
                assert_eq!(read(&wire, step), Read::Reply(reply.clone()));
            }
        }
    }

    #[test]
    fn a_code_alone_is_a_reply() {
        let Read::Reply(reply) = read(b"250\r\n", 5) else { panic!("no reply") };
        assert_eq!((reply.severity(), reply.text()), (Severity::Completion, ""));
    }

    #[test]
    fn malformed_replies_are_rejected() {
        for wire in [
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            b"25\r\n",
            b"2500 x\r\n",
            b"666 x\r\n",
            b"\r\n",
            b"250-a\r\n251 b\r\n",
        ] {
            assert_eq!(read(wire, wire.len()), Read::Malformed, "{}", wire.escape_ascii());
        }
    }

    #[test]
    fn an_endless_reply_is_rejected() {
        assert_eq!(read(&b"250-x\r\n".repeat(10_000), 7), Read::Malformed);
        assert_eq!(read(&[b"250 ", &b"x".repeat(100_000)[..], b"\r\n"].concat(), 7), Read::Malformed);
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused(wire in prop::collection::vec(prop::sample::select(&b"250- \r\n.x\0"[..]), 0..100), step in 1_usize..9) {
            read(&wire, step);
        }
    }
}
