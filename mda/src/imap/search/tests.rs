//! Searches over a Maildir.

use std::fs;

use imap_proto::command::{Request, parse};

use super::{SearchError, evaluate};
use crate::imap::cancellation::CancelOnDrop;
use crate::imap::contents::Contents;
use crate::imap::contents::test_mailbox::TestMailbox;
use crate::imap::selected::{Access, Selected};
use crate::mailbox::{FlagChange, FlagOperation, StoreError};
use crate::maildir::Flags;

const MESSAGES: &[(&str, &[u8])] = &[
    (
        "S",
        b"From: Ann Author <ann@example.org>\r\nTo: bob@example.net\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= from Ann\r\n\
          Date: Mon, 13 Nov 2023 23:30:00 -0800\r\nX-Ticket: 42\r\n\r\nThe quick brown fox\r\n",
    ),
    (
        "F",
        b"From: Bob (the builder) <bob@example.net>\nCc: Team: ann@example.org, carol@example.com;\n\
          Subject: report\nContent-Type: multipart/mixed; boundary=b\n\n\
          --b\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n\
          Caf=E9 at no=\non\n\
          --b\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\nPGI+ZHVja2JpbGw8L2I+\n\
          --b\nContent-Type: application/pdf; name=invoice.pdf\nContent-Transfer-Encoding: base64\n\n\
          c2VjcmV0\n\
          --b\nContent-Type: message/rfc822\n\nSubject: inner matters\n\ndeep down\n--b--\n",
    ),
    ("RT", b"From: \"Doe, John\" <john@example.org>\r\nSubject:\r\nDate: nonsense\r\n\r\n"),
];

async fn selected(test_mailbox: &TestMailbox) -> Selected {
    Selected::new(test_mailbox.mailbox.clone(), Access::ReadOnly).await.unwrap()
}

async fn search(selected: &Selected, words: &[u8]) -> Result<Vec<u32>, SearchError> {
    let Ok(Request::Search(search)) = parse(&[b"a SEARCH ", words].concat()).map(|command| command.request)
    else {
        panic!("{} is not a SEARCH command", words.escape_ascii());
    };
    Ok(evaluate(selected, &search).await?.found.into_iter().map(|found| found.number).collect())
}

/// Returns true if a search reports messages as gone that the client still counts.
async fn is_gone(selected: &Selected, words: &[u8]) -> bool {
    let Ok(Request::Search(search)) = parse(&[b"a SEARCH ", words].concat()).map(|command| command.request)
    else {
        panic!("{} is not a SEARCH command", words.escape_ascii());
    };
    evaluate(selected, &search).await.unwrap().has_expunged
}

#[tokio::test]
async fn every_key_finds_the_messages_that_match() {
    let test_mailbox = TestMailbox::with(MESSAGES).await;
    let selected = selected(&test_mailbox).await;
    for (words, expected) in [
        ("ALL", &[1, 2, 3][..]),
        ("2:*", &[2, 3]),
        ("1,3 UID 2:3", &[3]),
        ("UID 7", &[]),
        ("SEEN", &[1]),
        ("UNSEEN", &[2, 3]),
        ("FLAGGED", &[2]),
        ("ANSWERED DELETED", &[3]),
        ("UNANSWERED UNDELETED UNDRAFT", &[1, 2]),
        ("DRAFT", &[]),
        ("KEYWORD $Unknown", &[]),
        ("UNKEYWORD $Unknown", &[1, 2, 3]),
        ("NOT SEEN", &[2, 3]),
        ("OR SEEN FLAGGED", &[1, 2]),
        ("NOT (OR SEEN FLAGGED)", &[3]),
        ("OR (SEEN FROM ann) NOT (UID 1:2)", &[1, 3]),
        ("NEW", &[]),
        ("OLD", &[1, 2, 3]),
        ("RECENT", &[]),
        ("LARGER 100", &[1, 2]),
        ("SMALLER 100 NOT SMALLER 10", &[3]),
        // arrived on the 14th, 15th and 16th of November 2023
        ("BEFORE 15-Nov-2023", &[1]),
        ("ON 15-Nov-2023", &[2]),
        ("SINCE 15-Nov-2023", &[2, 3]),
        // the writer's own day, or the day of arrival without a valid Date field
        ("SENTON 13-Nov-2023", &[1]),
        ("SENTBEFORE 15-Nov-2023", &[1]),
        ("SENTSINCE 15-Nov-2023", &[2, 3]),
    ] {
        assert_eq!(search(&selected, words.as_bytes()).await.unwrap(), expected, "{words}");
    }
}

