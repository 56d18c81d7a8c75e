//! DMARC: alignment of SPF or DKIM with the domain of the author (RFC 9989). The evaluation is in `crates/dmarc`; this
//! module sends the DNS queries for it.
//!
//! The author is [`message::Author`], so that the domain that is evaluated is the one that is shown.

use address::Domain;
use dmarc::{
    Answer, Answers, Authentication, Evaluation, Identifier, Mechanism, Message, Outcome, Policy, Query,
    evaluate,
};
use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::RecordType;
use mail_auth::{SpfOutput, SpfResult};
use message::{Author, AuthorError};
use tokio::time::Instant;

use super::{AuthResult, DmarcEvaluation, Finding, Method};
use crate::resolver::{self, query_name, texts};

/// Checks the alignment and finds the policy of the author's domain.
///
/// A From field without a single meaning is a permanent error. Authors of several domains are exempt (RFC 9989
/// §5.3.1), and an address literal has no policy: both are recorded as `none`.
pub(super) async fn check(
    resolver: &TokioResolver,
    author: &Result<Author, AuthorError>,
    spf: (&SpfOutput, &str),
    dkim: &[Identifier],
    end: Instant,
) -> (Finding, DmarcEvaluation) {
    let undecided = |finding: Finding| {
        let evaluation = DmarcEvaluation { result: finding.result, author: None, requested: Policy::None };
        (finding, evaluation)
    };
    let author = match author {
        Ok(author) => author,
        Err(error) => {
            let reason = format!("the From field {error}");
            return undecided(Finding::new(Method::Dmarc, AuthResult::PermError).with_reason(reason));
        }
    };
    let Some(domain) = author.domain() else {
        let reason = match author.first_domain() {
            Some(_) => "authors of several domains",
            None => "the author has no domain",
        };
        return undecided(Finding::new(Method::Dmarc, AuthResult::None).with_reason(reason));
    };
    let identifiers: Vec<Identifier> = spf_identifier(spf).into_iter().chain(dkim.iter().cloned()).collect();
    let message = Message { author: domain, identifiers: &identifiers };
    let mut answers = Answers::new();
    let evaluation = loop {
        match evaluate(&message, &answers) {
            Ok(evaluation) => break evaluation,
            // Every query gets an answer, if only by the end of the time, so the rounds end.
            Err(queries) => {
                let lookups = queries.into_iter().map(|query| look_up(resolver, query, end));
                answers.extend(join_all(lookups).await);
            }
        }
    };
    let finding = finding(domain, &evaluation);
    let evaluation = DmarcEvaluation {
        result: finding.result,
        author: Some(domain.clone()),
        requested: evaluation.disposition(),
    };
    (finding, evaluation)
}

/// The SPF domain (RFC 9989 §3.2.4), unless SPF did not pass.
fn spf_identifier((output, domain): (&SpfOutput, &str)) -> Option<Identifier> {
    let authentication = match output.result() {
        SpfResult::Pass => Authentication::Passed,
        SpfResult::TempError => Authentication::Unknown,
        _ => return None,
    };
    Some(Identifier { domain: Domain::parse(domain).ok()?, mechanism: Mechanism::Spf, authentication })
}

async fn look_up(resolver: &TokioResolver, query: Query, end: Instant) -> (Query, Answer) {
    let answer = match resolver::query(resolver, query_name(&query), RecordType::TXT, end).await {
        resolver::Answer::Found(records) => Answer::Found(texts(&records)),
        resolver::Answer::NoData => Answer::NoData,
        resolver::Answer::NxDomain => Answer::NxDomain,
        resolver::Answer::Failed(reason) => Answer::Failed(reason),
    };
    (query, answer)
}

fn finding(domain: &Domain, evaluation: &Evaluation) -> Finding {
    let result = match &evaluation.outcome {
        Outcome::None => AuthResult::None,
        Outcome::Pass { .. } => AuthResult::Pass,
        Outcome::Fail(_) => AuthResult::Fail,
        Outcome::TempError(_) => AuthResult::TempError,
        Outcome::PermError { .. } => AuthResult::PermError,
    };
    let mut finding = Finding::new(Method::Dmarc, result).with_property("header.from", domain.as_str());
    if let Outcome::PermError { domain, .. } = &evaluation.outcome {
        finding = finding.with_reason(format!("the DMARC record of {domain} has no valid policy"));
    }
    match &evaluation.policy {
        // The policy after its options have been applied (RFC 9989 §9.1).
        Some(policy) => finding.with_property("policy.dmarc", policy.requested.as_str()),
        None => finding,
    }
}

#[cfg(test)]
mod tests;
