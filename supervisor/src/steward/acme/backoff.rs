//! How long to wait before the next order: from the ledger and the time, without a clock of its own.
//!
//! The limits that this stays below are those of Let's Encrypt, which are the strictest known: 300 orders in three hours,
//! 5 failed validations of a name in an hour, 5 certificates for the same names in a week.

use super::ledger::{Entry, Outcome};
use super::way::Way;

/// Nothing is to be done before that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) until: i64,
    pub(super) why: String,
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The waits while the authority is away, one after the other. It counts nothing, so this is mere politeness.
const AWAY: [i64; 7] = [10, 30, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR];
/// The waits after orders that failed or were cut off.
const FAILED: [i64; 7] = [MINUTE, 5 * MINUTE, 20 * MINUTE, HOUR, 3 * HOUR, 12 * HOUR, DAY];
/// The waits after a name was refused: two tries in the first hour, of five that are allowed.
const NAME: [i64; 5] = [20 * MINUTE, 70 * MINUTE, 4 * HOUR, 12 * HOUR, DAY];
/// An authority that says no more than that it is too much.
const RATE_LIMITED: [i64; 3] = [HOUR, 6 * HOUR, DAY];
/// Nobody is believed who tells us to stay away for longer.
const LONGEST: i64 = 8 * DAY;

/// Of 300 in three hours.
const MOST_ORDERS: usize = 30;
/// Of 5 in a week.
const MOST_ALIKE: usize = 4;
/// Of 5 in an hour.
const MOST_REFUSALS: usize = 3;

/// Whether an order for these names may be made now. `orders` are those at this authority, oldest first. When somebody
/// has changed something and asks for a try (`is_asked`), waits that are ours alone are left out.
pub(super) fn order(orders: &[Entry], names: &[String], now: i64, is_asked: bool) -> Result<(), Wait> {
    let waits = [
        told(orders),
        if is_asked { None } else { failed(orders) },
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
    let Some((_, _, why)) = refusals.last() else { return Ok(()) };
    let wait = |until| Wait { until, why: why.clone() };
    latest([full, own].into_iter().flatten().map(wait), now)
}

/// How often a name was refused by that way since it was last in a certificate.
pub(super) fn refused(orders: &[Entry], name: &str, way: Way) -> usize {
    refusals(orders, name).iter().filter(|(_, by, _)| *by == way).count()
}

/// When, by which way and why a name was refused since it was last in a certificate.
fn refusals(orders: &[Entry], name: &str) -> Vec<(i64, Way, String)> {
    let issued = orders
        .iter()
        .rposition(|order| order.outcome == Outcome::Issued && order.names.iter().any(|other| other == name));
    let mut found = Vec::new();
    for order in &orders[issued.map_or(0, |index| index + 1)..] {
        if let Outcome::Names { refused } = &order.outcome {
            let of_name = refused.iter().filter(|refusal| refusal.name == name);
            found.extend(of_name.map(|refusal| (order.at, refusal.way, refusal.why.clone())));
        }
    }
    found
}

/// What the authority itself has said.
fn told(orders: &[Entry]) -> Option<Wait> {
    let order = orders.last()?;
    let (Outcome::RateLimited { until: Some(until), why } | Outcome::Away { until: Some(until), why }) =
        &order.outcome
    else {
        return None;
    };
    Some(Wait { until: (*until).min(order.at + LONGEST), why: why.clone() })
}

/// After failures in a row.
fn failed(orders: &[Entry]) -> Option<Wait> {
    let last = orders.last()?;
    let in_a_row =
        |is_it: fn(&Outcome) -> bool| orders.iter().rev().take_while(|order| is_it(&order.outcome)).count();
    let (wait, why) = match &last.outcome {
        Outcome::Issued | Outcome::Names { .. } => return None,
        Outcome::Away { why, .. } => {
            (step(&AWAY, in_a_row(|outcome| matches!(outcome, Outcome::Away { .. }))), why.clone())
        }
        Outcome::RateLimited { why, until } => {
            let count = in_a_row(|outcome| matches!(outcome, Outcome::RateLimited { .. }));
            // Told until when, we come again then.
            (if until.is_some() { 0 } else { step(&RATE_LIMITED, count) }, why.clone())
        }
        Outcome::Failed { .. } | Outcome::Begun => {
            let count = in_a_row(|outcome| matches!(outcome, Outcome::Failed { .. } | Outcome::Begun));
            let why = match &last.outcome {
                Outcome::Failed { why } => why.clone(),
                _ => "the last order was cut off".to_owned(),
            };
            (step(&FAILED, count), why)
        }
    };
    Some(Wait { until: last.at + wait, why })
}

/// Too many in a few hours, whatever became of them.
fn crowded(orders: &[Entry], now: i64) -> Option<Wait> {
    const SPAN: i64 = 3 * HOUR;
    let lately: Vec<i64> = orders
        .iter()
        .filter(|order| !matches!(order.outcome, Outcome::Away { .. }) && now - order.at < SPAN)
        .map(|order| order.at)
        .collect();
    let first = lately.len().checked_sub(MOST_ORDERS)?;
    let why = format!("{MOST_ORDERS} orders were made within three hours");
    Some(Wait { until: lately[first] + SPAN, why })
}

/// Too many certificates for the same names in a week. Something takes them away as fast as they come: a disk that
/// forgets, a file that cannot be written.
fn alike(orders: &[Entry], names: &[String], now: i64) -> Option<Wait> {
    const SPAN: i64 = 7 * DAY;
    let mut wanted = names.to_vec();
    wanted.sort();
    let is_alike = |order: &&Entry| {
        let mut names = order.names.clone();
        names.sort();
        order.outcome == Outcome::Issued && names == wanted && now - order.at < SPAN
    };
    let issued: Vec<i64> = orders.iter().filter(is_alike).map(|order| order.at).collect();
    let first = issued.len().checked_sub(MOST_ALIKE)?;
    let why = format!("{MOST_ALIKE} certificates for these names were issued within a week and are not here");
    Some(Wait { until: issued[first] + SPAN, why })
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
