use proptest::prelude::*;

use super::*;

fn read(header: &[u8]) -> Vec<(&[u8], Vec<u8>)> {
    fields(header).map(|field| (field.name, field.unfolded().into_owned())).collect()
}

#[test]
fn a_folded_field_is_one_field() {
    // RFC 5322 §2.2.3
    let header = b"Subject: This\r\n is a test\r\nTo: x\r\n\r\nbody: no field\r\n";
    assert_eq!(read(header), [(&b"Subject"[..], b"This is a test".to_vec()), (b"To", b"x".to_vec())]);
}

#[test]
fn line_ends_may_be_line_feeds_alone() {
    let header = b"A: 1\n 2\nB: 3\n\nbody\n";
    assert_eq!(read(header), [(&b"A"[..], b"1 2".to_vec()), (b"B", b"3".to_vec())]);
    assert_eq!(split(header), (&header[..14], &b"body\n"[..]));
}

#[test]
fn white_space_before_the_colon_is_read() {
    // RFC 5322 §4.5, appendix A.6.3
    assert_eq!(read(b"Date  : Fri\r\nTo :\r\n"), [(&b"Date"[..], b"Fri".to_vec()), (b"To", vec![])]);
}

#[test]
fn lines_that_are_not_fields_are_skipped() {
    assert_eq!(
        read(b"From ann Fri\r\nno field\r\n: empty\r\nA: 1\r\n b: 2"),
        [(&b"A"[..], b"1 b: 2".to_vec())]
    );
}

#[test]
fn offsets_lead_to_the_stored_field() {
    let header = b"A: 1\r\nB: 2\r\n 3\r\n\r\n";
    let found = find(header, "b").unwrap();
    assert_eq!(&header[found.start..found.end], b"B: 2\r\n 3\r\n");
    assert_eq!(found.value, b" 2\r\n 3");
}

#[test]
fn the_header_ends_at_the_empty_line_or_with_the_octets() {
    for (message, length) in [
        (&b""[..], 0),
        (b"\r\nbody", 2),
        (b"A: 1", 4),
        (b"A: 1\r\n", 6),
        (b"A: 1\r\n\r\n", 8),
        (b"A: 1\n\nb\n\n", 6),
        (b"A: 1\r\n \r\nB: 2\r\n\r\nb", 17),
    ] {
        assert_eq!(header_length(message), length, "{}", message.escape_ascii());
    }
}

proptest! {
    #[test]
    fn any_octets_are_read_and_fields_tile_in_order(octets in proptest::collection::vec(
        prop_oneof![Just(b'\r'), Just(b'\n'), Just(b':'), Just(b' '), Just(b'a'), any::<u8>()], 0..200))
    {
        let length = header_length(&octets);
        let mut last = 0;
        for field in fields(&octets) {
            prop_assert!(field.start >= last && field.end <= length);
            last = field.end;
        }
    }
}
