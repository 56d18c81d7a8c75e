use proptest::prelude::*;

use super::*;
use crate::field;

/// A message in chunks of `step` octets: its header section and its body.
fn read(message: &[u8], step: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut section, mut header) = (HeaderSection::default(), Vec::new());
    let mut at = 0;
    while at < message.len() {
        let end = message.len().min(at.saturating_add(step));
        if let Some(BodyStart { held, rest }) = section.read(&message[at..end], &mut header) {
            return (header, [&held, rest, &message[end..]].concat());
        }
        at = end;
    }
    let body = section.finish(&mut header);
    (header, body)
}

fn assert_read(message: &str, header: &str, body: &str) {
    for step in 1..=message.len().max(1) {
        let (read_header, read_body) = read(message.as_bytes(), step);
        assert_eq!(String::from_utf8_lossy(&read_header), header, "{message:?} in pieces of {step}");
        assert_eq!(String::from_utf8_lossy(&read_body), body, "{message:?} in pieces of {step}");
    }
}

#[test]
fn a_well_formed_header_section_is_unchanged() {
    for (header, body) in [
        ("", ""),
        ("\r\n", "body\r\n"),
        ("\n", "body\n"),
        ("A: b\r\n", ""),
        ("A: b\r\n\r\n", ""),
        ("A: b\r\n\r\n", "body\r\n\r\nFrom: x\r\n"),
        ("A: b", ""),
        ("A: b\r\n c\r\n\t\r\n \r\nB :d\r\n\r\n", " \r\n"),
        ("From : ann@example.org\r\n\r\n", "x"),
        ("From: ann@example.org\r\n\r\n", "From x Mon Jan  5 10:00:00 2026\r\n"),
    ] {
        assert_read(&format!("{header}{body}"), header, body);
    }
}

#[test]
fn an_empty_line_is_inserted_where_the_fields_end() {
    for (header, body) in [
        ("", "please call me back, the disk is full\r\nhost7\r\n"),
        ("From: x@example.org\r\nSubject: alert\r\n", "node7 is down since noon\r\nsecond line\r\n"),
        ("A: b\r\n c\r\n", "Hello Bob: call me\r\nB: c\r\n"),
        ("A: b\r\n", ": no name\r\n"),
        ("A: b\r\n", "\u{fc}ber: x\r\n\r\ny\r\n"),
        ("A: b\r\n", "no line end"),
        ("", "no line end"),
        ("", " ; dkim=pass\r\nFrom: x@example.org\r\n\r\nbody\r\n"),
        ("", "\t\r\n\r\n"),
        ("A: b\r\n", "\r"),
        ("A: b\r\n", "From what I hear at 10:00 it is down\r\n"),
        ("A: b\r\n", "\0\r\nB: c\r\n"),
    ] {
        assert_read(&format!("{header}{body}"), &format!("{header}\r\n"), body);
    }
}

/// The colon alone decides, even if the line was not meant as a field.
#[test]
fn a_first_line_of_the_body_with_a_name_and_a_colon_is_a_field() {
    assert_read("A: b\r\nNote: x\r\nthe rest\r\n", "A: b\r\nNote: x\r\n\r\n", "the rest\r\n");
}

#[test]
fn the_separator_of_an_mbox_is_left_out() {
    const SEPARATORS: [&str; 6] = [
        "From ann@example.org Mon Jan  5 10:00:00 2026\r\n",
        "From - Fri Nov 20 09:05:00 2026\r\n",
        ">From MAILER-DAEMON Sun Mar 01 23:59:59 +0100 2026\r\n",
        "From root Tue Feb  3 7:05 CET 2026 remote from host7\r\n",
        "From a Mon Jan  5 10:00:00 2026\r\n>From b Mon Jan  5 10:00:00 2026\r\n",
        "From x Mon Jan  5 10:00:00 2026\n",
    ];
    for separator in SEPARATORS {
        assert_read(&format!("{separator}A: b\r\n\r\nx"), "A: b\r\n\r\n", "x");
        assert_read(&format!("{separator}\r\nx"), "\r\n", "x");
        assert_read(&format!("{separator}text\r\n"), "\r\n", "text\r\n");
        // An earlier hop has put its Received field on top of it.
        assert_read(&format!("Received: y\r\n{separator}A: b\r\n\r\nx"), "Received: y\r\nA: b\r\n\r\n", "x");
        // The next line does not continue a field above it.
        assert_read(&format!("A: b\r\n{separator} c\r\n"), "A: b\r\n\r\n", " c\r\n");
        assert_read(separator, "", "");
    }
}

#[test]
fn a_line_without_an_end_is_not_held() {
    let name = "n".repeat(2 * MAX_LEN);
    for (message, header) in [
        (format!("A: {name}\r\nB: c\r\n\r\n"), format!("A: {name}\r\nB: c\r\n\r\n")),
        (format!("{name}: x\r\n"), "\r\n".to_owned()),
        (format!("A: b\r\n {name}\r\n\r\n"), format!("A: b\r\n {name}\r\n\r\n")),
        (format!("From x Mon Jan  5 10:00:00 2026 {name}\r\n"), "\r\n".to_owned()),
    ] {
        for step in [1, 7, MAX_LEN - 1, MAX_LEN, MAX_LEN + 1, usize::MAX] {
            let (read_header, read_body) = read(message.as_bytes(), step);
            assert_eq!(String::from_utf8(read_header).unwrap(), header, "in pieces of {step}");
            let body = message.strip_prefix(&header).unwrap_or(&message);
            assert_eq!(String::from_utf8(read_body).unwrap(), body, "in pieces of {step}");
        }
        let mut section = HeaderSection::default();
        for octet in message.as_bytes() {
            if section.read(&[*octet], &mut Vec::new()).is_some() {
                break;
            }
            assert!(section.line.len() < MAX_LEN);
        }
    }
}

proptest! {
    /// Every reader of the crate finds the same header section in the result.
    #[test]
    fn every_reader_finds_the_same_header_section(
        parts in prop::collection::vec(
            prop::sample::select(&["\r\n", "\n", "A: b", " ", "\t", ":", "x y", "From ", "From a Mon Jan  5 10:00:00 2026", ">", "\r"][..]),
            0..20,
        ),
        step in 1_usize..9,
    ) {
        let message = parts.concat();
        let (header, body) = read(message.as_bytes(), step);
        prop_assert_eq!(&(header.clone(), body.clone()), &read(message.as_bytes(), usize::MAX));
        let whole = [header.clone(), body.clone()].concat();
        prop_assert_eq!(field::header_length(&whole), header.len());
        prop_assert!(message.as_bytes().ends_with(&body));
        // Reading it again changes nothing.
        prop_assert_eq!(&read(&whole, step), &(header.clone(), body));
        // Each line of the header section is a field, its continuation, or the end.
        let covered: usize = field::fields(&header).map(|field| field.end - field.start).sum();
        prop_assert!([&b""[..], b"\n", b"\r\n"].contains(&&header[covered..]), "{}", header.escape_ascii());
    }
}
