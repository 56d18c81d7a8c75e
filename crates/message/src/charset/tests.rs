use proptest::prelude::*;

use super::*;

fn decoded(name: &str, octets: &[u8]) -> String {
    let charset = Charset::named(name.as_bytes()).unwrap_or_else(|| panic!("{name} is unknown"));
    let whole = charset.decode(octets);
    for size in 1..octets.len() {
        let mut decoder = CharsetDecoder::new(charset);
        let mut text = String::new();
        octets.chunks(size).for_each(|piece| decoder.push(piece, &mut text));
        decoder.finish(&mut text);
        assert_eq!(text, whole, "{name} in pieces of {size}");
    }
    whole
}

#[test]
fn every_charset_of_mail_is_decoded_by_each_of_its_names() {
    for (names, octets, text) in [
        (
            &["cp932", "MS932", "windows-31j", "Windows-932", "x-ms-cp932", "Shift_JIS", "sjis", "x-sjis"][..],
            &b"\xee\xe0\x8b\xb4\x82\xb3\x82\xf1"[..],
            "髙橋さん",
        ),
        (&["cp949", "ms949", "ks_c_5601-1987", "euc-kr", "UHC"], b"\xbe\xc8\xb3\xe7\x8c\x63", "안녕똠"),
        (&["iso-2022-kr", "ISO2022KR"], b"\x1b$)C\x0e>H3g\x0f!", "안녕!"),
        (&["hz-gb-2312", "HZ"], b"~{Dc:C~}~~~{J@=g~}", "你好~世界"),
        (&["iso-2022-cn"], b"\x1b$)A\x0eDc:C\x0f.", "你好."),
        (
            &["johab", "cp1361"],
            b"\xb4\x65\x91\x77\xd0\x61\xad\x41\xb6\x61 \xf7\xd3\xf1\xae \x88\x41",
            "안녕하세요 漢字 ㄱ",
        ),
        (&["cp936", "gb2312", "gbk", "euc-cn"], b"\xc4\xe3\xba\xc3", "你好"),
        (&["gb18030", "cp54936"], b"\x94\x39\xfc\x36", "😀"),
        (&["cp950", "big5", "big5-hkscs"], b"\xa7\x41\xa6\x6e", "你好"),
        (&["utf-7", "UNICODE-1-1-UTF-7"], b"Gr+APwA3w-e +- +2D3eAA-!", "Grüße + 😀!"),
        (&["cp437", "IBM437"], b"\x84\x94\x81", "äöü"),
        (&["cp850", "ibm850", "cp858"], b"Gr\x81\xe1e", "Grüße"),
        (&["cp852"], b"\x88\xa5", "łą"),
        (&["cp866", "ibm866"], b"\x8f\xe0\xa8", "При"),
        (&["cp1251", "windows-1251", "win-1251", "x-cp1251"], b"\xcf\xf0\xe8", "При"),
        (&["koi8-r", "cp20866"], b"\xf0\xd2\xc9", "При"),
        (&["kz-1048"], b"\xaa", "Ғ"),
        (&["iso-8859-15", "iso_8859_15", "cp28605"], b"\xa4", "€"),
        (&["tis-620", "cp874"], b"\xca\xc7", "สว"),
        (&["utf-16"], b"\xfe\xff\x00\xe9", "é"),
        (&["utf-8", "UTF8", "cp65001", "\"utf-8\""], b"\xef\xbb\xbf\xc3\xa9\xff", "é\u{fffd}"),
        (&["us-ascii", "ANSI_X3.4-1968"], b"a\xc3\xa9\xfc\xc3", "aéüÃ"),
    ] {
        for name in names {
            assert_eq!(decoded(name, octets), text, "{name}");
        }
    }
    for name in ["", "x-none", "cp99999", "windows", "replacement"] {
        assert_eq!(Charset::named(name.as_bytes()), None, "{name}");
    }
}

#[test]
fn iso_2022_jp_may_shift_twice_and_has_the_extensions() {
    for (octets, text) in [
        (&b"\x1b$B7oL>\x1b(B\x1b$B%F%9%H\x1b(B!"[..], "件名テスト!"),
        (b"\x1b$B|b\x1b(B", "髙"),
        (b"\x1b(I6E\x1b(B", "ｶﾅ"),
        (b"\x0e6E\x0f", "ｶﾅ"),
        (b"\xb6\xc5", "ｶﾅ"),
        (b"\x1b$(D0!\x1b(B", "丂"),
        (b"\x1b(Jabc", "abc"),
    ] {
        for name in ["iso-2022-jp", "ISO-2022-JP-2", "cp50221"] {
            assert_eq!(decoded(name, octets), text, "{}", octets.escape_ascii());
        }
    }
}

#[test]
fn a_line_begins_in_ascii_where_the_standard_requires_it() {
    assert_eq!(decoded("iso-2022-kr", b"\x0e>H\nab"), "안\nab");
    assert_eq!(decoded("hz", b"~{Dc\nab~\ncd"), "你\nabcd");
}

proptest! {
    #[test]
    fn any_octets_are_decoded_alike_in_pieces_of_any_size(
        octets in proptest::collection::vec(
            prop_oneof![proptest::sample::select(b"\x1b$()BID~{}+-\x0e\x0f\n".to_vec()), any::<u8>()], 0..60),
        name in proptest::sample::select(vec!["us-ascii", "utf-8", "iso-2022-jp", "iso-2022-kr", "hz", "johab",
            "utf-7", "cp850", "cp932", "gb18030", "utf-16"]),
    ) {
        decoded(name, &octets);
    }
}
