use super::*;

#[test]
fn the_main_fields_are_read_in_any_case() {
    let header =
        b"SUBJECT: =?utf-8?Q?caf=C3=A9?=\r\n and\r\n more\r\ndate: Fri, 21 Nov 1997 09:55:06 -0600\r\n\
        From: Ann <ann@example.org>\r\nmessage-id: <1@example.org>\r\nIn-Reply-To: <0@example.org>\r\n\
        Bcc: hidden@example.org\r\nReferences: <0@example.org>\r\n\r\nSubject: in the body\r\n";
    let envelope = Envelope::parse(header);
    assert_eq!(envelope.subject.as_deref(), Some(&b"=?utf-8?Q?caf=C3=A9?= and more"[..]));
    assert_eq!(envelope.date.as_deref(), Some(&b"Fri, 21 Nov 1997 09:55:06 -0600"[..]));
    assert_eq!(envelope.message_id.as_deref(), Some(&b"<1@example.org>"[..]));
    assert_eq!(envelope.in_reply_to.as_deref(), Some(&b"<0@example.org>"[..]));
    assert_eq!(envelope.bcc.mailboxes().count(), 1);
}

#[test]
fn sender_and_reply_to_are_from_when_they_are_missing() {
    // RFC 3501 §7.4.2
    let envelope = Envelope::parse(b"From: a@x.example\r\nReply-To: b@x.example\r\nSender: ,\r\n");
    assert_eq!(envelope.sender_or_from(), &envelope.from);
    assert_eq!(envelope.reply_to_or_from(), &AddressList::parse(b"b@x.example"));
}

#[test]
fn a_repeated_list_is_one_list_and_of_other_fields_the_first_counts() {
    let envelope = Envelope::parse(b"To: a@x\r\nSubject: first\r\nTo: b@x\r\nSubject: second\r\n");
    assert_eq!(envelope.to, AddressList::parse(b"a@x, b@x"));
    assert_eq!(envelope.subject.as_deref(), Some(&b"first"[..]));
    assert!(envelope.has_repeated_field, "the second subject is reported");
    assert!(!Envelope::parse(b"To: a@x\r\nSubject: first\r\nTo: b@x\r\n").has_repeated_field);
}
