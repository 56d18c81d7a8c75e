//! Whole FETCH responses over a Maildir.

use std::fs;

use imap_proto::command::{Fetch, Request, parse};
use imap_proto::response::fetch::Recent;

use crate::imap::contents::test_mailbox::TestMailbox;
use crate::imap::fetch::responses::{Message, Responses};
use crate::imap::fetch::{MessageRequest, Summary};

const PLAIN: &[u8] =
    b"From: Ann <ann@example.org>\r\nSubject: one\r\nX-Long: a\r\n b\r\n\r\nfirst line\r\nsecond\r\n";
const LINE_FEEDS: &[u8] =
    b"Subject: two\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\ny\n--b\n\nz\n--b--\n";

/// The responses to `FETCH` with these arguments, made in pieces of this size.
fn answer_in_pieces(
    test_mailbox: &TestMailbox,
    words: &str,
    newly_seen: bool,
    piece: usize,
) -> (String, Summary) {
    let Ok(Request::Fetch(Fetch { messages, items })) =
        parse(format!("a FETCH {words}").as_bytes()).map(|command| command.request)
    else {
        panic!("{words} is not a FETCH command");
    };
    let snapshot = test_mailbox.mailbox.snapshot();
    let numbered = messages.set.ranges(snapshot.len()).into_iter().flat_map(|range| snapshot.numbers(range));
    let message = |(number, entry): (u32, &crate::mailbox::MessageEntry)| {
        let request = MessageRequest { number, entry: entry.clone(), newly_seen };
        Message { request, recent: if number == 2 { Recent::Yes } else { Recent::No } }
    };
    let mut responses = Responses::new(test_mailbox.mailbox.clone(), snapshot.clone(), &items);
    responses.start_batch(numbered.map(message).collect());
    let mut all = Vec::new();
    while !responses.is_done() {
        let mut out = Vec::new();
        responses.write(piece, &mut out).unwrap();
        all.extend(out);
    }
    (String::from_utf8(all).unwrap(), responses.summary())
}

fn answer(test_mailbox: &TestMailbox, words: &str) -> String {
    let (answer, summary) = answer_in_pieces(test_mailbox, words, false, 64 * 1024);
    assert_eq!(summary, Summary::default());
    assert_eq!(answer_in_pieces(test_mailbox, words, false, 1).0, answer, "the same in pieces of one octet");
    answer
}

#[tokio::test]
async fn uid_and_flags_are_sent_without_reading_the_message() {
    let test_mailbox = TestMailbox::with(&[("S", PLAIN), ("", PLAIN)]).await;
    fs::remove_file(test_mailbox.file(1)).unwrap();
    assert_eq!(
        answer(&test_mailbox, "1:* (UID FLAGS)"),
        "* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n* 2 FETCH (UID 2 FLAGS (\\Recent))\r\n"
    );
}

#[tokio::test]
async fn sizes_and_dates_are_those_of_the_crlf_form_and_of_the_file() {
    let test_mailbox = TestMailbox::with(&[("", PLAIN), ("", LINE_FEEDS)]).await;
    let lines = LINE_FEEDS.iter().filter(|octet| **octet == b'\n').count();
    let expected = format!(
        "* 1 FETCH (FLAGS () INTERNALDATE \"14-Nov-2023 22:13:20 +0000\" RFC822.SIZE {})\r\n\
         * 2 FETCH (FLAGS (\\Recent) INTERNALDATE \"15-Nov-2023 22:13:20 +0000\" RFC822.SIZE {})\r\n",
        PLAIN.len(),
        LINE_FEEDS.len() + lines
    );
    assert_eq!(answer(&test_mailbox, "1:2 FAST"), expected);
    assert_eq!(answer(&test_mailbox, "1:2 FAST"), expected, "the same from the index");
}

#[tokio::test]
async fn every_section_is_a_literal_of_its_length() {
    let test_mailbox = TestMailbox::with(&[("", PLAIN), ("", LINE_FEEDS)]).await;
    let plain = String::from_utf8(PLAIN.to_vec()).unwrap();
    let (header, text) = plain.split_at(plain.find("\r\n\r\n").unwrap() + 4);
    for (words, name, expected) in [
        ("BODY[]", "BODY[]", plain.as_str()),
        ("BODY.PEEK[]", "BODY[]", &plain),
        ("RFC822", "RFC822", &plain),
        ("BODY[HEADER]", "BODY[HEADER]", header),
        ("RFC822.HEADER", "RFC822.HEADER", header),
        ("BODY[TEXT]", "BODY[TEXT]", text),
        ("RFC822.TEXT", "RFC822.TEXT", text),
        ("BODY[1]", "BODY[1]", text),
        ("BODY[1.MIME]", "BODY[1.MIME]", header),
        ("BODY[TEXT]<6.4>", "BODY[TEXT]<6>", "line"),
        ("BODY[]<100000.5>", "BODY[]<100000>", ""),
        ("BODY[]<10.100000>", "BODY[]<10>", &plain[10..]),
    ] {
        let literal = format!("* 1 FETCH ({name} {{{}}}\r\n{expected})\r\n", expected.len());
        assert_eq!(answer(&test_mailbox, &format!("1 {words}")), literal);
    }
    assert_eq!(
        answer(&test_mailbox, "2 (BODY[1] BODY[2]<0.1> BODY[3] BODY[1.TEXT] UID)"),
        "* 2 FETCH (BODY[1] {4}\r\nx\r\ny BODY[2]<0> {1}\r\nz BODY[3] NIL BODY[1.TEXT] NIL UID 2)\r\n"
    );
}

