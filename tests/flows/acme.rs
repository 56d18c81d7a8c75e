//! A certificate from an authority with many failures: the steward gets one all the same, and never exhausts its
//! limits.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::time::Duration;

use handover::Confidential;
use handover::config::AccountBinding;
use handover::sockets;
use tests::authority::Authority;
use tests::steward::{DOMAIN, NAMES, Steward, await_error, outcomes, with_authority};
use tests::wait;

#[test]
fn an_unavailable_authority_is_retried_and_no_order_counts() {
    let (mut steward, authority) = with_authority(|behaviour| behaviour.is_down = true);
    steward.start();
    await_error(&steward, "exchange with localhost failed");
    assert!(steward.state()["next_try"].is_string());
    assert!(authority.ordered().is_empty());
    authority.behave(|behaviour| behaviour.is_down = false);
    steward.await_certificate(&NAMES);
    assert_eq!(authority.ordered().len(), 1);
}

#[test]
fn retry_after_is_honoured_also_by_a_new_process() {
    let (mut steward, authority) = with_authority(|behaviour| behaviour.busy = Some(20));
    steward.start();
    await_error(&steward, "answers 503");
    // It works again at once, but its Retry-After has not passed.
    authority.behave(|behaviour| behaviour.busy = None);
    steward.process().kill_everything();
    steward.start();
    steward.reload();
    await_error(&steward, "answers 503");
    assert!(authority.ordered().is_empty(), "a request came before the time that the authority had named");
    steward.await_certificate(&NAMES);
}

#[test]
fn a_slow_and_strict_authority_issues_in_the_end() {
    let (mut steward, authority) = with_authority(|behaviour| {
        behaviour.delay = Duration::from_millis(150);
        behaviour.refuses_nonces = true;
    });
    steward.start();
    steward.await_certificate(&NAMES);
    assert_eq!(authority.accounts(), 1, "a rejected nonce makes no second account");
    wait::until_true("the ledger has it", || outcomes(&steward) == ["issued"]);
}

#[test]
fn a_rate_limit_is_honoured_across_crashes() {
    const SECONDS: u64 = 6;
    let (mut steward, authority) = with_authority(|behaviour| behaviour.rate_limits = (1, SECONDS));
    steward.start();
    await_error(&steward, "too many orders lately");
    for _ in 0..3 {
        steward.process().kill_everything();
        steward.start();
        // An operator's request does not lift the limit either.
        await_error(&steward, "too many orders lately");
    }
    steward.await_certificate(&NAMES);
    let ordered = authority.ordered();
    assert_eq!(ordered.len(), 2);
    assert!(ordered[1].at - ordered[0].at >= Duration::from_secs(SECONDS - 1), "{ordered:?}");
    wait::until_true("the ledger has both", || outcomes(&steward) == ["rate-limited", "issued"]);
}

#[test]
fn a_refused_name_does_not_affect_the_others() {
    for at_the_order in [true, false] {
        let (mut steward, authority) = with_authority(|behaviour| {
            let names =
                if at_the_order { &mut behaviour.refused_names } else { &mut behaviour.failing_names };
            names.insert(NAMES[2].to_owned());
        });
        steward.start();
        steward.await_certificate(&[NAMES[0], NAMES[1], NAMES[3]]);
        wait::until_true("the ledger has both", || outcomes(&steward) == ["names", "issued"]);
        wait::until_true("the name is reported", || steward.state()["left_out"][0]["name"] == NAMES[2]);
        let detail = if at_the_order { "not on my watch" } else { "looks wrong to me" };
        let left_out = &steward.state()["left_out"][0];
        assert!(left_out["problem"].to_string().contains(detail), "{left_out}");
        assert!(left_out["next_try"].is_string(), "{left_out}");
        assert_eq!(authority.ordered().len(), 2);
    }
}

#[test]
fn a_revoked_certificate_is_replaced_at_once_and_the_key_stays() {
    let (mut steward, authority) =
        with_authority(|behaviour| behaviour.renewal_window = Some((40 * 86_400, 41 * 86_400)));
    steward.start();
    let first = steward.await_certificate(&NAMES);
    let key = fs::read(&steward.tls().key).unwrap();
    let chain = fs::read(&steward.tls().certificate).unwrap();
    wait::until_true("the suggestion is followed", || {
        let renews = steward.state()["renews"].as_str().unwrap_or_default().to_owned();
        let day = |days: i64| calendar::rfc3339(first.not_before + days * 86_400);
        day(40) <= renews && renews <= day(41)
    });
    assert_eq!(authority.ordered().len(), 1);
    assert_eq!(authority.ordered()[0].replaces, None);

    authority.revoke_all();
    steward.reload();
    wait::until_true("there is another", || fs::read(&steward.tls().certificate).unwrap() != chain);
    assert_eq!(fs::read(&steward.tls().key).unwrap(), key);
    let ordered = authority.ordered();
    assert_eq!(ordered.len(), 2);
    assert!(ordered[1].replaces.as_ref().is_some_and(|id| id.contains('.')), "{ordered:?}");
}

#[test]
fn a_certificate_of_seconds_is_renewed_at_two_thirds_and_within_the_limits() {
    let (mut steward, _authority) = with_authority(|behaviour| behaviour.lifetime = Duration::from_secs(6));
    steward.start();
    let first = steward.await_certificate(&NAMES);
    let renewed = wait::until("it is renewed", || {
        let facts = steward.facts();
        (facts.not_before > first.not_before).then_some(facts)
    });
    assert!(renewed.not_before >= first.not_before + 4, "not before its time: {renewed:?}");
    // Two renewals within three lifetimes are normal, but no lifetime is as short as this one.
    await_error(&steward, "within 10 minutes");
    assert_eq!(outcomes(&steward).iter().filter(|outcome| *outcome == "issued").count(), 4);
}

