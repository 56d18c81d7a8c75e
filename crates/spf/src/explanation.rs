//! The explanation of a fail (RFC 7208 §6.2): a text that the domain publishes for the reply to the client.

use std::collections::BTreeSet;

use hickory_proto::rr::{Name, RData, RecordType};

use super::evaluation::{Evaluation, Stop};
use super::expansion::Spec;
use super::{Answers, Query, Sender};

/// The longest explanation that is used, in octets: with the reply code and the name of the domain it still fits into a
/// line of a reply (RFC 5321 §4.5.3.1.5). A longer one is ignored rather than cut, since it may end in a URL.
pub(super) const MAX_LEN: usize = 400;

/// The `exp` modifier of the record that led to a fail. It is not looked up yet: its queries come after the evaluation
/// and do not count among its lookups (RFC 7208 §4.6.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub(super) spec: Spec,
    /// The domain whose record contains it.
    pub(super) domain: Name,
}

/// The host that checks, for the macros `r` and `t` (RFC 7208 §7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receiver<'a> {
    /// Its name, or `unknown` where the domain may not learn it.
    pub host: &'a str,
    /// The time, in seconds since 1970.
    pub time: u64,
}

impl Explanation {
    /// The text for the client, of printable ASCII. `None` if the domain publishes no usable one: DNS failed, there are
    /// several records, or the text is malformed or too long. The error is the set of queries that have to be made
    /// first.
    ///
    /// The text comes from the sender's domain, and a reply that quotes it has to say so (RFC 7208 §6.2).
    pub fn text(
        &self,
        answers: &dyn Answers,
        sender: &Sender<'_>,
        receiver: &Receiver<'_>,
    ) -> Result<Option<String>, BTreeSet<Query>> {
        let sender = Sender { ip: sender.ip.to_canonical(), ..*sender };
        match self.expanded(&Evaluation::new(answers, &sender), receiver) {
            Ok(text) => Ok(text),
            Err(Stop::Pending(queries)) => Err(queries),
            // RFC 7208 §6.2: an error of DNS counts as no explanation.
            Err(Stop::Absent | Stop::Unanswered(..) | Stop::Broken(_)) => Ok(None),
        }
    }

    fn expanded(&self, evaluation: &Evaluation<'_>, receiver: &Receiver<'_>) -> Result<Option<String>, Stop> {
        let Some(target) = evaluation.expand(&self.spec, &self.domain)? else { return Ok(None) };
        let answer = evaluation.query_uncounted(&target, RecordType::TXT)?;
        let [RData::TXT(record)] = answer.records() else { return Ok(None) };
        let text = record.txt_data.concat();
        if text.len() > MAX_LEN {
            return Ok(None);
        }
        let Some(spec) = std::str::from_utf8(&text).ok().and_then(Spec::explanation) else { return Ok(None) };
        let text = evaluation.expand_text(&spec, &self.domain, receiver)?;
        // The local part and the name in HELO come from the client, and may contain any octet.
        let is_usable = text.len() <= MAX_LEN && text.iter().all(|octet| (b' '..=b'~').contains(octet));
        Ok(String::from_utf8(text).ok().filter(|text| is_usable && !text.is_empty()))
    }
}
