//! Computes the wait before the next order, from the ledger and a given time.
//!
//! Every outcome of an order has its wait here and nowhere else ([`wait_after_last`]), so that no failure can be followed by
//! the same order at once. Limits on the number of orders are added: those of Let's Encrypt, which are the strictest known
//! (300 orders in three hours, 5 failed validations of a name in an hour, 5 certificates for the same names in a week).
//! Another authority may issue certificates valid for hours only; its orders are counted within a few lifetimes of its
//! certificates.

use super::challenge_type::ChallengeKind;
use super::error::Reason;
use super::ledger::{Entry, Outcome};

/// A wait until a given time, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) until: i64,
    pub(super) reason: Reason,
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// Waits while the authority is unreachable, in order. The authority counts none of these attempts, so the waits are
/// only polite.
const UNAVAILABLE: [i64; 7] = [10, 30, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR];
/// Waits after orders that failed or were interrupted, or whose certificate is unusable.
const FAILED: [i64; 7] = [MINUTE, 5 * MINUTE, 20 * MINUTE, HOUR, 3 * HOUR, 12 * HOUR, DAY];
/// Waits after orders in which names were refused. The next order leaves these out, and the authority does not check
/// the remaining names once the first has failed.
const NAMES: [i64; 10] = [0, 0, 0, 0, 0, 0, MINUTE, 5 * MINUTE, 20 * MINUTE, HOUR];
/// Waits between two polls of a pending order.
const PENDING: [i64; 7] = [5, 10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE];
/// Waits after certificates that were installed: something may delete them as fast as they are issued.
const ISSUED: [i64; 4] = [0, 0, 10 * MINUTE, 30 * MINUTE];
/// Waits after a name was refused: two attempts in the first hour, of five that are allowed.
const NAME: [i64; 5] = [20 * MINUTE, 70 * MINUTE, 4 * HOUR, 12 * HOUR, DAY];
/// Waits after a rate limit for which the authority named no time.
const RATE_LIMITED: [i64; 3] = [HOUR, 6 * HOUR, DAY];
/// The longest wait that an authority can impose.
const MAX_WAIT: i64 = 8 * DAY;
/// An order that has not ended after this time is given up.
const MAX_ORDER_AGE: i64 = DAY;
/// Polls of an order that the authority does not know. It may not have replicated the order yet.
const MAX_UNKNOWN_POLLS: usize = 6;

/// Orders in three hours; Let's Encrypt allows 300.
const MAX_ORDERS: usize = 30;
/// Certificates for the same names in a week; Let's Encrypt allows 5.
const MAX_ALIKE: usize = 4;
/// Failed validations of a name in an hour; Let's Encrypt allows 5.
const MAX_REFUSALS: usize = 3;
/// A shorter lifetime is an authority's mistake, or a test's.
const MIN_SPAN: i64 = 10 * MINUTE;

/// Returns an error if an order for these names must wait. `orders` are those at this authority, oldest first. If the
/// operator or a changed DNS record requests the attempt (`is_requested`), waits that are only our own are skipped.
pub(super) fn may_order(
    orders: &[Entry],
    names: &[String],
    now: i64,
    is_requested: bool,
) -> Result<(), Wait> {
    let waits = [
        authority_wait(orders),
        if is_requested { None } else { wait_after_last(orders) },
        rate_limit_wait(orders, now),
        duplicate_wait(orders, names, now),
    ];
    latest(waits.into_iter().flatten(), now)
}

/// Returns an error if an order with this name must wait.
pub(super) fn may_order_name(orders: &[Entry], name: &str, now: i64, is_requested: bool) -> Result<(), Wait> {
    let refusals = refusals(orders, name);
    let lately: Vec<i64> = refusals.iter().map(|(at, _, _)| *at).filter(|at| now - at < HOUR).collect();
    let full = (lately.len() >= MAX_REFUSALS).then(|| lately[lately.len() - MAX_REFUSALS] + HOUR);
    let own = refusals.last().filter(|_| !is_requested).map(|(at, _, _)| at + step(&NAME, refusals.len()));
    let Some((_, _, reason)) = refusals.last() else { return Ok(()) };
    let wait = |until| Wait { until, reason: reason.clone() };
    latest([full, own].into_iter().flatten().map(wait), now)
}