#[tokio::test]
async fn texts_are_found_decoded_within_words_and_in_any_case() {
    let test_mailbox = TestMailbox::with(MESSAGES).await;
    let selected = selected(&test_mailbox).await;
    for (words, expected) in [
        ("FROM author", &[1][..]),
        ("FROM \"ann@example\"", &[1]),
        ("FROM builder", &[2]),
        ("FROM \"\\\"Doe, J\"", &[3]),
        ("FROM \"Doe, J\"", &[3]),
        ("TO BOB", &[1]),
        ("CC carol", &[2]),
        ("CC team", &[2]),
        ("BCC x", &[]),
        ("SUBJECT ross", &[]),
        ("SUBJECT \"from ANN\"", &[1]),
        ("SUBJECT \"\"", &[1, 2, 3]),
        ("HEADER X-Ticket \"\"", &[1]),
        ("HEADER x-ticket 4", &[1]),
        ("HEADER Message-ID \"\"", &[]),
        ("HEADER Cc \"\"", &[2]),
        ("BODY quick", &[1]),
        ("BODY UICK", &[1]),
        ("BODY \"at noon\"", &[2]),
        ("BODY duckbill", &[2]),
        ("BODY secret", &[]),
        ("BODY invoice", &[]),
        ("TEXT invoice", &[2]),
        ("BODY \"inner matters\"", &[2]),
        ("BODY \"deep down\"", &[2]),
        ("BODY report", &[]),
        ("TEXT report", &[2]),
        ("TEXT x-ticket", &[1]),
        ("BODY \"\"", &[1, 2, 3]),
        ("NOT BODY quick", &[2, 3]),
        ("BODY quick BODY fox NOT TEXT report", &[1]),
    ] {
        assert_eq!(search(&selected, words.as_bytes()).await.unwrap(), expected, "{words}");
    }
}

#[tokio::test]
async fn strings_may_be_in_any_supported_charset() {
    let test_mailbox = TestMailbox::with(MESSAGES).await;
    let selected = selected(&test_mailbox).await;
    assert_eq!(search(&selected, "CHARSET UTF-8 SUBJECT GRÜSSE".as_bytes()).await.unwrap(), [1]);
    assert_eq!(search(&selected, b"CHARSET ISO-8859-1 SUBJECT gr\xfc\xdfe").await.unwrap(), [1]);
    assert_eq!(search(&selected, "CHARSET utf-8 BODY café".as_bytes()).await.unwrap(), [2]);
    assert!(matches!(search(&selected, b"CHARSET X-NONE ALL").await, Err(SearchError::BadCharset)));
}

#[tokio::test]
async fn unclaimed_messages_are_recent_to_the_session_that_searches() {
    let test_mailbox = TestMailbox::with(&MESSAGES[..1]).await;
    fs::write(test_mailbox.file(1).with_file_name("../new/1800000000.M1P1.host"), MESSAGES[1].1).unwrap();
    let selected = selected(&test_mailbox).await;
    assert_eq!(search(&selected, b"RECENT").await.unwrap(), [2]);
    assert_eq!(search(&selected, b"NEW FROM bob").await.unwrap(), [2]);
    assert_eq!(search(&selected, b"OLD").await.unwrap(), [1]);
}

