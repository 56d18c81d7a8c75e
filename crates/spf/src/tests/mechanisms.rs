//! RFC 7208 §5, §6.

use super::*;

const PEERS: [(&str, &str, &str); 9] = [
    ("four.example.", "A", "192.0.2.3"),
    ("six.example.", "AAAA", "2001:db8::3"),
    ("mx.example.", "MX", "four.example."),
    ("mx.example.", "MX", "six.example."),
    ("pass.example.", "TXT", "v=spf1 +all"),
    ("fail.example.", "TXT", "v=spf1 -all"),
    ("softfail.example.", "TXT", "v=spf1 ~all"),
    ("neutral.example.", "TXT", "v=spf1"),
    ("malformed.example.", "TXT", "v=spf1 moo"),
];

fn all(cases: &[(&str, &str, &str)]) {
    for (terms, ip, expected) in cases {
        assert_eq!(result(&format!("v=spf1 {terms}"), &PEERS, ip), *expected, "{terms} {ip}");
    }
}

#[test]
fn rfc_7208_5_1_all() {
    all(&[
        ("all", "192.0.2.3", "pass"),
        ("?all", "192.0.2.3", "neutral"),
        ("~ALL", "192.0.2.3", "softfail"),
        ("-all +all", "192.0.2.3", "fail"),
    ]);
}

#[test]
fn rfc_7208_5_2_include() {
    all(&[
        ("include:pass.example -all", "192.0.2.3", "pass"),
        ("?include:pass.example -all", "192.0.2.3", "neutral"),
        ("include:fail.example ~all", "192.0.2.3", "softfail"),
        ("include:softfail.example ?all", "192.0.2.3", "neutral"),
        ("include:neutral.example -all", "192.0.2.3", "fail"),
        ("include:malformed.example -all", "192.0.2.3", "permerror"),
        ("include:absent.example -all", "192.0.2.3", "permerror"),
        // The macros do not expand to a domain.
        ("include:%{v} -all", "192.0.2.3", "permerror"),
    ]);
}

#[test]
fn rfc_7208_5_3_a() {
    all(&[
        ("a:four.example -all", "192.0.2.3", "pass"),
        ("a:four.example -all", "192.0.2.4", "fail"),
        ("a:four.example/24 -all", "192.0.2.4", "pass"),
        ("a:four.example//0 -all", "192.0.2.4", "fail"),
        ("a:four.example/0 -all", "198.51.100.1", "pass"),
        ("a:four.example/0//0 -all", "2001:db8::9", "fail"),
        ("a:six.example//64 -all", "2001:db8::9", "pass"),
        ("a:six.example/24//64 -all", "2001:db8::9", "pass"),
        ("a:six.example -all", "2001:db8::9", "fail"),
        ("a:six.example/0//0 -all", "192.0.2.3", "fail"),
        ("a:four.example -all", "::ffff:192.0.2.3", "pass"),
    ]);
}

#[test]
fn rfc_7208_5_4_mx() {
    all(&[
        ("mx:mx.example -all", "192.0.2.3", "pass"),
        ("mx:mx.example -all", "2001:db8::3", "pass"),
        ("mx:mx.example/24//64 -all", "192.0.2.9", "pass"),
        ("mx:mx.example/24//64 -all", "2001:db8::9", "pass"),
        // A host without an MX record does not count as its own exchange here.
        ("mx:four.example -all", "192.0.2.3", "fail"),
    ]);
}