/// The number of times that a challenge type was refused for a name since the name was last in a certificate.
pub(super) fn refused(orders: &[Entry], name: &str, kind: ChallengeKind) -> usize {
    refusals(orders, name).iter().filter(|(_, by, _)| *by == kind).count()
}

/// The orders since the last certificate that has the name.
pub(super) fn since_issued<'o>(orders: &'o [Entry], name: &str) -> &'o [Entry] {
    let has = |order: &Entry| order.names.iter().any(|other| other.eq_ignore_ascii_case(name));
    let issued =
        orders.iter().rposition(|order| matches!(order.outcome, Outcome::Issued { .. }) && has(order));
    &orders[issued.map_or(0, |index| index + 1)..]
}

/// The refusals of a name since it was last in a certificate: time, challenge type and reason.
fn refusals(orders: &[Entry], name: &str) -> Vec<(i64, ChallengeKind, Reason)> {
    let mut found = Vec::new();
    for order in since_issued(orders, name) {
        if let Outcome::Names { refused } = &order.outcome {
            let of_name = refused.iter().filter(|refusal| refusal.name.eq_ignore_ascii_case(name));
            found.extend(of_name.map(|refusal| (order.at, refusal.challenge, refusal.reason.clone())));
        }
    }
    found
}

/// The time of the next poll of a pending order, and whether the authority named it. `None` if the order is given up.
pub(super) fn next_poll(
    entry: &Entry,
    now: i64,
    retry_at: Option<i64>,
    is_gone: bool,
) -> Option<(usize, i64, bool)> {
    let tries = match &entry.outcome {
        Outcome::Pending { tries, .. } => tries + 1,
        _ => 1,
    };
    if now - entry.at >= MAX_ORDER_AGE || (is_gone && tries > MAX_UNKNOWN_POLLS) {
        return None;
    }
    let named_by_authority = retry_at.filter(|at| *at > now).map(|at| at.min(now + DAY));
    Some((tries, named_by_authority.unwrap_or(now + step(&PENDING, tries)), named_by_authority.is_some()))
}

/// The wait that the authority itself has named.
fn authority_wait(orders: &[Entry]) -> Option<Wait> {
    let order = orders.last()?;
    let (until, reason) = match &order.outcome {
        Outcome::RateLimited { until: Some(until), reason }
        | Outcome::Unavailable { until: Some(until), reason } => (*until, reason),
        Outcome::Pending { next, is_from_authority: true, reason, .. } => (*next, reason),
        _ => return None,
    };
    Some(Wait { until: until.min(order.at + MAX_WAIT), reason: reason.clone() })
}

/// The wait after the last order, for any outcome.
fn wait_after_last(orders: &[Entry]) -> Option<Wait> {
    let last = orders.last()?;
    let kind = Kind::of(&last.outcome);
    let in_a_row = orders.iter().rev().take_while(|order| Kind::of(&order.outcome) == kind).count();
    let (wait, reason) = match &last.outcome {
        Outcome::Issued { lifetime } => {
            // A certificate that lives for minutes is renewed within them.
            let most = lifetime.map_or(i64::MAX, |lifetime| lifetime / 2);
            let reason = format!("{in_a_row} certificates were issued in a row");
            (step(&ISSUED, lately(orders, last.at)).min(most), reason.into())
        }
        Outcome::Names { refused } => {
            let why = refused.iter().map(|refusal| format!("{}: {}", refusal.name, refusal.reason.why));
            (step(&NAMES, in_a_row), why.collect::<Vec<_>>().join("; ").into())
        }
        Outcome::Unavailable { reason, .. } => (step(&UNAVAILABLE, in_a_row), reason.clone()),
        Outcome::RateLimited { reason, until } => {
            // If the authority named a time, that one is used.
            (if until.is_some() { 0 } else { step(&RATE_LIMITED, in_a_row) }, reason.clone())
        }
        Outcome::Pending { next, reason, .. } => (next - last.at, reason.clone()),
        Outcome::Failed { reason } | Outcome::Unusable { reason } => {
            (step(&FAILED, in_a_row), reason.clone())
        }
        Outcome::Started => (step(&FAILED, in_a_row), "the last order was interrupted".into()),
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
            Outcome::Unavailable { .. } => Self::Away,
            Outcome::RateLimited { .. } => Self::RateLimited,
            Outcome::Pending { .. } => Self::Pending,
            Outcome::Failed { .. } | Outcome::Unusable { .. } | Outcome::Started => Self::Failed,
        }
    }
}

