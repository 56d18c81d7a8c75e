//! Searches over a Maildir.

use std::fs;

use imap_proto::command::{Request, parse};

use super::{SearchError, evaluate};
use crate::imap::contents::furnished::Furnished;
use crate::imap::selected::{Access, Selected};

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

async fn selected(furnished: &Furnished) -> Selected {
    Selected::new(furnished.mailbox.clone(), Access::ReadOnly).await.unwrap()
}

async fn search(selected: &Selected, words: &[u8]) -> Result<Vec<u32>, SearchError> {
    let Ok(Request::Search(search)) = parse(&[b"a SEARCH ", words].concat()).map(|command| command.request)
    else {
        panic!("{} is no SEARCH", words.escape_ascii());
    };
    Ok(evaluate(selected, &search).await?.into_iter().map(|found| found.number).collect())
}

#[tokio::test]
async fn every_key_finds_what_it_says() {
    let furnished = Furnished::with(MESSAGES).await;
    let selected = selected(&furnished).await;
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
        // the writer's own day; without a Date field, or with a bad one, that of arrival
        ("SENTON 13-Nov-2023", &[1]),
        ("SENTBEFORE 15-Nov-2023", &[1]),
        ("SENTSINCE 15-Nov-2023", &[2, 3]),
    ] {
        assert_eq!(search(&selected, words.as_bytes()).await.unwrap(), expected, "{words}");
    }
}

#[tokio::test]
async fn texts_are_found_as_parts_of_words_decoded_and_whatever_their_case() {
    let furnished = Furnished::with(MESSAGES).await;
    let selected = selected(&furnished).await;
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
async fn strings_may_be_in_any_charset_that_is_known() {
    let furnished = Furnished::with(MESSAGES).await;
    let selected = selected(&furnished).await;
    assert_eq!(search(&selected, "CHARSET UTF-8 SUBJECT GRÜSSE".as_bytes()).await.unwrap(), [1]);
    assert_eq!(search(&selected, b"CHARSET ISO-8859-1 SUBJECT gr\xfc\xdfe").await.unwrap(), [1]);
    assert_eq!(search(&selected, "CHARSET utf-8 BODY café".as_bytes()).await.unwrap(), [2]);
    assert!(matches!(search(&selected, b"CHARSET X-NONE ALL").await, Err(SearchError::BadCharset)));
}

#[tokio::test]
async fn messages_that_nobody_claimed_are_recent_to_who_looks() {
    let furnished = Furnished::with(&MESSAGES[..1]).await;
    fs::write(furnished.file(1).with_file_name("../new/1800000000.M1P1.host"), MESSAGES[1].1).unwrap();
    let selected = selected(&furnished).await;
    assert_eq!(search(&selected, b"RECENT").await.unwrap(), [2]);
    assert_eq!(search(&selected, b"NEW FROM bob").await.unwrap(), [2]);
    assert_eq!(search(&selected, b"OLD").await.unwrap(), [1]);
}

#[tokio::test]
async fn a_message_that_vanished_is_not_found_and_the_others_are() {
    let furnished = Furnished::with(MESSAGES).await;
    let selected = selected(&furnished).await;
    fs::remove_file(furnished.file(1)).unwrap();
    assert_eq!(search(&selected, b"NOT BODY nothing").await.unwrap(), [2, 3]);
}
