use super::super::trouble::Refusal;
use super::*;

const NAMES: [&str; 2] = ["mail.example.org", "mta-sts.example.org"];

fn names() -> Vec<String> {
    NAMES.map(str::to_owned).into()
}

fn entry(at: i64, outcome: Outcome) -> Entry {
    Entry { at, authority: "https://ca.example/".into(), names: names(), outcome }
}

fn away(until: Option<i64>) -> Outcome {
    Outcome::Away { until, why: "down".into() }
}

fn failed_order() -> Outcome {
    Outcome::Failed { why: "odd".into() }
}

fn limited(until: Option<i64>) -> Outcome {
    Outcome::RateLimited { until, why: "too many".into() }
}

fn refusing(name: &str, way: Way) -> Outcome {
    Outcome::Names { refused: vec![Refusal { name: name.into(), way, why: "404".into() }] }
}

/// Until when an order has to wait.
fn waits(orders: &[Entry], now: i64) -> Option<i64> {
    order(orders, &names(), now, false).err().map(|wait| wait.until)
}

#[test]
fn each_outcome_has_its_own_wait() {
    let at = 1_000_000;
    for (outcome, until) in [
        (Outcome::Issued, None),
        (refusing(NAMES[1], Way::Http), None),
        (away(None), Some(at + 10)),
        (away(Some(at + 120)), Some(at + 120)),
        (failed_order(), Some(at + MINUTE)),
        (Outcome::Begun, Some(at + MINUTE)),
        (limited(None), Some(at + HOUR)),
        (limited(Some(at + 5)), Some(at + 5)),
        (limited(Some(at + 400 * DAY)), Some(at + LONGEST)),
    ] {
        assert_eq!(waits(&[entry(at, outcome.clone())], at), until, "{outcome:?}");
    }
    assert_eq!(waits(&[], at), None);
}

#[test]
fn waits_grow_with_each_failure_in_a_row_up_to_a_bound_and_end_with_a_success() {
    for (outcome, expected) in [(away(None), AWAY.to_vec()), (Outcome::Begun, FAILED.to_vec())] {
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
        orders.push(entry(now, Outcome::Issued));
        orders.push(entry(now, outcome));
        assert_eq!(waits(&orders, now), Some(now + expected[0]));
    }
}

#[test]
fn a_crash_loop_makes_no_more_orders_than_the_limits_allow() {
    // A steward that dies in the middle of every order and is started again every second for a week.
    let mut orders: Vec<Entry> = Vec::new();
    let mut now = 0;
    while now < 7 * DAY {
        match order(&orders, &names(), now, false) {
            Ok(()) => {
                orders.push(entry(now, Outcome::Begun));
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
    let orders: Vec<Entry> = (0..4).map(|day| entry(day * DAY, Outcome::Issued)).collect();
    assert_eq!(waits(&orders, 4 * DAY), Some(7 * DAY));
    assert!(order(&orders, &names(), 4 * DAY, true).is_err(), "asking does not help");
    assert_eq!(waits(&orders[1..], 4 * DAY), None);
    let other = vec![NAMES[0].to_owned()];
    assert_eq!(order(&orders, &other, 4 * DAY, false), Ok(()), "other names are another certificate");
    let mut swapped = names();
    swapped.reverse();
    assert!(order(&orders, &swapped, 4 * DAY, false).is_err(), "their order is no matter");
}

#[test]
fn a_crowd_of_orders_waits_until_the_first_of_them_are_old() {
    let orders: Vec<Entry> =
        (0..MOST_ORDERS as i64).map(|at| entry(at, refusing(NAMES[1], Way::Http))).collect();
    assert_eq!(waits(&orders, 100), Some(3 * HOUR));
    assert_eq!(waits(&orders, 3 * HOUR), None);
}

#[test]
fn a_refused_name_waits_for_itself_and_asking_helps_only_within_the_authoritys_limit() {
    let mut orders = Vec::new();
    let mut now = 0;
    let mut grown = Vec::new();
    for _ in 0..6 {
        orders.push(entry(now, refusing(NAMES[1], Way::Http)));
        let until = name(&orders, NAMES[1], now, false).unwrap_err().until;
        grown.push(until - now);
        now = until;
    }
    assert_eq!(grown[..5], NAME);
    assert_eq!(grown[5], DAY);
    assert_eq!(name(&orders, NAMES[0], 0, false), Ok(()));

    let orders: Vec<Entry> = (0..3).map(|at| entry(at, refusing(NAMES[1], Way::Http))).collect();
    assert_eq!(name(&orders[..2], NAMES[1], 10, true), Ok(()));
    assert_eq!(name(&orders, NAMES[1], 10, true).unwrap_err().until, HOUR);
    assert_eq!(refused(&orders, NAMES[1], Way::Http), 3);
    assert_eq!(refused(&orders, NAMES[1], Way::TlsAlpn), 0);
    let mut orders = orders;
    orders.push(entry(20, Outcome::Issued));
    assert_eq!(refused(&orders, NAMES[1], Way::Http), 0, "it is in a certificate since");
}

#[test]
fn asking_leaves_out_our_own_waits_and_none_of_the_authoritys() {
    for outcome in [away(None), failed_order(), Outcome::Begun] {
        assert_eq!(order(&[entry(0, outcome)], &names(), 1, true), Ok(()));
    }
    assert!(order(&[entry(0, limited(Some(100)))], &names(), 1, true).is_err());
}
