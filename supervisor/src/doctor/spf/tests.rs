//! The examples of RFC 7208 (§7.4, Appendix A), and each limit.

use hickory_proto::rr::rdata::{MX, PTR, TXT};

use super::expansion::Spec;
use super::*;

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn record(kind: &str, value: &str) -> (RecordType, RData) {
    match kind {
        "A" => (RecordType::A, RData::A(A(value.parse().unwrap()))),
        "AAAA" => (RecordType::AAAA, RData::AAAA(AAAA(value.parse().unwrap()))),
        "MX" => (RecordType::MX, RData::MX(MX::new(10, name(value)))),
        "PTR" => (RecordType::PTR, RData::PTR(PTR(name(value)))),
        _ => (RecordType::TXT, RData::TXT(TXT::from_bytes(vec![value.as_bytes()]))),
    }
}

/// A zone by its lines; what is not in it has nothing.
fn zone(lines: &[(&str, &str, &str)]) -> BTreeMap<Question, Answer> {
    let mut names: BTreeMap<Question, Answer> = BTreeMap::new();
    for (owner, kind, value) in lines {
        let (kind, data) = record(kind, value);
        match names.entry((name(owner), kind)).or_insert(Answer::Nothing) {
            Answer::Found(records) => records.push(data),
            nothing => *nothing = Answer::Found(vec![data]),
        }
    }
    names
}

/// The outcome, once all that is asked for is known.
fn evaluate(zone: &BTreeMap<Question, Answer>, domain: &str, ip: &str) -> Result<Verdict, Stop> {
    let (domain, helo) = (Domain::parse(domain).unwrap(), Domain::parse("mail.example.net").unwrap());
    let sender = Sender { ip: ip.parse().unwrap(), domain: &domain, helo: &helo };
    let mut names = BTreeMap::new();
    for _ in 0..100 {
        let host = name("mail.example.net.");
        let outcome = check_host(&Seen { names: &names, host: &host, own: &[] }, &sender);
        let Err(Stop::Asks(questions)) = outcome else { return outcome };
        for question in questions {
            let answer = zone.get(&question).cloned().unwrap_or(Answer::Nothing);
            assert!(names.insert(question, answer).is_none(), "asked twice");
        }
    }
    panic!("it asks for ever");
}

fn said(outcome: &Result<Verdict, Stop>) -> String {
    let at = |place: &Place| match &place.through {
        Some(through) => format!("{} of {} through {through}", place.term, place.record),
        None => place.term.clone(),
    };
    match outcome {
        Ok(Verdict { qualifier, by: Some(place) }) => format!("{qualifier:?} by {}", at(place)),
        Ok(Verdict { qualifier, by: None }) => format!("{qualifier:?}"),
        Err(Stop::Broken(broken)) => format!("{:?} at {}", broken.0, at(&broken.1)),
        Err(Stop::Unknown(question, why)) => format!("{} of {}: {why}", question.1, question.0),
        Err(Stop::Asks(_)) => "asks".to_owned(),
    }
}

/// RFC 7208, Appendix A.
const APPENDIX: [(&str, &str, &str); 19] = [
    ("example.com.", "MX", "mail-a.example.com."),
    ("example.com.", "MX", "mail-b.example.com."),
    ("example.com.", "A", "192.0.2.10"),
    ("example.com.", "A", "192.0.2.11"),
    ("amy.example.com.", "A", "192.0.2.65"),
    ("bob.example.com.", "A", "192.0.2.66"),
    ("mail-a.example.com.", "A", "192.0.2.129"),
    ("mail-b.example.com.", "A", "192.0.2.130"),
    ("example.org.", "MX", "mail-c.example.org."),
    ("mail-c.example.org.", "A", "192.0.2.140"),
    ("10.2.0.192.in-addr.arpa.", "PTR", "example.com."),
    ("11.2.0.192.in-addr.arpa.", "PTR", "example.com."),
    ("65.2.0.192.in-addr.arpa.", "PTR", "amy.example.com."),
    ("66.2.0.192.in-addr.arpa.", "PTR", "bob.example.com."),
    ("129.2.0.192.in-addr.arpa.", "PTR", "mail-a.example.com."),
    ("140.2.0.192.in-addr.arpa.", "PTR", "mail-c.example.org."),
    ("4.0.0.10.in-addr.arpa.", "PTR", "bob.example.com."),
    ("example.org.", "TXT", "v=spf1 include:example.com include:example.net -all"),
    ("la.example.org.", "TXT", "v=spf1 redirect=example.org"),
];

