use super::*;
use crate::Outline;

/// RFC 3501 §6.4.5: the message whose parts that section numbers.
const MESSAGE: &[u8] = b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n\
    --m\r\nContent-Type: text/plain\r\n\r\npart 1\r\n\
    --m\r\nContent-Type: application/octet-stream\r\n\r\npart 2\r\n\
    --m\r\nContent-Type: message/rfc822\r\n\r\n\
    Subject: three\r\nContent-Type: multipart/mixed; boundary=n\r\n\r\n\
    --n\r\n\r\npart 3.1\r\n--n\r\n\r\npart 3.2\r\n--n--\r\n\
    --m\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n\
    --o\r\nContent-Type: image/gif\r\n\r\npart 4.1\r\n\
    --o\r\nContent-Type: message/rfc822\r\n\r\n\
    Subject: four two\r\nContent-Type: multipart/mixed; boundary=p\r\n\r\n\
    --p\r\n\r\npart 4.2.1\r\n\
    --p\r\nContent-Type: multipart/alternative; boundary=q\r\n\r\n\
    --q\r\n\r\npart 4.2.2.1\r\n--q\r\nContent-Type: text/richtext\r\n\r\npart 4.2.2.2\r\n--q--\r\n--p--\r\n--o--\r\n\
    --m--\r\n";

fn found<'a>(message: &'a [u8], section: &str) -> Option<&'a [u8]> {
    let mut path = Vec::new();
    let mut wanted = SectionContent::All;
    for word in section.split('.').filter(|word| !word.is_empty()) {
        match word {
            "HEADER" => wanted = SectionContent::Header,
            "TEXT" => wanted = SectionContent::Text,
            "MIME" => wanted = SectionContent::Mime,
            number => path.push(number.parse().unwrap()),
        }
    }
    Outline::parse(message).locate(&path, wanted).map(|span| span.slice(message))
}

#[test]
fn every_section_of_the_rfcs_example_is_found() {
    for (section, expected) in [
        ("1", &b"part 1"[..]),
        ("1.MIME", b"Content-Type: text/plain\r\n\r\n"),
        ("2", b"part 2"),
        ("3.HEADER", b"Subject: three\r\nContent-Type: multipart/mixed; boundary=n\r\n\r\n"),
        ("3.TEXT", b"--n\r\n\r\npart 3.1\r\n--n\r\n\r\npart 3.2\r\n--n--"),
        ("3.MIME", b"Content-Type: message/rfc822\r\n\r\n"),
        ("3.1", b"part 3.1"),
        ("3.2", b"part 3.2"),
        ("4.1", b"part 4.1"),
        ("4.1.MIME", b"Content-Type: image/gif\r\n\r\n"),
        ("4.2.HEADER", b"Subject: four two\r\nContent-Type: multipart/mixed; boundary=p\r\n\r\n"),
        ("4.2.1", b"part 4.2.1"),
        ("4.2.2.1", b"part 4.2.2.1"),
        ("4.2.2.2", b"part 4.2.2.2"),
        ("4.2.2.2.MIME", b"Content-Type: text/richtext\r\n\r\n"),
        ("HEADER", b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n"),
        ("", MESSAGE),
    ] {
        assert_eq!(found(MESSAGE, section), Some(expected), "{section}");
    }
    assert!(found(MESSAGE, "TEXT").unwrap().starts_with(b"--m\r\n"));
    assert!(found(MESSAGE, "4.2").unwrap().starts_with(b"Subject: four two"));
}

#[test]
fn a_missing_part_is_none() {
    for section in ["5", "1.1", "3.3", "3.1.1", "4.2.2.3", "1.HEADER", "4.TEXT", "MIME", "4294967295"] {
        assert_eq!(found(MESSAGE, section), None, "{section}");
    }
}

#[test]
fn a_message_without_parts_is_its_own_part_one() {
    // RFC 3501 §6.4.5: "Every message has at least one part number."
    let message = b"Subject: x\r\n\r\nbody\r\n";
    assert_eq!(found(message, "1"), Some(&b"body\r\n"[..]));
    assert_eq!(found(message, "1.MIME"), Some(&b"Subject: x\r\n\r\n"[..]));
    assert_eq!(found(message, "2"), None);
    assert_eq!(found(message, "1.1"), None);

    let forwarded = b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ninner\r\n";
    assert_eq!(found(forwarded, "1"), Some(&b"Subject: in\r\n\r\ninner\r\n"[..]));
    assert_eq!(found(forwarded, "1.HEADER"), Some(&b"Subject: in\r\n\r\n"[..]));
    assert_eq!(found(forwarded, "1.1"), Some(&b"inner\r\n"[..]));
}

#[test]
fn a_subset_of_fields_keeps_order_folding_and_the_empty_line() {
    let header = b"A: 1\r\nB: 2\r\n 3\r\nC: 4\r\na: 5\r\n\r\n";
    assert_eq!(select_fields(header, |field| field.is("A")), b"A: 1\r\na: 5\r\n\r\n");
    assert_eq!(select_fields(header, |field| !field.is("A")), b"B: 2\r\n 3\r\nC: 4\r\n\r\n");
    assert_eq!(select_fields(header, |field| field.is("X")), b"\r\n");
    assert_eq!(select_fields(b"A: 1\n\n", |_| true), b"A: 1\n\n");
    assert_eq!(select_fields(b"A: 1\r\n", |_| true), b"A: 1\r\n");
    assert_eq!(select_fields(b"\r\n", |_| true), b"\r\n");
}
