//! Queries names and types, a few at a time.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use hickory_proto::rr::{Name, RData, RecordType};
use hickory_resolver::TokioResolver;
use tokio::time::{Instant, timeout_at};

use super::super::observed::Answer;
use crate::dns::resolver;

/// Concurrent queries: enough to finish in a few seconds, without flooding a server.
const AT_ONCE: usize = 16;

type Queries = BTreeSet<(Name, RecordType)>;
type Answers = BTreeMap<(Name, RecordType), Answer>;
/// Aliases with their targets.
type Aliases = BTreeMap<Name, Name>;

/// Makes all queries.
pub(super) async fn query(resolver: &TokioResolver, queries: &Queries, end: Instant) -> (Answers, Aliases) {
    let queries: Vec<&(Name, RecordType)> = queries.iter().collect();
    let mut answers = BTreeMap::new();
    let mut aliases = BTreeMap::new();
    for some in queries.chunks(AT_ONCE) {
        let pending = some.iter().map(|(name, kind)| one(resolver, name.clone(), *kind, end));
        for (query, (answer, found_aliases)) in some.iter().zip(join_all(pending).await) {
            answers.insert((*query).clone(), answer);
            aliases.extend(found_aliases);
        }
    }
    (answers, aliases)
}

/// Makes one query. Returns the records at the end of all aliases, and the aliases.
pub(super) async fn one(
    resolver: &TokioResolver,
    name: Name,
    kind: RecordType,
    end: Instant,
) -> (Answer, Aliases) {
    match timeout_at(end, resolver.lookup(name, kind)).await {
        Err(_) => (Answer::Failed("no answer in time".to_owned()), BTreeMap::new()),
        Ok(Err(error)) if resolver::is_answer(&error) => (Answer::Nothing, BTreeMap::new()),
        Ok(Err(error)) => (Answer::Failed(resolver::describe(&error)), BTreeMap::new()),
        Ok(Ok(found)) => {
            let alias = |record: &hickory_proto::rr::Record| match &record.data {
                RData::CNAME(target) => Some((record.name.clone(), target.0.clone())),
                _ => None,
            };
            let aliases = found.answers().iter().filter_map(alias).collect();
            let of_kind = found.answers().iter().filter(|record| record.record_type() == kind);
            let records: Vec<RData> = of_kind.map(|record| record.data.clone()).collect();
            (if records.is_empty() { Answer::Nothing } else { Answer::Found(records) }, aliases)
        }
    }
}

/// The hosts of all MX records found.
pub(super) fn exchanges(answers: &Answers) -> BTreeSet<Name> {
    let host = |data: &RData| match data {
        RData::MX(exchange) if !exchange.exchange.is_root() => Some(exchange.exchange.clone()),
        _ => None,
    };
    answers.values().flat_map(Answer::records).filter_map(host).collect()
}

/// Finds the aliases among those names.
pub(super) async fn aliases(resolver: &TokioResolver, names: &BTreeSet<Name>, end: Instant) -> Aliases {
    let pending = names.iter().map(|name| one(resolver, name.clone(), RecordType::CNAME, end));
    let found = join_all(pending).await.into_iter().zip(names);
    let target = |answer: &Answer| match answer.records() {
        [RData::CNAME(target), ..] => Some(target.0.clone()),
        _ => None,
    };
    found.filter_map(|((answer, _), name)| Some((name.clone(), target(&answer)?))).collect()
}
