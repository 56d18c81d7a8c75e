//! RFC 7208 §7.

use super::super::expansion::{Spec, Values};
use super::*;

/// The expansion in the record of email.example.com, for mail from `local_part@email.example.com`.
fn expanded(spec: &str, local_part: &str, ip: &str) -> Option<Name> {
    let domain = "email.example.com";
    let sender = Sender { ip: ip.parse().unwrap(), local_part, domain, helo: "mail.example.net" };
    let current = name("email.example.com.");
    Spec::domain(spec).unwrap().expand(&Values {
        sender: &sender,
        domain: &current,
        client: None,
        receiver: None,
    })
}

#[test]
fn rfc_7208_7_4_the_examples() {
    for (ip, spec, expected) in [
        ("192.0.2.3", "%{o}", "email.example.com."),
        ("192.0.2.3", "%{d4}", "email.example.com."),
        ("192.0.2.3", "%{d2}", "example.com."),
        ("192.0.2.3", "%{dr}", "com.example.email."),
        ("192.0.2.3", "%{d2r}", "example.email."),
        ("192.0.2.3", "%{l}.%{h}", "strong-bad.mail.example.net."),
        ("192.0.2.3", "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com."),
        ("192.0.2.3", "%{d5}", "email.example.com."),
        ("192.0.2.3", "%{d3}", "email.example.com."),
        ("192.0.2.3", "%{d1}.x", "com.x."),
        ("192.0.2.3", "%{l-}.x", "strong.bad.x."),
        ("192.0.2.3", "%{lr}.x", "strong-bad.x."),
        ("192.0.2.3", "%{l1r-}.x", "strong.x."),
        ("192.0.2.3", "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com."),
        ("192.0.2.3", "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com."),
        ("192.0.2.3", "%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net."),
        ("192.0.2.3", "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com."),
        (
            "2001:db8::cb01",
            "%{ir}.%{v}._spf.%{d2}",
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com.",
        ),
    ] {
        assert_eq!(expanded(spec, "strong-bad", ip), Some(name(expected)), "{spec}");
    }
}

#[test]
fn rfc_7208_7_1_malformed_macros_make_no_domain_spec() {
    for wrong in [
        "%{x}.a",
        "%{d",
        "%{}",
        "%{",
        "%",
        "a.%",
        "%(d)",
        "%d.example.com",
        "%{d0}",
        "%{d00r}",
        "%{dr2}",
        "%{d!}",
        "%{d2rr}",
        "%{\u{e9}}",
        "%{-d}",
        // These three occur in explanations only (§7.2).
        "%{c}",
        "%{r}",
        "%{t}",
        // `domain-end`: a top label, which is not all digits, or a macro.
        "",
        "a b.example",
        "example",
        "example.",
        "example.1",
        "example.-a",
        "example.a-",
        "a.example..",
        "%{d}com",
        "\u{e9}.example",
        "a%%_",
        "a.b%",
    ] {
        assert!(Spec::domain(wrong).is_none(), "{wrong}");
    }
    for right in
        ["a.%%", "%_", "a%-", "%{D2R.-+,/_=}", "a.b-1", "a.1b.", "foo:bar/baz.example", "%{d}.com", "*.a"]
    {
        assert!(Spec::domain(right).is_some(), "{right}");
    }
}

