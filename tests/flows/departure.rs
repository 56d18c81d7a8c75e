//! A submission is signed, sent, and reaches another site.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use tests::demo::Demo;
use tests::dns::NameServer;
use tests::mail_exchange::Exchange;
use tests::site::Site;
use tests::smtp::message;
use tests::{program, signature};

const FRIEND: &str = "friend@example.net";

/// A site whose mail for example.net is sent to the exchange.
fn site_with(elsewhere: &Exchange) -> Site {
    let port = elsewhere.address().port();
    let site = Site::start_with(|plan| plan.mta.outbound.port = port);
    site.dns.mx("example.net", 10, "mx.example.net").host("mx.example.net", elsewhere.address().ip());
    site
}

#[test]
fn a_submission_is_signed_and_sent_under_tls_to_the_exchange_in_dns() {
    let elsewhere = Exchange::start("mx.example.net");
    let site = site_with(&elsewhere);
    let mut submitter = site.services.submission_client(0);
    let letter = message("ann@example.org", FRIEND, "by-the-book");
    submitter.mail("ann@example.org", &[FRIEND], &letter).unwrap().expect(250);

    let accepted = elsewhere.await_message("by-the-book");
    assert_eq!((accepted.from.as_str(), accepted.to), ("ann@example.org", vec![FRIEND.to_owned()]));
    assert!(accepted.secure, "TLS was offered");
    assert_eq!(accepted.hello, "mail.example.org");
    let signatures = signature::check(&accepted.message, site.dns.address());
    assert_eq!(signatures.len(), 2, "one signature by each key: {signatures:?}");
    assert!(
        signatures.iter().all(|signature| signature.holds && signature.domain == "example.org"),
        "{signatures:?}"
    );
    let text = String::from_utf8_lossy(&accepted.message);
    assert!(!text.contains("127.0.0.1"), "the author's address is in the message:\n{text}");
}

#[test]
fn the_demo_signs_with_the_keys_that_its_dns_records_publish() {
    let elsewhere = Exchange::start("mx.example.net");
    let demo = Demo::start_with(&["--relay-to", &elsewhere.address().to_string()]);
    let mut submitter = demo.services.submission_client(0);
    let letter = message(demo.services.user(0), FRIEND, "from-the-demo");
    submitter.mail(demo.services.user(0), &[FRIEND], &letter).unwrap().expect(250);
    let accepted = elsewhere.await_message("from-the-demo");
    assert!(accepted.secure);

    let output = Command::new(program::mailstead())
        .args(["dns", "--dir"])
        .arg(demo.volume())
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{output:?}");
    let dns = NameServer::start();
    publish(&dns, &String::from_utf8_lossy(&output.stdout));
    let signatures = signature::check(&accepted.message, dns.address());
    assert!(!signatures.is_empty());
    assert!(
        signatures.iter().all(|signature| signature.holds && signature.domain == demo.domain),
        "{signatures:?}"
    );
}

/// Enters the TXT records of a zone file: a name, optionally a TTL and IN, TXT, and quoted strings.
fn publish(dns: &NameServer, zone: &str) {
    for line in zone.lines().filter(|line| !line.starts_with(';')) {
        let Some((before, strings)) = line.split_once(" TXT ").or_else(|| line.split_once("\tTXT\t")) else {
            continue;
        };
        let name = before.split_whitespace().next().expect("a record has a name");
        let text: String = strings.split('"').skip(1).step_by(2).collect();
        dns.text(name, &text);
    }
}

#[test]
fn mail_is_sent_in_clear_text_to_an_exchange_without_tls() {
    let elsewhere = Exchange::start("mx.example.net");
    elsewhere.script(|script| script.without_tls = true);
    let site = site_with(&elsewhere);
    let mut submitter = site.services.submission_client(0);
    let letter = message("ann@example.org", FRIEND, "in-clear");
    submitter.mail("ann@example.org", &[FRIEND], &letter).unwrap().expect(250);
    assert!(!elsewhere.await_message("in-clear").secure);
}

#[test]
fn a_domain_without_exchanges_is_tried_at_its_own_address() {
    let elsewhere = Exchange::start("example.net");
    let port = elsewhere.address().port();
    let site = Site::start_with(|plan| plan.mta.outbound.port = port);
    // RFC 5321 §5.1: without an MX record, the address is the exchange.
    site.dns.host("example.net", elsewhere.address().ip());
    let mut submitter = site.services.submission_client(0);
    let letter = message("ann@example.org", FRIEND, "no-mx");
    submitter.mail("ann@example.org", &[FRIEND], &letter).unwrap().expect(250);
    elsewhere.await_message("no-mx");
}

