//! Accepted mail stays in the queue until it is delivered, or its author has received a report.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;

use nix::sys::signal::Signal;
use tests::mail_exchange::Exchange;
use tests::site::{Plan, Site};
use tests::smtp::message;
use tests::wait;

const FRIEND: &str = "friend@example.net";

fn site_with(elsewhere: &Exchange, change: impl FnOnce(&mut Plan)) -> Site {
    let port = elsewhere.address().port();
    let site = Site::start_with(|plan| {
        plan.mta.outbound.port = port;
        change(plan);
    });
    site.dns.mx("example.net", 10, "mx.example.net").host("mx.example.net", elsewhere.address().ip());
    site
}

fn submit(site: &Site, to: &[&str], subject: &str) {
    let letter = message("ann@example.org", to[0], subject);
    site.services.submission_client(0).mail("ann@example.org", to, &letter).unwrap().expect(250);
}

/// The number of envelopes in the queue.
fn queue_length(site: &Site) -> usize {
    fs::read_dir(site.queue().join("envelopes")).map_or(0, Iterator::count)
}

#[test]
fn a_queued_message_survives_a_kill_of_the_mta() {
    let elsewhere = Exchange::start("mx.example.net");
    elsewhere.script(|script| script.greeting_refusal = Some("421 4.3.2 closed temporarily".into()));
    let mut site = site_with(&elsewhere, |_| {});
    submit(&site, &[FRIEND], "patient");
    assert_eq!(queue_length(&site), 1);

    site.mta().signal(Signal::SIGKILL);
    elsewhere.script(|script| script.greeting_refusal = None);
    site.start_mta();
    elsewhere.await_message("patient");
    wait::until_true("the queue is empty", || queue_length(&site) == 0);
    assert_eq!(elsewhere.accepted().len(), 1);
}

#[test]
fn a_temporary_refusal_is_retried() {
    let elsewhere = Exchange::start("mx.example.net");
    elsewhere.script(|script| script.messages = vec!["451 4.3.0 not now".into(), "452 4.3.1 not yet".into()]);
    let site = site_with(&elsewhere, |_| {});
    submit(&site, &[FRIEND], "third-time");
    elsewhere.await_message("third-time");
}

#[test]
fn a_dropped_connection_is_retried() {
    let elsewhere = Exchange::start("mx.example.net");
    elsewhere.script(|script| script.drops = 1);
    let site = site_with(&elsewhere, |_| {});
    submit(&site, &[FRIEND], "once-more");
    elsewhere.await_message("once-more");
}

#[test]
fn after_an_unreachable_exchange_the_next_is_tried() {
    let elsewhere = Exchange::start("mx2.example.net");
    let site = site_with(&elsewhere, |_| {});
    // No service listens at this loopback address, on any port.
    site.dns.remove("example.net");
    site.dns
        .mx("example.net", 10, "mx1.example.net")
        .mx("example.net", 20, "mx.example.net")
        .host("mx1.example.net", Ipv4Addr::new(127, 0, 0, 99).into());
    submit(&site, &[FRIEND], "second-choice");
    elsewhere.await_message("second-choice");
}

#[test]
fn a_permanently_refused_recipient_is_reported_to_the_author() {
    let elsewhere = Exchange::start("mx.example.net");
    elsewhere.script(|script| {
        script.recipients.insert("gone@example.net".into(), "550 5.1.1 no such person here".into());
    });
    let site = site_with(&elsewhere, |_| {});
    submit(&site, &["gone@example.net", FRIEND], "half-wrong");

    let accepted = elsewhere.await_message("half-wrong");
    assert_eq!(accepted.to, [FRIEND]);
    // RFC 3464: one report about the one recipient, with the other site's reply.
    let report = site.services.await_message(0, "multipart/report");
    for words in [
        "report-type=delivery-status",
        "Final-Recipient: rfc822;",
        "gone@example.net",
        "Action: failed",
        "Status: 5.1.1",
        "550 5.1.1 no such person here",
        "Return-Path: <>",
    ] {
        assert!(report.contains(words), "{words:?} is missing in\n{report}");
    }
    assert!(
        !report.contains("Final-Recipient: rfc822;friend@") && !report.contains("rfc822; friend@"),
        "{report}"
    );
    wait::until_true("the queue is empty", || queue_length(&site) == 0);
}

