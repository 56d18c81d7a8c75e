//! Plays vectors: `vectors.toml`, which covers RFC 7208 section by section, and the suite of openspf if
//! `SPF_SUITE` names it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::net::IpAddr;

use hickory_proto::rr::rdata::{A, AAAA, MX, PTR, TXT};
use hickory_proto::rr::{Name, RData, RecordType};
use serde::Deserialize;
use spf::{Answer, Qualifier, Query, Receiver, Sender, Stop, check_host};

/// The host that checks.
const RECEIVER: Receiver<'static> = Receiver { host: "mx.receiver.example", time: 1_234_567_890 };
/// More rounds than any evaluation needs.
const MAX_ROUNDS: usize = 60;
/// The longest chain of aliases.
const MAX_ALIASES: usize = 8;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    scenario: Vec<Scenario>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    rule: String,
    /// The name, the type, and the strings of the value. `TIMEOUT` and `SERVFAIL` as types fail every query for the
    /// name whose type has no record.
    zone: Vec<Vec<String>>,
    vectors: Vec<Vector>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    client: IpAddr,
    #[serde(default = "default_helo")]
    helo: String,
    #[serde(default = "default_from")]
    from: String,
    /// Another TXT record of the sender's domain.
    record: Option<String>,
    /// The results that the standard allows, separated by " or ".
    result: String,
    /// The text of the explanation; without one, there must be none.
    explanation: Option<String>,
}

fn default_helo() -> String {
    "mail.example.net".to_owned()
}

fn default_from() -> String {
    "ann@example.org".to_owned()
}

/// The records of all names, and the names whose other queries fail.
#[derive(Debug, Default)]
struct Zone {
    records: BTreeMap<Query, Vec<RData>>,
    aliases: BTreeMap<Name, Name>,
    failing: BTreeMap<Name, String>,
}

/// A name in text form, whose labels may contain any octet but a dot.
fn name(text: &str) -> Name {
    let labels = text.split('.').filter(|label| !label.is_empty());
    let mut name =
        Name::from_labels(labels.map(str::as_bytes)).unwrap_or_else(|error| panic!("{text}: {error}"));
    name.set_fqdn(true);
    name
}

impl Zone {
    fn new(lines: &[Vec<String>]) -> Self {
        let mut zone = Self::default();
        for line in lines {
            let [owner, kind, values @ ..] = line.as_slice() else {
                panic!("a line without a type: {line:?}")
            };
            let owner = name(owner);
            let value = values.first().map_or("", String::as_str);
            let (kind, data) = match kind.as_str() {
                "A" => (RecordType::A, RData::A(A(value.parse().unwrap()))),
                "AAAA" => (RecordType::AAAA, RData::AAAA(AAAA(value.parse().unwrap()))),
                "MX" => (RecordType::MX, RData::MX(MX::new(10, name(value)))),
                "PTR" => (RecordType::PTR, RData::PTR(PTR(name(value)))),
                "TXT" => (RecordType::TXT, text(values)),
                // Type 99, which RFC 7208 §3.1 has withdrawn.
                "SPF" => (RecordType::Unknown(99), text(values)),
                "CNAME" => {
                    zone.aliases.insert(owner, name(value));
                    continue;
                }
                "TIMEOUT" | "SERVFAIL" => {
                    zone.failing.insert(owner, kind.clone());
                    continue;
                }
                _ => panic!("unknown type: {line:?}"),
            };
            zone.records.entry((owner, kind)).or_default().push(data);
        }
        zone
    }

    fn answer(&self, (queried, kind): &Query) -> Answer {
        let mut owner = queried;
        for _ in 0..MAX_ALIASES {
            match self.aliases.get(owner) {
                Some(target) => owner = target,
                None => {
                    return match self.records.get(&(owner.clone(), *kind)) {
                        Some(found) => Answer::Found(found.clone()),
                        None => self.failing.get(owner).cloned().map_or(Answer::Nothing, Answer::Failed),
                    };
                }
            }
        }
        Answer::Failed("a loop of aliases".to_owned())
    }
}

fn text(values: &[String]) -> RData {
    RData::TXT(TXT::from_bytes(values.iter().map(String::as_bytes).collect()))
}