#[test]
fn no_order_is_placed_under_a_wrong_clock() {
    let (mut steward, authority) = with_authority(|behaviour| behaviour.clock_ahead = 3 * 365 * 86_400);
    // An entry that was written while the clock was ten years ahead.
    let ahead = r#"{"at":2100000000,"authority":"AUTHORITY","names":["mail.example.org"],"outcome":"begun"}"#;
    fs::write(steward.acme().join("ledger.jsonl"), ahead.replace("AUTHORITY", &authority.directory()) + "\n")
        .unwrap();
    steward.start();
    await_error(&steward, "this machine's clock shows");
    assert!(authority.ordered().is_empty());
    assert!(steward.ledger()[0]["at"] == 2_100_000_000, "a clock that may be wrong changes nothing");
    authority.behave(|behaviour| behaviour.clock_ahead = 0);
    steward.reload();
    // The order of the future counts as made now, and does not delay the operator's request.
    steward.await_certificate(&NAMES);
    assert!(steward.ledger()[0]["at"].as_i64().unwrap() < 2_100_000_000);
}

#[test]
fn an_account_is_bound_if_required_and_created_again_if_the_authority_forgets_it() {
    let (mut steward, authority) = with_authority(|behaviour| {
        behaviour.requires_binding = true;
        behaviour.renewal_window = Some((40 * 86_400, 41 * 86_400));
    });
    steward.start();
    await_error(&steward, "create an account on the website first");
    steward.authority(|settings| {
        settings.account_binding = Some(AccountBinding {
            key_id: "customer-7".to_owned(),
            key: Confidential::new("c2VjcmV0LXNlY3JldC1zZWNyZXQ"),
        });
    });
    steward.reload();
    steward.await_certificate(&NAMES);
    assert_eq!(authority.bindings(), ["customer-7"]);

    authority.forget_accounts();
    authority.revoke_all();
    steward.reload();
    wait::until_true("there is an account again", || authority.accounts() == 1);
    wait::until_true("and another certificate", || {
        outcomes(&steward).iter().filter(|o| *o == "issued").count() == 2
    });
}

#[test]
fn names_that_start_to_resolve_here_are_added_to_the_certificate_and_the_pages() {
    let (mut steward, _authority) = with_authority(|_| {});
    for name in &NAMES[1..] {
        steward.dns.remove(name);
    }
    steward.start();
    steward.await_certificate(&NAMES[..1]);
    wait::until_true("health reports the others", || {
        let health = steward.get(sockets::HEALTH, "localhost", "/health/ready");
        NAMES[1..].iter().all(|name| health.contains(name)) && health.contains("mailstead dns")
    });
}

/// The names that the certificate should have, and the domain's own.
fn names_with_domain() -> Vec<&'static str> {
    NAMES.into_iter().chain([DOMAIN]).collect()
}

#[test]
fn a_domains_own_name_is_included_while_it_resolves_here_without_delaying_renewal() {
    let (mut steward, authority) =
        with_authority(|behaviour| behaviour.renewal_window = Some((40 * 86_400, 41 * 86_400)));
    // An address of another machine.
    let elsewhere = "203.0.113.80".parse().unwrap();
    steward.dns.host(DOMAIN, elsewhere);
    steward.start();
    steward.await_certificate(&NAMES);
    let is_content = |steward: &Steward| {
        let state = steward.state();
        let is_whole = state["left_out"].as_array().is_some_and(Vec::is_empty);
        state["is_served"] == true && state["last_error"].is_null() && is_whole
    };
    wait::until_true("a name that resolves elsewhere is not a fault", || is_content(&steward));

    steward.dns.remove(DOMAIN).host(DOMAIN, std::net::Ipv4Addr::LOCALHOST.into());
    await_renewal_for(&mut steward, &authority, &names_with_domain());

    steward.dns.remove(DOMAIN).host(DOMAIN, elsewhere);
    await_renewal_for(&mut steward, &authority, &NAMES);
    wait::until_true("no fault is reported", || is_content(&steward));
    // The authority refuses an order that was under way when the record changed.
    let outcomes = outcomes(&steward);
    assert!(outcomes.iter().filter(|outcome| *outcome != "issued").count() <= 1, "{outcomes:?}");
}

/// Revokes and renews the certificate until it has these names: a renewal that was under way when the records changed
/// still ends with the previous names.
fn await_renewal_for(steward: &mut Steward, authority: &Authority, names: &[&str]) {
    let sorted = |names: &mut Vec<String>| names.sort();
    let mut wanted: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    sorted(&mut wanted);
    wait::until_true(&format!("the certificate is renewed for {names:?}"), || {
        let before = steward.certificate();
        authority.revoke_all();
        steward.reload();
        wait::until_true("the certificate is replaced", || steward.certificate() != before);
        let mut found = steward.facts().names;
        sorted(&mut found);
        found == wanted
    });
}

#[test]
fn a_refused_own_name_of_a_domain_does_not_affect_the_others() {
    let (mut steward, authority) = with_authority(|behaviour| {
        behaviour.refused_names.insert(DOMAIN.to_owned());
    });
    steward.dns.host(DOMAIN, std::net::Ipv4Addr::LOCALHOST.into());
    steward.start();
    steward.await_certificate(&NAMES);
    wait::until_true("the ledger has both", || outcomes(&steward) == ["names", "issued"]);
    wait::until_true("it is named with the reason", || {
        let left_out = &steward.state()["left_out"][0];
        left_out["name"] == DOMAIN && left_out["problem"].to_string().contains("not on my watch")
    });
    assert_eq!(authority.ordered().len(), 2);
}
