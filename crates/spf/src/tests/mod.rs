//! The examples of RFC 7208, Appendix A. The rules and the limits are in the files beside this one.

mod explanation;
mod limits;
mod lookup;
mod macros;
mod mechanisms;
mod syntax;

use hickory_proto::rr::rdata::{A, AAAA, MX, PTR, TXT};

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

/// A zone from its lines; a name without a line does not exist.
fn zone(lines: &[(&str, &str, &str)]) -> BTreeMap<Query, Answer> {
    let mut names: BTreeMap<Query, Answer> = BTreeMap::new();
    for (owner, kind, value) in lines {
        let (kind, data) = record(kind, value);
        match names.entry((name(owner), kind)).or_insert(Answer::Nothing) {
            Answer::Found(records) => records.push(data),
            nothing => *nothing = Answer::Found(vec![data]),
        }
    }
    names
}

/// The result for mail from `local_part@domain`, with all answers of the zone.
fn check(zone: &BTreeMap<Query, Answer>, local_part: &str, domain: &str, ip: &str) -> Result<Verdict, Stop> {
    let sender = Sender { ip: ip.parse().unwrap(), local_part, domain, helo: "mail.example.net" };
    check_sender(zone, &sender)
}

fn check_sender(zone: &BTreeMap<Query, Answer>, sender: &Sender<'_>) -> Result<Verdict, Stop> {
    let mut answers = BTreeMap::new();
    for _ in 0..100 {
        let outcome = check_host(&answers, sender);
        let Err(Stop::Pending(queries)) = outcome else { return outcome };
        for query in queries {
            let answer = zone.get(&query).cloned().unwrap_or(Answer::Nothing);
            assert!(answers.insert(query, answer).is_none(), "queried twice");
        }
    }
    panic!("the rounds do not end");
}

fn evaluate(zone: &BTreeMap<Query, Answer>, domain: &str, ip: &str) -> Result<Verdict, Stop> {
    check(zone, "", domain, ip)
}

/// The result of a record as RFC 7208 §2.6 names it.
fn result(text: &str, lines: &[(&str, &str, &str)], ip: &str) -> &'static str {
    let mut lines = lines.to_vec();
    lines.push(("example.com.", "TXT", text));
    named(&evaluate(&zone(&lines), "example.com", ip))
}

fn named(outcome: &Result<Verdict, Stop>) -> &'static str {
    match outcome {
        Ok(result) => match result.qualifier {
            Qualifier::Pass => "pass",
            Qualifier::Fail => "fail",
            Qualifier::SoftFail => "softfail",
            Qualifier::Neutral => "neutral",
        },
        Err(Stop::Absent) => "none",
        Err(Stop::Unanswered(..)) => "temperror",
        Err(Stop::Broken(_)) => "permerror",
        Err(Stop::Pending(_)) => "queries pending",
    }
}

fn shown(outcome: &Result<Verdict, Stop>) -> String {
    let at = |place: &Place| match &place.through {
        Some(through) => format!("{} of {} through {through}", place.term, place.record),
        None => place.term.clone(),
    };
    match outcome {
        Ok(Verdict { qualifier, by: Some(place), .. }) => format!("{qualifier:?} by {}", at(place)),
        Ok(Verdict { qualifier, by: None, .. }) => format!("{qualifier:?}"),
        Err(Stop::Broken(broken)) => format!("{:?} at {}", broken.0, at(&broken.1)),
        Err(Stop::Unanswered(query, why)) => format!("{} of {}: {why}", query.1, query.0),
        Err(Stop::Absent) => "none".to_owned(),
        Err(Stop::Pending(_)) => "queries pending".to_owned(),
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
fn the_examples_of_the_standard_have_its_results() {
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
        // It has one of the domain's names, and that name has another address.
        ("v=spf1 ptr -all", "10.0.0.4", "Fail by -all"),
        ("v=spf1 ip4:192.0.2.128/28 -all", "192.0.2.129", "Pass by ip4:192.0.2.128/28"),
        ("v=spf1 ip4:192.0.2.128/28 -all", "192.0.2.65", "Fail by -all"),
    ] {
        let mut lines = APPENDIX.to_vec();
        lines.push(("example.com.", "TXT", text));
        let outcome = evaluate(&zone(&lines), "example.com", ip);
        assert_eq!(shown(&outcome), expected, "{text} {ip}");
    }
    let mut lines = APPENDIX.to_vec();
    lines.push(("example.com.", "TXT", "v=spf1 mx -all"));
    lines.push(("example.net.", "TXT", "v=spf1 ip4:192.0.2.200 ~all"));
    let zone = zone(&lines);
    for (domain, ip, expected) in [
        ("example.org", "192.0.2.130", "Pass by include:example.com"),
        ("example.org", "192.0.2.200", "Pass by include:example.net"),
        // A fail of another record is not a fail of the one that includes it (§5.2).
        ("example.org", "192.0.2.201", "Fail by -all"),
        (
            "la.example.org",
            "192.0.2.200",
            "Pass by include:example.net of example.org. through redirect=example.org",
        ),
        ("la.example.org", "192.0.2.201", "Fail by -all of example.org. through redirect=example.org"),
    ] {
        assert_eq!(shown(&evaluate(&zone, domain, ip)), expected, "{domain} {ip}");
    }
}
