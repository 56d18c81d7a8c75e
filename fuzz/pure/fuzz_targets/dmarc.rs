//! DMARC records of other domains: every evaluation ends within its rounds and queries, and asks no question twice.

#![no_main]

use address::Domain;
use dmarc::{Answer, Answers, Authentication, Identifier, Mechanism, Message, evaluate};
use libfuzzer_sys::fuzz_target;

/// The record of the author, its walk, the walks of the identifiers, the existence of the author.
const MAX_ROUNDS: usize = 4;
/// Five walks of which four share at least one name, and the existence of the author.
const MAX_QUESTIONS: usize = 8 + 4 * 7 + 1;

fuzz_target!(|octets: &[u8]| {
    let mut parts = octets.split(|octet| *octet == b'\n');
    let mut name = || Domain::parse(std::str::from_utf8(parts.next()?).ok()?).ok();
    let (Some(author), first, second) = (name(), name(), name()) else { return };
    let records: Vec<&[u8]> = parts.collect();
    let identifier = |(number, domain): (usize, Domain)| Identifier {
        domain,
        mechanism: if number % 2 == 0 { Mechanism::Spf } else { Mechanism::Dkim },
        authentication: if number % 3 == 2 { Authentication::Unknown } else { Authentication::Passed },
    };
    let below =
        ["a.b", "c", "d.e.f.g.h.i.j.k"].into_iter().filter_map(|labels| author.with_prefix(labels).ok());
    let identifiers: Vec<Identifier> =
        first.into_iter().chain(second).chain(below).enumerate().map(identifier).collect();
    let message = Message { author: &author, identifiers: &identifiers };
    let mut answers = Answers::new();
    for _ in 0..=MAX_ROUNDS {
        match evaluate(&message, &answers) {
            Ok(_) => {
                assert!(answers.len() <= MAX_QUESTIONS, "{} questions", answers.len());
                return;
            }
            Err(questions) => {
                for question in questions {
                    let answer = answer(&records, &question);
                    assert!(answers.insert(question, answer).is_none(), "asked twice");
                }
            }
        }
    }
    panic!("more rounds than steps");
});

/// The record of a name, by its number of labels.
fn answer(records: &[&[u8]], question: &Domain) -> Answer {
    match records.get(question.labels().count().saturating_sub(2)) {
        Some(&[]) => Answer::NoData,
        Some(&[b'!']) => Answer::Failed("SERVFAIL".to_owned()),
        Some(text) => Answer::Found(text.split(|octet| *octet == 0).map(<[u8]>::to_vec).collect()),
        None => Answer::NxDomain,
    }
}
