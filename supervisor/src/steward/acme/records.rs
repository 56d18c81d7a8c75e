//! Detects a changed DNS answer for a name. A change ends the wait after a refusal, since the fault may be fixed.
//!
//! An answer seen before does not count: a name whose servers rotate its addresses would end every wait.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use futures_util::future::join_all;
use hickory_proto::rr::RecordType;
use hickory_resolver::TokioResolver;
use tokio::time::{Instant, timeout};

use super::backoff;
use super::ledger::{Entry, Outcome};
use crate::dns::resolver::is_answer;

/// The interval between two lookups. Resolvers cache an answer for about as long.
const PAUSE: Duration = Duration::from_secs(15);
/// Names looked up concurrently, names per round, and the time limit of a round.
const AT_ONCE: usize = 8;
const MAX_NAMES: usize = 32;
const BUDGET: Duration = Duration::from_secs(15);
/// Answers remembered per name; a name with more of them changes all the time.
const MAX_ANSWERS: usize = 16;

/// The answers seen so far, by name.
#[derive(Debug, Default)]
pub(super) struct SeenRecords {
    seen: BTreeMap<String, BTreeSet<String>>,
    next: Option<Instant>,
}

impl SeenRecords {
    /// Looks up the names, if it is time. Returns true if one has an answer that neither this process has seen before
    /// nor was present when the authority refused it.
    pub(super) async fn have_changed(
        &mut self,
        resolver: &TokioResolver,
        names: &[String],
        orders: &[Entry],
    ) -> bool {
        if self.next.is_some_and(|next| next > Instant::now()) {
            return false;
        }
        self.next = Some(Instant::now() + PAUSE);
        self.seen.retain(|name, _| names.contains(name));
        let end = Instant::now() + BUDGET;
        let mut has_changed = false;
        for some in names[..names.len().min(MAX_NAMES)].chunks(AT_ONCE) {
            let left = end.saturating_duration_since(Instant::now());
            let lookups = join_all(some.iter().map(|name| digest_of(resolver, name)));
            let Ok(found) = timeout(left, lookups).await else { break };
            for (name, answer) in some.iter().zip(found) {
                has_changed |= answer.is_some_and(|answer| self.is_new_answer(name, answer, orders));
            }
        }
        has_changed
    }

    fn is_new_answer(&mut self, name: &str, answer: String, orders: &[Entry]) -> bool {
        let seen = self.seen.entry(name.to_owned()).or_insert_with(|| at_refusals(orders, name));
        let is_first = seen.is_empty();
        if seen.len() >= MAX_ANSWERS {
            return false;
        }
        seen.insert(answer) && !is_first
    }
}

/// The DNS answers for a name when the authority refused it.
fn at_refusals(orders: &[Entry], name: &str) -> BTreeSet<String> {
    let refusals = backoff::since_issued(orders, name).iter().filter_map(|order| match &order.outcome {
        Outcome::Names { refused } => Some(refused),
        _ => None,
    });
    let of_name = refusals.flatten().filter(|refusal| refusal.name.eq_ignore_ascii_case(name));
    of_name.filter_map(|refusal| refusal.records.clone()).collect()
}

/// A digest of the records that an authority checks: the addresses of a name, and the CAA records that apply to it (RFC
/// 8659 §3). `None` if DNS does not answer: then nothing is known.
pub(super) async fn digest_of(resolver: &TokioResolver, name: &str) -> Option<String> {
    let mut found = Vec::new();
    for kind in [RecordType::A, RecordType::AAAA] {
        found.extend(look_up(resolver, name, kind).await?);
    }
    let mut holder = name;
    loop {
        let records = look_up(resolver, holder, RecordType::CAA).await?;
        let is_end = !records.is_empty();
        found.extend(records);
        match holder.split_once('.') {
            Some((_, parent)) if !is_end && parent.contains('.') => holder = parent,
            _ => break,
        }
    }
    found.sort();
    let digest = digest(&SHA256, found.join("\n").as_bytes());
    Some(digest.as_ref().iter().take(8).map(|octet| format!("{octet:02x}")).collect())
}

async fn look_up(resolver: &TokioResolver, name: &str, kind: RecordType) -> Option<Vec<String>> {
    match resolver.lookup(format!("{name}."), kind).await {
        Ok(found) => Some(found.answers().iter().map(|record| format!("{kind} {}", record.data)).collect()),
        Err(error) if is_answer(&error) => Some(Vec::new()),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::challenge_type::ChallengeKind;
    use super::super::error::Refusal;
    use super::*;

    const NAME: &str = "mail.example.org";

    #[test]
    fn an_answer_counts_as_new_once_and_the_first_one_never_does() {
        let mut records = SeenRecords::default();
        let mut is_new_answer = |answer: &str| records.is_new_answer(NAME, answer.to_owned(), &[]);
        assert!(!is_new_answer("a"));
        assert!(!is_new_answer("a"));
        assert!(is_new_answer("b"));
        assert!(!is_new_answer("a"), "by turns");
        assert!(!is_new_answer("b"));
        let count = (0..100).filter(|answer| is_new_answer(&answer.to_string())).count();
        assert!(count < MAX_ANSWERS, "a name that changes all the time must not end every wait: {count}");
    }

    #[test]
    fn a_new_process_compares_with_the_answer_at_the_refusal() {
        let refusal = Refusal { records: Some("a".into()), ..Refusal::new(NAME, ChallengeKind::Http, "404") };
        let outcome = Outcome::Names { refused: vec![refusal] };
        let orders = [Entry { outcome, ..Entry::started(0, "https://ca.example/", &[]) }];
        assert!(!SeenRecords::default().is_new_answer(NAME, "a".into(), &orders));
        assert!(
            SeenRecords::default().is_new_answer(NAME, "b".into(), &orders),
            "it was changed while nothing ran"
        );
    }
}
