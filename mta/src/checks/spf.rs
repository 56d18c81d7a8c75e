//! SPF: the check that the peer's address may send for the domain it names (RFC 7208). The evaluation is in
//! `crates/spf`; this module sends the DNS queries for it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use address::{Domain, ReversePath};
use futures_util::future::join_all;
use mail_auth::{SpfOutput, SpfResult};
use spf::{Answer, Qualifier, Query, Sender, Stop, check_host};
use tokio::time::Instant;

use super::{AuthResult, Finding, Method, SpfEvaluation};
use crate::resolver::{self, Resolver};

/// The origin of a message, as SPF sees it.
pub(super) struct Origin<'a> {
    pub(super) ip: IpAddr,
    pub(super) helo: &'a str,
    pub(super) sender: &'a ReversePath,
}

/// The results for the two identities (RFC 7208 §2).
pub(super) struct SpfResults {
    helo: (String, SpfOutput),
    /// `None` for the null sender, which is checked as postmaster at the name in HELO (RFC 7208 §2.4).
    mail_from: Option<(String, SpfOutput)>,
}

/// The outcome of `check_host()`.
type Evaluation = Result<spf::Verdict, Stop>;

/// Checks both identities. Their DNS queries run at the same time, each once.
pub(super) async fn check(resolver: &Resolver, origin: &Origin<'_>, end: Instant) -> SpfResults {
    let ip = origin.ip;
    // An internationalised name is queried by its A-labels. A text that is not a domain name stays as it is.
    let helo = Domain::parse(origin.helo).map_or_else(|_| origin.helo.to_owned(), |name| name.to_string());
    let address = origin.sender.address();
    let of_helo = Sender { ip, local_part: "", domain: &helo, helo: &helo };
    let of_sender = address.map(|address| {
        // An address literal names no domain (RFC 7208 §4.3).
        let domain = address.domain().map_or("", Domain::as_str);
        Sender { ip, local_part: address.local.as_str(), domain, helo: &helo }
    });
    let mut answers = BTreeMap::new();
    let (of_helo, of_sender) = loop {
        let results =
            (check_host(&answers, &of_helo), of_sender.as_ref().map(|sender| check_host(&answers, sender)));
        let queries: BTreeSet<Query> =
            pending_queries(&results.0).chain(results.1.iter().flat_map(pending_queries)).cloned().collect();
        // Every query gets an answer, if only by the end of the time, so the rounds end.
        if queries.is_empty() {
            break results;
        }
        answers.extend(join_all(queries.into_iter().map(|query| look_up(resolver, query, end))).await);
    };
    SpfResults {
        helo: (origin.helo.to_owned(), output(&helo, &of_helo)),
        mail_from: address.zip(of_sender).map(|(address, evaluation)| {
            let text = address.to_string();
            let output = output(domain_of(&text), &evaluation);
            (text, output)
        }),
    }
}

/// The queries that must be answered first.
fn pending_queries(evaluation: &Evaluation) -> impl Iterator<Item = &Query> {
    let queries = match evaluation {
        Err(Stop::Pending(queries)) => Some(queries),
        _ => None,
    };
    queries.into_iter().flatten()
}

async fn look_up(resolver: &Resolver, query: Query, end: Instant) -> (Query, Answer) {
    let (name, kind) = &query;
    let answer = match resolver::query(&resolver.inner(), name.clone(), *kind, end).await {
        resolver::Answer::Found(records) => Answer::Found(records),
        resolver::Answer::NoData | resolver::Answer::NxDomain => Answer::Nothing,
        resolver::Answer::Failed(reason) => Answer::Failed(reason),
    };
    (query, answer)
}

fn output(domain: &str, evaluation: &Evaluation) -> SpfOutput {
    let result = match evaluation {
        Ok(matched) => match matched.qualifier {
            Qualifier::Pass => SpfResult::Pass,
            Qualifier::Fail => SpfResult::Fail,
            Qualifier::SoftFail => SpfResult::SoftFail,
            Qualifier::Neutral => SpfResult::Neutral,
        },
        Err(Stop::Absent) => SpfResult::None,
        Err(Stop::Unanswered(..) | Stop::Pending(_)) => SpfResult::TempError,
        Err(Stop::Broken(_)) => SpfResult::PermError,
    };
    SpfOutput::new(domain.to_owned()).with_result(result)
}

fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, domain)| domain)
}

impl SpfResults {
    /// The result when the peer's address is not known: no domain is checked, and no domain is aligned.
    pub(super) fn of_unknown_peer(helo: &str) -> Self {
        Self {
            helo: (helo.to_owned(), SpfOutput::new(helo.to_owned()).with_result(SpfResult::None)),
            mail_from: None,
        }
    }

    /// The identity that counts for DMARC and its domain (RFC 9989 §3.2.4).
    pub(super) fn for_dmarc(&self) -> (&SpfOutput, &str) {
        match &self.mail_from {
            Some((sender, output)) => (output, domain_of(sender)),
            None => (&self.helo.1, &self.helo.0),
        }
    }

    /// The result that counts for the policy.
    pub(super) fn evaluation(&self) -> SpfEvaluation {
        let (identity, output) = self.mail_from.as_ref().unwrap_or(&self.helo);
        SpfEvaluation { result: auth_result(output.result()), identity: identity.clone() }
    }

    pub(super) fn findings(&self) -> impl Iterator<Item = Finding> {
        let finding = |(identity, output): &(String, SpfOutput), property| {
            Finding::new(Method::Spf, auth_result(output.result())).with_property(property, identity)
        };
        let mail_from = self.mail_from.iter().map(move |checked| finding(checked, "smtp.mailfrom"));
        std::iter::once(finding(&self.helo, "smtp.helo")).chain(mail_from)
    }
}

fn auth_result(result: SpfResult) -> AuthResult {
    match result {
        SpfResult::Pass => AuthResult::Pass,
        SpfResult::Fail => AuthResult::Fail,
        SpfResult::SoftFail => AuthResult::SoftFail,
        SpfResult::Neutral => AuthResult::Neutral,
        SpfResult::TempError => AuthResult::TempError,
        SpfResult::PermError => AuthResult::PermError,
        SpfResult::None => AuthResult::None,
    }
}

#[cfg(test)]
mod tests;
