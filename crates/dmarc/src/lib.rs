//! DMARC: record, tree walk, alignment and policy of RFC 9989 as a pure function.
//!
//! It does no I/O. An evaluation reads the answers that DNS has given so far; if it needs more, it returns the
//! queries, and the caller makes them and evaluates again. Each query is made once:
//!
//! ```text
//! author, identifiers, answers ──▶ evaluate ──▶ Evaluation
//!                         ▲            │ Err(queries)
//!                         └── caller ◀─┘
//! ```
//!
//! The rounds: the record of the author domain; the rest of its tree walk, where the record alone does not decide; the
//! walks of the identifiers that may be aligned; the existence of the author domain, where the record has a policy of
//! its own for domains that do not exist (`np`).
//!
//! The author domain comes from the caller, which reads From. A message with no author domain or with several is not
//! evaluated (RFC 9989 §5.3.1).
//!
//! Bounds: 8 queries for a walk (§4.10), 4 walks of identifiers, one query for the existence of the author domain; 16
//! KiB and 64 tags for a record.

mod evaluation;
mod record;
mod walk;

use std::collections::BTreeMap;

use address::Domain;

pub use evaluation::{
    AppliedPolicy, Authentication, Evaluation, FailReason, Identifier, Mechanism, Message, Outcome,
    PolicyTag, TempErrorReason, evaluate,
};
pub use record::{Alignment, FailureOptions, Fault, Policies, Policy, Psd, Record, is_record};

/// A name whose TXT records are needed.
pub type Query = Domain;

/// An answer of DNS about the TXT records of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The records, at the end of all aliases; at least one. The character-strings of each are joined in order
    /// (RFC 9989 §4.5).
    Found(Vec<Vec<u8>>),
    /// The name exists and has no TXT record.
    NoData,
    /// The name does not exist (NXDOMAIN, RFC 9989 §3.2.13).
    NxDomain,
    /// No answer, or an error.
    Failed(String),
}

/// The answers of DNS so far.
pub type Answers = BTreeMap<Query, Answer>;

#[cfg(test)]
mod tests;
