use super::*;
use crate::Outline;
use crate::outline::{Content, Indexer, Part};
use crate::transfer::TransferDecoder;

fn plan(message: &[u8], size: usize) -> Result<Plan, Fault> {
    let mut indexer = Indexer::new();
    message.chunks(size).for_each(|piece| indexer.push(piece));
    let mut survey = Survey::new(&indexer.finish());
    message.chunks(size).for_each(|piece| survey.push(piece));
    survey.finish()
}

/// The result, which must not depend on the size of the pieces.
fn transcoded(message: &[u8]) -> Result<Vec<u8>, Fault> {
    let in_pieces = |size| {
        let mut rewriter = plan(message, size)?.rewriter();
        let mut out = Vec::new();
        message.chunks(size).for_each(|piece| rewriter.push(piece, &mut out));
        rewriter.finish(&mut out);
        Ok(out)
    };
    let whole = in_pieces(message.len());
    for size in [1, 2, 7, 4096] {
        assert_eq!(in_pieces(size), whole, "in pieces of {size}");
    }
    if let Ok(octets) = &whole {
        for line in octets.split_inclusive(|octet| *octet == b'\n') {
            assert!(line.ends_with(b"\r\n") && line.len() <= 1000, "{}", line.escape_ascii());
        }
        assert!(plan(octets, octets.len()).unwrap().offence().is_none(), "a second time");
    }
    whole
}

/// The decoded bodies of all parts without structure, with CRLF at line ends.
fn bodies(message: &[u8]) -> Vec<Vec<u8>> {
    fn add(part: &Part, message: &[u8], bodies: &mut Vec<Vec<u8>>) {
        match &part.content {
            Content::Single => {
                let mut body = Vec::new();
                let mut decoder = TransferDecoder::new(part.encoding.as_deref());
                decoder.push(part.body.slice(message), &mut body);
                decoder.finish(&mut body);
                let is_quoted = part.encoding.as_deref() == Some(b"quoted-printable");
                bodies.push(if is_quoted { crate::crlf::to_crlf(&body) } else { body });
            }
            Content::Multipart(parts) => parts.iter().for_each(|part| add(part, message, bodies)),
            Content::Message(inner) => add(&inner.root, message, bodies),
        }
    }
    let mut found = Vec::new();
    add(&Outline::parse(message).root, message, &mut found);
    found
}

/// Checks that no body changed; returns the result as text.
fn same_bodies(message: &[u8]) -> String {
    let out = transcoded(message).unwrap();
    assert_eq!(bodies(&out), bodies(message), "{}", out.escape_ascii());
    String::from_utf8_lossy(&out).into_owned()
}

fn long(text: &str) -> String {
    text.repeat(2000 / text.len())
}

fn reason(message: &str) -> Reason {
    transcoded(message.as_bytes()).unwrap_err().reason
}

#[test]
fn a_message_with_short_lines_stays_as_it_is() {
    let line = "x".repeat(998);
    for message in [
        format!("A: b\r\n\r\n{line}\r\n"),
        format!("A: {}\r\n\r\nx\r\n", &line[3..]),
        format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{line}\r\n--b\r\n\r\n{line}\r\n--b--\r\n"),
    ] {
        assert_eq!(transcoded(message.as_bytes()).unwrap(), message.as_bytes());
    }
}

#[test]
fn a_long_line_of_text_becomes_quoted_printable() {
    for text in ["word ", "a=b and so on ", "x", "--b\t", ".", "stra\u{df}e, immer weiter so; ", " "] {
        for end in ["\r\n", "", " \r\n", "\t\r\n\r\n"] {
            let body = format!("first \r\n{}{end}", long(text));
            let message = format!("Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}");
            let out = transcoded(message.as_bytes()).unwrap();
            let decoded = bodies(&out).remove(0);
            let body = if end.ends_with('\n') { body } else { body + "\r\n" };
            assert_eq!(String::from_utf8_lossy(&decoded), body);
            let out = String::from_utf8(out).unwrap();
            assert!(out.starts_with(
                "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\nMIME-Version: 1.0\r\n\
                 Content-Transfer-Encoding: quoted-printable\r\n\r\nfirst=20\r\n"
            ));
            assert!(out.is_ascii() && out.lines().skip(5).all(|line| line.len() <= 76), "{out}");
        }
    }
}

#[test]
fn a_text_in_other_letters_becomes_base64_which_is_shorter() {
    let message = format!("MIME-Version: 1.0\r\n\r\n{}\r\n", long("Привет "));
    assert!(same_bodies(message.as_bytes()).contains("\r\nContent-Transfer-Encoding: base64\r\n\r\n0J/R"));
}

#[test]
fn only_the_part_with_the_long_line_is_encoded() {
    let message = format!(
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\npreamble\r\n--b\r\n\r\nshort\r\n--b\r\n\
         Content-Type: application/json\r\ncontent-transfer-encoding:\r\n 7bit\r\nX: y\r\n\r\n{}\r\n--b\r\n\
         Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\n{}\r\n--b--\r\nepilogue\r\n",
        long("{}"),
        long("inner --b "),
    );
    let out = same_bodies(message.as_bytes());
    assert!(out.contains("preamble\r\n--b\r\n\r\nshort\r\n--b\r\nContent-Type: application/json\r\nX: y\r\nContent-Transfer-Encoding: base64\r\n\r\ne317"), "{out}");
    assert!(out.contains("\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ninner --b"), "{out}");
    assert!(out.ends_with("\r\n--b--\r\nepilogue\r\n"), "{out}");
}

