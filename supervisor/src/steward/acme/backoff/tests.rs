use super::super::error::Refusal;
use super::*;

const NAMES: [&str; 2] = ["mail.example.org", "mta-sts.example.org"];

fn names() -> Vec<String> {
    NAMES.map(str::to_owned).into()
}

fn entry(at: i64, outcome: Outcome) -> Entry {
    let proofs = NAMES.map(|name| (name.to_owned(), ChallengeKind::Http));
    Entry { outcome, ..Entry::started(at, "https://ca.example/", &proofs) }
}

fn at_lets_encrypt(at: i64, outcome: Outcome) -> Entry {
    let authority = "https://acme-v02.api.letsencrypt.org/directory".to_owned();
    Entry { authority, ..entry(at, outcome) }
}

fn issued() -> Outcome {
    living(90 * DAY)
}

fn living(lifetime: i64) -> Outcome {
    Outcome::Issued { lifetime: Some(lifetime) }
}

fn unusable() -> Outcome {
    Outcome::Unusable { reason: "it is not for our key".into() }
}

fn pending(next: i64, is_from_authority: bool) -> Outcome {
    Outcome::Pending { tries: 1, next, is_from_authority, reason: "it signs".into() }
}

fn away(until: Option<i64>) -> Outcome {
    Outcome::Unavailable { until, reason: "down".into() }
}

fn failed_order() -> Outcome {
    Outcome::Failed { reason: "odd".into() }
}

fn limited(until: Option<i64>) -> Outcome {
    Outcome::RateLimited { until, reason: "too many".into() }
}

fn refusing(name: &str, kind: ChallengeKind) -> Outcome {
    Outcome::Names { refused: vec![Refusal::new(name, kind, "404")] }
}

/// The time until which an order has to wait.
fn waits(orders: &[Entry], now: i64) -> Option<i64> {
    may_order(orders, &names(), now, false).err().map(|wait| wait.until)
}

#[test]
fn each_outcome_has_its_own_wait() {
    let at = 1_000_000;
    for (outcome, until) in [
        (issued(), None),
        (refusing(NAMES[1], ChallengeKind::Http), None),
        (unusable(), Some(at + MINUTE)),
        (pending(at + 200, false), Some(at + 200)),
        (pending(at + 300, true), Some(at + 300)),
        (away(None), Some(at + 10)),
        (away(Some(at + 120)), Some(at + 120)),
        (failed_order(), Some(at + MINUTE)),
        (Outcome::Started, Some(at + MINUTE)),
        (limited(None), Some(at + HOUR)),
        (limited(Some(at + 5)), Some(at + 5)),
        (limited(Some(at + 400 * DAY)), Some(at + MAX_WAIT)),
    ] {
        assert_eq!(waits(&[entry(at, outcome.clone())], at), until, "{outcome:?}");
    }
    assert_eq!(waits(&[], at), None);
}

#[test]
fn waits_grow_with_each_failure_in_a_row_up_to_a_bound_and_end_with_a_success() {
    for (outcome, expected) in [
        (away(None), UNAVAILABLE.to_vec()),
        (Outcome::Started, FAILED.to_vec()),
        (failed_order(), FAILED.to_vec()),
    ] {
        let mut orders = Vec::new();
        let mut now = 0;
        let mut grown = Vec::new();
        for _ in 0..expected.len() + 2 {
            orders.push(entry(now, outcome.clone()));
            let until = waits(&orders, now).unwrap();
            grown.push(until - now);
            now = until;
            assert_eq!(waits(&orders, now), None, "the time has come");
        }
        assert_eq!(grown[..expected.len()], expected);
        assert_eq!(grown[expected.len()], *expected.last().unwrap());
        orders.push(entry(now, issued()));
        orders.push(entry(now, outcome));
        assert_eq!(waits(&orders, now), Some(now + expected[0]));
    }
}

#[test]
fn a_crash_loop_makes_no_more_orders_than_the_limits_allow() {
    // A steward that dies in the middle of every order and is restarted every second for a week.
    let mut orders: Vec<Entry> = Vec::new();
    let mut now = 0;
    while now < 7 * DAY {
        match may_order(&orders, &names(), now, false) {
            Ok(()) => {
                orders.push(entry(now, Outcome::Started));
                now += 1;
            }
            Err(wait) => now = wait.until,
        }
    }
    assert!(orders.len() < 20, "{}", orders.len());
    let within_hour =
        |start: &Entry| orders.iter().filter(|order| (start.at..start.at + HOUR).contains(&order.at)).count();
    assert!(orders.iter().map(within_hour).max().unwrap() < 5);
}

