use proptest::prelude::*;

use super::*;
use crate::Stuffing;

/// Reads `wire` in pieces of `step` octets. Returns the message, its fault, and the number of octets left over.
fn read(wire: &[u8], step: usize) -> Option<(Vec<u8>, Option<BodyFault>, usize)> {
    read_by(BodyReader::new(1 << 20, BareLf::Refused), wire, step)
}

fn read_by(mut reader: BodyReader, wire: &[u8], step: usize) -> Option<(Vec<u8>, Option<BodyFault>, usize)> {
    let mut message = Vec::new();
    let (mut at, mut known) = (0, 0);
    while known < wire.len() {
        known = (known + step).min(wire.len());
        while at < known {
            let piece = reader.read(&wire[at..known]);
            message.extend_from_slice(&wire[at..known][piece.content]);
            if piece.line_end {
                message.extend_from_slice(b"\r\n");
            }
            at += piece.used;
            if piece.is_end {
                return Some((message, reader.fault(), wire.len() - at));
            }
        }
    }
    None
}

#[test]
fn only_crlf_dot_crlf_ends_a_message() {
    for (wire, message) in [
        (&b".\r\n"[..], &b""[..]),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"..a\r\n.b\r\n...\r\n.\r\n", b".a\r\nb\r\n..\r\n"),
        (b"\r\n\r\n.\r\n", b"\r\n\r\n"),
        (b"a.\r\n.\r\n", b"a.\r\n"),
    ] {
        for step in 1..=wire.len() {
            assert_eq!(
                read(wire, step),
                Some((message.to_vec(), None, 0)),
                "{:?}",
                wire.escape_ascii().to_string()
            );
        }
    }
}

#[test]
fn smuggled_ends_do_not_end_the_message_and_are_faults() {
    for (wire, fault) in [
        (&b"a\n.\n"[..], BodyFault::BareLf),
        (b"a\n.\r\n", BodyFault::BareLf),
        (b"a\r\n.\n", BodyFault::BareLf),
        (b"a\r.\r", BodyFault::BareCr),
        (b"a\r\n.\r", BodyFault::BareCr),
        (b"a\r\n.\r\r\n", BodyFault::BareCr),
        (b"a\r\r\n.\r\r\n", BodyFault::BareCr),
        (b"a\r.\r\n", BodyFault::BareCr),
        (b"a\0\r\n", BodyFault::Nul),
    ] {
        let wire = [wire, b"MAIL FROM:<x@example.org>\r\n.\r\n"].concat();
        for step in 1..=wire.len() {
            let (_, noted, left) = read(&wire, step).unwrap();
            assert_eq!((noted, left), (Some(fault), 0), "{}", wire.escape_ascii());
        }
    }
}

#[test]
fn a_bare_lf_in_a_submission_becomes_crlf_and_does_not_end_the_message() {
    for (wire, message, fault) in [
        (&b"a\nb\n\r\n.\r\n"[..], &b"a\r\nb\r\n\r\n"[..], None),
        (b"\n\na\r\n.\r\n", b"\r\n\r\na\r\n", None),
        (b"a\n.\nb\n..\r\n.\r\n", b"a\r\n.\r\nb\r\n..\r\n", None),
        (b"a\n.\r\nb\r\n.\r\n", b"a\r\n.\r\nb\r\n", None),
        (b".\n\r\n.\r\n", b"\r\n\r\n", None),
        (b"a\rb\n\r\n.\r\n", b"", Some(BodyFault::BareCr)),
    ] {
        for step in 1..=wire.len() {
            let reader = BodyReader::new(1 << 20, BareLf::quirk_becomes_crlf());
            let (read, noted, left) = read_by(reader, wire, step).unwrap();
            assert_eq!((noted, left), (fault, 0), "{}", wire.escape_ascii());
            if fault.is_none() {
                assert_eq!(read.escape_ascii().to_string(), message.escape_ascii().to_string());
            }
        }
    }
}

#[test]
fn an_inserted_cr_counts_towards_the_size() {
    let mut reader = BodyReader::new(2, BareLf::quirk_becomes_crlf());
    for wire in [&b"a"[..], b"\n", b"\n"] {
        reader.read(wire);
    }
    assert_eq!((reader.size(), reader.fault()), (3, Some(BodyFault::TooBig)));
}

#[test]
fn a_message_may_have_exactly_the_size_of_the_limit() {
    for (limit, fault) in [(4, None), (3, Some(BodyFault::TooBig))] {
        let mut reader = BodyReader::new(limit, BareLf::Refused);
        let wire = b"..a\r\n.\r\n";
        let mut at = 0;
        loop {
            let piece = reader.read(&wire[at..]);
            at += piece.used;
            if piece.is_end {
                break;
            }
        }
        assert_eq!((reader.size(), reader.fault()), (4, fault));
    }
}

proptest! {
    #[test]
    fn a_stuffed_message_is_read_back_in_any_pieces(
        lines in prop::collection::vec("\\.{0,2}[a-z.]{0,5}", 0..20),
        written in 1_usize..9,
        step in 1_usize..9,
    ) {
        let message: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let mut wire = Vec::new();
        let mut stuffing = Stuffing::new();
        for chunk in message.as_bytes().chunks(written) {
            for piece in stuffing.pieces(chunk) {
                wire.extend_from_slice(piece);
            }
        }
        wire.extend_from_slice(stuffing.end());
        wire.extend_from_slice(b"QUIT\r\n");
        prop_assert_eq!(read(&wire, step), Some((message.into_bytes(), None, 6)));
    }

    #[test]
    fn any_octets_are_read_to_their_end(wire in prop::collection::vec(prop::sample::select(&b".\r\n\0a"[..]), 0..60), step in 1_usize..9) {
        let by_search = wire.windows(5).position(|window| window == b"\r\n.\r\n").map(|found| found + 5);
        let end = if wire.starts_with(b".\r\n") { Some(3) } else { by_search };
        prop_assert_eq!(read(&wire, step).map(|(_, _, left)| wire.len() - left), end);
    }
}

#[test]
fn a_binary_message_keeps_every_octet() {
    let octets = b"a\0b\rc\n.\r\n\r\n.\r\n\r";
    for step in 1..=octets.len() {
        let mut reader = BodyReader::binary(octets.len() as u64);
        for piece in octets.chunks(step) {
            let read = reader.read_chunk(piece);
            assert_eq!((read.used, read.content), (piece.len(), 0..piece.len()));
        }
        reader.end_of_chunks();
        assert_eq!((reader.size(), reader.fault()), (octets.len() as u64, None));
        reader.read_chunk(b"x");
        assert_eq!(reader.fault(), Some(BodyFault::TooBig));
    }
}
