use address::{Address, ReversePath};
use proptest::prelude::*;

use super::*;
use crate::{AddressList, Outline, field::fields, outline::Content, section::SectionContent};

fn date() -> DateTime {
    DateTime::from_unix(1_795_366_800, 60)
}

#[test]
fn fields_are_folded_at_78_and_unfold_to_the_same() {
    let value = "word ".repeat(60);
    let text = field("Subject", &value);
    assert!(text.lines().all(|line| line.len() <= 78), "{text}");
    assert_eq!(fields(text.as_bytes()).next().unwrap().unfolded(), value.trim().as_bytes());
}

#[test]
fn a_word_longer_than_a_line_is_divided() {
    let text = field("X", &"é".repeat(2000));
    assert!(text.lines().all(|line| line.len() <= 998));
}

#[test]
fn a_received_field_names_client_and_server() {
    // RFC 5321 §4.4
    let ann = Address::parse("ann@example.org").unwrap();
    let received = Received {
        from: Some(Peer {
            helo: "mail.example.net",
            ip: "192.0.2.7".parse().unwrap(),
            name: Some("out.example.net"),
        }),
        by: "mx.example.org",
        with: "ESMTPS",
        tls: Some("TLSv1.3 TLS13_AES_256_GCM_SHA384"),
        id: "4Z2k",
        recipient: Some(&ann),
        date: date(),
    };
    assert_eq!(
        received.field(),
        "Received: from mail.example.net (out.example.net [192.0.2.7]) by\r\n mx.example.org with ESMTPS \
         (TLSv1.3 TLS13_AES_256_GCM_SHA384) id 4Z2k for\r\n <ann@example.org>; Sun, 22 Nov 2026 18:00:00 +0100\r\n"
    );
}

#[test]
fn a_submission_names_no_client() {
    let received = Received {
        from: None,
        by: "mx.example.org",
        with: "ESMTPSA",
        tls: None,
        id: "1",
        recipient: None,
        date: date(),
    };
    assert_eq!(
        received.field(),
        "Received: by mx.example.org with ESMTPSA id 1; Sun, 22 Nov 2026 18:00:00 +0100\r\n"
    );
}

#[test]
fn a_helo_name_cannot_inject_a_field() {
    let helo = "evil)\r\nSubject: forged\r\n\r\n";
    let received = Received {
        from: Some(Peer { helo, ip: "2001:db8::1".parse().unwrap(), name: None }),
        by: "mx",
        with: "SMTP",
        tls: None,
        id: "1",
        recipient: None,
        date: date(),
    };
    let text = received.field();
    assert_eq!(fields(text.as_bytes()).count(), 1);
    assert!(
        text.starts_with("Received: from evil???Subject:?forged???? (unknown [IPv6:2001:db8::1])"),
        "{text}"
    );
}

#[test]
fn authentication_results_quote_values_where_needed() {
    // RFC 8601 §2.2
    let results = AuthenticationResults {
        host: "mx.example.org",
        methods: vec![
            MethodResult {
                method: "spf",
                result: "fail",
                comment: Some("not (really) allowed".into()),
                properties: vec![("smtp.mailfrom", "a@example.net".into())],
            },
            MethodResult {
                method: "dkim",
                result: "pass",
                comment: None,
                properties: vec![("header.d", "example.net".into()), ("header.b", "a/b\"c\r\nd".into())],
            },
        ],
    };
    let text = results.field();
    let value = fields(text.as_bytes()).next().unwrap().unfolded().into_owned();
    assert_eq!(
        String::from_utf8(value).unwrap(),
        "mx.example.org; spf=fail (not \\(really\\) allowed) smtp.mailfrom=a@example.net; dkim=pass \
         header.d=example.net header.b=\"a/b\\\"c  d\""
    );
    let none = AuthenticationResults { host: "mx.example.org", methods: Vec::new() };
    assert_eq!(none.field(), "Authentication-Results: mx.example.org; none\r\n");
}

#[test]
fn short_fields_are_on_one_line() {
    assert_eq!(date_field(&date()), "Date: Sun, 22 Nov 2026 18:00:00 +0100\r\n");
    assert_eq!(message_id_field("abc", "mx.example.org"), "Message-ID: <abc@mx.example.org>\r\n");
    assert_eq!(return_path_field(&ReversePath::Null), "Return-Path: <>\r\n");
    let ann = ReversePath::parse("<ann@example.org>").unwrap();
    assert_eq!(return_path_field(&ann), "Return-Path: <ann@example.org>\r\n");
}

fn report(original: &[u8], action: Action) -> Vec<u8> {
    report_for(Reader::Sender, original, action)
}

