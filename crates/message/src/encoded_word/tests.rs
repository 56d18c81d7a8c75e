use proptest::prelude::*;

use super::*;

#[test]
fn the_examples_of_rfc_2047_are_decoded() {
    // RFC 2047 §8
    for (value, expected) in [
        ("=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>"),
        ("=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>", "Keld Jørn Simonsen <keld@dkuug.dk>"),
        (
            "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
            "If you can read this you understand the example.",
        ),
        ("(=?ISO-8859-1?Q?a?=)", "(a)"),
        ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
        ("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
        ("(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"),
        ("(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
        ("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
        ("(=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=)", "(םולש ןב ילטפנ)"),
        // RFC 2231 §5
        ("=?US-ASCII*EN?Q?Keith_Moore?= x", "Keith Moore x"),
    ] {
        assert_eq!(decode(value.as_bytes()), expected, "{value}");
    }
}

#[test]
fn a_character_split_between_two_words_is_one_character() {
    assert_eq!(decode(b"=?utf-8?Q?caf=C3?= =?UTF-8?Q?=A9?="), "café");
    assert_eq!(decode(b"=?utf-8?B?Y2Fmww==?= =?utf-8?B?qQ==?="), "café");
}

#[test]
fn malformed_encoded_words_are_unchanged() {
    for value in ["=?", "=?utf-8?X?a?=", "=?utf-8?Q?a", "a =? b", "=??Q?a?=", "1=?2"] {
        assert_eq!(decode(value.as_bytes()), value);
    }
}

#[test]
fn raw_octets_are_utf_8_or_windows_1252() {
    assert_eq!(decode("Grüße".as_bytes()), "Grüße");
    assert_eq!(decode(b"Gr\xfc\xdfe"), "Grüße");
    assert_eq!(decode(b"=?no-such-charset?Q?Gr=FC=DFe?="), "Grüße");
    assert_eq!(decode(b"=?us-ascii?Q?Gr=C3=BC=C3=9Fe?="), "Grüße");
}

proptest! {
    #[test]
    fn any_octets_are_decoded(value in proptest::collection::vec(
        prop_oneof![proptest::sample::select(b"=?QBqb_ \r\nutf-8".to_vec()), any::<u8>()], 0..200))
    {
        decode(&value);
    }
}
