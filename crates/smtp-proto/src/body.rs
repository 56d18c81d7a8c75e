//! A reader of the octets after DATA (RFC 5321 §4.1.1.4, §4.5.2).
//!
//! ```text
//!            CRLF
//!      ┌──────────────────────────────┐
//!      ▼          "."                 │
//! LineStart ────────────► Dot ──CR──► DotCr ──LF──► the end
//!      │ other             │ other
//!      ▼                   ▼
//!   InLine ◄───────────────┘      InLine ──CR──► Cr ──LF──► LineStart
//! ```
//!
//! Only CRLF "." CRLF ends a message. A bare CR, a bare LF or a NUL anywhere is recorded, and the message is refused at
//! its end: mail is smuggled past checks by a sequence that one server treats as the end of a message and the next one
//! does not. After a bare CR or LF the session closes the connection too, so that nothing behind the end is read as a
//! command. The reader itself stays synchronised with any input.
//!
//! From authenticated users, a bare LF counts as a line end and becomes CRLF (see [`BareLf::quirk_becomes_crlf`]). A
//! message still cannot end there, and no dot after it is unstuffed.

use std::ops::Range;

/// The reason why a message is refused although all of it has been read. Of two faults at one octet the one that is
/// declared first is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BodyFault {
    /// The message is larger than the limit.
    TooBig,
    /// A NUL octet.
    Nul,
    /// A CR without a LF after it.
    BareCr,
    /// A LF without a CR before it.
    BareLf,
}

/// The treatment of a bare LF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BareLf {
    /// A fault (RFC 5321 §2.3.8): the message is refused.
    Refused,
    /// A line end, written as CRLF from here on.
    BecomesCrlf,
}

impl BareLf {
    /// A file with the line ends of Unix, sent as it is by `curl --upload-file`, scripts and old devices, is a message
    /// that its owner wants to send. It allows no smuggling: the MTA sends CRLF, and the end is found before the
    /// conversion.
    pub(crate) fn quirk_becomes_crlf() -> Self {
        Self::BecomesCrlf
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReaderState {
    LineStart,
    InLine,
    /// Before a bare LF that becomes CRLF.
    BareLf,
    Cr,
    Dot,
    DotCr,
}

/// The position of the reader in a message. It holds none of the octets.
#[derive(Debug)]
pub(crate) struct BodyReader {
    state: ReaderState,
    size: u64,
    limit: u64,
    bare_lf: BareLf,
    /// True if the message may have any octets (RFC 3030 §3).
    is_binary: bool,
    /// The first fault in the order of the message's octets, and its position among them. Octets come in chunks, and a
    /// chunk's size is counted at its end, so the order in which faults are found is not that of the octets.
    fault: Option<(u64, BodyFault)>,
}

/// The result of reading a piece of input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The number of octets consumed.
    pub(crate) used: usize,
    /// The part of them that belongs to the message, stuffed dots removed. Empty once the message is faulty.
    pub(crate) content: Range<usize>,
    /// True when CRLF belongs to the message in place of the consumed octets.
    pub(crate) line_end: bool,
    /// True when the message ends here.
    pub(crate) is_end: bool,
}

impl BodyReader {
    pub(crate) fn new(limit: u64, bare_lf: BareLf) -> Self {
        Self { state: ReaderState::LineStart, size: 0, limit, bare_lf, is_binary: false, fault: None }
    }

    /// A reader of a binary message, which comes in chunks only.
    pub(crate) fn binary(limit: u64) -> Self {
        Self { is_binary: true, ..Self::new(limit, BareLf::Refused) }
    }

    /// The octets of the message so far, stuffed dots not counted (RFC 1870 §3).
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn fault(&self) -> Option<BodyFault> {
        self.fault.map(|(_, fault)| fault)
    }

    /// Reads up to the next stuffed dot, the next LF to be replaced, the end of the message, or the end of the input.
    pub(crate) fn read(&mut self, input: &[u8]) -> Piece {
        if self.state == ReaderState::BareLf {
            self.state = ReaderState::InLine;
            self.count(2);
            return Piece { used: 1, content: 0..0, line_end: self.fault.is_none(), is_end: false };
        }
        let mut at = self.skip_dot(input);
        let start = at;
        if self.state == ReaderState::DotCr
            && let Some(octet) = input.get(at)
        {
            if *octet == b'\n' {
                return Piece { used: at + 1, content: 0..0, line_end: false, is_end: true };
            }
            self.record_fault(0, BodyFault::BareCr);
            self.state = ReaderState::InLine;
        }
        while at < input.len() {
            match self.state {
                ReaderState::LineStart if input[at] == b'.' => break,
                ReaderState::BareLf => break,
                ReaderState::Cr if input[at] == b'\n' => {
                    at += 1;
                    self.state = ReaderState::LineStart;
                }
                ReaderState::Cr => {
                    self.record_fault(at - start, BodyFault::BareCr);
                    self.state = ReaderState::InLine;
                }
                _ => at += self.read_line(at - start, &input[at..]),
            }
        }
        self.count(at - start);
        let content = if self.fault.is_some() { 0..0 } else { start..at };
        Piece { used: at, content, line_end: false, is_end: false }
    }

