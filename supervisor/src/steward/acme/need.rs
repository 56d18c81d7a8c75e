//! Decides if an order is needed, from the certificate on disk, the names and the time.

use super::challenge_type::ChallengeKind;
use super::issued_certificate::IssuedCertificate;
use super::ledger::Entry;

/// The reason for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// No certificate of an authority covers the host's name.
    First,
    /// The certificate is due for renewal.
    Renewal,
    /// Wanted names are missing from the certificate.
    Names,
}

/// The least time between two orders for new names: a new name is worth a new certificate, but not each of four within
/// a minute.
const BETWEEN: i64 = 10 * 60;
const DAY: i64 = 24 * 3600;
/// Limit of certificates for new names in a day; further names wait.
const MAX_PER_DAY: usize = 5;

/// Returns the reason for an order, if one is needed. `wanted` begins with the host's own name. The current certificate
/// comes with its renewal time, and with a flag that is set if another authority issued it than the one configured now.
pub(super) fn need(
    current: Option<(&IssuedCertificate, i64)>,
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

/// Returns `Ok` if an order for these names is an improvement; otherwise the reason why not, where it is to be
/// reported. `renew_at` is the renewal time of the current certificate.
pub(super) fn check_improvement(
    need: Need,
    names: &[(String, ChallengeKind)],
    current: Option<(&IssuedCertificate, i64)>,
    wanted: &[String],
    orders: &[Entry],
    now: i64,
) -> Result<(), Option<String>> {
    let host = wanted.first().map_or("", String::as_str);
    let has = |name: &str| names.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
    if names.is_empty() {
        return Err(None);
    }
    // An expired certificate has no value.
    let Some((current, renew_at)) = current.filter(|(current, _)| current.facts.not_after > now) else {
        return Ok(());
    };
    if !has(host) && current.covers(host) {
        return Err(Some(format!("the current certificate covers {host}, and a new one would not")));
    }
    if (has(host) && need != Need::Names) || need == Need::Renewal || renew_at <= now {
        return Ok(());
    }
    // The host's name cannot be proved now, or is covered. Then only the other names count, and covered names are not
    // ordered again and again.
    if !names.iter().any(|(name, _)| !current.covers(name)) {
        return Err(None);
    }
    // A covered name that does not reach us now is no reason to drop it from the certificate.
    if wanted.iter().any(|name| current.covers(name) && !has(name)) {
        return Err(None);
    }
    let issued: Vec<i64> =
        orders.iter().filter(|order| order.outcome.is_certificate()).map(|order| order.at).collect();
    let lately = issued.iter().filter(|at| now - **at < DAY).count();
    if issued.last().is_some_and(|at| now - at < BETWEEN) || lately >= MAX_PER_DAY {
        return Err(None);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use handover::certificate::CertificateFacts;

    use super::super::ledger::Outcome;
    use super::*;

    const HOST: &str = "mail.example.org";
    const POLICY: &str = "mta-sts.example.org";
    const NOW: i64 = 1_000_000;

    fn current(names: &[&str], not_after: i64) -> IssuedCertificate {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let facts = CertificateFacts { names, issuer: "CN=CA".into(), not_before: 0, not_after };
        IssuedCertificate { facts, fingerprint: "aa".into() }
    }

    fn wanted() -> Vec<String> {
        vec![HOST.into(), POLICY.into()]
    }

    fn ordered(names: &[&str]) -> Vec<(String, ChallengeKind)> {
        names.iter().map(|name| ((*name).to_owned(), ChallengeKind::Http)).collect()
    }

    fn issued(at: i64) -> Entry {
        Entry {
            outcome: Outcome::Issued { lifetime: None },
            ..Entry::started(at, "", &ordered(&[HOST, POLICY]))
        }
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
        let worth = |names: &[&str], current: Option<&IssuedCertificate>| {
            let current = current.map(|current| (current, NOW));
            check_improvement(Need::Renewal, &ordered(names), current, &wanted(), &[], NOW).is_ok()
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
            let current = Some((&good, NOW + 10));
            check_improvement(Need::Names, &ordered(names), current, &wanted(), orders, NOW).is_ok()
        };
        assert!(worth(&[HOST, POLICY], &[]));
        assert!(!worth(&[HOST], &[]), "no improvement");
        assert!(!worth(&[POLICY], &[]));
        assert!(!worth(&[HOST, POLICY], &[issued(NOW - 60)]));
        assert!(worth(&[HOST, POLICY], &[issued(NOW - 700)]));
        let many: Vec<Entry> = (0..5).map(|hour| issued(NOW - 20_000 + hour)).collect();
        assert!(!worth(&[HOST, POLICY], &many));
    }
    #[test]
    fn a_certificate_for_the_others_is_ordered_once_while_the_hosts_name_cannot_be_proved() {
        let others = current(&[POLICY], NOW + 1000);
        let worth = |names: &[&str], current: Option<(&IssuedCertificate, i64)>| {
            check_improvement(Need::First, &ordered(names), current, &wanted(), &[], NOW).is_ok()
        };
        assert!(worth(&[POLICY], None), "it is better than none");
        assert!(!worth(&[POLICY], Some((&others, NOW + 10))), "it is here already");
        assert!(worth(&[HOST, POLICY], Some((&others, NOW + 10))), "the host's name can be validated now");
        assert!(worth(&[POLICY], Some((&others, NOW))), "it is due");
        let wanted: Vec<String> = [HOST, POLICY, "autoconfig.example.org"].map(str::to_owned).into();
        let more = ordered(&[POLICY, "autoconfig.example.org"]);
        let is_improvement = |orders: &[Entry]| {
            check_improvement(Need::First, &more, Some((&others, NOW + 10)), &wanted, orders, NOW).is_ok()
        };
        assert!(is_improvement(&[issued(NOW - 700)]), "one more name can be validated");
        assert!(!is_improvement(&[issued(NOW - 60)]), "but not each of them at once");
    }
}