/// Answers the queries of an evaluation until it ends, each query once.
fn to_the_end<T>(
    zone: &Zone,
    answers: &mut BTreeMap<Query, Answer>,
    evaluate: impl Fn(&BTreeMap<Query, Answer>) -> Result<T, Stop>,
) -> Result<T, Stop> {
    for _ in 0..MAX_ROUNDS {
        let outcome = evaluate(answers);
        let Err(Stop::Pending(queries)) = outcome else { return outcome };
        for query in queries {
            use RecordType as Type;
            assert!(matches!(query.1, Type::A | Type::AAAA | Type::MX | Type::PTR | Type::TXT), "{query:?}");
            let answer = zone.answer(&query);
            assert!(answers.insert(query, answer).is_none(), "a query is repeated");
        }
    }
    panic!("the rounds do not end");
}

/// The result as RFC 7208 §2.6 names it, and the explanation.
fn play(zone: &Zone, vector: &Vector) -> (&'static str, Option<String>) {
    // RFC 7208 §2.4: without a sender, the name in HELO is checked.
    let (local_part, domain) = vector.from.rsplit_once('@').unwrap_or(("", &vector.helo));
    let sender = Sender { ip: vector.client, local_part, domain, helo: &vector.helo };
    let mut answers = BTreeMap::new();
    let result = match to_the_end(zone, &mut answers, |answers| check_host(answers, &sender)) {
        Ok(result) => result,
        Err(Stop::Absent) => return ("none", None),
        Err(Stop::Unanswered(..)) => return ("temperror", None),
        Err(Stop::Broken(_)) => return ("permerror", None),
        Err(Stop::Pending(_)) => unreachable!("the rounds have ended"),
    };
    let explanation = result.explanation.and_then(|explanation| {
        let text = to_the_end(zone, &mut answers, |answers| {
            explanation.text(answers, &sender, &RECEIVER).map_err(Stop::Pending)
        });
        text.unwrap()
    });
    let name = match result.qualifier {
        Qualifier::Pass => "pass",
        Qualifier::Fail => "fail",
        Qualifier::SoftFail => "softfail",
        Qualifier::Neutral => "neutral",
    };
    (name, explanation)
}

/// Plays all vectors, and returns their number and one line for each that differs.
fn play_all(toml: &str, is_same: impl Fn(&str, &str) -> bool) -> (usize, Vec<String>) {
    let vectors: Vectors = toml::from_str(toml).unwrap();
    let mut count = 0;
    let mut differing = Vec::new();
    for scenario in &vectors.scenario {
        for vector in &scenario.vectors {
            count += 1;
            let mut lines = scenario.zone.clone();
            lines.extend(vector.record.iter().map(|record| {
                let domain = vector.from.rsplit_once('@').map_or("", |(_, domain)| domain);
                vec![domain.to_owned(), "TXT".to_owned(), record.clone()]
            }));
            let zone = Zone::new(&lines);
            let (result, explanation) = play(&zone, vector);
            let is_explained = match (&explanation, &vector.explanation) {
                (Some(text), Some(expected)) => is_same(text, expected),
                (text, expected) => text.is_none() && expected.is_none(),
            };
            if !vector.result.split(" or ").any(|expected| expected == result) || !is_explained {
                let (name, expected) = (&vector.name, (&vector.result, &vector.explanation));
                differing
                    .push(format!("{}: {name}: {result}, {explanation:?}, not {expected:?}", scenario.rule));
            }
        }
    }
    (count, differing)
}

#[test]
fn the_vectors_of_rfc_7208() {
    let (count, differing) = play_all(include_str!("vectors.toml"), str::eq);
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert_eq!(count, 326);
}

/// The suite of openspf, as `openspf.py` converts it. Its explanations have upper-case nibbles of IPv6 addresses, the
/// examples of RFC 7208 §7.4 lower-case ones.
#[test]
#[ignore = "the suite of openspf is not in this repository; see openspf.py"]
fn the_suite_of_openspf() {
    let path = std::env::var("SPF_SUITE").expect("SPF_SUITE names the file that openspf.py has written");
    let toml = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (count, differing) = play_all(&toml, str::eq_ignore_ascii_case);
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert_eq!(count, 203);
}