#[tokio::test]
async fn a_message_that_vanished_is_not_found_and_the_others_are() {
    let test_mailbox = TestMailbox::with(MESSAGES).await;
    let selected = selected(&test_mailbox).await;
    fs::remove_file(test_mailbox.file(1)).unwrap();
    assert!(!is_gone(&selected, b"SEEN").await);
    assert_eq!(search(&selected, b"NOT BODY nothing").await.unwrap(), [2, 3]);
    assert!(is_gone(&selected, b"NOT BODY nothing").await);
}

#[tokio::test]
async fn messages_that_another_session_removed_are_reported_as_gone() {
    let test_mailbox = TestMailbox::with(MESSAGES).await;
    let selected = selected(&test_mailbox).await;
    let uid = selected.snapshot().by_number(3).unwrap().uid;
    let deleted = FlagChange { operation: FlagOperation::Add, flags: Flags::DELETED, keywords: Vec::new() };
    test_mailbox.mailbox.store_flags(vec![uid], deleted).await.unwrap();
    test_mailbox.mailbox.expunge(None).await.unwrap();
    for words in [&b"ALL"[..], b"SUBJECT report", b"BODY duckbill"] {
        assert!(is_gone(&selected, words).await, "{}", words.escape_ascii());
    }
    assert_eq!(search(&selected, b"BODY duckbill").await.unwrap(), [2]);
}

/// One text, in each encoding that mail has for it.
#[tokio::test]
async fn texts_are_found_in_every_charset_and_encoding() {
    let body = |charset: &str, base64: &str| {
        format!(
            "Subject: q\r\nContent-Type: text/plain; charset=\"{charset}\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{base64}\r\n"
        )
    };
    let subject = |value: &str| format!("Subject: {value}\r\n\r\nx\r\n");
    let cases = [
        (body("cp932", "7uCLtIKzgvENCg=="), "BODY 髙橋さん"),
        (body("ISO-2022-KR", "GyQpQw4+SDNnR088PD9kDw0K"), "BODY 안녕하세요"),
        (body("HZ-GB-2312", "fntEYzpDSkA9Z359DQo="), "BODY 你好世界"),
        (body("johab", "tGWRd9BhrUG2YQ=="), "BODY 안녕하세요"),
        (
            subject("=?ISO-2022-JP?B?GyRCN29MPhsoQg==?=\r\n =?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?="),
            "SUBJECT 件名テスト",
        ),
        (subject("Alpha\r\n        Beta report"), "SUBJECT \"Alpha Beta\""),
        (subject("=?utf-8?Q?Cafe=CC=81?= menu"), "SUBJECT \"Café menu\""),
        (subject("=?utf-8?Q?Th=C3=A9?="), "SUBJECT The\u{301}"),
        (subject("STRASSE"), "SUBJECT straße"),
        (
            "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns; mx.example.org\r\n\r\nFinal-Recipient: rfc822; gone.person@example.org\r\n--b--\r\n"
                .to_owned(),
            "BODY gone.person@example.org TEXT gone.person",
        ),
        (
            "Content-Type: text/html\r\n\r\n<p>Gr<b>&uuml;</b>&szlig;e <a href=\"https://a.example/x\">there</a>\r\n".to_owned(),
            "BODY \"grüsse there\" BODY a.example/x",
        ),
        ("Content-Type: text/plain\r\n\r\nwrapped at\r\nthe margin\r\n".to_owned(), "BODY \"at the\""),
    ];
    let messages: Vec<(&str, &[u8])> = cases.iter().map(|(message, _)| ("", message.as_bytes())).collect();
    let test_mailbox = TestMailbox::with(&messages).await;
    let selected = selected(&test_mailbox).await;
    for (number, (_, words)) in (1..).zip(&cases) {
        let found = search(&selected, format!("CHARSET UTF-8 {words}").as_bytes()).await.unwrap();
        assert!(found.contains(&number), "{words} finds {found:?}, not {number}");
    }
}

