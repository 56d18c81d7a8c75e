//! How long to wait before the next order: from the ledger and the time, without a clock of its own.
//!
//! Every outcome of an order has its wait here and nowhere else ([`after`]), so that nothing that goes wrong can be followed
//! by the same order at once. On top of that come limits on their number: those of Let's Encrypt, which are the strictest
//! known (300 orders in three hours, 5 failed validations of a name in an hour, 5 certificates for the same names in a
//! week). Another authority may issue for hours only; there they are counted within a few lifetimes of its certificates.

use super::ledger::{Entry, Outcome};
use super::trouble::Reason;
use super::way::Way;

/// Nothing is to be done before that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) until: i64,
    pub(super) reason: Reason,
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// The waits while the authority is away, one after the other. It counts nothing, so this is mere politeness.
const AWAY: [i64; 7] = [10, 30, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR];
/// The waits after orders that failed or were cut off, or whose certificate cannot be used.
const FAILED: [i64; 7] = [MINUTE, 5 * MINUTE, 20 * MINUTE, HOUR, 3 * HOUR, 12 * HOUR, DAY];
/// The waits after orders in which names were refused: the next is without those, and the authority does not look at all
/// of them when the first has failed.
const NAMES: [i64; 10] = [0, 0, 0, 0, 0, 0, MINUTE, 5 * MINUTE, 20 * MINUTE, HOUR];
/// The waits between two looks at an order that the authority works on.
const PENDING: [i64; 7] = [5, 10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE];
/// The waits after certificates that were installed: something may take them away as fast as they come.
const ISSUED: [i64; 4] = [0, 0, 10 * MINUTE, 30 * MINUTE];
/// The waits after a name was refused: two tries in the first hour, of five that are allowed.
const NAME: [i64; 5] = [20 * MINUTE, 70 * MINUTE, 4 * HOUR, 12 * HOUR, DAY];
/// An authority that says no more than that it is too much.
const RATE_LIMITED: [i64; 3] = [HOUR, 6 * HOUR, DAY];
/// Nobody is believed who tells us to stay away for longer.
const LONGEST: i64 = 8 * DAY;
/// An order that has not ended by then is given up.
const LONGEST_ORDER: i64 = DAY;
/// Looks at an order that the authority does not know, which it may not have written down everywhere yet.
const GONE: usize = 6;

/// Of 300 in three hours.
const MOST_ORDERS: usize = 30;
/// Of 5 in a week.
const MOST_ALIKE: usize = 4;
/// Of 5 in an hour.
const MOST_REFUSALS: usize = 3;
/// A certificate that is valid for less than a few minutes is an authority's mistake, or a test's.
const SHORTEST_SPAN: i64 = 10 * MINUTE;

/// Whether an order for these names may be made now. `orders` are those at this authority, oldest first. When the operator
/// or a changed record asks for a try (`is_asked`), waits that are ours alone are left out.
pub(super) fn order(orders: &[Entry], names: &[String], now: i64, is_asked: bool) -> Result<(), Wait> {
    let waits = [
        told(orders),
        if is_asked { None } else { after(orders) },
        crowded(orders, now),
        alike(orders, names, now),
    ];
    latest(waits.into_iter().flatten(), now)
}

/// Whether a name may be asked for now.
pub(super) fn name(orders: &[Entry], name: &str, now: i64, is_asked: bool) -> Result<(), Wait> {
    let refusals = refusals(orders, name);
    let lately: Vec<i64> = refusals.iter().map(|(at, _, _)| *at).filter(|at| now - at < HOUR).collect();
    let full = (lately.len() >= MOST_REFUSALS).then(|| lately[lately.len() - MOST_REFUSALS] + HOUR);
    let own = refusals.last().filter(|_| !is_asked).map(|(at, _, _)| at + step(&NAME, refusals.len()));
    let Some((_, _, reason)) = refusals.last() else { return Ok(()) };
    let wait = |until| Wait { until, reason: reason.clone() };
    latest([full, own].into_iter().flatten().map(wait), now)
}

/// How often a name was refused by that way since it was last in a certificate.
pub(super) fn refused(orders: &[Entry], name: &str, way: Way) -> usize {
    refusals(orders, name).iter().filter(|(_, by, _)| *by == way).count()
}