#[test]
fn an_expired_message_is_reported_to_the_author() {
    let elsewhere = Exchange::start("mx.example.net");
    elsewhere.script(|script| script.greeting_refusal = Some("421 4.3.2 closed".into()));
    let site = site_with(&elsewhere, |plan| plan.mta.outbound.expire_seconds = 2);
    submit(&site, &[FRIEND], "too-late");
    let report = site.services.await_message(0, "multipart/report");
    assert!(report.contains("Action: failed") && report.contains("too-late"), "{report}");
}

#[test]
fn a_domain_that_does_not_exist_is_reported_immediately() {
    let elsewhere = Exchange::start("mx.example.net");
    let site = site_with(&elsewhere, |_| {});
    submit(&site, &["someone@nowhere.example.com"], "to-nowhere");
    let report = site.services.await_message(0, "multipart/report");
    assert!(report.contains("nowhere.example.com"), "{report}");
}

#[test]
fn a_domain_with_a_null_mx_is_reported_immediately() {
    let elsewhere = Exchange::start("mx.example.net");
    let site = site_with(&elsewhere, |_| {});
    // RFC 7505 §3: the null MX.
    site.dns.mx("quiet.example.net", 0, ".");
    submit(&site, &["someone@quiet.example.net"], "to-the-quiet");
    let report = site.services.await_message(0, "multipart/report");
    assert!(report.contains("5.1.10"), "{report}");
}

/// The number of recipients that are neither delivered nor reported, by the files of the queue.
fn recipients_in_files(site: &Site) -> usize {
    let envelopes = fs::read_dir(site.queue().join("envelopes")).unwrap();
    // A file that is being replaced exists before and after.
    let texts = envelopes.filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok());
    texts.map(|text| text.matches("state = \"waiting\"").count()).sum()
}

/// The number of recipients with a next or a current attempt, by the MTA's metrics. `None` while it does not answer.
fn recipients_in_metrics(site: &Site) -> Option<usize> {
    let mut connection = UnixStream::connect(site.folder().join("metrics.sock")).ok()?;
    connection.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").ok()?;
    let mut text = String::new();
    connection.read_to_string(&mut text).ok()?;
    let number = |name: &str| {
        let line = text.lines().find(|line| line.split(' ').next() == Some(name))?;
        line.split(' ').nth(1)?.parse::<usize>().ok()
    };
    Some(
        number("mailstead_queue_recipients_scheduled")?
            + number("mailstead_queue_recipients_underway")?
            + number("mailstead_queue_strays_total")? * 1000,
    )
}

/// RFC 5321 §4.5.4.1: a recipient that is deferred is retried until it is given up.
#[test]
fn every_deferred_recipient_keeps_a_next_attempt_through_kills_and_reloads() {
    let elsewhere = Exchange::start("mx.example.net");
    let to: Vec<_> = (0..12).map(|number| format!("r{number}@example.net")).collect();
    let later = |address: &String| (address.clone(), "450 4.2.1 not now".to_owned());
    elsewhere.script(|script| script.recipients = to.iter().map(later).collect());
    let mut site = site_with(&elsewhere, |plan| {
        plan.mta.listen.metrics = Some(plan.mta.queue.with_file_name("metrics.sock"));
    });
    let relay = handover::config::Relay {
        host: address::Host::Literal(elsewhere.address().ip()),
        port: elsewhere.address().port(),
        security: handover::config::RelaySecurity::Opportunistic,
        credentials: None,
        authorities: None,
    };
    for round in 0..6 {
        let four: Vec<_> = to.iter().skip(round).take(4).map(String::as_str).collect();
        submit(&site, &four, &format!("round-{round}"));
        match round % 3 {
            // The lane of each recipient changes, possibly during an attempt.
            0 => {
                let relay = (round == 0).then(|| relay.clone());
                site.reconfigure_mta(|config| config.relay = relay);
            }
            1 => {
                site.mta().signal(Signal::SIGKILL);
                site.start_mta();
            }
            _ => site.mta().signal(Signal::SIGHUP),
        }
        wait::until_true("each recipient that waits has a next attempt", || {
            recipients_in_metrics(&site) == Some(recipients_in_files(&site))
        });
        assert_eq!(recipients_in_files(&site), 4 * (round + 1));
    }
    elsewhere.script(|script| script.recipients.clear());
    wait::until_true("the queue is empty", || queue_length(&site) == 0);
    for round in 0..6 {
        let words = format!("round-{round}");
        let accepted = elsewhere.accepted();
        let with = accepted.iter().filter(|accepted| accepted.text().contains(&words));
        let mut reached: Vec<_> = with.flat_map(|accepted| accepted.to.clone()).collect();
        reached.sort();
        reached.dedup();
        assert_eq!(reached.len(), 4, "{words}: {reached:?}");
    }
}