#[test]
fn certificates_that_vanish_are_not_fetched_more_than_four_times_a_week() {
    let orders: Vec<Entry> = (0..4).map(|day| entry(day * DAY, issued())).collect();
    assert_eq!(waits(&orders, 4 * DAY), Some(7 * DAY));
    assert!(may_order(&orders, &names(), 4 * DAY, true).is_err(), "a request does not skip this limit");
    assert_eq!(waits(&orders[1..], 4 * DAY), None);
    let other = vec![NAMES[0].to_owned()];
    assert_eq!(may_order(&orders, &other, 4 * DAY, false), Ok(()), "other names are another certificate");
    let mut swapped = names();
    swapped.reverse();
    assert!(may_order(&orders, &swapped, 4 * DAY, false).is_err(), "the order of names does not matter");
}

#[test]
fn too_many_orders_wait_until_the_first_of_them_are_old() {
    let orders: Vec<Entry> =
        (0..MAX_ORDERS as i64).map(|at| entry(at, refusing(NAMES[1], ChallengeKind::Http))).collect();
    assert_eq!(rate_limit_wait(&orders, 100).unwrap().until, 3 * HOUR);
    assert_eq!(rate_limit_wait(&orders, 3 * HOUR), None);
}

#[test]
fn a_refused_name_has_its_own_wait_and_a_request_skips_it_only_within_the_authoritys_limit() {
    let mut orders = Vec::new();
    let mut now = 0;
    let mut grown = Vec::new();
    for _ in 0..6 {
        orders.push(entry(now, refusing(NAMES[1], ChallengeKind::Http)));
        let until = may_order_name(&orders, NAMES[1], now, false).unwrap_err().until;
        grown.push(until - now);
        now = until;
    }
    assert_eq!(grown[..5], NAME);
    assert_eq!(grown[5], DAY);
    assert_eq!(may_order_name(&orders, NAMES[0], 0, false), Ok(()));

    let orders: Vec<Entry> = (0..3).map(|at| entry(at, refusing(NAMES[1], ChallengeKind::Http))).collect();
    assert_eq!(may_order_name(&orders[..2], NAMES[1], 10, true), Ok(()));
    assert_eq!(may_order_name(&orders, NAMES[1], 10, true).unwrap_err().until, HOUR);
    assert_eq!(refused(&orders, NAMES[1], ChallengeKind::Http), 3);
    assert_eq!(refused(&orders, NAMES[1], ChallengeKind::TlsAlpn), 0);
    let mut orders = orders;
    orders.push(entry(20, issued()));
    assert_eq!(refused(&orders, NAMES[1], ChallengeKind::Http), 0, "it is in a certificate since");
}

#[test]
fn a_request_skips_our_own_waits_and_none_of_the_authoritys() {
    for outcome in [away(None), failed_order(), Outcome::Started, unusable(), pending(100, false)] {
        assert!(may_order(&[entry(0, outcome.clone())], &names(), 1, false).is_err(), "{outcome:?}");
        assert_eq!(may_order(&[entry(0, outcome)], &names(), 1, true), Ok(()));
    }
    for outcome in [limited(Some(100)), away(Some(100)), pending(100, true)] {
        assert!(may_order(&[entry(0, outcome)], &names(), 1, true).is_err());
    }
}

/// The times of the orders in a week, each placed as soon as allowed and ending with the given outcome.
fn issued_in_a_week(outcome: impl Fn(i64) -> Outcome) -> Vec<i64> {
    let mut orders: Vec<Entry> = Vec::new();
    let mut now = 0;
    while now < WEEK {
        match may_order(&orders, &names(), now, false) {
            Ok(()) => {
                orders.push(entry(now, outcome(now)));
                now += 1;
            }
            Err(wait) => {
                assert!(wait.until > now, "{wait:?}");
                now = wait.until;
            }
        }
    }
    orders.into_iter().map(|order| order.at).collect()
}

/// Makes the outcome of an order at a moment.
type MakeOutcome = Box<dyn Fn(i64) -> Outcome>;

