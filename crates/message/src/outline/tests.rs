use proptest::prelude::*;

use super::*;
use crate::crlf::to_crlf;

/// One line per part: its path, type, stored body, octets and lines.
fn shown(message: &[u8]) -> Vec<String> {
    let outline = Outline::parse(message);
    let mut lines = Vec::new();
    show(&outline.root, "", message, &mut lines);
    lines
}

fn show(part: &Part, path: &str, message: &[u8], lines: &mut Vec<String>) {
    let kind = [part.content_type.kind.as_slice(), b"/", &part.content_type.subtype].concat();
    let body = match part.content {
        Content::Single => part.body.slice(message).escape_ascii().to_string(),
        _ => "...".to_owned(),
    };
    let (octets, count) = (part.body.octets, part.lines);
    lines.push(format!("{path} {} {octets} {count} {body}", kind.escape_ascii()).trim().to_owned());
    match &part.content {
        Content::Single => {}
        Content::Multipart(parts) => {
            for (index, inner) in parts.iter().enumerate() {
                show(inner, &format!("{path}.{}", index + 1), message, lines);
            }
        }
        Content::Message(inner) => show(&inner.root, &format!("{path}>"), message, lines),
    }
}

#[test]
fn a_message_without_fields_is_text() {
    assert_eq!(shown(b""), ["text/plain 0 0"]);
    assert_eq!(shown(b"\r\nhello\r\n"), ["text/plain 7 1 hello\\r\\n"]);
    assert_eq!(shown(b"A: b"), ["text/plain 0 0"]);
    assert_eq!(shown(b"A: b\r\n\r\nno line end"), ["text/plain 11 0 no line end"]);
}

#[test]
fn the_example_of_rfc_2046_has_two_parts() {
    // RFC 2046 §5.1.1
    let message = b"From: Nathaniel Borenstein <nsb@bellcore.com>\r\n\
        Content-type: multipart/mixed; boundary=\"simple boundary\"\r\n\r\n\
        This is the preamble.\r\n\
        --simple boundary\r\n\r\n\
        This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.\r\n\
        --simple boundary\r\n\
        Content-type: text/plain; charset=us-ascii\r\n\r\n\
        It DOES end with a linebreak.\r\n\r\n\
        --simple boundary--\r\n\r\n\
        This is the epilogue.\r\n";
    let expected = [
        "multipart/mixed 270 13 ...",
        ".1 text/plain 80 1 This is implicitly typed plain US-ASCII text.\\r\\nIt does NOT end with a linebreak.",
        ".2 text/plain 31 1 It DOES end with a linebreak.\\r\\n",
    ];
    assert_eq!(shown(message), expected);
    let line_feeds: Vec<u8> = message.iter().copied().filter(|octet| *octet != b'\r').collect();
    let same: Vec<String> = expected.iter().map(|line| line.replace("\\r", "")).collect();
    assert_eq!(shown(&line_feeds), same, "octets are counted as if each line ended with CRLF");
}

#[test]
fn an_outer_delimiter_ends_open_inner_parts() {
    let message = b"Content-Type: multipart/mixed; boundary=out\r\n\r\n\
        --out\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n\
        --in\r\n\r\none\r\n\
        --out\r\n\r\ntwo\r\n\
        --in\r\nno delimiter any more\r\n\
        --out--\r\n";
    assert_eq!(
        shown(message),
        [
            "multipart/mixed 124 12 ...",
            ".1 multipart/alternative 11 2 ...",
            ".1.1 text/plain 3 0 one",
            ".2 text/plain 32 2 two\\r\\n--in\\r\\nno delimiter any more",
        ]
    );
}

#[test]
fn of_two_matching_boundaries_the_longer_counts() {
    let message = b"Content-Type: multipart/mixed; boundary=a\n\n\
        --a\nContent-Type: multipart/mixed; boundary=ab\n\n--ab\n\n1\n--ab  \n\n2\n--ab--\n--a\n\n3\n--a--\n";
    let parts: Vec<String> = shown(message).into_iter().filter(|line| line.contains("text")).collect();
    assert_eq!(parts, [".1.1 text/plain 1 0 1", ".1.2 text/plain 1 0 2", ".2 text/plain 1 0 3"]);
}

