//! RFC 7208 §2.4, §4.3 to §4.5, and the results of each kind of answer.

use super::*;

#[test]
fn a_query_without_an_answer_is_named() {
    let mut zone = zone(&[("example.com.", "TXT", "v=spf1 include:_spf.example.net -all")]);
    zone.insert((name("_spf.example.net."), RecordType::TXT), Answer::Failed("SERVFAIL".into()));
    let outcome = evaluate(&zone, "example.com", "198.51.100.7");
    assert_eq!(shown(&outcome), "TXT of _spf.example.net.: SERVFAIL");
}

#[test]
fn rfc_7208_4_3_a_domain_that_is_not_one_has_no_result() {
    let label = "a".repeat(64);
    let long = format!("{}example.com", "a23456789.".repeat(25));
    let malformed = [
        "",
        ".",
        "localhost",
        "localhost.",
        "[192.0.2.3]",
        "[IPv6:2001:db8::7]",
        "a..example.com",
        ".example.com",
        &format!("{label}.example.com"),
        &long,
        "\u{e9}.example.com",
    ];
    for domain in malformed {
        // No query is made.
        assert_eq!(
            check_host(
                &BTreeMap::new(),
                &Sender { ip: "192.0.2.3".parse().unwrap(), local_part: "", domain, helo: domain }
            ),
            Err(Stop::Absent),
            "{domain}"
        );
    }
    let zone = zone(&[("a_b.example.com.", "TXT", "v=spf1 -all")]);
    for domain in ["a_b.example.com", "A_B.EXAMPLE.com."] {
        assert_eq!(named(&evaluate(&zone, domain, "192.0.2.3")), "fail", "{domain}");
    }
}

#[test]
fn rfc_7208_2_4_the_null_sender_is_postmaster_of_the_name_in_helo() {
    let zone = zone(&[
        ("mail.example.net.", "TXT", "v=spf1 exists:%{l}.%{o}.%{h}._.example.net -all"),
        ("postmaster.mail.example.net.mail.example.net._.example.net.", "A", "127.0.0.2"),
    ]);
    assert_eq!(named(&check(&zone, "", "mail.example.net", "192.0.2.3")), "pass");
    assert_eq!(named(&check(&zone, "ann", "mail.example.net", "192.0.2.3")), "fail");
}

#[test]
fn rfc_7208_4_4_the_answers_about_the_record() {
    let mut zone = zone(&[("other.example.com.", "TXT", "verification=1")]);
    zone.insert((name("broken.example.com."), RecordType::TXT), Answer::Failed("SERVFAIL".into()));
    for (domain, expected) in
        [("other.example.com", "none"), ("absent.example.com", "none"), ("broken.example.com", "temperror")]
    {
        assert_eq!(named(&evaluate(&zone, domain, "192.0.2.3")), expected, "{domain}");
    }
}

#[test]
fn rfc_7208_4_5_one_record_begins_with_the_version() {
    for (text, expected) in [
        ("v=spf1 -all", "fail"),
        ("V=SPF1 -ALL", "fail"),
        ("v=spf1", "neutral"),
        ("v=spf1 ", "neutral"),
        ("v=spf10 -all", "none"),
        ("v=spf1-all", "none"),
        ("v=spf1; -all", "none"),
        ("v=spf1\t-all", "none"),
        (" v=spf1 -all", "none"),
        ("spf2.0/pra -all", "none"),
    ] {
        assert_eq!(result(text, &[], "192.0.2.3"), expected, "{text}");
    }
    for second in ["v=spf1 +all", "v=spf1", "v=spf1 -all", "V=spf1 moo"] {
        assert_eq!(
            result("v=spf1 -all", &[("example.com.", "TXT", second)], "192.0.2.3"),
            "permerror",
            "{second}"
        );
    }
    for other in ["verification=1", "v=spf10", "v=DMARC1; p=none"] {
        assert_eq!(result("v=spf1 -all", &[("example.com.", "TXT", other)], "192.0.2.3"), "fail", "{other}");
    }
}

#[test]
fn rfc_7208_3_3_the_strings_of_a_record_are_joined_without_spaces() {
    let record = RData::TXT(TXT::from_bytes(vec![b"v=spf1 ip4:192.0.", b"2.3 -all"]));
    let zone = BTreeMap::from([((name("example.com."), RecordType::TXT), Answer::Found(vec![record]))]);
    assert_eq!(shown(&evaluate(&zone, "example.com", "192.0.2.3")), "Pass by ip4:192.0.2.3");
}

#[test]
fn rfc_7208_2_6_6_an_error_of_dns_is_temporary() {
    for (term, query) in [
        ("a:x.example", ("x.example.", RecordType::A)),
        ("mx:x.example", ("x.example.", RecordType::MX)),
        ("mx:m.example", ("x.example.", RecordType::A)),
        ("exists:x.example", ("x.example.", RecordType::A)),
        ("include:x.example", ("x.example.", RecordType::TXT)),
        ("redirect=x.example", ("x.example.", RecordType::TXT)),
    ] {
        let text = format!("v=spf1 {term}");
        let mut zone = zone(&[("example.com.", "TXT", text.as_str()), ("m.example.", "MX", "x.example.")]);
        zone.insert((name(query.0), query.1), Answer::Failed("SERVFAIL".into()));
        assert_eq!(named(&evaluate(&zone, "example.com", "192.0.2.3")), "temperror", "{term}");
        // After an earlier term that matches, no answer is needed.
        let text = format!("v=spf1 ip4:192.0.2.3 {term}");
        let answer = Answer::Found(vec![record("TXT", &text).1]);
        zone.insert((name("example.com."), RecordType::TXT), answer);
        assert_eq!(named(&evaluate(&zone, "example.com", "192.0.2.3")), "pass", "{term}");
    }
}
