//! Encoding of the parts of a message that no other host would accept as they are: with lines over 998 octets, NUL
//! octets, lone CRs or LFs, or with the transfer encoding `binary` (RFC 5321 §4.5.3.1.6, RFC 5322 §2.1.1, RFC 3030 §3).
//!
//! A text becomes quoted-printable, or base64 where that is shorter; any other part becomes base64 (RFC 2045 §6). Long
//! header lines are folded at their white space (RFC 5322 §2.2.3). Boundaries and all other octets stay. A multipart
//! and a message in a message may not be encoded themselves (RFC 2045 §6.4), only the parts within.
//!
//! The message is read three times in pieces of any size, and only its headers are held:
//!
//! ```text
//! Indexer ──outline──> Survey ──plan──> Rewriter ──> octets
//! ```
//!
//! A [`Fault`] is a message that cannot be put right: a part under `multipart/signed`, whose signature would break (RFC 1847 §2.1),
//! a line between parts, a part in an encoding that forbids such lines. Signatures of the whole message (RFC 6376) are the
//! caller's to look for.

mod encode;
mod header;
mod rewrite;
mod survey;

use std::fmt;
use std::ops::Range;

pub use rewrite::Rewriter;
pub use survey::Survey;

/// The longest line of a message, in octets without its CRLF (RFC 5322 §2.1.1).
pub const MAX_LINE: u64 = 998;

/// The changes that a message needs.
#[derive(Debug)]
pub struct Plan {
    edits: Vec<Edit>,
    first: Option<Offence>,
}

impl Plan {
    /// The first reason for a change; `None` if the message is to stay as it is.
    pub fn offence(&self) -> Option<Offence> {
        self.first
    }

    /// The writer of the changed message.
    pub fn rewriter(self) -> Rewriter {
        Rewriter::new(self.edits)
    }
}

/// A change of one range of the message. Ranges are in order and do not overlap.
#[derive(Debug)]
struct Edit {
    range: Range<u64>,
    change: Change,
}

#[derive(Debug)]
enum Change {
    Replace(Vec<u8>),
    Encode(Scheme),
}

/// The way in which a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Base64,
    QuotedPrintable,
    /// The lines of a base64 body, at their right length.
    Base64Lines,
}

/// A place that other hosts would refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offence {
    /// The line, counted from 1 at the message's beginning.
    pub line: u64,
    /// The fault of the line.
    pub cause: Cause,
}

/// The fault of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Longer than [`MAX_LINE`]: its octets.
    Long(u64),
    /// A NUL octet.
    Nul,
    /// A CR or LF that is not part of a CRLF.
    LoneLineEnd,
    /// The first line of a part whose transfer encoding is `binary`.
    Binary,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line;
        match self.cause {
            Cause::Long(length) => {
                write!(f, "Line {line} has {length} octets, {MAX_LINE} are allowed (RFC 5322 section 2.1.1)")
            }
            Cause::Nul => write!(f, "Line {line} has a NUL octet (RFC 5322 section 4)"),
            Cause::LoneLineEnd => write!(f, "Line {line} has a CR or LF alone (RFC 5322 section 2.3)"),
            Cause::Binary => write!(f, "Line {line} begins a part in binary (RFC 2045 section 6.2)"),
        }
    }
}

/// An offence that cannot be put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{offence}, and {reason}")]
pub struct Fault {
    /// The place.
    pub offence: Offence,
    /// The reason why it must stay.
    pub reason: Reason,
}

/// The reason why a part may not be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Within `multipart/signed`, or in a message with a signature.
    #[error(
        "a change would break the signature: write shorter lines, or attach the text as a file in base64"
    )]
    Signed,
    /// In a header, without white space at which it could be folded.
    #[error("cannot be folded: write shorter header lines")]
    Header,
    /// Between the parts of a multipart.
    #[error("is outside of the parts: write shorter lines there")]
    BetweenParts,
    /// The declared transfer encoding has short lines.
    #[error("is not of the transfer encoding that the part declares: declare the right one")]
    Encoding,
    /// A multipart, or a message in a message, whose parts were not found.
    #[error("is in a part that may not be encoded: attach it as a file in base64")]
    Composite,
    /// More parts or longer headers than are read.
    #[error("the message has too many parts or too long headers to be put right: send fewer parts")]
    TooComplex,
}

/// Finds the first line over [`MAX_LINE`] while a message arrives, at the cost of one search for line ends.
#[derive(Debug, Default)]
pub struct LineWatch {
    length: u64,
    found: bool,
}

impl LineWatch {
    /// Reads the next octets.
    pub fn push(&mut self, octets: &[u8]) {
        // With its CRLF.
        const LIMIT: u64 = MAX_LINE + 2;
        if self.found {
            return;
        }
        let mut start = 0;
        for line_feed in memchr::memchr_iter(b'\n', octets) {
            self.found |= self.length + (line_feed + 1 - start) as u64 > LIMIT;
            self.length = 0;
            start = line_feed + 1;
        }
        self.length += (octets.len() - start) as u64;
        self.found |= self.length > LIMIT;
    }

    /// True if a line is too long.
    pub fn found(&self) -> bool {
        self.found
    }
}

#[cfg(test)]
mod tests;