/// The number of certificates installed in the hour up to the last one.
fn lately(orders: &[Entry], now: i64) -> usize {
    let is_one = |order: &&Entry| matches!(order.outcome, Outcome::Issued { .. }) && now - order.at < HOUR;
    orders.iter().filter(is_one).count()
}

/// The period within which orders are counted: that of Let's Encrypt, unless another authority's certificates expire
/// sooner and could not be renewed within it.
fn span(orders: &[Entry], most: i64, lifetimes: i64) -> i64 {
    let is_lets_encrypt = orders.iter().any(|order| is_lets_encrypt(&order.authority));
    let lifetime = orders.iter().rev().find_map(|order| match order.outcome {
        Outcome::Issued { lifetime } => lifetime,
        _ => None,
    });
    match lifetime.filter(|_| !is_lets_encrypt) {
        Some(lifetime) => lifetime.saturating_mul(lifetimes).clamp(MIN_SPAN, most),
        None => most,
    }
}

/// Returns true if the directory is one of Let's Encrypt's.
fn is_lets_encrypt(directory: &str) -> bool {
    let host = directory.split('/').nth(2).unwrap_or_default();
    host.eq_ignore_ascii_case("letsencrypt.org")
        || host.rsplit_once(".letsencrypt.org").is_some_and(|(_, rest)| rest.is_empty())
}

/// The wait after too many orders in a few hours, with any outcome. Two renewals within three lifetimes are the rule.
fn rate_limit_wait(orders: &[Entry], now: i64) -> Option<Wait> {
    let span = span(orders, 3 * HOUR, 15);
    let lately: Vec<i64> = orders
        .iter()
        .filter(|order| !matches!(order.outcome, Outcome::Unavailable { .. }) && now - order.at < span)
        .map(|order| order.at)
        .collect();
    let first = lately.len().checked_sub(MAX_ORDERS)?;
    let why = format!("{MAX_ORDERS} orders were placed within {}", duration(span));
    Some(Wait { until: lately[first] + span, reason: why.into() })
}

/// The wait after too many certificates for the same names. Something deletes them as fast as they are issued: a disk
/// that forgets, a file that cannot be written, an authority that issues unusable certificates.
fn duplicate_wait(orders: &[Entry], names: &[String], now: i64) -> Option<Wait> {
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
    let first = issued.len().checked_sub(MAX_ALIKE)?;
    // The reason of an unusable certificate is the true one.
    let reason = issued.iter().rev().find_map(|order| match &order.outcome {
        Outcome::Unusable { reason } => Some(reason.clone()),
        _ => None,
    });
    let why = || {
        format!(
            "{MAX_ALIKE} certificates for these names were issued within {}; no more are ordered",
            duration(span)
        )
    };
    Some(Wait { until: issued[first].at + span, reason: reason.unwrap_or_else(|| why().into()) })
}

/// Formats a duration for a person.
fn duration(seconds: i64) -> String {
    match seconds {
        WEEK => "a week".to_owned(),
        seconds if seconds >= 2 * DAY => format!("{} days", seconds / DAY),
        seconds if seconds >= 2 * HOUR => format!("{} hours", seconds / HOUR),
        seconds => format!("{} minutes", seconds / MINUTE),
    }
}

/// The wait after this number of failures.
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