#[tokio::test]
async fn a_subset_of_the_header_keeps_its_empty_line() {
    let test_mailbox = TestMailbox::with(&[("", PLAIN), ("", LINE_FEEDS)]).await;
    for (words, expected) in [
        (
            "1 BODY[HEADER.FIELDS (subject x-long)]",
            "* 1 FETCH (BODY[HEADER.FIELDS (subject x-long)] {31}\r\nSubject: one\r\nX-Long: a\r\n b\r\n\r\n)\r\n",
        ),
        (
            "1 BODY.PEEK[HEADER.FIELDS.NOT (FROM X-LONG)]",
            "* 1 FETCH (BODY[HEADER.FIELDS.NOT (FROM X-LONG)] {16}\r\nSubject: one\r\n\r\n)\r\n",
        ),
        ("2 BODY[HEADER.FIELDS (Subject)]<1.3>", "* 2 FETCH (BODY[HEADER.FIELDS (Subject)]<1> \"ubj\")\r\n"),
        ("2 BODY[HEADER.FIELDS (None)]", "* 2 FETCH (BODY[HEADER.FIELDS (None)] {2}\r\n\r\n)\r\n"),
    ] {
        assert_eq!(answer(&test_mailbox, words), expected);
    }
}

#[tokio::test]
async fn a_message_that_became_seen_is_sent_with_its_flags_once() {
    let test_mailbox = TestMailbox::with(&[("S", PLAIN)]).await;
    let (responses, _) = answer_in_pieces(&test_mailbox, "1 BODY[]<0.1>", true, 1000);
    assert_eq!(responses, "* 1 FETCH (BODY[]<0> {1}\r\nF FLAGS (\\Seen))\r\n");
    let (responses, _) = answer_in_pieces(&test_mailbox, "1 (FLAGS BODY[]<0.1>)", true, 1000);
    assert_eq!(responses, "* 1 FETCH (FLAGS (\\Seen) BODY[]<0> {1}\r\nF)\r\n");
}

/// Another program may remove files at any time: the other messages are sent, and no response is cut off.
#[tokio::test]
async fn a_message_whose_file_is_gone_is_left_out() {
    let test_mailbox = TestMailbox::with(&[("", PLAIN), ("", PLAIN), ("", PLAIN)]).await;
    fs::remove_file(test_mailbox.file(2)).unwrap();
    let (responses, outcome) = answer_in_pieces(&test_mailbox, "1:3 (UID BODY[TEXT]<0.5>)", false, 10);
    assert_eq!(
        responses,
        "* 1 FETCH (UID 1 BODY[TEXT]<0> {5}\r\nfirst)\r\n* 3 FETCH (UID 3 BODY[TEXT]<0> {5}\r\nfirst)\r\n"
    );
    assert_eq!(outcome, Summary { gone: 1, unreadable: 0 });
}

/// The index is a cache: its facts about another file are not used.
#[tokio::test]
async fn a_structure_that_does_not_match_its_file_is_parsed_again() {
    let test_mailbox = TestMailbox::with(&[("", PLAIN)]).await;
    let before = answer(&test_mailbox, "1 (BODYSTRUCTURE BODY[TEXT])");
    let path = test_mailbox.file(1);
    fs::write(&path, [PLAIN, b"more\r\n"].concat()).unwrap();
    let after = answer(&test_mailbox, "1 BODY[TEXT]");
    assert!(
        !before.contains("more") && after.contains("{26}\r\nfirst line\r\nsecond\r\nmore\r\n"),
        "{after}"
    );
}

#[tokio::test]
async fn envelope_and_structure_come_from_the_index_the_second_time() {
    let test_mailbox = TestMailbox::with(&[("", PLAIN)]).await;
    let first = answer(&test_mailbox, "1 (ENVELOPE BODY BODYSTRUCTURE RFC822.SIZE INTERNALDATE)");
    // The same file with other octets, which only a read would notice.
    let modified = fs::metadata(test_mailbox.file(1)).unwrap().modified().unwrap();
    fs::write(test_mailbox.file(1), vec![b'x'; PLAIN.len()]).unwrap();
    fs::File::options().write(true).open(test_mailbox.file(1)).unwrap().set_modified(modified).unwrap();
    assert_eq!(answer(&test_mailbox, "1 (ENVELOPE BODY BODYSTRUCTURE RFC822.SIZE INTERNALDATE)"), first);
}