#[test]
fn local_and_remote_recipients_of_a_submission_get_it() {
    let elsewhere = Exchange::start("mx.example.net");
    let site = site_with(&elsewhere);
    let mut submitter = site.services.submission_client(0);
    let letter = message("ann@example.org", FRIEND, "near-and-far");
    submitter.mail("ann@example.org", &["bob@example.org", FRIEND], &letter).unwrap().expect(250);
    elsewhere.await_message("near-and-far");
    site.services.await_message(1, "near-and-far");
}

#[test]
fn a_submitted_message_is_sent_unchanged() {
    let elsewhere = Exchange::start("mx.example.net");
    let site = site_with(&elsewhere);
    let mut submitter = site.services.submission_client(0);
    let letter = message("ann@example.org", FRIEND, "to-the-octet") + ".\n..two\n trailing \nümlaut\n\n\n";
    submitter.mail("ann@example.org", &[FRIEND], &letter).unwrap().expect(250);
    let accepted = elsewhere.await_message("to-the-octet");
    let text = accepted.text();
    assert!(text.ends_with(&letter.replace('\n', "\r\n")), "{text}");
}

#[test]
fn a_message_is_sent_as_a_chunk_to_an_exchange_that_accepts_it() {
    let elsewhere = Exchange::start("mx.example.net");
    elsewhere.script(|script| script.extensions = vec!["CHUNKING"]);
    let site = site_with(&elsewhere);
    let mut submitter = site.services.submission_client(0);
    let letter = message("ann@example.org", FRIEND, "as-a-chunk") + ".\n..two\n trailing \numlaut\n\n\n";
    for _ in 0..2 {
        submitter.mail("ann@example.org", &[FRIEND], &letter).unwrap().expect(250);
    }
    let accepted = elsewhere.await_message("as-a-chunk");
    assert_eq!(accepted.chunks, 1);
    assert!(accepted.text().ends_with(&letter.replace('\n', "\r\n")), "{}", accepted.text());
    let signatures = signature::check(&accepted.message, site.dns.address());
    assert!(signatures.iter().all(|signature| signature.holds), "{signatures:?}");
}

#[test]
fn the_limits_of_an_exchange_are_kept() {
    let elsewhere = Exchange::start("mx.example.net");
    elsewhere.script(|script| script.extensions = vec!["CHUNKING", "LIMITS RCPTMAX=2 MAILMAX=2"]);
    let site = site_with(&elsewhere);
    let mut submitter = site.services.submission_client(0);
    let friends = ["a@example.net", "b@example.net", "c@example.net"];
    let letter = message("ann@example.org", FRIEND, "in-parts");
    submitter.mail("ann@example.org", &friends, &letter).unwrap().expect(250);
    tests::wait::until("every friend has the message", || (elsewhere.accepted().len() == 2).then_some(()));
    let to: Vec<_> = elsewhere.accepted().into_iter().map(|accepted| accepted.to).collect();
    assert_eq!(to, [vec!["a@example.net", "b@example.net"], vec!["c@example.net"]]);
    // The third transaction is on another connection.
    let letter = message("ann@example.org", FRIEND, "afterwards");
    submitter.mail("ann@example.org", &[FRIEND], &letter).unwrap().expect(250);
    elsewhere.await_message("afterwards");
}

#[test]
fn a_demand_for_tls_is_refused_for_a_domain_whose_hosts_cannot_be_verified() {
    let elsewhere = Exchange::start("mx.example.net");
    elsewhere.script(|script| script.extensions = vec!["REQUIRETLS"]);
    let site = site_with(&elsewhere);
    let mut submitter = site.services.submission_client(0);
    submitter.command("MAIL FROM:<ann@example.org> REQUIRETLS").unwrap().expect(250);
    let refusal = submitter.command(&format!("RCPT TO:<{FRIEND}>")).unwrap();
    assert!(refusal.code == 550 && format!("{refusal:?}").contains("5.7.30"), "{refusal:?}");
    submitter.command("RCPT TO:<bob@example.org>").unwrap().expect(250);
    submitter.command("DATA").unwrap().expect(354);
    submitter.data(&message("ann@example.org", FRIEND, "stays-here")).unwrap().expect(250);
    site.services.await_message(1, "stays-here");
    assert!(elsewhere.accepted().is_empty());
}
