//! Failing orders: they are resumed, made once, and never repeated at once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use handover::config::Challenge;
use handover::sockets;
use tests::authority::{Behaviour, Chain};
use tests::steward::{NAMES, Steward, await_error, outcomes, with_authority};
use tests::wait;

#[test]
fn a_steward_that_dies_in_every_order_continues_the_same_one() {
    let (mut steward, authority) = with_authority(|behaviour| behaviour.never_signs = true);
    for round in 0..3 {
        steward.start();
        wait::until_true("the order is made and known by its address", || {
            steward.ledger().last().is_some_and(|order| order["order"].is_string())
        });
        if round > 0 {
            await_pending_order(&steward);
        }
        steward.process().kill_everything();
    }
    assert_eq!(authority.ordered().len(), 1);
    assert_eq!(steward.ledger().len(), 1);
}

/// Waits until the state shows that the authority works on an order.
#[track_caller]
fn await_pending_order(steward: &Steward) {
    wait::until_true("an order is pending", || steward.state()["pending"].is_string());
    assert!(steward.state()["last_error"].is_null(), "{}", steward.state());
}

#[test]
fn a_slow_order_is_the_only_one_also_for_a_new_process() {
    for slow in [
        (|behaviour: &mut Behaviour| behaviour.polls_in_processing = 4) as fn(&mut Behaviour),
        |behaviour| behaviour.polls_without_certificate = 2,
        |behaviour| behaviour.early_finalizations = 2,
    ] {
        let (mut steward, authority) = with_authority(slow);
        steward.start();
        // A name whose validation the end of the process interrupts is refused, and left out of the next order.
        wait::until_true("the names are validated", || authority.has_validated_all());
        steward.process().kill_everything();
        steward.start();
        steward.await_certificate(&NAMES);
        wait::until_true("the ledger has it", || outcomes(&steward) == ["issued"]);
        assert_eq!(authority.ordered().len(), 1);
    }
}

#[test]
fn a_certificate_that_cannot_be_installed_is_ordered_once_and_the_error_stays() {
    for (chain, said) in [(Chain::OfAnotherKey, "not for our key"), (Chain::WithoutAName, "is not for ")] {
        let (mut steward, authority) = with_authority(|behaviour| behaviour.chain = chain);
        steward.start();
        await_error(&steward, said);
        wait::until_true("the next try is a minute away", || {
            steward.state()["next_try"].as_str().is_some_and(|next| next > &*calendar::rfc3339(now() + 20))
        });
        assert_eq!(outcomes(&steward), ["unusable"]);
        // The state shows the content of the ledger, also for a new process.
        steward.process().kill_everything();
        steward.start();
        await_error(&steward, said);
        assert_eq!(authority.ordered().len(), 1);
        // An operator's attempt is made at once.
        authority.behave(|behaviour| behaviour.chain = Chain::InOrder);
        steward.reload();
        steward.await_certificate(&NAMES);
    }
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

#[test]
fn a_chain_in_any_order_names_in_capitals_and_a_redirected_directory_are_accepted() {
    for odd in [
        (|behaviour: &mut Behaviour| behaviour.chain = Chain::Reversed) as fn(&mut Behaviour),
        |behaviour| behaviour.chain = Chain::Joined,
        |behaviour| behaviour.writes_upper_case = true,
        |behaviour| behaviour.has_moved = true,
    ] {
        let (mut steward, authority) = with_authority(odd);
        steward.start();
        steward.await_certificate(&NAMES);
        assert_eq!(authority.ordered().len(), 1);
        let written = fs::read_to_string(&steward.tls().certificate).unwrap();
        assert_eq!(
            written.matches("\n-----BEGIN CERTIFICATE-----\n").count(),
            1,
            "the issuer is behind it: {written}"
        );
    }
}

#[test]
fn a_deactivated_account_is_replaced() {
    let (mut steward, authority) =
        with_authority(|behaviour| behaviour.renewal_window = Some((40 * 86_400, 41 * 86_400)));
    steward.start();
    steward.await_certificate(&NAMES);
    authority.deactivate_accounts();
    authority.revoke_all();
    steward.reload();
    wait::until_true("another certificate for another account", || {
        authority.accounts() == 2
            && outcomes(&steward).iter().filter(|outcome| *outcome == "issued").count() == 2
    });
}

#[test]
fn a_refused_host_name_is_retried_when_its_record_changes() {
    let (mut steward, authority) = with_authority(|behaviour| {
        behaviour.failing_names.insert(NAMES[0].to_owned());
    });
    steward.authority(|settings| settings.challenge = Challenge::Http01);
    steward.start();
    steward.await_certificate(&NAMES[1..]);
    wait::until_true("the reason is the host's name", || {
        let state = steward.state();
        state["left_out"][0]["name"] == NAMES[0]
            && state["is_about_names"] == true
            && state["is_served"] == false
    });
    let health = steward.get(sockets::HEALTH, "localhost", "/health/ready");
    assert!(
        health.contains("no certificate can be obtained for the host's own name mail.example.org"),
        "{health}"
    );
    assert_eq!(outcomes(&steward), ["names", "issued"]);
    // SIGHUP makes an attempt at once, with the same result.
    steward.reload();
    wait::until_true("the host's name is tried again, and the others are not", || {
        outcomes(&steward).iter().filter(|outcome| *outcome == "names").count() == 2
    });
    assert_eq!(outcomes(&steward).iter().filter(|outcome| *outcome == "issued").count(), 1);
    // The operator's change of the records is noticed without a request.
    authority.behave(|behaviour| behaviour.failing_names.clear());
    steward.dns.host(NAMES[0], std::net::Ipv4Addr::new(127, 0, 0, 2).into());
    steward.await_certificate(&NAMES);
}

#[test]
fn a_self_made_certificate_that_is_not_valid_yet_is_renewed_while_it_runs_and_process_1_is_notified() {
    let (mut steward, _authority) = with_authority(|_| {});
    steward.config.renewal = None;
    steward.self_made_from(now() + 400 * 86_400);
    let key = fs::read(&steward.tls().key).unwrap();
    steward.start();
    wait::until_true("it is valid now", || steward.facts().not_before <= now());
    assert_eq!(steward.facts().names, [NAMES[0]]);
    assert_eq!(fs::read(&steward.tls().key).unwrap(), key);
    wait::until_true("process 1 is notified", || !steward.reported_certificates().is_empty());
}
