//! A certificate from Pebble, Let's Encrypt's own test server, by each way that ends on our ports.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use handover::config::Challenge;
use handover::sockets;
use tests::patience;
use tests::pebble::Pebble;
use tests::steward::{NAMES, Steward};

fn stage(challenge: Challenge) -> (Steward, Pebble) {
    // The steward's ports are known before Pebble is, and Pebble's address before the steward runs.
    let mut steward = Steward::prepare("", std::path::Path::new(""));
    let port = |socket| steward.address(socket).port();
    let pebble = Pebble::start(port(sockets::HTTP), port(sockets::HTTPS), steward.dns.address());
    steward.dns.host("localhost", std::net::Ipv4Addr::LOCALHOST.into());
    steward.authority(|authority| {
        authority.directory = pebble.directory();
        authority.ca_file = Some(pebble.trust());
        authority.challenge = challenge;
    });
    (steward, pebble)
}

#[test]
fn a_certificate_for_all_names_is_had_by_http_and_by_tls_alone() {
    for (challenge, is_http) in [(Challenge::Http01, true), (Challenge::TlsAlpn01, false)] {
        let (mut steward, pebble) = stage(challenge);
        let key = std::fs::read(&steward.tls().key).unwrap();
        steward.start();
        let facts = steward.obtains(&NAMES);
        assert!(facts.issuer.contains("Pebble"), "{}", facts.issuer);
        assert_eq!(std::fs::read(&steward.tls().key).unwrap(), key, "there is one key for life");
        assert_eq!(pebble.log().contains("validate w/ HTTP"), is_http, "{challenge:?} was asked for");
        let mut told = Vec::new();
        patience::until_true("process 1 is told of the first one and of the new one", || {
            told.extend(steward.told());
            told.len() == 2
        });
        let ledger = steward.ledger();
        assert_eq!(ledger.last().unwrap()["outcome"], "issued", "{ledger:?}");
        patience::until_true("all is said to be well", || {
            let state = steward.state();
            state["last_error"].is_null() && state["is_served"] == true && state["renews"].is_string()
        });
    }
}

#[test]
fn a_name_that_leads_nowhere_is_left_out_and_comes_in_when_it_leads_here() {
    let (mut steward, _pebble) = stage(Challenge::Auto);
    steward.dns.remove(NAMES[3]);
    steward.start();
    steward.obtains(&NAMES[..3]);
    patience::until_true("the missing one is named with its fix", || {
        let state = steward.state();
        let left_out = &state["left_out"][0];
        left_out["name"] == NAMES[3] && left_out["fix"].as_str().unwrap_or_default().contains("mailstead dns")
    });
}
