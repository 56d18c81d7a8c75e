//! The fields that a message keeps, loses and gains when it is received.

use super::fixture::Fixture;
use super::{ann, peer, send};
use crate::doubles::store::Replies;

#[tokio::test]
async fn a_read_receipt_may_have_the_null_sender() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = ann(&fixture).await;
    let receipt = |from: &str| format!("From: {from}\r\nSubject: Read: hello\r\n\r\nread\r\n");
    let recipients = ["bob@example.org", "far@example.com"];
    let reply = send(&mut client, "", &recipients, &receipt("ann@example.org")).await;
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
    let received = &fixture.store.received()[0];
    assert_eq!(received.sender, "<>");
    let text = String::from_utf8(received.octets.clone()).unwrap();
    // Signed for the author's domain: the envelope has the null sender.
    assert!(text.contains("DKIM-Signature: ") && text.contains("d=example.org;"), "{text}");
    assert_eq!(fixture.queued(), ["far@example.com"]);
    let reply = send(&mut client, "", &recipients, &receipt("bob@example.org")).await;
    assert!(reply.starts_with("554 5.7.1"), "{reply}");
}

#[tokio::test]
async fn blind_copy_fields_are_removed() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = ann(&fixture).await;
    let message = "From: ann@example.org\r\nTo: x@example.net\r\nBcc: hidden@example.com,\r\n other@example.com\r\n\
                   Return-Path: <a@example.org>\r\nDate:\r\nMessage-ID:\r\nSubject: s\r\n\r\nx\r\n";
    send(&mut client, "ann@example.org", &["bob@example.org", "hidden@example.com"], message).await;
    let here = String::from_utf8(fixture.store.received()[0].octets.clone()).unwrap();
    let queued = fixture.queued_messages();
    assert_eq!(queued.len(), 1);
    for text in [&here, &queued[0]] {
        // The list of signed fields, and the signature, may contain any of these words.
        let names: Vec<_> = message::field::fields(text.as_bytes())
            .map(|field| String::from_utf8_lossy(field.name).into_owned())
            .filter(|name| name != "DKIM-Signature")
            .collect();
        assert_eq!(names, ["Received", "Date", "Message-ID", "From", "To", "Subject"], "{text}");
        assert!(!text.contains("hidden@example.com") && !text.contains("other@example.com"), "{text}");
        assert!(text.ends_with("To: x@example.net\r\nSubject: s\r\n\r\nx\r\n"), "{text}");
    }
}

#[tokio::test]
async fn text_without_a_header_section_is_the_body_for_every_reader() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = peer(&fixture).await;
    for (message, header, body) in [
        (
            "please call me back, the disk is full\r\nhost7\r\n",
            "",
            "please call me back, the disk is full\r\nhost7\r\n",
        ),
        (
            "From: x@example.net\r\nSubject: alert\r\nnode7 is down since noon\r\nFrom: y@example.net\r\n",
            "From: x@example.net\r\nSubject: alert\r\n",
            "node7 is down since noon\r\nFrom: y@example.net\r\n",
        ),
        (
            "From x@example.net Mon Jan  5 10:00:00 2026\r\nFrom: x@example.net\r\nReturn-Path: <y@example.net>\r\n\r\nx\r\n",
            "From: x@example.net\r\n",
            "x\r\n",
        ),
    ] {
        let reply = send(&mut client, "eve@example.net", &["bob@example.org"], message).await;
        assert!(reply.starts_with("250 2.0.0"), "{reply}");
        let octets = fixture.store.received().last().unwrap().octets.clone();
        let (read_header, read_body) = message::field::split(&octets);
        let (read_header, read_body) =
            (String::from_utf8_lossy(read_header), String::from_utf8_lossy(read_body));
        assert!(
            read_header.starts_with("Received: ") && read_header.ends_with(&format!("{header}\r\n")),
            "{read_header}"
        );
        assert_eq!(read_body, body);
        assert!(!read_header.contains("Return-Path") && !read_header.contains("From x@"), "{read_header}");
    }
}
