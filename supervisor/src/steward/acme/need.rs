//! Whether there is anything to order: from what lies on disk, the names and the time.

use super::current::Current;
use super::ledger::{Entry, Outcome};
use super::way::Way;

/// Why a certificate is to be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// There is none of an authority's for the host's name.
    First,
    /// It is time.
    Renewal,
    /// There are names that it is not for.
    Names,
}

/// A new name is worth a new certificate, but not each of four within a minute.
const BETWEEN: i64 = 10 * 60;
const DAY: i64 = 24 * 3600;
/// So many certificates for the sake of new names in a day; the others wait.
const MOST_A_DAY: usize = 5;

/// What is needed. `wanted` begins with the host's own name; with the current one comes when it is due, and whether it
/// is of another authority than the one that is set now.
pub(super) fn need(
    current: Option<(&Current, i64)>,
    wanted: &[String],
    is_anothers: bool,
    now: i64,
) -> Option<Need> {
    let Some((current, renew_at)) = current else { return Some(Need::First) };
    if wanted.first().is_some_and(|host| !current.covers(host)) {
        return Some(Need::First);
    }
    if renew_at <= now || is_anothers {
        return Some(Need::Renewal);
    }
    wanted.iter().any(|name| !current.covers(name)).then_some(Need::Names)
}

/// Whether an order for these names makes things better than they are. Else comes back why not.
pub(super) fn is_worth(
    need: Need,
    names: &[(String, Way)],
    current: Option<&Current>,
    wanted: &[String],
    orders: &[Entry],
    now: i64,
) -> Result<(), Option<String>> {
    let host = wanted.first().map_or("", String::as_str);
    let has = |name: &str| names.iter().any(|(other, _)| other == name);
    if names.is_empty() {
        return Err(None);
    }
    let serves_host = current.is_some_and(|current| current.covers(host) && current.facts.not_after > now);
    if !has(host) && serves_host {
        return Err(Some(format!("a certificate without {host} would be worse than the one there is")));
    }
    if need != Need::Names {
        return Ok(());
    }
    let is_new = |name: &str| current.is_none_or(|current| !current.covers(name));
    if !names.iter().any(|(name, _)| is_new(name)) {
        return Err(None);
    }
    // One that the current certificate is for and that does not reach us now is no reason to give it up.
    if wanted.iter().any(|name| !is_new(name) && !has(name)) {
        return Err(None);
    }
    let issued: Vec<i64> =
        orders.iter().filter(|order| order.outcome == Outcome::Issued).map(|order| order.at).collect();
    let lately = issued.iter().filter(|at| now - **at < DAY).count();
    if issued.last().is_some_and(|at| now - at < BETWEEN) || lately >= MOST_A_DAY {
        return Err(None);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use handover::certificate::Facts;

    use super::*;

    const HOST: &str = "mail.example.org";
    const POLICY: &str = "mta-sts.example.org";
    const NOW: i64 = 1_000_000;

    fn current(names: &[&str], not_after: i64) -> Current {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let facts = Facts { names, issuer: "CN=CA".into(), not_before: 0, not_after };
        Current { facts, fingerprint: "aa".into() }
    }

    fn wanted() -> Vec<String> {
        vec![HOST.into(), POLICY.into()]
    }

    fn ordered(names: &[&str]) -> Vec<(String, Way)> {
        names.iter().map(|name| ((*name).to_owned(), Way::Http)).collect()
    }

    fn issued(at: i64) -> Entry {
        Entry { at, authority: String::new(), names: wanted(), outcome: Outcome::Issued }
    }

    #[test]
    fn a_certificate_is_needed_first_then_in_time_then_for_more_names() {
        let both = current(&[HOST, POLICY], NOW + 1000);
        for (current, renew_at, expected) in [
            (None, 0, Some(Need::First)),
            (Some(current(&[POLICY], NOW + 1000)), NOW + 10, Some(Need::First)),
            (Some(both.clone()), NOW, Some(Need::Renewal)),
            (Some(current(&[HOST], NOW + 1000)), NOW, Some(Need::Renewal)),
            (Some(current(&[HOST], NOW + 1000)), NOW + 10, Some(Need::Names)),
            (Some(both), NOW + 10, None),
        ] {
            let held = current.as_ref().map(|current| (current, renew_at));
            assert_eq!(need(held, &wanted(), false, NOW), expected, "{current:?}");
        }
        let both = current(&[HOST, POLICY], NOW + 1000);
        let held = Some((&both, NOW + 10));
        assert_eq!(need(held, &wanted(), true, NOW), Some(Need::Renewal), "another authority was set");
    }

    #[test]
    fn the_hosts_name_is_not_given_up_for_the_others() {
        let good = current(&[HOST, POLICY], NOW + 1000);
        let worth = |names: &[&str], current: Option<&Current>| {
            is_worth(Need::Renewal, &ordered(names), current, &wanted(), &[], NOW).is_ok()
        };
        assert!(worth(&[HOST], Some(&good)));
        assert!(!worth(&[POLICY], Some(&good)));
        assert!(worth(&[POLICY], Some(&current(&[HOST], NOW - 1))), "it has ended");
        assert!(worth(&[POLICY], None), "a name that fails does not cost the others");
        assert!(!worth(&[], None));
    }

    #[test]
    fn more_names_are_worth_an_order_but_not_all_the_time() {
        let good = current(&[HOST], NOW + 1000);
        let worth = |names: &[&str], orders: &[Entry]| {
            is_worth(Need::Names, &ordered(names), Some(&good), &wanted(), orders, NOW).is_ok()
        };
        assert!(worth(&[HOST, POLICY], &[]));
        assert!(!worth(&[HOST], &[]), "nothing would be won");
        assert!(!worth(&[POLICY], &[]));
        assert!(!worth(&[HOST, POLICY], &[issued(NOW - 60)]));
        assert!(worth(&[HOST, POLICY], &[issued(NOW - 700)]));
        let many: Vec<Entry> = (0..5).map(|hour| issued(NOW - 20_000 + hour)).collect();
        assert!(!worth(&[HOST, POLICY], &many));
    }
}