#[test]
fn the_examples_of_the_standard_come_out_as_it_says() {
    for (text, ip, expected) in [
        ("v=spf1 +all", "192.0.2.1", "Pass by +all"),
        ("v=spf1 a -all", "192.0.2.10", "Pass by a"),
        ("v=spf1 a -all", "192.0.2.12", "Fail by -all"),
        ("v=spf1 a:example.org -all", "192.0.2.10", "Fail by -all"),
        ("v=spf1 mx -all", "192.0.2.129", "Pass by mx"),
        ("v=spf1 mx:example.org -all", "192.0.2.140", "Pass by mx:example.org"),
        ("v=spf1 mx mx:example.org -all", "192.0.2.140", "Pass by mx:example.org"),
        ("v=spf1 mx/30 mx:example.org/30 -all", "192.0.2.131", "Pass by mx/30"),
        ("v=spf1 mx/30 mx:example.org/30 -all", "192.0.2.143", "Pass by mx:example.org/30"),
        ("v=spf1 ptr -all", "192.0.2.65", "Pass by ptr"),
        ("v=spf1 ptr -all", "192.0.2.140", "Fail by -all"),
        // It has one of the domain's names, and that name another address.
        ("v=spf1 ptr -all", "10.0.0.4", "Fail by -all"),
        ("v=spf1 ip4:192.0.2.128/28 -all", "192.0.2.129", "Pass by ip4:192.0.2.128/28"),
        ("v=spf1 ip4:192.0.2.128/28 -all", "192.0.2.65", "Fail by -all"),
    ] {
        let mut lines = APPENDIX.to_vec();
        lines.push(("example.com.", "TXT", text));
        let outcome = evaluate(&zone(&lines), "example.com", ip);
        assert_eq!(said(&outcome), expected, "{text} {ip}");
    }
    let mut lines = APPENDIX.to_vec();
    lines.push(("example.com.", "TXT", "v=spf1 mx -all"));
    lines.push(("example.net.", "TXT", "v=spf1 ip4:192.0.2.200 ~all"));
    let zone = zone(&lines);
    for (domain, ip, expected) in [
        ("example.org", "192.0.2.130", "Pass by include:example.com"),
        ("example.org", "192.0.2.200", "Pass by include:example.net"),
        // What another record fails is not failed by the one that includes it (§5.2).
        ("example.org", "192.0.2.201", "Fail by -all"),
        (
            "la.example.org",
            "192.0.2.200",
            "Pass by include:example.net of example.org. through redirect=example.org",
        ),
        ("la.example.org", "192.0.2.201", "Fail by -all of example.org. through redirect=example.org"),
    ] {
        assert_eq!(said(&evaluate(&zone, domain, ip)), expected, "{domain} {ip}");
    }
}

