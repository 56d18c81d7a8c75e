//! RFC 7208 §4.6.4.

use super::*;

#[test]
fn rfc_7208_4_6_4_each_fault_with_the_term_that_has_it() {
    let eleven: String = (1..=11).map(|number| format!(" a:h{number}.example.com")).collect();
    let hosts: Vec<String> = (1..=11).map(|number| format!("mx{number}.example.com.")).collect();
    let mut lines = vec![
        ("empty.example.com.", "A", "192.0.2.1"),
        ("two.example.com.", "TXT", "v=spf1 -all"),
        ("two.example.com.", "TXT", "v=spf1 +all"),
        ("bad.example.com.", "TXT", "v=spf1 ip4:1.2.3 -all"),
        ("loop.example.com.", "TXT", "v=spf1 include:loop.example.com -all"),
        ("deep.example.com.", "TXT", "v=spf1 include:none.example.com -all"),
    ];
    for host in &hosts {
        lines.push(("many.example.com.", "MX", host));
    }
    let owners: Vec<String> = (1..=11).map(|number| format!("h{number}.example.com.")).collect();
    for owner in &owners {
        lines.push((owner, "A", "192.0.2.1"));
    }
    for (terms, expected) in [
        (eleven.as_str(), "Lookups at a:h11.example.com"),
        (
            " include:loop.example.com",
            "Lookups at include:loop.example.com of loop.example.com. through include:loop.example.com",
        ),
        (
            " include:empty.example.com",
            "Records(Some(Name(\"empty.example.com.\")), 0) at include:empty.example.com",
        ),
        (
            " redirect=none.example.com",
            "Records(Some(Name(\"none.example.com.\")), 0) at redirect=none.example.com",
        ),
        (
            " include:two.example.com",
            "Records(Some(Name(\"two.example.com.\")), 2) at include:two.example.com",
        ),
        (
            " include:deep.example.com",
            "Records(Some(Name(\"none.example.com.\")), 0) at include:none.example.com of deep.example.com. through include:deep.example.com",
        ),
        (
            " include:bad.example.com",
            "Syntax(\"its network is malformed\") at ip4:1.2.3 of bad.example.com. through include:bad.example.com",
        ),
        (" mx:many.example.com", "Hosts(11) at mx:many.example.com"),
    ] {
        let text = format!("v=spf1{terms} -all");
        let text = if terms.contains("redirect") { text.replace(" -all", "") } else { text };
        let mut lines = lines.clone();
        lines.push(("example.com.", "TXT", &text));
        assert_eq!(shown(&evaluate(&zone(&lines), "example.com", "198.51.100.7")), expected, "{text}");
    }
    let text = "v=spf1 a:x.example.com a:h1.example.com exists:y.example.com a:z.example.com -all";
    let zone = zone(&[("example.com.", "TXT", text), ("h1.example.com.", "A", "192.0.2.1")]);
    let outcome = shown(&evaluate(&zone, "example.com", "198.51.100.7"));
    assert!(outcome.starts_with("Voids([") && outcome.ends_with("at a:z.example.com"), "{outcome}");
}

#[test]
fn a_term_that_matches_before_a_limit_is_reached_decides() {
    let eleven: String = (1..=11).map(|number| format!(" exists:h{number}.example.com")).collect();
    let text = format!("v=spf1 ip4:198.51.100.0/24{eleven} -all");
    let zone = zone(&[("example.com.", "TXT", &text)]);
    let outcome = evaluate(&zone, "example.com", "198.51.100.7");
    assert_eq!(shown(&outcome), "Pass by ip4:198.51.100.0/24");
}

