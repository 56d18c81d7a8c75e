//! SPF: `check_host()` of RFC 7208 as a pure function, which gives the term that decides or is wrong beside the result.
//!
//! It does no I/O. An evaluation reads the answers that DNS has given so far; where it needs more, it returns the
//! questions, and the caller asks them and evaluates again. Each question is asked once:
//!
//! ```text
//! answers ──▶ check_host ──▶ Verdict, or why there is none
//!    ▲            │ Stop::Asks(questions)
//!    └── caller ◀─┘
//! ```
//!
//! The MTA checks every message with it, the doctor the domains' own records. Bounds: 10 terms that need DNS and two of
//! them without an answer for one evaluation, 10 hosts of an `mx`, 10 names of an address, and 16 KiB for a record. The
//! number of rounds follows from those; time is the caller's to limit.
//!
//! Explanations (`exp`, §6.2) are read, since a syntax error in one is an error of the record, and not fetched: they are
//! for replies that refuse a message by its SPF result, and there are none.

mod evaluation;
mod expansion;
mod pointer;
mod record;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use hickory_proto::rr::{Name, RData, RecordType};

pub use evaluation::{Fault, Stop, Verdict, check_host};
pub use record::Qualifier;
use record::Record;

/// A name and a type.
pub type Question = (Name, RecordType);

/// An answer of DNS about a name and a type.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Records of that type, at the end of all aliases; at least one.
    Found(Vec<RData>),
    /// The name does not exist, or has no record of that type.
    Nothing,
    /// No answer, or an error: nothing is known.
    Failed(String),
}

impl Answer {
    /// The records; an empty slice when there are none or nothing is known.
    pub fn records(&self) -> &[RData] {
        match self {
            Self::Found(records) => records,
            Self::Nothing | Self::Failed(_) => &[],
        }
    }
}

/// The answers of DNS so far.
pub trait Answers {
    /// The answer to a question, or `None` when it has not been asked yet.
    fn answer(&self, question: &Question) -> Option<Cow<'_, Answer>>;
}

impl Answers for BTreeMap<Question, Answer> {
    fn answer(&self, question: &Question) -> Option<Cow<'_, Answer>> {
        self.get(question).map(Cow::Borrowed)
    }
}

/// The position of a term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The domain whose record contains it.
    pub record: Name,
    /// The term as written.
    pub term: String,
    /// The term of the first record by which the evaluation arrived there.
    pub through: Option<String>,
}

/// The client and the identity that is checked.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// The address of the client. An IPv4 address that is mapped into IPv6 counts as IPv4 (RFC 7208 §5).
    pub ip: IpAddr,
    /// The local part of the sender; `postmaster` stands for an empty one (RFC 7208 §4.3).
    pub local_part: &'a str,
    /// The domain of the sender, or the name in HELO when that is checked.
    pub domain: &'a str,
    /// The name in HELO.
    pub helo: &'a str,
}

/// Whether a text is an SPF record: "v=spf1" stands at its beginning, alone or followed by a space (RFC 7208 §4.5).
pub fn is_record(text: &[u8]) -> bool {
    record::terms(text).is_some()
}

/// Whether every term of a record can be read.
pub fn is_readable(text: &str) -> bool {
    Record::parse(text.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests;
