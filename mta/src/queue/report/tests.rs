use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::local::TargetMailbox;
use crate::outcome::{Outcome, Reason, Status};

fn at(seconds: u64) -> Timestamp {
    Timestamp::new(UNIX_EPOCH + Duration::from_secs(seconds))
}

fn envelope() -> Envelope {
    let created = at(1_795_370_399);
    let recipient = |address: &str| Recipient::new(Address::parse(address).unwrap().into(), created);
    let mut refused = recipient("never@example.net");
    let reason = Reason {
        status: Status::new(5, 1, 1),
        text: "550 5.1.1 no such user".to_owned(),
        remote: Some("mx.example.net".to_owned()),
    };
    refused.note(&Outcome::Failed(reason), at(1_795_370_400), None);
    let mut expired = recipient("later@example.com");
    expired.note(
        &Outcome::deferred(Status::new(4, 4, 1), "cannot reach mx.example.com"),
        at(1_795_802_399),
        None,
    );
    let mut delivered = recipient("good@example.net");
    delivered.note(&Outcome::Delivered, at(1_795_370_400), None);
    let entry = NewEntry {
        login: Some(Address::parse("ann@example.org").unwrap()),
        origin: Origin::default(),
        sender: ReversePath::Address(Address::parse("ann@example.org").unwrap()),
        body: BodyKind::SevenBit,
        mailbox: TargetMailbox::Inbox,
        smtputf8: false,
        requires_tls: false,
        recipients: Vec::new(),
    };
    let id = MailId::parse("01jd9e8h0w3abcdef").unwrap();
    let mut envelope = Envelope::new(id, entry, created);
    envelope.recipients = vec![refused, delivered, expired];
    envelope
}

#[test]
fn a_report_names_each_failed_recipient_and_no_other() {
    let id = MailId::new();
    let sender = Address::parse("ann@example.org").unwrap();
    let original = b"From: ann@example.org\r\nSubject: plans\r\n\r\n";
    let envelope = envelope();
    let report = Composition { envelope: &envelope, to: &sender, reader: Reader::Sender, about: &is_failed };
    let octets = report.compose("mail.example.org", original, id, at(1_795_802_400));
    let text = String::from_utf8(octets).unwrap();
    for line in [
        "To: <ann@example.org>",
        "Auto-Submitted: auto-replied",
        "Reporting-MTA: dns; mail.example.org",
        "Arrival-Date: Sun, 22 Nov 2026 17:59:59 +0000",
        "Final-Recipient: rfc822; never@example.net",
        "Status: 5.1.1",
        "Remote-MTA: dns; mx.example.net",
        "Diagnostic-Code: smtp; 550 5.1.1 no such user",
        "Final-Recipient: rfc822; later@example.com",
        // RFC 3463 §3.5: a recipient that was deferred to the end has expired.
        "Status: 5.4.7",
        "Subject: plans",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} is not in {text}");
    }
    assert!(text.contains("multipart/report; report-type=delivery-status"), "{text}");
    assert_eq!(text.matches("Action: failed").count(), 2);
    assert!(!text.contains("good@example.net"), "{text}");
}