#[test]
fn nested_messages_are_messages() {
    let message = b"Subject: outer\r\nContent-Type: multipart/digest; boundary=b\r\n\r\n\
        --b\r\n\r\nSubject: first\r\n\r\none\r\n\
        --b\r\nContent-Type: message/rfc822\r\n\r\n\
        Subject: second\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\ndeep\r\n--c--\r\n\
        --b\r\nContent-Type: message/rfc822\r\n--b--\r\n";
    assert_eq!(
        shown(message),
        [
            "multipart/digest 191 18 ...",
            ".1 message/rfc822 21 2 ...",
            ".1> text/plain 3 0 one",
            ".2 message/rfc822 80 6 ...",
            ".2> multipart/mixed 18 3 ...",
            ".2>.1 text/plain 4 0 deep",
            ".3 message/rfc822 0 0 ...",
            ".3> text/plain 0 0",
        ]
    );
    let outline = Outline::parse(message);
    let Content::Multipart(parts) = &outline.root.content else { panic!("no multipart") };
    let Content::Message(second) = &parts[1].content else { panic!("no message") };
    assert_eq!(second.envelope.subject.as_deref(), Some(&b"second"[..]));
    assert_eq!(outline.envelope.subject.as_deref(), Some(&b"outer"[..]));
}

#[test]
fn delimiters_may_follow_each_other_directly() {
    let empty = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b\r\n\r\n--b\r\nA: b\r\n--b--";
    assert_eq!(
        shown(empty),
        ["multipart/mixed 28 5 ...", ".1 text/plain 0 0", ".2 text/plain 0 0", ".3 text/plain 0 0"]
    );
}

#[test]
fn an_empty_line_before_a_delimiter_belongs_to_the_header_that_it_ends() {
    let message = b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: x\r\n\r\n--b--\r\n";
    assert_eq!(shown(message)[1..], [".1 message/rfc822 14 2 ...", ".1> text/plain 0 0"]);
    let Content::Multipart(parts) = Outline::parse(message).root.content else { panic!("no multipart") };
    let Content::Message(inner) = &parts[0].content else { panic!("no message") };
    assert_eq!(inner.root.header.slice(message), b"Subject: x\r\n\r\n");
}

#[test]
fn a_multipart_without_parts_gets_an_empty_one_and_one_without_boundary_is_text() {
    let none = b"Content-Type: multipart/mixed; boundary=b\r\n\r\nnothing here\r\n";
    assert_eq!(shown(none), ["multipart/mixed 14 1 ...", ".1 text/plain 0 0"]);
    let unnamed = b"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx\r\n";
    assert_eq!(shown(unnamed), ["text/plain 10 3 --b\\r\\n\\r\\nx\\r\\n"]);
}

#[test]
fn a_boundary_may_be_split_or_have_unusual_characters() {
    let pieces = b"Content-Type: multipart/mixed; boundary*0=ab; boundary*1=cd\n\n--abcd\n\nx\n--abcd--\n";
    assert_eq!(shown(pieces)[1], ".1 text/plain 1 0 x");
    let odd = b"Content-Type: multipart/mixed; boundary=--=_Part(1)\n\n";
    assert_eq!(shown(odd)[0], "multipart/mixed 0 0 ...");
}

#[test]
fn the_fields_of_a_part_are_kept_raw() {
    let message = b"Content-Type: image/png; name=\"=?utf-8?Q?=C3=A4?=.png\"\r\n\
        Content-Transfer-Encoding: BASE64\r\nContent-ID: <1@x>\r\nContent-Description: a\r\n picture\r\n\
        Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\nContent-Language: de, en\r\nContent-Location: x.png\r\n\
        Content-Disposition: attachment; filename*0*=utf-8''%C3%A4; filename*1=.png\r\n\
        CONTENT-TYPE: text/plain\r\n\r\n";
    let root = Outline::parse(message).root;
    assert!(root.content_type.is("image", "png"));
    assert_eq!(root.content_type.parameters.named("name"), Some(&b"=?utf-8?Q?=C3=A4?=.png"[..]));
    assert_eq!(root.encoding.as_deref(), Some(&b"BASE64"[..]));
    assert_eq!(root.id.as_deref(), Some(&b"<1@x>"[..]));
    assert_eq!(root.description.as_deref(), Some(&b"a picture"[..]));
    assert_eq!(root.md5.as_deref(), Some(&b"Q2hlY2sgSW50ZWdyaXR5IQ=="[..]));
    assert_eq!(root.language, [b"de".to_vec(), b"en".to_vec()]);
    assert_eq!(root.location.as_deref(), Some(&b"x.png"[..]));
    assert_eq!(root.disposition.unwrap().parameters.named("filename*0*"), Some(&b"utf-8''%C3%A4"[..]));
}

