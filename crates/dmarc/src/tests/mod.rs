//! RFC 9989 over zones. The rules are in the files beside this one.

mod alignment;
mod errors;
mod limits;
mod policy;
mod record;
mod walk;

use super::*;

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

/// A zone: owners of TXT records, or of the outcome `SERVFAIL`. An owner of the text `-` exists without a TXT record.
/// A name at or above an owner exists, every other name does not.
type Zone<'a> = &'a [(&'a str, &'a str)];

fn look_up(zone: Zone<'_>, query: &Query) -> Answer {
    let name = query.as_str();
    let of_name = || zone.iter().filter(|(owner, _)| domain(owner) == *query).map(|(_, text)| *text);
    if of_name().any(|text| text == "SERVFAIL") {
        return Answer::Failed("SERVFAIL".to_owned());
    }
    let texts: Vec<Vec<u8>> = of_name().filter(|text| *text != "-").map(|text| text.into()).collect();
    let is_above = |owner: &str| owner == name || owner.ends_with(&format!(".{name}"));
    match texts.is_empty() {
        false => Answer::Found(texts),
        true if zone.iter().any(|(owner, _)| is_above(domain(owner).as_str())) => Answer::NoData,
        true => Answer::NxDomain,
    }
}

/// The evaluation, and the queries in their rounds.
fn rounds(zone: Zone<'_>, author: &str, identifiers: &[Identifier]) -> (Evaluation, Vec<Vec<Query>>) {
    let author = domain(author);
    let (mut answers, mut rounds) = (Answers::new(), Vec::new());
    loop {
        match evaluate(&Message { author: &author, identifiers }, &answers) {
            Ok(evaluation) => return (evaluation, rounds),
            Err(queries) => {
                assert!(!queries.is_empty(), "no query");
                for query in &queries {
                    let answer = look_up(zone, query);
                    assert!(answers.insert(query.clone(), answer).is_none(), "queried twice: {query}");
                }
                rounds.push(queries);
            }
        }
    }
}

fn evaluated(zone: Zone<'_>, author: &str, identifiers: &[Identifier]) -> Evaluation {
    rounds(zone, author, identifiers).0
}

/// All queries, without `_dmarc.`.
fn queried(zone: Zone<'_>, author: &str, identifiers: &[Identifier]) -> Vec<String> {
    let queries = rounds(zone, author, identifiers).1.concat();
    queries.iter().map(|name| name.as_str().trim_start_matches("_dmarc.").to_owned()).collect()
}

fn identifier(mechanism: Mechanism, authentication: Authentication, name: &str) -> Identifier {
    Identifier { domain: domain(name), mechanism, authentication }
}

fn spf(name: &str) -> Identifier {
    identifier(Mechanism::Spf, Authentication::Passed, name)
}

fn dkim(name: &str) -> Identifier {
    identifier(Mechanism::Dkim, Authentication::Passed, name)
}

fn unknown(name: &str) -> Identifier {
    identifier(Mechanism::Dkim, Authentication::Unknown, name)
}

/// The result as RFC 9989 §9.2 names it, with what decided it.
fn result(evaluation: &Evaluation) -> String {
    match &evaluation.outcome {
        Outcome::None => "none".to_owned(),
        Outcome::Pass { identifier, alignment } => {
            format!("pass {:?} {:?} {alignment:?}", identifier.mechanism, identifier.domain.as_str())
                .replace('"', "")
        }
        Outcome::Fail(FailReason::Unauthenticated) => "fail".to_owned(),
        Outcome::Fail(FailReason::Unaligned) => "fail unaligned".to_owned(),
        Outcome::TempError(TempErrorReason::Unanswered { name, error }) => {
            format!("temperror {name} {error}")
        }
        Outcome::TempError(TempErrorReason::Unverified(identifier)) => {
            format!("temperror unverified {}", identifier.domain)
        }
        Outcome::PermError { domain, .. } => format!("permerror {domain}"),
    }
}

/// The domain of the record, its tag, the published policy, and the disposition.
fn policy(evaluation: &Evaluation) -> String {
    match &evaluation.policy {
        None => "-".to_owned(),
        Some(policy) => {
            let tag = match policy.tag {
                PolicyTag::Domain => "p",
                PolicyTag::Subdomain => "sp",
                PolicyTag::Nonexistent => "np",
            };
            format!("{} {tag}={} {}", policy.domain, policy.published, evaluation.disposition())
        }
    }
}
