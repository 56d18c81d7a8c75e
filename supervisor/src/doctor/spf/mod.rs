//! SPF as a receiver evaluates it (RFC 7208), told with the term that decides or is wrong.
//!
//! The library that the MTA checks peers with gives a result and no reason, and asks DNS by itself; here the reason is
//! what counts. So the evaluation is a pure function over what DNS has said so far. Where it needs more, it says what,
//! and is made again when that is known:
//!
//! ```text
//! names ──▶ check_host ──▶ Verdict
//!   ▲           │ Stop::Asks(questions)
//!   └─ observe ◀┘
//! ```

mod evaluation;
mod expansion;
mod record;

use std::collections::BTreeMap;
use std::net::IpAddr;

use address::Domain;
use hickory_proto::rr::rdata::{A, AAAA};
use hickory_proto::rr::{Name, RData, RecordType};

pub(super) use evaluation::{Fault, Stop, Verdict, check_host};
pub(super) use record::Qualifier;
use record::Record;

use super::world::Answer;

/// A name and a type.
pub(super) type Question = (Name, RecordType);

/// Where a term stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Whose record has it.
    pub(super) record: Name,
    /// The term as it is written.
    pub(super) term: String,
    /// The term of the first record by which the evaluation came there.
    pub(super) through: Option<String>,
}

/// Mail that a receiver judges: from an address, in the name of a domain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender<'a> {
    pub(super) ip: IpAddr,
    pub(super) domain: &'a Domain,
    /// What it says in HELO.
    pub(super) helo: &'a Domain,
}

/// What DNS has said. The machine's name counts as having the machine's addresses: whether it has is another check's
/// matter, and would else be told of every record that refers to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) names: &'a BTreeMap<Question, Answer>,
    pub(super) host: &'a Name,
    pub(super) own: &'a [IpAddr],
}

impl Seen<'_> {
    /// Nothing where it was not asked yet.
    fn answer(&self, name: &Name, kind: RecordType) -> Option<Answer> {
        let own = |data: fn(&IpAddr) -> Option<RData>| {
            let records: Vec<RData> = self.own.iter().filter_map(data).collect();
            Some(if records.is_empty() { Answer::Nothing } else { Answer::Found(records) })
        };
        match kind {
            RecordType::A if name == self.host => own(|ip| match ip {
                IpAddr::V4(v4) => Some(RData::A(A(*v4))),
                IpAddr::V6(_) => None,
            }),
            RecordType::AAAA if name == self.host => own(|ip| match ip {
                IpAddr::V6(v6) => Some(RData::AAAA(AAAA(*v6))),
                IpAddr::V4(_) => None,
            }),
            _ => self.names.get(&(name.clone(), kind)).cloned(),
        }
    }
}

/// Whether every term of a record can be read.
pub(super) fn is_readable(text: &str) -> bool {
    Record::parse(text).is_ok()
}

#[cfg(test)]
mod tests;
