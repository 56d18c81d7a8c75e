//! The DNS tree walk (RFC 9989 §4.10).

use address::Domain;

use super::record::{Psd, Record, is_record};
use super::{Answer, Answers, Query};

/// The largest number of queries in a walk (RFC 9989 §4.10).
pub(crate) const MAX_QUERIES: usize = 8;

/// The reason why a step has no result yet, or never will.
pub(crate) enum Stop {
    /// Queries that have to be made first.
    Pending(Vec<Query>),
    /// DNS did not answer a query.
    Unanswered { name: Query, error: String },
}

/// The result of a tree walk.
pub(crate) struct Walk {
    /// The records that were found, at the longest name first. A record with `psd=y` or `psd=n` is the last.
    pub(crate) records: Vec<(Domain, Record)>,
    /// The organizational domain of the domain where the walk started.
    pub(crate) organization: Domain,
}

/// Walks from a domain towards the root.
pub(crate) fn walk(answers: &Answers, start: &Domain) -> Result<Walk, Stop> {
    let names = names(start);
    let mut records = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let record = match record_at(answers, name) {
            // All further names at once: a walk is then one round, and not one for each label.
            Err(Stop::Pending(_)) => return Err(Stop::Pending(unanswered_queries(answers, &names[index..]))),
            record => record?,
        };
        let Some(record) = record else { continue };
        let is_last = record.psd != Psd::Unspecified;
        records.push((name.clone(), record));
        if is_last {
            break;
        }
    }
    let organization = organization(start, &records);
    Ok(Walk { records, organization })
}

/// The organizational domain (RFC 9989 §4.10.2).
fn organization(start: &Domain, records: &[(Domain, Record)]) -> Domain {
    match records.last() {
        // The domain one label below a public suffix, unless the walk started there.
        Some((suffix, record)) if record.psd == Psd::Yes && suffix != start => {
            last_labels(start, suffix.labels().count() + 1).unwrap_or_else(|| start.clone())
        }
        // The domain with `psd=n`, or the one with the fewest labels.
        Some((shortest, _)) => shortest.clone(),
        None => start.clone(),
    }
}

impl Walk {
    /// The record that applies to a domain without one of its own: that of its organizational domain, else that of its
    /// public suffix domain (RFC 9989 §4.10.1).
    pub(crate) fn into_inherited(self) -> Option<(Domain, Record)> {
        let Self { mut records, organization } = self;
        if let Some(at) = records.iter().position(|(domain, _)| *domain == organization) {
            return Some(records.swap_remove(at));
        }
        records.pop().filter(|(_, record)| record.psd == Psd::Yes)
    }
}

/// The domains at which a walk looks, the longest first (RFC 9989 §4.10, steps 1 to 7).
///
/// Of a domain with eight labels or more, the first parent has seven: a sender cannot cause more queries by more
/// labels.
pub(crate) fn names(start: &Domain) -> Vec<Domain> {
    let parents = (start.labels().count() - 1).min(MAX_QUERIES - 1);
    let parents = (1..=parents).rev().filter_map(|labels| last_labels(start, labels));
    std::iter::once(start.clone()).chain(parents).collect()
}

/// The domain of the last `count` labels.
fn last_labels(domain: &Domain, count: usize) -> Option<Domain> {
    let text = domain.as_str();
    let dots = text.rmatch_indices('.').map(|(at, _)| at + 1).chain(std::iter::once(0));
    let start = dots.take(count).last()?;
    Domain::parse(&text[start..]).ok()
}

/// The name of a domain's record (RFC 9989 §4.5); `None` if it would be too long for a name and cannot exist.
pub(crate) fn record_name(domain: &Domain) -> Option<Query> {
    domain.with_prefix("_dmarc").ok()
}

/// The queries for the records of some domains that have no answer yet.
fn unanswered_queries(answers: &Answers, domains: &[Domain]) -> Vec<Query> {
    domains.iter().filter_map(record_name).filter(|name| !answers.contains_key(name)).collect()
}

/// The record of a domain: the only one at its name. Of several, none counts (RFC 9989 §4.10, steps 2 and 6).
pub(crate) fn record_at(answers: &Answers, domain: &Domain) -> Result<Option<Record>, Stop> {
    let Some(name) = record_name(domain) else { return Ok(None) };
    match answer(answers, name)? {
        Answer::Found(texts) => {
            let mut records = texts.iter().filter(|text| is_record(text));
            match (records.next(), records.next()) {
                (Some(text), None) => Ok(Record::parse(text)),
                _ => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

/// The answer to a query; a failure stops the step.
pub(crate) fn answer(answers: &Answers, name: Query) -> Result<&Answer, Stop> {
    match answers.get(&name) {
        None => Err(Stop::Pending(vec![name])),
        Some(Answer::Failed(error)) => Err(Stop::Unanswered { error: error.clone(), name }),
        Some(answer) => Ok(answer),
    }
}