#[tokio::test]
async fn addresses_are_found_as_displayed_and_as_written() {
    let test_mailbox = TestMailbox::with(&[(
        "",
        b"From: \"Doe, John\" <john@example.org>\r\nTo: =?utf-8?Q?J=C3=BCrgen?=\r\n =?utf-8?Q?_Gr=C3=BCn?= <jg@example.net>,\r\n\
          \tb@example.net (Bob the Builder)\r\n\r\n",
    )])
    .await;
    let selected = selected(&test_mailbox).await;
    for (words, expected) in [
        ("FROM \"Doe, John <john@example.org>\"", &[1][..]),
        ("FROM \"\\\"Doe, John\\\" <john\"", &[1]),
        ("TO \"Jürgen Grün <jg@example.net>\"", &[1]),
        ("TO \"jürgen grün\"", &[1]),
        ("TO builder", &[1]),
        ("TO \"example.net b@\"", &[]),
        ("FROM jane", &[]),
    ] {
        assert_eq!(search(&selected, words.as_bytes()).await.unwrap(), expected, "{words}");
    }
}

#[tokio::test]
async fn keys_may_nest_thousands_deep() {
    let test_mailbox = TestMailbox::with(MESSAGES).await;
    let selected = selected(&test_mailbox).await;
    let senders: String = (0..99).map(|number| format!("OR FROM a{number}@example.org ")).collect();
    for (words, expected) in [
        (format!("{senders}FROM ann"), &[1][..]),
        (format!("{}SEEN", "NOT ".repeat(3_001)), &[2, 3]),
        (format!("{}BODY quick{}", "(".repeat(3_000), ")".repeat(3_000)), &[1]),
        (format!("{}BODY quick{}", "OR SEEN (NOT ".repeat(900), ")".repeat(900)), &[1]),
        (format!("{}BODY quick{}", "OR ".repeat(900), " FLAGGED".repeat(900)), &[1, 2]),
    ] {
        assert_eq!(search(&selected, words.as_bytes()).await.unwrap(), expected, "{}", &words[..20]);
    }
}

/// A string is found after more text than any window holds, and no text is kept.
#[tokio::test]
async fn the_end_of_a_long_message_is_searched_too() {
    let line = b"lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor\r\n";
    let mut long = b"Subject: long\r\n\r\n".to_vec();
    long.extend(line.repeat(40_000));
    long.extend(b"the very last words\r\n");
    let test_mailbox = TestMailbox::with(&[("", &long), ("", &long), ("", MESSAGES[0].1)]).await;
    let selected = selected(&test_mailbox).await;
    assert_eq!(search(&selected, b"BODY \"tempor the very last\"").await.unwrap(), [1, 2]);
    assert_eq!(search(&selected, b"NOT BODY \"last words\"").await.unwrap(), [3]);
}

#[tokio::test]
async fn reading_stops_when_its_client_is_gone() {
    let test_mailbox = TestMailbox::with(MESSAGES).await;
    let waiting = CancelOnDrop::default();
    let cancellation = waiting.token();
    let selected = selected(&test_mailbox).await;
    let entry = selected.snapshot().by_number(2).unwrap();
    let mut contents = Contents::new(test_mailbox.mailbox.clone(), entry.clone(), None)
        .with_cancellation(cancellation.clone());
    assert!(contents.readable_outline().is_ok());
    let whole = contents.outline().unwrap().whole();
    let mut stretch = contents.span_reader(whole, 16).unwrap();
    assert!(stretch.next().unwrap().is_some());
    drop(waiting);
    assert!(matches!(stretch.next(), Err(StoreError::Interrupted)));
    let mut unread =
        Contents::new(test_mailbox.mailbox.clone(), entry.clone(), None).with_cancellation(cancellation);
    assert!(matches!(unread.readable_outline(), Err(StoreError::Interrupted)));
}
