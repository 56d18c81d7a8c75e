use super::*;
use proptest::prelude::*;

fn astring(text: &[u8]) -> Result<Vec<u8>, SyntaxError> {
    Cursor::new(text).astring()
}

#[test]
fn a_string_has_three_forms() {
    for text in ["a]b", "\"a]b\"", "{3}\r\na]b", "{3+}\r\na]b", "{3}\na]b"] {
        assert_eq!(astring(text.as_bytes()).unwrap(), b"a]b", "{text}");
    }
    assert_eq!(astring(br#""a\"\\b""#).unwrap(), br#"a"\b"#);
}

#[test]
fn a_malformed_string_has_its_position() {
    let table: [(&[u8], usize); 7] = [
        (b"", 0),
        (b"(", 0),
        (b"\"ab", 3),
        (b"\"a\\b\"", 3),
        (b"\"a\0b\"", 2),
        (b"{3}\r\nab", 5),
        (b"{3}\r\na\0b", 6),
    ];
    for (text, at) in table {
        assert_eq!(astring(text).unwrap_err().at, at, "{text:?}");
    }
}

#[test]
fn numbers_are_bounded() {
    assert_eq!(Cursor::new(b"4294967295").number().unwrap(), u32::MAX);
    assert!(Cursor::new(b"4294967296").number().is_err());
    assert_eq!(Cursor::new(b"9223372036854775807").number64().unwrap(), i64::MAX as u64);
    assert!(Cursor::new(b"9223372036854775808").number64().is_err());
    assert!(Cursor::new(b"00").nonzero_number().is_err());
}

proptest! {
    #[test]
    fn any_octets_but_nul_may_be_a_literal(octets in proptest::collection::vec(1_u8.., 0..40)) {
        let mut text = format!("{{{}}}\r\n", octets.len()).into_bytes();
        text.extend_from_slice(&octets);
        prop_assert_eq!(astring(&text).unwrap(), octets);
    }
}
