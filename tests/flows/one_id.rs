//! Each message has one id: in the reply that accepts it, in its Received field, and in every line about it in the log
//! of every process.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use handover::config::{Format, Level};
use serde_json::Value;
use tests::mail_exchange::Exchange;
use tests::site::{Plan, Site};
use tests::smtp::{Reply, message};
use tests::wait;

const FRIEND: &str = "friend@example.net";

fn json(plan: &mut Plan) {
    for log in [&mut plan.mta.log, &mut plan.mda.log] {
        (log.format, log.level) = (Format::Json, Level::Debug);
    }
}

/// The id in `250 2.0.0 Message accepted as ID`.
fn id_of(reply: &Reply) -> String {
    reply.lines[0].rsplit(' ').next().unwrap().to_owned()
}

/// The lines of a log that contain all of these words.
fn lines_with(log: &str, words: &[&str]) -> Vec<Value> {
    let lines = log.lines().filter(|line| words.iter().all(|word| line.contains(word)));
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

/// The events of a message in a log: the text of each line with its id.
fn events_of(log: &str, id: &str) -> Vec<String> {
    let lines = lines_with(log, &[]).into_iter().filter(|line| line["id"] == id);
    lines.map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_received_message_keeps_one_id_from_arrival_to_the_mailbox() {
    let mut site = Site::start_with(json);
    let letter = message("stranger@example.com", "ann@example.org", "one-id");
    let mut stranger = site.services.smtp_client();
    let recipients = ["ann@example.org", "nobody@example.org", "bob@example.org"];
    stranger.command("MAIL FROM:<stranger@example.com>").unwrap().expect(250);
    for (recipient, code) in recipients.iter().zip([250, 550, 250]) {
        stranger.command(&format!("RCPT TO:<{recipient}>")).unwrap().expect(code);
    }
    stranger.command("DATA").unwrap().expect(354);
    let id = id_of(&stranger.data(&letter).unwrap().expect(250));

    for number in [0, 1] {
        let stored = site.services.await_message(number, "one-id");
        assert!(stored.contains(&format!("id {id}")), "Received names it:\n{stored}");
    }
    let (mta, mda) = (site.mta().log(), site.mda().log());
    assert_eq!(events_of(&mta, &id), ["recipient refused", "message accepted"]);
    assert_eq!(events_of(&mda, &id), ["delivered", "delivered"]);
    // Every other line about the message has its id.
    for log in [mta, mda] {
        for line in lines_with(&log, &["stranger@example.com"]) {
            assert_eq!(line["id"], *id, "{line}");
        }
    }
}

#[test]
fn a_failed_submission_keeps_one_id_in_the_queue_and_the_report() {
    let elsewhere = Exchange::start("mx.example.net");
    let port = elsewhere.address().port();
    let mut site = Site::start_with(|plan| {
        json(plan);
        plan.mta.outbound.port = port;
    });
    site.dns.mx("example.net", 10, "mx.example.net").host("mx.example.net", elsewhere.address().ip());
    elsewhere.script(|script| {
        script.messages = vec!["451 4.3.0 not now".to_owned(), "550 5.7.1 never".to_owned()];
    });
    let letter = message("ann@example.org", FRIEND, "one-way");
    let mut submitter = site.services.submission_client(0);
    let id = id_of(&submitter.mail("ann@example.org", &[FRIEND], &letter).unwrap().expect(250));

    let report = site.services.await_message(0, "Final-Recipient");
    assert!(report.contains(&id), "the report names the message:\n{report}");
    let mta = site.mta().log();
    let events = events_of(&mta, &id);
    assert_eq!(events.first().unwrap(), "message accepted");
    for event in ["connected", "deferred", "failed"] {
        assert!(events.iter().any(|line| line == event), "{event}: {events:?}");
    }
    for line in lines_with(&mta, &[FRIEND]) {
        assert_eq!(line["id"], *id, "{line}");
    }
    // The report is a message of its own, and its log lines name the original.
    let reported = &lines_with(&mta, &["delivery report queued"])[0];
    assert_eq!(reported["original"], *id);
    let own = reported["id"].as_str().unwrap();
    wait::until_true("the delivery of the report is logged", || {
        lines_with(&site.mda().log(), &[own, "\"delivered\""]).len() == 1
    });
}

#[test]
fn an_appended_message_has_an_id() {
    let mut site = Site::start_with(json);
    let mut client = site.services.imap_client(0);
    client.append("Sent", "Subject: a copy\r\n\r\nof what I sent\r\n").unwrap().ok();
    // A separate thread writes the line.
    let lines = wait::until("the message is in the log", || {
        let lines = lines_with(&site.mda().log(), &["\"appended\""]);
        (!lines.is_empty()).then_some(lines)
    });
    assert_eq!((lines.len(), lines[0]["user"].as_str()), (1, Some("ann@example.org")));
    assert_eq!(lines[0]["id"].as_str().unwrap().len(), 17, "{}", lines[0]);
}