#[test]
fn depth_parts_and_header_sizes_are_limited() {
    let mut deep = String::new();
    for level in 0..MAX_DEPTH * 4 {
        deep.push_str(&format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"));
    }
    let outline = Outline::parse(deep.as_bytes());
    assert_eq!(Outline::decode(&outline.encode()), Ok(outline));

    let messages = "Content-Type: message/rfc822\n\n".repeat(MAX_DEPTH * 4);
    let outline = Outline::parse(messages.as_bytes());
    assert_eq!(Outline::decode(&outline.encode()), Ok(outline));

    let many =
        format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\nx\n".repeat(MAX_PARTS + 50));
    let Content::Multipart(parts) = Outline::parse(many.as_bytes()).root.content else {
        panic!("no multipart")
    };
    assert_eq!(parts.len(), MAX_PARTS - 1);

    let long = format!("X: {}\nSubject: lost\n\nbody", "y".repeat(MAX_HEADER));
    let outline = Outline::parse(long.as_bytes());
    assert_eq!(outline.envelope.subject, None);
    assert_eq!(outline.root.body.slice(long.as_bytes()), b"body");
}

#[test]
fn a_blob_of_another_version_or_a_damaged_one_is_refused() {
    let blob = Outline::parse(b"Subject: x\r\n\r\nbody").encode();
    assert_eq!(Outline::decode(&[]), Err(BlobError::Damaged));
    assert_eq!(Outline::decode(&[VERSION + 1]), Err(BlobError::Version(VERSION + 1)));
    for length in 1..blob.len() {
        assert_eq!(Outline::decode(&blob[..length]), Err(BlobError::Damaged));
    }
    assert_eq!(Outline::decode(&[blob.as_slice(), b"x"].concat()), Err(BlobError::Damaged));
}

/// Lines that are likely to form structures.
fn messages() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just("Content-Type: multipart/mixed; boundary=a"),
        Just("Content-Type: multipart/digest; boundary=ab"),
        Just("Content-Type: message/rfc822"),
        Just("Content-Type: text/html; charset=\"utf-8\""),
        Just("From: Ann <ann@example.org>, Group: a@b, c@d;, =?q?="),
        Just("Subject: x"),
        Just(" folded"),
        Just(""),
        Just("--a"),
        Just("--ab"),
        Just("--a--"),
        Just("--ab--"),
        Just("text\rtext"),
    ];
    let end = prop_oneof![Just("\r\n"), Just("\n"), Just("\r\r\n")];
    let noise = proptest::collection::vec(any::<u8>(), 0..20);
    proptest::collection::vec((line, end), 0..60).prop_flat_map(move |lines| {
        let text: String = lines.into_iter().flat_map(|(line, end)| [line, end]).collect();
        (Just(text), noise.clone()).prop_map(|(text, noise)| [text.as_bytes(), &noise].concat())
    })
}

fn check(part: &Part, within: Span, stored: &[u8]) -> Result<(), TestCaseError> {
    prop_assert!(within.start <= part.header.start && part.body.end <= within.end);
    prop_assert_eq!(part.header.end, part.body.start);
    for span in [part.header, part.body] {
        prop_assert_eq!(
            to_crlf(span.slice(stored)).len() as u64,
            span.octets,
            "octets are the length in CRLF form"
        );
    }
    let lines = part.body.slice(stored).iter().filter(|octet| **octet == b'\n').count();
    prop_assert_eq!(lines as u64, part.lines);
    match &part.content {
        Content::Single => Ok(()),
        Content::Multipart(parts) => {
            prop_assert!(!parts.is_empty());
            parts.iter().try_for_each(|inner| check(inner, part.body, stored))
        }
        Content::Message(message) => {
            prop_assert_eq!(message.octets(), part.body.octets);
            check(&message.root, part.body, stored)
        }
    }
}

proptest! {
    #[test]
    fn parts_are_nested_and_counted_correctly(stored in messages()) {
        let outline = Outline::parse(&stored);
        let whole = Span { start: 0, end: stored.len() as u64, octets: to_crlf(&stored).len() as u64 };
        prop_assert_eq!(outline.whole(), whole);
        check(&outline.root, whole, &stored)?;
    }

    #[test]
    fn the_size_of_the_pieces_does_not_matter(stored in messages(), size in 1..30usize) {
        let mut indexer = Indexer::new();
        stored.chunks(size).for_each(|piece| indexer.push(piece));
        prop_assert_eq!(indexer.finish(), Outline::parse(&stored));
    }

    #[test]
    fn an_outline_round_trips_through_a_blob(stored in messages()) {
        let outline = Outline::parse(&stored);
        let blob = outline.encode();
        prop_assert_eq!(Outline::decode_envelope(&blob), Ok(outline.envelope.clone()));
        prop_assert_eq!(Outline::decode(&blob), Ok(outline));
    }

    #[test]
    fn any_blob_is_decoded_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Outline::parse(&octets);
        let _ = Outline::decode(&[&[VERSION], octets.as_slice()].concat());
    }
}