/// The orders since the last certificate that has that name.
pub(super) fn since_issued<'o>(orders: &'o [Entry], name: &str) -> &'o [Entry] {
    let has = |order: &Entry| order.names.iter().any(|other| other.eq_ignore_ascii_case(name));
    let issued =
        orders.iter().rposition(|order| matches!(order.outcome, Outcome::Issued { .. }) && has(order));
    &orders[issued.map_or(0, |index| index + 1)..]
}

/// When, by which way and why a name was refused since it was last in a certificate.
fn refusals(orders: &[Entry], name: &str) -> Vec<(i64, Way, Reason)> {
    let mut found = Vec::new();
    for order in since_issued(orders, name) {
        if let Outcome::Names { refused } = &order.outcome {
            let of_name = refused.iter().filter(|refusal| refusal.name.eq_ignore_ascii_case(name));
            found.extend(of_name.map(|refusal| (order.at, refusal.way, refusal.reason.clone())));
        }
    }
    found
}

/// When an order that the authority has not finished is looked at again, and whether the authority said so; nothing when
/// it is given up.
pub(super) fn next_look(
    entry: &Entry,
    now: i64,
    retry_at: Option<i64>,
    is_gone: bool,
) -> Option<(usize, i64, bool)> {
    let tries = match &entry.outcome {
        Outcome::Pending { tries, .. } => tries + 1,
        _ => 1,
    };
    if now - entry.at >= LONGEST_ORDER || (is_gone && tries > GONE) {
        return None;
    }
    let told = retry_at.filter(|at| *at > now).map(|at| at.min(now + DAY));
    Some((tries, told.unwrap_or(now + step(&PENDING, tries)), told.is_some()))
}

/// What the authority itself has said.
fn told(orders: &[Entry]) -> Option<Wait> {
    let order = orders.last()?;
    let (until, reason) = match &order.outcome {
        Outcome::RateLimited { until: Some(until), reason }
        | Outcome::Away { until: Some(until), reason } => (*until, reason),
        Outcome::Pending { next, is_told: true, reason, .. } => (*next, reason),
        _ => return None,
    };
    Some(Wait { until: until.min(order.at + LONGEST), reason: reason.clone() })
}

/// The wait after the last order, whatever became of it.
fn after(orders: &[Entry]) -> Option<Wait> {
    let last = orders.last()?;
    let kind = Kind::of(&last.outcome);
    let in_a_row = orders.iter().rev().take_while(|order| Kind::of(&order.outcome) == kind).count();
    let (wait, reason) = match &last.outcome {
        Outcome::Issued { lifetime } => {
            // One that lives for minutes is renewed within them.
            let most = lifetime.map_or(i64::MAX, |lifetime| lifetime / 2);
            let reason = format!("{in_a_row} certificates were issued one after the other");
            (step(&ISSUED, lately(orders, last.at)).min(most), reason.into())
        }
        Outcome::Names { refused } => {
            let why = refused.iter().map(|refusal| format!("{}: {}", refusal.name, refusal.reason.why));
            (step(&NAMES, in_a_row), why.collect::<Vec<_>>().join("; ").into())
        }
        Outcome::Away { reason, .. } => (step(&AWAY, in_a_row), reason.clone()),
        Outcome::RateLimited { reason, until } => {
            // An authority that named a time is asked again then.
            (if until.is_some() { 0 } else { step(&RATE_LIMITED, in_a_row) }, reason.clone())
        }
        Outcome::Pending { next, reason, .. } => (next - last.at, reason.clone()),
        Outcome::Failed { reason } | Outcome::Unusable { reason } => {
            (step(&FAILED, in_a_row), reason.clone())
        }
        Outcome::Begun => (step(&FAILED, in_a_row), "the last order was cut off".into()),
    };
    Some(Wait { until: last.at + wait, reason })
}

/// Outcomes that are counted together when they follow each other.
#[derive(PartialEq, Eq)]
enum Kind {
    Issued,
    Names,
    Away,
    RateLimited,
    Pending,
    Failed,
}