#[test]
fn no_line_of_an_encoded_text_looks_like_a_delimiter() {
    for shift in 1..80 {
        let line = "x".repeat(shift) + &long("--b");
        let message =
            format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n{line}\r\n--b--\r\n");
        same_bodies(message.as_bytes());
    }
}

#[test]
fn base64_on_one_line_is_broken_into_lines() {
    let header = "MIME-Version: 1.0\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: BASE64\r\n\r\n";
    let out = same_bodies(format!("{header}{}\r\n--x !\r\n", long("Zm9v")).as_bytes());
    assert!(out.starts_with(header) && out.lines().all(|line| line.len() <= 76), "{out}");
}

#[test]
fn binary_parts_become_base64_and_their_containers_8bit() {
    let message = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n\
        --b\r\nContent-Transfer-Encoding: binary\r\nContent-Type: image/png\r\n\r\n\x89\0\r\r\n\n\xff\r\r\n--b\r\n\r\ntext\0\r\n--b--\r\n";
    let out = same_bodies(message);
    assert!(out.contains("boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n--b\r\n"), "{out}");
    assert_eq!(out.matches("Content-Transfer-Encoding: base64\r\n\r\n").count(), 2, "{out}");
}

#[test]
fn long_header_lines_are_folded_at_white_space() {
    let references = long("<0123456789@example.org> ");
    let inner = long("word  ");
    let out = same_bodies(
        format!("References: {references}\r\nSubject:{inner}\r\n {inner}x\r\n\r\nbody\r\n").as_bytes(),
    );
    let unfolded = |text: &str| text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    assert_eq!(unfolded(&out), format!("References: {references}\r\nSubject:{inner} {inner}x"));
    assert!(
        out.lines().all(|line| line.len() <= 130 && (line.is_empty() || !line.trim().is_empty())),
        "{out}"
    );
}

#[test]
fn a_long_line_that_must_stay_is_refused_with_its_place() {
    let line = long("x");
    let fault = transcoded(format!("A: b\r\nX-Long: {line}\r\n\r\nbody\r\n").as_bytes()).unwrap_err();
    let offence = Offence { line: 2, cause: Cause::Long(2008) };
    assert_eq!(fault, Fault { offence, reason: Reason::Header });
    assert_eq!(
        fault.to_string(),
        "Line 2 has 2008 octets, 998 are allowed (RFC 5322 section 2.1.1), and cannot be folded: write shorter header lines"
    );
    let multipart = "MIME-Version: 1.0\r\nContent-Type: multipart/";
    for (message, expected) in [
        (format!("{multipart}signed; boundary=b\r\n\r\n--b\r\n\r\n{line}\r\n--b--\r\n"), Reason::Signed),
        (
            format!("{multipart}mixed; boundary=b\r\n\r\n{line}\r\n--b\r\n\r\nx\r\n--b--\r\n"),
            Reason::BetweenParts,
        ),
        (
            format!("{multipart}mixed; boundary=b\r\n\r\n--b {line}\r\n\r\nx\r\n--b--\r\n"),
            Reason::BetweenParts,
        ),
        (format!("{multipart}mixed; boundary=b\r\n\r\n{line}\r\n"), Reason::BetweenParts),
        (format!("Content-Type: message/delivery-status\r\n\r\n{line}\r\n"), Reason::Composite),
        (format!("Content-Transfer-Encoding: quoted-printable\r\n\r\n{line}\r\n"), Reason::Encoding),
        (format!("Content-Transfer-Encoding: x-uuencode\r\n\r\n{line}\r\n"), Reason::Encoding),
        (format!("A: b\0\r\n\r\n{line}\r\n"), Reason::Header),
        (format!("A: b\r\n{}\r\n\r\nx\r\n", long(" ")), Reason::Header),
        (format!("A: b{}\r\n\r\nx\r\n", long(" ")), Reason::Header),
    ] {
        assert_eq!(reason(&message), expected, "{message}");
    }
}

#[test]
fn a_message_with_too_many_parts_is_refused() {
    let parts = "--b\r\n\r\nx\r\n".repeat(1_001);
    let message =
        format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{parts}{}\r\n--b--\r\n", long("x"));
    assert_eq!(reason(&message), Reason::TooComplex);
}

#[test]
fn a_long_line_is_found_in_pieces_of_any_size() {
    for (length, is_long) in [(998, false), (999, true), (2000, true)] {
        let message = format!("A: b\r\n\r\n{}\r\nlast", "x".repeat(length));
        for size in [1, 3, 1000, 4096] {
            let mut lines = LineWatch::default();
            message.as_bytes().chunks(size).for_each(|piece| lines.push(piece));
            assert_eq!(lines.found(), is_long, "{length} in pieces of {size}");
        }
    }
}