#[test]
fn rfc_7208_7_2_the_values() {
    let label = |spec: &str, local_part: &str| {
        let name = expanded(spec, local_part, "192.0.2.3").unwrap();
        name.iter().map(|label| String::from_utf8_lossy(label).into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(label("%{s}", "ann"), ["ann@email", "example", "com"]);
    assert_eq!(label("%{s}", ""), ["postmaster@email", "example", "com"]);
    assert_eq!(label("%{l}.x", ""), ["postmaster", "x"]);
    assert_eq!(label("%{h}", ""), ["mail", "example", "net"]);
    assert_eq!(label("%{p}.x", ""), ["unknown", "x"]);
    assert_eq!(label("a%%b%_c%-d.x", ""), ["a%b c%20d", "x"]);
    assert_eq!(label("%{v}.x", ""), ["in-addr", "x"]);
}

#[test]
fn rfc_7208_7_3_an_upper_case_letter_escapes_for_urls() {
    let label = |spec: &str, local_part: &str| {
        let name = expanded(spec, local_part, "192.0.2.3").unwrap();
        String::from_utf8(name.iter().next().unwrap().to_vec()).unwrap()
    };
    assert_eq!(label("%{L}.x", "jack&jill=up"), "jack%26jill%3Dup");
    assert_eq!(label("%{L}.x", "~a_b-C9"), "~a_b-C9");
    assert_eq!(label("%{L=}.x", "a=b"), "a");
    assert_eq!(label("%{l}.x", "jack&jill=up"), "jack&jill=up");
    assert_eq!(label("%{S}.x", "ann"), "ann%40email");
    assert_eq!(label("%{l}.x", "100%"), "100%");
}

#[test]
fn rfc_7208_7_3_a_long_name_loses_labels_on_its_left() {
    let long = format!("{}%{{d}}", "a23456789.".repeat(30));
    let cut = expanded(&long, "", "192.0.2.3").unwrap().to_string();
    assert!(cut.starts_with("a23456789.") && cut.ends_with(".a23456789.email.example.com."), "{cut}");
    assert!((244..=254).contains(&cut.len()), "{cut}");
}

#[test]
fn rfc_7208_4_8_what_is_no_name_matches_nothing() {
    for local_part in ["a..b", ".a", "a".repeat(64).as_str(), "\u{e9}"] {
        assert_eq!(expanded("%{l}.x", local_part, "192.0.2.3"), None, "{local_part}");
        let zone = zone(&[("example.com.", "TXT", "v=spf1 exists:%{l}.x.example -all")]);
        assert_eq!(named(&check(&zone, local_part, "example.com", "192.0.2.3")), "fail", "{local_part}");
    }
    // RFC 8616 §4: macros with such a local part match nothing, other terms do.
    let zone = zone(&[("example.com.", "TXT", "v=spf1 a:%{l}.x.example ip4:192.0.2.3 -all")]);
    assert_eq!(named(&check(&zone, "\u{e9}", "example.com", "192.0.2.3")), "pass");
}

#[test]
fn rfc_7208_7_3_the_client_name_is_validated() {
    let lines = [
        ("3.2.0.192.in-addr.arpa.", "PTR", "forged.example."),
        ("3.2.0.192.in-addr.arpa.", "PTR", "other.example."),
        ("3.2.0.192.in-addr.arpa.", "PTR", "mx.example.com."),
        ("4.2.0.192.in-addr.arpa.", "PTR", "other.example."),
        ("4.2.0.192.in-addr.arpa.", "PTR", "mx.example.com."),
        ("4.2.0.192.in-addr.arpa.", "PTR", "example.com."),
        ("forged.example.", "A", "198.51.100.1"),
        ("other.example.", "A", "192.0.2.3"),
        ("other.example.", "A", "192.0.2.4"),
        ("mx.example.com.", "A", "192.0.2.4"),
        ("example.com.", "A", "192.0.2.4"),
        ("example.com._.x.example.", "A", "127.0.0.2"),
        ("other.example._.x.example.", "A", "127.0.0.2"),
        ("unknown._.y.example.", "A", "127.0.0.2"),
    ];
    for (ip, term, expected) in [
        // A name of another domain, since the domain's own does not have the address.
        ("192.0.2.3", "exists:%{p}._.x.example", "pass"),
        // The domain itself is preferred.
        ("192.0.2.4", "exists:%{p}._.x.example", "pass"),
        ("192.0.2.4", "exists:%{p1}.%{p}._.x.example", "fail"),
        // An address without a name.
        ("192.0.2.5", "exists:%{p}._.y.example", "pass"),
        ("192.0.2.5", "exists:%{p}._.x.example", "fail"),
    ] {
        assert_eq!(result(&format!("v=spf1 {term} -all"), &lines, ip), expected, "{ip} {term}");
    }
    let mut broken = zone(&[("unknown._.y.example.", "A", "127.0.0.2")]);
    broken.extend(zone(&[("example.com.", "TXT", "v=spf1 exists:%{p}._.y.example -all")]));
    broken.insert((name("3.2.0.192.in-addr.arpa."), RecordType::PTR), Answer::Failed("SERVFAIL".into()));
    assert_eq!(named(&evaluate(&broken, "example.com", "192.0.2.3")), "pass");
}
