//! SPF: `check_host()` of RFC 7208 as a pure function, which returns the deciding or faulty term beside the result.
//!
//! It does no I/O. An evaluation reads the answers that DNS has given so far; if it needs more, it returns the
//! queries, and the caller makes them and evaluates again. Each query is made once:
//!
//! ```text
//! answers ──▶ check_host ──▶ Verdict, or the reason for none
//!    ▲            │ Stop::Pending(queries)
//!    └── caller ◀─┘
//! ```
//!
//! The MTA checks every message with it, the doctor the domains' own records. Bounds: 10 terms that need DNS and two of
//! them without an answer for one evaluation, 10 hosts of an `mx`, 10 names of an address, 16 KiB for a record, and 400
//! octets for an explanation. They also bound the number of rounds; the caller limits the time.
//!
//! A fail may have an [`Explanation`] (`exp`, §6.2), a text of the sender's domain for a reply that refuses the message
//! by its SPF result. It is looked up in the same way, and only when the caller asks for its text.

mod evaluation;
mod expansion;
mod explanation;
mod pointer;
mod record;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use hickory_proto::rr::{Name, RData, RecordType};

pub use evaluation::{Fault, Stop, Verdict, check_host};
pub use explanation::{Explanation, Receiver};
pub use record::Qualifier;
use record::Record;

/// A DNS query: a name and a type.
pub type Query = (Name, RecordType);

/// An answer of DNS about a name and a type.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Records of that type, at the end of all aliases; at least one.
    Found(Vec<RData>),
    /// The name does not exist, or has no record of that type.
    Nothing,
    /// No answer, or an error.
    Failed(String),
}

impl Answer {
    /// The records; an empty slice if there are none or the query failed.
    pub fn records(&self) -> &[RData] {
        match self {
            Self::Found(records) => records,
            Self::Nothing | Self::Failed(_) => &[],
        }
    }
}

/// The answers of DNS so far.
pub trait Answers {
    /// The answer to a query, or `None` when the query has not been made yet.
    fn answer(&self, query: &Query) -> Option<Cow<'_, Answer>>;
}

impl Answers for BTreeMap<Query, Answer> {
    fn answer(&self, query: &Query) -> Option<Cow<'_, Answer>> {
        self.get(query).map(Cow::Borrowed)
    }
}

/// The position of a term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The domain whose record contains it.
    pub record: Name,
    /// The term as written.
    pub term: String,
    /// The term of the first record that led there.
    pub through: Option<String>,
}

/// The client and the identity that is checked.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// The client's address. An IPv4-mapped IPv6 address counts as IPv4 (RFC 7208 §5).
    pub ip: IpAddr,
    /// The local part of the sender; `postmaster` stands for an empty one (RFC 7208 §4.3).
    pub local_part: &'a str,
    /// The domain of the sender, or the name in HELO when that is checked.
    pub domain: &'a str,
    /// The name in HELO.
    pub helo: &'a str,
}

/// True if a text is an SPF record: it begins with "v=spf1", alone or followed by a space (RFC 7208 §4.5).
pub fn is_record(text: &[u8]) -> bool {
    record::terms(text).is_some()
}

/// True if every term of a record can be parsed.
pub fn is_readable(text: &str) -> bool {
    Record::parse(text.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests;