impl Kind {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Issued { .. } => Self::Issued,
            Outcome::Names { .. } => Self::Names,
            Outcome::Away { .. } => Self::Away,
            Outcome::RateLimited { .. } => Self::RateLimited,
            Outcome::Pending { .. } => Self::Pending,
            Outcome::Failed { .. } | Outcome::Unusable { .. } | Outcome::Begun => Self::Failed,
        }
    }
}

/// The certificates installed within the last hour, that one included.
fn lately(orders: &[Entry], now: i64) -> usize {
    let is_one = |order: &&Entry| matches!(order.outcome, Outcome::Issued { .. }) && now - order.at < HOUR;
    orders.iter().filter(is_one).count()
}

/// Within what time orders are counted: as Let's Encrypt does, unless it is another authority whose certificates end
/// sooner, which could not be renewed then.
fn span(orders: &[Entry], most: i64, lifetimes: i64) -> i64 {
    let is_lets_encrypt = orders.iter().any(|order| is_lets_encrypt(&order.authority));
    let lifetime = orders.iter().rev().find_map(|order| match order.outcome {
        Outcome::Issued { lifetime } => lifetime,
        _ => None,
    });
    match lifetime.filter(|_| !is_lets_encrypt) {
        Some(lifetime) => lifetime.saturating_mul(lifetimes).clamp(SHORTEST_SPAN, most),
        None => most,
    }
}

/// Whether a directory is one of Let's Encrypt's.
fn is_lets_encrypt(directory: &str) -> bool {
    let host = directory.split('/').nth(2).unwrap_or_default();
    host.eq_ignore_ascii_case("letsencrypt.org")
        || host.rsplit_once(".letsencrypt.org").is_some_and(|(_, rest)| rest.is_empty())
}

/// Too many in a few hours, whatever became of them. Two renewals within three lifetimes are the rule.
fn crowded(orders: &[Entry], now: i64) -> Option<Wait> {
    let span = span(orders, 3 * HOUR, 15);
    let lately: Vec<i64> = orders
        .iter()
        .filter(|order| !matches!(order.outcome, Outcome::Away { .. }) && now - order.at < span)
        .map(|order| order.at)
        .collect();
    let first = lately.len().checked_sub(MOST_ORDERS)?;
    let why = format!("{MOST_ORDERS} orders were made within {}", duration(span));
    Some(Wait { until: lately[first] + span, reason: why.into() })
}

/// Too many certificates for the same names. Something takes them away as fast as they come: a disk that forgets, a file
/// that cannot be written, an authority that issues what cannot be used.
fn alike(orders: &[Entry], names: &[String], now: i64) -> Option<Wait> {
    let span = span(orders, WEEK, 2);
    let sorted = |names: &[String]| {
        let mut names: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        names.sort();
        names
    };
    let wanted = sorted(names);
    let is_alike = |order: &&Entry| {
        order.outcome.is_certificate() && sorted(&order.names) == wanted && now - order.at < span
    };
    let issued: Vec<&Entry> = orders.iter().filter(is_alike).collect();
    let first = issued.len().checked_sub(MOST_ALIKE)?;
    // The reason of one that could not be used is the true one.
    let reason = issued.iter().rev().find_map(|order| match &order.outcome {
        Outcome::Unusable { reason } => Some(reason.clone()),
        _ => None,
    });
    let why = || {
        format!(
            "{MOST_ALIKE} certificates for these names were issued within {}; no more are ordered",
            duration(span)
        )
    };
    Some(Wait { until: issued[first].at + span, reason: reason.unwrap_or_else(|| why().into()) })
}

/// In the words of a person.
fn duration(seconds: i64) -> String {
    match seconds {
        WEEK => "a week".to_owned(),
        seconds if seconds >= 2 * DAY => format!("{} days", seconds / DAY),
        seconds if seconds >= 2 * HOUR => format!("{} hours", seconds / HOUR),
        seconds => format!("{} minutes", seconds / MINUTE),
    }
}

/// The wait after so many failures.
fn step(waits: &[i64], failures: usize) -> i64 {
    waits[failures.clamp(1, waits.len()) - 1]
}

fn latest(waits: impl Iterator<Item = Wait>, now: i64) -> Result<(), Wait> {
    match waits.filter(|wait| wait.until > now).max_by_key(|wait| wait.until) {
        Some(wait) => Err(wait),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
