//! SPF records of other hosts, and names of their choice in macros: every evaluation ends within the limits of RFC 7208
//! §4.6.4, and asks no question twice. Explanations are short and printable.

#![no_main]

use std::collections::BTreeMap;
use std::net::IpAddr;

use hickory_proto::rr::rdata::{A, AAAA, MX, PTR, TXT};
use hickory_proto::rr::{Name, RData, RecordType};
use libfuzzer_sys::fuzz_target;
use spf::{Answer, Query, Receiver, Sender, Stop, check_host};

/// A term asks for its record, or for its hosts and their addresses; the macro `p` takes two rounds more, and an
/// explanation one.
const MAX_ROUNDS: usize = 40;
/// Ten terms with ten hosts each, the names of the client, and the explanation.
const MAX_QUESTIONS: usize = 140;
/// The longest explanation.
const MAX_OCTETS: usize = 400;
const RECEIVER: Receiver<'static> = Receiver { host: "mx.example.net", time: 0 };

fuzz_target!(|octets: &[u8]| {
    let mut parts = octets.split(|octet| *octet == b'\n');
    let text = |parts: &mut dyn Iterator<Item = &[u8]>| {
        String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned()
    };
    let (local_part, helo) = (text(&mut parts), text(&mut parts));
    let records: Vec<&[u8]> = parts.collect();
    for ip in ["192.0.2.7", "2001:db8::7"] {
        let ip: IpAddr = ip.parse().expect("it is an address");
        let sender = Sender { ip, local_part: &local_part, domain: "example.org", helo: &helo };
        evaluate(&records, &sender);
    }
});

fn evaluate(records: &[&[u8]], sender: &Sender<'_>) {
    let mut answers: BTreeMap<Query, Answer> = BTreeMap::new();
    for _ in 0..MAX_ROUNDS {
        let explained = match check_host(&answers, sender) {
            Ok(verdict) => match verdict.explanation {
                Some(explanation) => explanation.text(&answers, sender, &RECEIVER),
                None => Ok(None),
            },
            Err(Stop::Pending(questions)) => Err(questions),
            Err(_) => Ok(None),
        };
        let questions = match explained {
            Err(questions) => questions,
            Ok(text) => {
                assert!(answers.len() <= MAX_QUESTIONS, "{} questions", answers.len());
                let text = text.unwrap_or_default();
                assert!(text.len() <= MAX_OCTETS && text.bytes().all(|octet| (b' '..=b'~').contains(&octet)));
                return;
            }
        };
        for question in questions {
            let answer = answer(records, &question);
            assert!(answers.insert(question, answer).is_none(), "asked twice");
        }
    }
    panic!("more rounds than terms");
}

/// The first record is that of the domain; others follow by the length of a name, so that records can refer to each
/// other.
fn answer(records: &[&[u8]], (name, kind): &Query) -> Answer {
    let number = name.iter().map(<[u8]>::len).sum::<usize>();
    let host = |prefix: usize| Name::from_ascii(format!("h{prefix}.example.org.")).expect("it is a name");
    let found = match kind {
        RecordType::TXT => {
            let at =
                if *name == Name::from_ascii("example.org.").expect("it is a name") { 0 } else { number };
            let Some(text) = records.get(at % records.len().max(1)) else { return Answer::Nothing };
            vec![RData::TXT(TXT::from_bytes(text.chunks(255).collect()))]
        }
        RecordType::A if number % 3 == 0 => vec![RData::A(A([192, 0, 2, 7].into()))],
        RecordType::AAAA if number % 3 == 1 => {
            vec![RData::AAAA(AAAA("2001:db8::7".parse().expect("an address")))]
        }
        RecordType::MX => (0..number % 12).map(|prefix| RData::MX(MX::new(10, host(prefix)))).collect(),
        RecordType::PTR => (0..number % 12).map(|prefix| RData::PTR(PTR(host(prefix)))).collect(),
        _ if number % 7 == 0 => return Answer::Failed("SERVFAIL".to_owned()),
        _ => return Answer::Nothing,
    };
    if found.is_empty() { Answer::Nothing } else { Answer::Found(found) }
}