#[test]
fn rfc_7208_5_5_ptr() {
    let lines = [
        ("3.2.0.192.in-addr.arpa.", "PTR", "EXAMPLE.com."),
        ("4.2.0.192.in-addr.arpa.", "PTR", "mx.example.com."),
        ("5.2.0.192.in-addr.arpa.", "PTR", "notexample.com."),
        ("6.2.0.192.in-addr.arpa.", "PTR", "example.com."),
        ("example.com.", "A", "192.0.2.3"),
        ("mx.example.com.", "A", "192.0.2.4"),
        ("notexample.com.", "A", "192.0.2.5"),
        (
            "3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
            "PTR",
            "six.example.com.",
        ),
        ("six.example.com.", "AAAA", "2001:db8::3"),
    ];
    for (term, ip, expected) in [
        // The domain itself, one below it, one that only ends in the same letters, one with other addresses.
        ("ptr", "192.0.2.3", "pass"),
        ("ptr", "192.0.2.4", "pass"),
        ("ptr", "192.0.2.5", "fail"),
        ("ptr", "192.0.2.6", "fail"),
        ("ptr", "192.0.2.7", "fail"),
        ("ptr", "2001:db8::3", "pass"),
        ("ptr:mx.example.com", "192.0.2.4", "pass"),
        ("ptr:mx.example.com", "192.0.2.3", "fail"),
        ("ptr:com.", "192.0.2.3", "permerror"),
    ] {
        assert_eq!(result(&format!("v=spf1 {term} -all"), &lines, ip), expected, "{term} {ip}");
    }
    // RFC 7208 §5.5: an error of DNS does not match.
    let mut broken = zone(&[("example.com.", "TXT", "v=spf1 ptr -all")]);
    broken.insert((name("3.2.0.192.in-addr.arpa."), RecordType::PTR), Answer::Failed("SERVFAIL".into()));
    assert_eq!(named(&evaluate(&broken, "example.com", "192.0.2.3")), "fail");
}

#[test]
fn rfc_7208_5_6_ip4_and_ip6() {
    all(&[
        ("ip4:192.0.2.3 -all", "192.0.2.3", "pass"),
        ("ip4:192.0.2.3 -all", "::ffff:192.0.2.3", "pass"),
        ("ip4:192.0.2.0/24 -all", "192.0.3.1", "fail"),
        // The bits after the prefix do not matter.
        ("ip4:192.0.2.77/24 -all", "192.0.2.3", "pass"),
        ("ip4:0.0.0.0/0 -all", "198.51.100.1", "pass"),
        ("ip4:0.0.0.0/0 -all", "2001:db8::1", "fail"),
        ("ip6:::/0 -all", "2001:db8::1", "pass"),
        ("ip6:::/0 -all", "192.0.2.3", "fail"),
        ("ip6:::/0 -all", "::ffff:192.0.2.3", "fail"),
        ("ip6:::ffff:192.0.2.3 -all", "192.0.2.3", "fail"),
        ("ip6:2001:db8::/33 -all", "2001:db8:8000::1", "fail"),
        ("ip6:2001:DB8::3 -all", "2001:db8::3", "pass"),
        ("ip4:192.0.2.0/33 -all", "192.0.2.3", "permerror"),
    ]);
}

#[test]
fn rfc_7208_5_7_exists_asks_for_ipv4() {
    all(&[
        ("exists:four.example -all", "192.0.2.3", "pass"),
        ("exists:four.example -all", "2001:db8::3", "pass"),
        ("exists:six.example -all", "192.0.2.3", "fail"),
        ("exists:six.example -all", "2001:db8::3", "fail"),
        ("exists:absent.example -all", "192.0.2.3", "fail"),
    ]);
}

#[test]
fn rfc_7208_6_1_redirect() {
    all(&[
        ("redirect=fail.example", "192.0.2.3", "fail"),
        ("redirect=neutral.example", "192.0.2.3", "neutral"),
        // Its position does not matter, and it has no effect beside `all`.
        ("redirect=fail.example ip4:192.0.2.3", "192.0.2.3", "pass"),
        ("redirect=fail.example ip4:192.0.2.3", "192.0.2.4", "fail"),
        ("redirect=fail.example ?all", "192.0.2.3", "neutral"),
        ("redirect=absent.example", "192.0.2.3", "permerror"),
        ("redirect=%{v}", "192.0.2.3", "permerror"),
        ("redirect=malformed.example", "192.0.2.3", "permerror"),
    ]);
}

#[test]
fn rfc_7208_6_2_an_evaluation_does_not_look_up_its_explanation() {
    let mut zone = zone(&[("example.com.", "TXT", "v=spf1 exp=explain.example -all")]);
    zone.insert((name("explain.example."), RecordType::TXT), Answer::Failed("SERVFAIL".into()));
    assert_eq!(named(&evaluate(&zone, "example.com", "192.0.2.3")), "fail");
}
