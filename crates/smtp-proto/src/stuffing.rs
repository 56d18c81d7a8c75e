/// The dot-stuffing of a message after DATA: puts a dot before every line that begins with one, and ends the message
/// (RFC 5321 §4.5.2). The message passes through in borrowed pieces; nothing is copied.
///
/// The message must have CRLF line ends. A last line without one gets it.
#[derive(Debug)]
pub struct Stuffing {
    last: LastOctets,
}

/// The last octets of the message so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LastOctets {
    /// No octets yet, or a whole CRLF: the next octet begins a line.
    LineEnd,
    Cr,
    Other,
}

impl Default for Stuffing {
    fn default() -> Self {
        Self::new()
    }
}

impl Stuffing {
    /// Starts at the beginning of a message.
    pub fn new() -> Self {
        Self { last: LastOctets::LineEnd }
    }

    /// Splits the next chunk of the message into the pieces to send, in order.
    pub fn pieces<'c>(&'c mut self, chunk: &'c [u8]) -> impl Iterator<Item = &'c [u8]> {
        let mut rest = chunk;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            if self.last == LastOctets::LineEnd && rest[0] == b'.' {
                // The dot that is added; the message's own stays in `rest`.
                self.last = LastOctets::Other;
                return Some(&b"."[..]);
            }
            let (piece, left) = rest.split_at(self.run(rest));
            rest = left;
            Some(piece)
        })
    }

    /// The number of octets that can be sent as they are: up to a dot at the beginning of a line.
    fn run(&mut self, rest: &[u8]) -> usize {
        let mut at = 0;
        loop {
            if self.last == LastOctets::Cr && rest.get(at) == Some(&b'\n') {
                at += 1;
                self.last = LastOctets::LineEnd;
                if rest.get(at) == Some(&b'.') {
                    return at;
                }
            }
            match memchr::memchr(b'\r', &rest[at..]) {
                Some(found) => {
                    at += found + 1;
                    self.last = LastOctets::Cr;
                }
                None if at == rest.len() => return at,
                None => {
                    self.last = LastOctets::Other;
                    return rest.len();
                }
            }
        }
    }

    /// The octets that end the message.
    pub fn end(self) -> &'static [u8] {
        match self.last {
            LastOctets::LineEnd => b".\r\n",
            // A CR at the very end could only be half a line end.
            LastOctets::Cr => b"\n.\r\n",
            LastOctets::Other => b"\r\n.\r\n",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuffed(message: &[u8], step: usize) -> Vec<u8> {
        let mut stuffing = Stuffing::new();
        let mut wire = Vec::new();
        for chunk in message.chunks(step) {
            stuffing.pieces(chunk).for_each(|piece| wire.extend_from_slice(piece));
        }
        wire.extend_from_slice(stuffing.end());
        wire
    }

    #[test]
    fn dots_are_doubled_at_the_beginning_of_lines_only() {
        for (message, wire) in [
            (&b""[..], &b".\r\n"[..]),
            (b".", b"..\r\n.\r\n"),
            (b"a", b"a\r\n.\r\n"),
            (b".\r\n", b"..\r\n.\r\n"),
            (b"a.b\r\n.c\r\n..\r\n", b"a.b\r\n..c\r\n...\r\n.\r\n"),
            (b"\r\n.\r\n", b"\r\n..\r\n.\r\n"),
            (b"a\r", b"a\r\n.\r\n"),
            (b"a\r.b", b"a\r.b\r\n.\r\n"),
        ] {
            for step in 1..=message.len().max(1) {
                assert_eq!(stuffed(message, step), wire, "{}", message.escape_ascii());
            }
        }
    }

    #[test]
    fn a_message_without_dots_is_sent_in_one_piece() {
        let message = b"a\r\nb\r\n".repeat(1000);
        assert_eq!(Stuffing::new().pieces(&message).count(), 1);
    }
}