#[test]
fn no_outcome_of_orders_leads_to_an_order_storm() {
    // One of each kind: a new kind without a line here does not compile.
    let kinds: Vec<(&str, MakeOutcome)> = vec![
        ("begun", Box::new(|_| Outcome::Started)),
        ("pending", Box::new(|now| pending(now + 5, false))),
        ("issued", Box::new(|_| issued())),
        ("unusable", Box::new(|_| unusable())),
        ("names", Box::new(|_| refusing(NAMES[1], ChallengeKind::Http))),
        ("rate-limited", Box::new(|_| limited(None))),
        ("rate-limited until", Box::new(|now| limited(Some(now)))),
        ("away", Box::new(|_| away(None))),
        ("failed", Box::new(|_| failed_order())),
        ("issued for no time", Box::new(|_| living(0))),
    ];
    let known = |outcome: &Outcome| match outcome {
        Outcome::Started | Outcome::Pending { .. } | Outcome::Issued { .. } | Outcome::Unusable { .. } => {
            true
        }
        Outcome::Names { .. }
        | Outcome::RateLimited { .. }
        | Outcome::Unavailable { .. }
        | Outcome::Failed { .. } => true,
    };
    for (name, outcome) in &kinds {
        assert!(known(&outcome(0)));
        let issued = issued_in_a_week(outcome);
        let within = |span: i64| {
            issued
                .iter()
                .map(|start| issued.iter().filter(|at| (*start..start + span).contains(at)).count())
                .max()
                .unwrap()
        };
        assert!(within(3 * HOUR) <= 75, "{name}: {} in three hours", within(3 * HOUR));
        // An outcome that costs the authority a certificate or counts against its limits is rarer.
        if !matches!(*name, "away" | "pending" | "issued for no time") {
            assert!(within(3 * HOUR) <= MAX_ORDERS, "{name}: {} in three hours", within(3 * HOUR));
        }
        if matches!(*name, "issued" | "unusable") {
            assert!(issued.len() <= MAX_ALIKE, "{name}: {} in a week", issued.len());
        }
    }
}

#[test]
fn a_certificate_that_cannot_be_installed_keeps_its_reason_when_the_weeks_allowance_is_used_up() {
    let orders: Vec<Entry> = (0..4).map(|day| entry(day * DAY, unusable())).collect();
    let wait = may_order(&orders, &names(), 5 * DAY, false).unwrap_err();
    assert_eq!(wait.until, WEEK);
    assert_eq!(wait.reason.why, "it is not for our key");
}

#[test]
fn certificates_of_hours_are_always_renewed_and_those_of_lets_encrypt_four_times_a_week() {
    for lifetime in [5 * MINUTE, HOUR, DAY, 6 * DAY, 90 * DAY] {
        let mut orders = Vec::new();
        let mut now = 0;
        for round in 0..60 {
            assert_eq!(may_order(&orders, &names(), now, false), Ok(()), "round {round} of {lifetime}");
            orders.push(entry(now, living(lifetime)));
            now += lifetime / 3 * 2;
        }
    }
    let daily = |make: fn(i64, Outcome) -> Entry| -> Vec<Entry> {
        (0..4).map(|day| make(day * DAY, living(DAY))).collect()
    };
    assert_eq!(may_order(&daily(entry), &names(), 4 * DAY, false), Ok(()));
    assert!(may_order(&daily(at_lets_encrypt), &names(), 4 * DAY, false).is_err());
    assert!(is_lets_encrypt("https://acme-staging-v02.api.letsencrypt.org/directory"));
    assert!(!is_lets_encrypt("https://letsencrypt.org.example/directory"));
    assert!(!is_lets_encrypt("https://ca.example/letsencrypt.org"));
}

#[test]
fn names_are_compared_without_regard_to_case() {
    let loud: Vec<String> = NAMES.iter().map(|name| name.to_ascii_uppercase()).collect();
    let orders: Vec<Entry> = (0..4).map(|day| entry(day * DAY, issued())).collect();
    assert!(may_order(&orders, &loud, 4 * DAY, false).is_err());
    let orders = [entry(0, refusing(NAMES[1], ChallengeKind::Http))];
    assert!(may_order_name(&orders, &loud[1], 1, false).is_err());
}

#[test]
fn a_pending_order_is_polled_when_the_authority_says_and_given_up_after_a_day() {
    let open = entry(0, Outcome::Started);
    assert_eq!(next_poll(&open, 100, Some(400), false), Some((1, 400, true)));
    assert_eq!(next_poll(&open, 100, None, false), Some((1, 105, false)));
    assert_eq!(next_poll(&open, 100, Some(50), false), Some((1, 105, false)), "a time that has passed");
    let often = |tries| Entry {
        outcome: Outcome::Pending { tries, next: 0, is_from_authority: false, reason: "it signs".into() },
        ..entry(0, Outcome::Started)
    };
    assert_eq!(next_poll(&often(2), 100, None, false), Some((3, 130, false)));
    assert_eq!(next_poll(&often(50), 100, None, false), Some((51, 100 + 15 * MINUTE, false)));
    assert_eq!(next_poll(&often(2), DAY, None, false), None, "a day is enough");
    assert!(next_poll(&often(MAX_UNKNOWN_POLLS - 1), 100, None, true).is_some());
    assert_eq!(next_poll(&often(MAX_UNKNOWN_POLLS), 100, None, true), None, "the authority does not know it");
}
