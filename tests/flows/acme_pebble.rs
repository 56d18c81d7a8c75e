//! A certificate from Pebble, Let's Encrypt's own test server, by each challenge type: on our ports, and in DNS.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use handover::Confidential;
use handover::config::{Challenge, DnsUpdate, TsigAlgorithm, TsigKey};
use handover::sockets;
use tests::knot::{KEY_NAME, Knot, SECRET, Signing};
use tests::pebble::Pebble;
use tests::steward::{NAMES, Steward};
use tests::unbound::Unbound;
use tests::wait;

fn start(challenge: Challenge) -> (Steward, Pebble) {
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
fn a_certificate_for_all_names_is_obtained_by_http_and_by_tls_alone() {
    for (challenge, is_http) in [(Challenge::Http01, true), (Challenge::TlsAlpn01, false)] {
        let (mut steward, pebble) = start(challenge);
        let key = std::fs::read(&steward.tls().key).unwrap();
        steward.start();
        let facts = steward.await_certificate(&NAMES);
        assert!(facts.issuer.contains("Pebble"), "{}", facts.issuer);
        assert_eq!(std::fs::read(&steward.tls().key).unwrap(), key, "the key never changes");
        assert_eq!(pebble.log().contains("validate w/ HTTP"), is_http, "{challenge:?} was requested");
        let mut notified = Vec::new();
        wait::until_true("process 1 is notified of the first certificate and of the new one", || {
            notified.extend(steward.reported_certificates());
            notified.len() == 2
        });
        let ledger = steward.ledger();
        assert_eq!(ledger.last().unwrap()["outcome"], "issued", "{ledger:?}");
        wait::until_true("no fault is reported", || {
            let state = steward.state();
            state["last_error"].is_null() && state["is_served"] == true && state["renews"].is_string()
        });
    }
}

#[test]
fn a_name_that_does_not_resolve_is_left_out_until_it_resolves_here() {
    let (mut steward, _pebble) = start(Challenge::Auto);
    steward.dns.remove(NAMES[3]);
    steward.start();
    steward.await_certificate(&NAMES[..3]);
    wait::until_true("the missing one is named with its fix", || {
        let state = steward.state();
        let left_out = &state["left_out"][0];
        left_out["name"] == NAMES[3] && left_out["fix"].as_str().unwrap_or_default().contains("mailstead dns")
    });
}

/// The aliases of three names for challenges: two to one target, one through a name between. The fourth name has no
/// alias.
const ALIASES: &str = "\
_acme-challenge.mail CNAME both.acme.example.net.
_acme-challenge.mta-sts CNAME both.acme.example.net.
_acme-challenge.autoconfig CNAME between
between CNAME one.acme.example.net.
";

#[test]
fn a_dns_challenge_is_published_at_the_end_of_the_alias_and_removed() {
    // Only a real resolver follows an alias to its target for Pebble.
    let knot = Knot::start(&[("example.org", ALIASES), ("acme.example.net", "")], Signing::Off);
    let unbound = Unbound::start(&knot, &[], &["example.org", "acme.example.net"]);
    let mut steward = Steward::prepare("", std::path::Path::new(""));
    let port = |socket| steward.address(socket).port();
    let pebble = Pebble::start(port(sockets::HTTP), port(sockets::HTTPS), unbound.address());
    steward.config.dns_servers = vec![unbound.address()];
    steward.authority(|authority| {
        authority.directory = pebble.directory();
        authority.ca_file = Some(pebble.trust());
        authority.challenge = Challenge::Dns01;
    });
    let key = TsigKey {
        name: address::Domain::parse(KEY_NAME).unwrap(),
        algorithm: TsigAlgorithm::HmacSha256,
        secret: Confidential::new(SECRET),
    };
    steward.config.renewal.as_mut().unwrap().dns_update =
        Some(DnsUpdate { server: knot.address(), key: Some(key) });
    steward.start();
    steward.await_certificate(&NAMES);
    assert!(knot.log().contains("[acme.example.net.] DDNS"), "{}", knot.log());
    let ends = ["both.acme.example.net", "one.acme.example.net", "_acme-challenge.autodiscover.example.org"];
    wait::until_true("the challenges are removed", || {
        ends.iter().all(|end| knot.dig(&[end, "TXT"]).is_empty())
    });
}