#[test]
fn rfc_7208_4_6_4_ten_terms_that_need_dns() {
    let lines: Vec<_> = (1..=11).map(|number| format!("h{number}.example.com.")).collect();
    let lines: Vec<_> = lines.iter().map(|owner| (owner.as_str(), "A", "198.51.100.1")).collect();
    let terms =
        |most: usize| -> String { (1..=most).map(|number| format!(" a:h{number}.example.com")).collect() };
    // The terms of the record and of those that it refers to count together; ip4, ip6 and all do not count.
    assert_eq!(
        result(&format!("v=spf1 ip4:192.0.2.9 ip6:::1{} ~all", terms(10)), &lines, "192.0.2.3"),
        "softfail"
    );
    assert_eq!(result(&format!("v=spf1{} ~all", terms(11)), &lines, "192.0.2.3"), "permerror");
    let inner = format!("v=spf1{} ~all", terms(9));
    let mut with_include = lines.clone();
    with_include.push(("inner.example.com.", "TXT", &inner));
    assert_eq!(result("v=spf1 include:inner.example.com ~all", &with_include, "192.0.2.3"), "softfail");
    assert_eq!(result("v=spf1 include:inner.example.com a ~all", &with_include, "192.0.2.3"), "permerror");
    assert_eq!(
        result("v=spf1 a:h1.example.com redirect=inner.example.com", &with_include, "192.0.2.3"),
        "permerror"
    );
}

#[test]
fn rfc_7208_4_6_4_records_that_refer_to_each_other_end() {
    let lines = [
        ("a.example.com.", "TXT", "v=spf1 include:b.example.com -all"),
        ("b.example.com.", "TXT", "v=spf1 include:a.example.com -all"),
        ("r.example.com.", "TXT", "v=spf1 redirect=r.example.com"),
    ];
    for text in [
        "v=spf1 include:a.example.com -all",
        "v=spf1 redirect=r.example.com",
        "v=spf1 include:example.com -all",
    ] {
        assert_eq!(result(text, &lines, "192.0.2.3"), "permerror", "{text}");
    }
}

#[test]
fn rfc_7208_4_6_4_two_terms_without_an_answer() {
    let lines = [
        ("mx.example.com.", "MX", "four.example.com."),
        ("mx.example.com.", "MX", "also-four.example.com."),
        ("mx.example.com.", "MX", "third-four.example.com."),
        ("four.example.com.", "A", "198.51.100.1"),
        ("also-four.example.com.", "A", "198.51.100.2"),
        ("third-four.example.com.", "A", "198.51.100.3"),
    ];
    for (text, expected) in [
        ("v=spf1 a:x.example mx:y.example ?all", "neutral"),
        ("v=spf1 a:x.example mx:y.example exists:z.example ?all", "permerror"),
        ("v=spf1 ptr a:x.example mx:y.example ?all", "permerror"),
        // The terms count: one `mx` whose three hosts have no IPv6 address is one.
        ("v=spf1 mx:mx.example.com a:x.example ?all", "neutral"),
        ("v=spf1 mx:mx.example.com a:x.example a:four.example.com ?all", "permerror"),
    ] {
        assert_eq!(result(text, &lines, "2001:db8::7"), expected, "{text}");
    }
}

#[test]
fn rfc_7208_4_6_4_ten_hosts_of_an_mx_and_ten_names_of_a_client() {
    let hosts: Vec<_> = (1..=11).map(|number| format!("h{number}.example.com.")).collect();
    let mut lines = Vec::new();
    for (index, host) in hosts.iter().enumerate() {
        if index < 10 {
            lines.push(("ten.example.com.", "MX", host.as_str()));
        }
        lines.push(("eleven.example.com.", "MX", host));
        lines.push(("3.2.0.192.in-addr.arpa.", "PTR", host));
        lines.push((host, "A", if index < 10 { "198.51.100.1" } else { "192.0.2.3" }));
    }
    assert_eq!(result("v=spf1 mx:ten.example.com -all", &lines, "198.51.100.1"), "pass");
    assert_eq!(result("v=spf1 mx:ten.example.com -all", &lines, "192.0.2.3"), "fail");
    assert_eq!(result("v=spf1 mx:eleven.example.com -all", &lines, "198.51.100.1"), "permerror");
    // Only the eleventh name has the address; the names after the tenth are not examined.
    assert_eq!(result("v=spf1 ptr -all", &lines, "192.0.2.3"), "fail");
    // A null MX (RFC 7505) is not a host.
    assert_eq!(
        result("v=spf1 mx:null.example.com -all", &[("null.example.com.", "MX", ".")], "192.0.2.3"),
        "fail"
    );
}