    /// Reads octets of a chunk (RFC 3030 §2), up to the next LF to be replaced or their end. No dot is removed, and the
    /// message does not end here.
    pub(crate) fn read_chunk(&mut self, input: &[u8]) -> Piece {
        if self.is_binary {
            self.count(input.len());
            let content = if self.fault.is_some() { 0..0 } else { 0..input.len() };
            return Piece { used: input.len(), content, line_end: false, is_end: false };
        }
        if self.state == ReaderState::LineStart {
            // A dot has no meaning.
            self.state = ReaderState::InLine;
        }
        if self.state == ReaderState::BareLf {
            self.state = ReaderState::InLine;
            self.count(2);
            return Piece { used: 1, content: 0..0, line_end: self.fault.is_none(), is_end: false };
        }
        let mut at = 0;
        while at < input.len() && self.state != ReaderState::BareLf {
            if self.state != ReaderState::Cr {
                at += self.read_line(at, &input[at..]);
                continue;
            }
            self.state = ReaderState::InLine;
            if input[at] == b'\n' {
                at += 1;
            } else {
                self.record_fault(at, BodyFault::BareCr);
            }
        }
        self.count(at);
        let content = if self.fault.is_some() { 0..0 } else { 0..at };
        Piece { used: at, content, line_end: false, is_end: false }
    }

    /// Ends a message that came in chunks.
    pub(crate) fn end_of_chunks(&mut self) {
        if self.state == ReaderState::Cr {
            self.record_fault(0, BodyFault::BareCr);
        }
    }

    fn count(&mut self, octets: usize) {
        self.size = self.size.saturating_add(octets as u64);
        if self.size > self.limit {
            // Found at the end of the chunk, but the first octet beyond the limit is always at the same position.
            self.record_fault_at(self.limit, BodyFault::TooBig);
        }
    }

    /// Skips the dot at the beginning of a line, and the CR after it when the line may be the end. Returns the number
    /// of octets. "If the first character is a period and there are other characters on the line, the first character
    /// is deleted" (RFC 5321 §4.5.2).
    fn skip_dot(&mut self, input: &[u8]) -> usize {
        let mut at = 0;
        if self.state == ReaderState::LineStart && input.first() == Some(&b'.') {
            self.state = ReaderState::Dot;
            at = 1;
        }
        if self.state == ReaderState::Dot {
            match input.get(at) {
                Some(b'\r') => {
                    self.state = ReaderState::DotCr;
                    at += 1;
                }
                Some(_) => self.state = ReaderState::InLine,
                None => {}
            }
        }
        at
    }

    /// Reads up to and including the line's CR, or up to a LF to be replaced. Returns the number of octets. `read`
    /// octets of the chunk come before.
    fn read_line(&mut self, read: usize, rest: &[u8]) -> usize {
        self.state = ReaderState::InLine;
        let Some(found) = memchr::memchr3(b'\r', b'\n', 0, rest) else { return rest.len() };
        match rest[found] {
            b'\r' => self.state = ReaderState::Cr,
            b'\n' if self.bare_lf == BareLf::BecomesCrlf => {
                self.state = ReaderState::BareLf;
                return found;
            }
            b'\n' => self.record_fault(read + found, BodyFault::BareLf),
            _ => self.record_fault(read + found, BodyFault::Nul),
        }
        found + 1
    }

    /// Records a fault after `read` octets of the chunk, which have not been counted yet.
    fn record_fault(&mut self, read: usize, fault: BodyFault) {
        self.record_fault_at(self.size.saturating_add(read as u64), fault);
    }

    /// Keeps the fault that is first in the message, which is the one to report.
    fn record_fault_at(&mut self, position: u64, fault: BodyFault) {
        let found = (position, fault);
        self.fault = Some(self.fault.map_or(found, |first| first.min(found)));
    }
}

#[cfg(test)]
mod tests;