#[test]
fn a_macro_is_what_the_standard_shows() {
    let domain = Domain::parse("email.example.com").unwrap();
    let helo = Domain::parse("mail.example.net").unwrap();
    let current = name("email.example.com.");
    for (ip, spec, expected) in [
        ("192.0.2.3", "%{o}", "email.example.com."),
        ("192.0.2.3", "%{d4}", "email.example.com."),
        ("192.0.2.3", "%{d2}", "example.com."),
        ("192.0.2.3", "%{dr}", "com.example.email."),
        ("192.0.2.3", "%{d2r}", "example.email."),
        ("192.0.2.3", "%{l}.%{h}", "postmaster.mail.example.net."),
        ("192.0.2.3", "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com."),
        ("192.0.2.3", "%{lr-}.lp._spf.%{d2}", "postmaster.lp._spf.example.com."),
        (
            "2001:db8::cb01",
            "%{ir}.%{v}._spf.%{d2}",
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com.",
        ),
    ] {
        let sender = Sender { ip: ip.parse().unwrap(), domain: &domain, helo: &helo };
        let expanded = Spec::domain(spec).unwrap().expand(&sender, &current).unwrap();
        assert_eq!(expanded, name(expected), "{spec}");
    }
    let sender = Sender { ip: "192.0.2.3".parse().unwrap(), domain: &domain, helo: &helo };
    let address = Spec::domain("%{s}").unwrap().expand(&sender, &current).unwrap();
    assert_eq!(address.iter().next(), Some(&b"postmaster@email"[..]));
    let long = format!("{}%{{d}}", "a23456789.".repeat(30));
    let cut = Spec::domain(&long).unwrap().expand(&sender, &current).unwrap();
    assert!(
        cut.to_string().ends_with(".a23456789.email.example.com.") && cut.to_string().len() <= 254,
        "{cut}"
    );
    for wrong in
        ["%{x}.a", "%{d", "%{d0}", "%d.example.com", "%{c}", "a b.example", "example.1", "example.-a", ""]
    {
        assert!(Spec::domain(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn a_record_that_cannot_be_read_is_known_by_its_term() {
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
        ("v=spf1; mx", ";"),
        ("v=spf1 redirect=a.example redirect=b.example", "redirect=b.example"),
        ("v=spf1 mx\u{201d} -all", "mx\u{201d}"),
        ("v=spf1 mx –all", "–all"),
        ("v=spf1 mx\t-all", "mx\t-all"),
        ("v=spf1 a:localhost -all", "a:localhost"),
    ] {
        assert_eq!(Record::parse(text).unwrap_err().term, term, "{text}");
    }
    for text in [
        "v=spf1",
        "V=SPF1 A MX/24//64 A:a.example//64 ?All",
        "v=spf1  mx   -all ",
        "v=spf1 mx unknown=%{c}/thing exp=explain._spf.%{d} -all",
        "v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d} a:%{d/}/24 redirect=%{d}",
        "v=spf1 ip4:0.0.0.0/0 ip6:::/0 include:_spf.a-b.example. ptr:example.com",
    ] {
        assert!(Record::parse(text).is_ok(), "{text}: {:?}", Record::parse(text));
    }
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_strange_to_be_read(terms in "v=spf1([ -~]|[a-z:]{1,8}|%\\{[a-z0-9]{0,3}r?[./]?\\}|//?[0-9]{1,3}|é){0,40}") {
        let zone = zone(&[("example.com.", "TXT", &terms)]);
        for ip in ["198.51.100.7", "2001:db8::7"] {
            let _ = evaluate(&zone, "example.com", ip);
        }
    }
}

#[test]
fn what_breaks_a_record_is_told_with_the_term_that_does() {
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
            "Syntax(\"what it names is no network of that kind\") at ip4:1.2.3 of bad.example.com. through include:bad.example.com",
        ),
        (" mx:many.example.com", "Hosts(11) at mx:many.example.com"),
    ] {
        let text = format!("v=spf1{terms} -all");
        let text = if terms.contains("redirect") { text.replace(" -all", "") } else { text };
        let mut lines = lines.clone();
        lines.push(("example.com.", "TXT", &text));
        assert_eq!(said(&evaluate(&zone(&lines), "example.com", "198.51.100.7")), expected, "{text}");
    }
    let text = "v=spf1 a:x.example.com a:h1.example.com exists:y.example.com a:z.example.com -all";
    let zone = zone(&[("example.com.", "TXT", text), ("h1.example.com.", "A", "192.0.2.1")]);
    let outcome = said(&evaluate(&zone, "example.com", "198.51.100.7"));
    assert!(outcome.starts_with("Voids([") && outcome.ends_with("at a:z.example.com"), "{outcome}");
}

#[test]
fn what_decides_before_a_fault_is_reached_stands() {
    let eleven: String = (1..=11).map(|number| format!(" exists:h{number}.example.com")).collect();
    let text = format!("v=spf1 ip4:198.51.100.0/24{eleven} -all");
    let zone = zone(&[("example.com.", "TXT", &text)]);
    let outcome = evaluate(&zone, "example.com", "198.51.100.7");
    assert_eq!(said(&outcome), "Pass by ip4:198.51.100.0/24");
}

#[test]
fn a_question_without_an_answer_leaves_it_open() {
    let mut zone = zone(&[("example.com.", "TXT", "v=spf1 include:_spf.example.net -all")]);
    zone.insert((name("_spf.example.net."), RecordType::TXT), Answer::Failed("SERVFAIL".into()));
    let outcome = evaluate(&zone, "example.com", "198.51.100.7");
    assert_eq!(said(&outcome), "TXT of _spf.example.net.: SERVFAIL");
}

#[test]
fn the_machine_has_its_own_addresses_whatever_dns_says() {
    let names = zone(&[("example.org.", "TXT", "v=spf1 a:mail.example.org -all")]);
    let (domain, host) = (Domain::parse("example.org").unwrap(), name("mail.example.org."));
    let own: [IpAddr; 1] = ["2001:db8::7".parse().unwrap()];
    let seen = Seen { names: &names, host: &host, own: &own };
    let of =
        |ip: &str| check_host(&seen, &Sender { ip: ip.parse().unwrap(), domain: &domain, helo: &domain });
    assert_eq!(said(&of("2001:db8::7")), "Pass by a:mail.example.org");
    assert_eq!(said(&of("198.51.100.7")), "Fail by -all");
}
