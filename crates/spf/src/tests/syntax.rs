//! RFC 7208 §4.6, §12.

use super::super::record::MAX_LEN;
use super::*;

#[test]
fn rfc_7208_4_6_a_malformed_term_is_known() {
    for (text, term) in [
        ("v=spf1 mx ip4:192.0.2.1 ip:192.0.2.2 -all", "ip:192.0.2.2"),
        ("v=spf1 ip4:192.0.2.256 -all", "ip4:192.0.2.256"),
        ("v=spf1 ip4:192.0.2.0/33 -all", "ip4:192.0.2.0/33"),
        ("v=spf1 ip4:192.0.2.0/024 -all", "ip4:192.0.2.0/024"),
        ("v=spf1 ip4:2001:db8::1 -all", "ip4:2001:db8::1"),
        ("v=spf1 ip6:2001:db8::/129 -all", "ip6:2001:db8::/129"),
        ("v=spf1 include: -all", "include:"),
        ("v=spf1 include -all", "include"),
        ("v=spf1 mx -all:example.com", "-all:example.com"),
        ("v=spf1 a:example.com/33 -all", "a:example.com/33"),
        ("v=spf1 mx -all;", "-all;"),
        ("v=spf1; mx", "v=spf1;"),
        ("v=spf1 redirect=a.example redirect=b.example", "redirect=b.example"),
        ("v=spf1 mx\u{201d} -all", "mx\u{201d}"),
        ("v=spf1 mx –all", "–all"),
        ("v=spf1 mx\t-all", "mx\t-all"),
        ("v=spf1 a:localhost -all", "a:localhost"),
        ("v=spf1 all. -all", "all."),
        ("v=spf1 all/8 -all", "all/8"),
        ("v=spf1 +-all", "+-all"),
        ("v=spf1 ip4:192.0.2.1/ -all", "ip4:192.0.2.1/"),
        ("v=spf1 ip4:192.0.2.0/+8 -all", "ip4:192.0.2.0/+8"),
        ("v=spf1 ip4:192.0.2.1:25 -all", "ip4:192.0.2.1:25"),
        ("v=spf1 ip4:192.0.2.0/24//64 -all", "ip4:192.0.2.0/24//64"),
        ("v=spf1 ip4:192.0.02.1 -all", "ip4:192.0.02.1"),
        ("v=spf1 ip4 -all", "ip4"),
        ("v=spf1 ip6: -all", "ip6:"),
        ("v=spf1 ip6:2001:db8:::1 -all", "ip6:2001:db8:::1"),
        ("v=spf1 ip6:fe80::1%eth0 -all", "ip6:fe80::1%eth0"),
        ("v=spf1 a/ -all", "a/"),
        ("v=spf1 a//129 -all", "a//129"),
        ("v=spf1 a/24/64 -all", "a/24/64"),
        ("v=spf1 a/024 -all", "a/024"),
        ("v=spf1 a: -all", "a:"),
        ("v=spf1 a:example.com// -all", "a:example.com//"),
        ("v=spf1 mx:example.com:8080 -all", "mx:example.com:8080"),
        ("v=spf1 mx/33 -all", "mx/33"),
        ("v=spf1 include:example.com/24 -all", "include:example.com/24"),
        ("v=spf1 exists:example.com/24 -all", "exists:example.com/24"),
        ("v=spf1 exists -all", "exists"),
        ("v=spf1 ptr/0 -all", "ptr/0"),
        ("v=spf1 ptr: -all", "ptr:"),
        ("v=spf1 redirect= ", "redirect="),
        ("v=spf1 -all redirect=localhost", "redirect=localhost"),
        ("v=spf1 exp= -all", "exp="),
        ("v=spf1 exp=a.example exp=b.example -all", "exp=b.example"),
        ("v=spf1 moo=%{x} -all", "moo=%{x}"),
        ("v=spf1 =moo -all", "=moo"),
        ("v=spf1 m/o=moo -all", "m/o=moo"),
        ("v=spf1 1=moo -all", "1=moo"),
        ("v=spf1 a\u{7f} -all", "a\u{7f}"),
    ] {
        assert_eq!(Record::parse(text.as_bytes()).unwrap_err().term, term, "{text}");
    }
    for text in [
        "v=spf1",
        "V=SPF1 A MX/24//64 A:a.example//64 ?All",
        "v=spf1  mx   -all ",
        "v=spf1 mx unknown=%{c}/thing exp=explain._spf.%{d} -all",
        "v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d} a:%{d/}/24 redirect=%{d}",
        "v=spf1 a:foo:bar/baz.example.com a:foo/8.example.com/8//8 mx:a%%b.example//0",
        "v=spf1 moo.cow-far_out=man:dog/cat empty= -all",
        "v=spf1 ip4:0.0.0.0/0 ip6:::/0 include:_spf.a-b.example. ptr:example.com",
    ] {
        assert!(Record::parse(text.as_bytes()).is_ok(), "{text}: {:?}", Record::parse(text.as_bytes()));
    }
}

#[test]
fn rfc_7208_4_6_a_syntax_error_anywhere_is_found_before_anything_is_evaluated() {
    for text in [
        "v=spf1 +all moo",
        "v=spf1 ip4:192.0.2.0/24 -all a:%{d",
        "v=spf1 +all ip4:1.2.3.4/33",
        "v=spf1 +all exp=",
    ] {
        assert_eq!(result(text, &[], "192.0.2.3"), "permerror", "{text}");
    }
}

#[test]
fn rfc_7208_3_1_octets_that_are_not_ascii() {
    for octets in [
        &b"v=spf1 a:\xef\xbb\xbfexample.com -all"[..],
        b"v=spf1 +all\xff",
        b"v=spf1 moo=\xc3\xa9 +all",
        b"v=spf1 \xa0+all",
    ] {
        let record = RData::TXT(TXT::from_bytes(vec![octets]));
        let zone = BTreeMap::from([((name("example.com."), RecordType::TXT), Answer::Found(vec![record]))]);
        assert_eq!(named(&evaluate(&zone, "example.com", "192.0.2.3")), "permerror", "{octets:?}");
    }
}

#[test]
fn rfc_7208_3_4_a_record_is_bounded() {
    for (length, expected) in [(MAX_LEN, "fail"), (MAX_LEN + 1, "permerror")] {
        let text = format!("{:<1$}", "v=spf1 -all", length);
        // A TXT record consists of strings of 255 octets at most.
        let record = RData::TXT(TXT::from_bytes(text.as_bytes().chunks(255).collect()));
        let zone = BTreeMap::from([((name("example.com."), RecordType::TXT), Answer::Found(vec![record]))]);
        assert_eq!(named(&evaluate(&zone, "example.com", "192.0.2.3")), expected, "{length}");
    }
}

proptest::proptest! {
    #[test]
    fn no_record_makes_the_evaluation_panic_or_ask_without_end(terms in "v=spf1([ -~]|[a-z:]{1,8}|%\\{[a-z0-9]{0,3}r?[./]?\\}|//?[0-9]{1,3}|é){0,40}") {
        let zone = zone(&[("example.com.", "TXT", &terms)]);
        for ip in ["198.51.100.7", "2001:db8::7"] {
            let _ = evaluate(&zone, "example.com", ip);
        }
    }
}