fn report_for(reader: Reader<'_>, original: &[u8], action: Action) -> Vec<u8> {
    let to = Address::parse("ann@example.org").unwrap();
    let lost = Address::parse("bob@example.net").unwrap();
    let report = DeliveryReport {
        reporting_host: "mx.example.org",
        to: &to,
        reader,
        date: date(),
        arrived: date(),
        queue_id: "q1",
        unique: "q1.7",
        envelope_id: Some("QQ314159"),
        recipients: vec![RecipientReport {
            recipient: &lost,
            original_recipient: None,
            action,
            status: "5.1.1",
            remote_host: Some("mail.example.net"),
            diagnostic: Some("550 5.1.1 no such\r\nuser (réally)"),
            last_attempt: Some(date()),
        }],
        original,
    };
    report.compose()
}

#[test]
fn a_report_has_the_three_parts_of_rfc_3462() {
    let original = b"Subject: hello\nX: report-q17\n\nthe body stays here\n";
    let message = report(original, Action::Failed);
    let outline = Outline::parse(&message);
    assert!(outline.root.content_type.is("multipart", "report"));
    assert_eq!(outline.root.content_type.parameters.named("report-type"), Some(&b"delivery-status"[..]));
    let Content::Multipart(parts) = &outline.root.content else { panic!("no multipart") };
    assert_eq!(parts.len(), 3);
    let part = |number: &str| {
        let span = outline.locate(&[number.parse().unwrap()], SectionContent::All).unwrap();
        String::from_utf8(span.slice(&message).to_vec()).unwrap()
    };
    assert_eq!(
        part("2"),
        "Original-Envelope-Id: QQ314159\r\nReporting-MTA: dns; mx.example.org\r\nX-Queue-ID: q1\r\n\
         Arrival-Date: Sun, 22 Nov 2026 18:00:00 +0100\r\n\r\nFinal-Recipient: rfc822; bob@example.net\r\n\
         Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mail.example.net\r\n\
         Diagnostic-Code: smtp; 550 5.1.1 no such  user \\(r?ally\\)\r\n\
         Last-Attempt-Date: Sun, 22 Nov 2026 18:00:00 +0100\r\n"
    );
    assert_eq!(part("3"), "Subject: hello\r\nX: report-q17\r\n");
    assert!(
        part("1")
            .contains("<bob@example.net>\r\n    mail.example.net answered:\r\n    550 5.1.1 no such  user")
    );
    assert_eq!(outline.envelope.to, AddressList::parse(b"ann@example.org"));
    assert_eq!(outline.envelope.from.mailboxes().next().unwrap().local, b"postmaster");
    assert!(fields(&message).any(|field| field.is("Auto-Submitted")));
    assert!(message.split(|octet| *octet == b'\n').all(|line| line.is_empty() || line.ends_with(b"\r")));
}

#[test]
fn a_delay_report_names_the_end_of_the_retries() {
    let until = DateTime::from_unix(1_795_798_800, 0);
    let message = String::from_utf8(report(b"", Action::Delayed { until })).unwrap();
    assert!(message.contains("Action: delayed\r\n"));
    assert!(message.contains("Will-Retry-Until: Fri, 27 Nov 2026 17:00:00 +0000\r\n"));
    assert!(message.contains("Subject: Mail is delayed\r\n"));
}

#[test]
fn a_report_for_a_user_names_the_alias_the_destination_and_the_remedy() {
    let (sender, alias) =
        (ReversePath::parse("<eve@example.com>").unwrap(), Address::parse("list@example.org").unwrap());
    let user = |alias, unreported| Reader::User { sender: &sender, alias, unreported };
    let text = String::from_utf8(report_for(user(Some(&alias), 7), b"", Action::Failed)).unwrap();
    for part in [
        "Subject: Mail to list@example.org cannot be forwarded\r\n",
        "A message to <list@example.org> could not be forwarded",
        "<bob@example.net>\r\n    mail.example.net answered:\r\n    550 5.1.1 no such  user",
        "<eve@example.com> as its sender",
        "remove it from the destinations of <list@example.org>",
        "were not reported: 7.",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    let text = String::from_utf8(report_for(user(None, 0), b"", Action::Failed)).unwrap();
    assert!(text.contains("could not be delivered to the following mailboxes"), "{text}");
    assert!(!text.contains("were not reported"), "{text}");
}

proptest! {
    #[test]
    fn no_value_ends_its_field(value in any::<String>()) {
        let text = field("X", &value);
        prop_assert!(fields(text.as_bytes()).count() == 1);
        prop_assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        prop_assert!(text.split("\r\n").skip(1).all(|line| line.is_empty() || line.starts_with(' ')));
        prop_assert!(text.split("\r\n").all(|line| line.len() <= 998));
    }

    #[test]
    fn no_original_breaks_a_report(original in proptest::collection::vec(
        prop_oneof![proptest::sample::select(b"\r\n:-report".to_vec()), any::<u8>()], 0..300))
    {
        let message = report(&original, Action::Failed);
        let Content::Multipart(parts) = Outline::parse(&message).root.content else { panic!("no multipart") };
        prop_assert_eq!(parts.len(), 3);
    }
}
