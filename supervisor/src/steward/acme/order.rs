//! One order, from the names to the certificate (RFC 8555 §7.4), and the continuation of an interrupted order.
//!
//! ```text
//! new order ─▶ pending: answers published, challenges offered ─▶ ready: request signed with our key ─▶ processing ─▶ valid: chain
//!                  │ valid already: nothing to do                     │
//!                  └──────────── refused names ◀──────────────────────┘ invalid
//! ```
//!
//! An existing order is never given up because one request fails: it counts as pending, and its address is in the
//! ledger.

use std::collections::BTreeMap;
use std::time::Duration;

use instant_acme::{
    Account, AuthorizationHandle, AuthorizationStatus, CertificateIdentifier, ChallengeStatus, ChallengeType,
    Error, Identifier, NewOrder, Order, OrderStatus, Problem, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};

use super::challenge_type::ChallengeKind;
use super::error::{AcmeError, Reason, Refusal, detail, printable, problem_type};
use super::fix;
use super::http::Http;
use super::publication::{PublishedAnswers, Publisher};

/// Limits for polling without a pause while the authority validates, and then while it signs. The authority itself
/// names the interval. What takes longer is polled again later.
const PROVING: RetryPolicy = polling(60);
const SIGNING: RetryPolicy = polling(20);

const fn polling(seconds: u64) -> RetryPolicy {
    RetryPolicy::new()
        .initial_delay(Duration::from_millis(500))
        .backoff(1.5)
        .timeout(Duration::from_secs(seconds))
}

/// The names of an order, each with its challenge type, in lower case: DNS names are case-insensitive.
pub(super) type ChallengesByName = BTreeMap<String, ChallengeKind>;

/// The inputs needed to complete an order.
pub(super) struct OrderContext<'o> {
    pub(super) challenges: ChallengesByName,
    /// The key of the certificate.
    pub(super) key: &'o KeyPair,
    pub(super) publisher: Publisher,
    pub(super) http: &'o Http,
}

/// The names and challenge types for completing an order.
pub(super) fn challenges_by_name(names: &[(String, ChallengeKind)]) -> ChallengesByName {
    names.iter().map(|(name, kind)| (lower(name), *kind)).collect()
}

/// Places an order. `replaced` is the certificate that the new one replaces, for an authority that supports it (RFC
/// 9773 §5).
pub(super) async fn place(
    account: &Account,
    challenges: &ChallengesByName,
    replaced: Option<&CertificateIdentifier<'static>>,
    http: &Http,
) -> Result<Order, AcmeError> {
    let identifiers: Vec<Identifier> = challenges.keys().cloned().map(Identifier::Dns).collect();
    let mut new = NewOrder::new(&identifiers);
    if let Some(replaced) = replaced {
        new = new.replaces(replaced.clone());
    }
    account.new_order(&new).await.map_err(|error| classified(error, challenges, http))
}

/// Continues an order from its current state, and returns the chain in PEM. Published answers stay in `answers`.
pub(super) async fn complete(
    order: &mut Order,
    context: &OrderContext<'_>,
    answers: &mut PublishedAnswers,
) -> Result<String, AcmeError> {
    let OrderContext { challenges, key, http, .. } = context;
    if order.state().status == OrderStatus::Pending {
        prove(order, context, answers).await?;
    }
    if order.state().status == OrderStatus::Ready {
        let request = request(challenges.keys().cloned(), key)?;
        order
            .finalize_csr(&request)
            .await
            .map_err(|error| pending(classified_of_order(error, challenges, http)))?;
    }
    if order.state().status == OrderStatus::Invalid {
        return Err(find_refused(order, context).await);
    }
    match order.poll_certificate(&SIGNING).await {
        Ok(chain) => Ok(chain),
        Err(_) if order.state().status == OrderStatus::Invalid => Err(find_refused(order, context).await),
        Err(error) => Err(pending(classified_of_order(error, challenges, http))),
    }
}

/// Adds to a pending order's reason what the authority is doing.
fn pending(error: AcmeError) -> AcmeError {
    match error {
        AcmeError::Pending { reason: Reason { why, .. }, retry_at, is_gone } if !is_gone => {
            AcmeError::Pending {
                reason: format!("the authority has not signed yet: {why}").into(),
                retry_at,
                is_gone,
            }
        }
        error => error,
    }
}

/// Publishes the answer for every name that the authority has not validated lately, and waits until it has.
async fn prove(
    order: &mut Order,
    context: &OrderContext<'_>,
    answers: &mut PublishedAnswers,
) -> Result<(), AcmeError> {
    let OrderContext { challenges, http, .. } = context;
    let mut refused = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let authorization = authorization.map_err(|error| AcmeError::of_order(error, http))?;
        let name = lower(&authorization.identifier().to_string());
        let Some(kind) = challenges.get(&name).copied() else {
            return Err(AcmeError::Refused(
                format!("the authority asks for a proof of {}, which is not in the order", printable(&name))
                    .into(),
            ));
        };
        match authorization.status {
            // Validated in an earlier order.
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            _ => {
                let reported = authorization.challenges.iter().find_map(|challenge| challenge.error.as_ref());
                let reason = reported.map_or_else(
                    || "its authorization is no longer valid; the next order gets a new one".into(),
                    |problem| of_name(problem, http),
                );
                refused.push(Refusal::new(name, kind, reason));
                continue;
            }
        }
        match offer(authorization, &name, kind, context, answers).await {
            Ok(()) => {}
            Err(OfferError::Name(reason)) => refused.push(Refusal::new(name, kind, reason)),
            Err(OfferError::All(error)) => return Err(error),
        }
    }
    if !refused.is_empty() {
        return Err(AcmeError::Names(refused));
    }
    match order.poll_ready(&PROVING).await {
        Ok(OrderStatus::Ready) => Ok(()),
        Ok(_) => Err(find_refused(order, context).await),
        Err(Error::Api(_)) if order.state().status == OrderStatus::Invalid => {
            Err(find_refused(order, context).await)
        }
        // The library waits for "ready" only, and a continued order may be further.
        Err(Error::Timeout(_)) if order.state().status != OrderStatus::Pending => Ok(()),
        Err(error) => Err(AcmeError::of_order(error, http)),
    }
}

/// The failure to offer a challenge.
enum OfferError {
    /// Concerns this name only.
    Name(Reason),
    /// Concerns all names.
    All(AcmeError),
}

/// Publishes the answer for one name and asks the authority to validate it, unless that was done before.
async fn offer(
    mut authorization: AuthorizationHandle<'_>,
    name: &str,
    kind: ChallengeKind,
    context: &OrderContext<'_>,
    answers: &mut PublishedAnswers,
) -> Result<(), OfferError> {
    let challenge_type = match kind {
        ChallengeKind::Http => ChallengeType::Http01,
        ChallengeKind::TlsAlpn => ChallengeType::TlsAlpn01,
        ChallengeKind::Dns => ChallengeType::Dns01,
    };
    let Some(mut challenge) = authorization.challenge(challenge_type) else {
        let why = format!("the authority does not offer {} for it", kind.name());
        let fix = "set MAIL_ACME_CHALLENGE in .env to `auto`, or to a type that it offers, then: docker compose up -d";
        return Err(OfferError::Name(Reason::new(why, fix)));
    };
    let is_offered = challenge.status != ChallengeStatus::Pending;
    if !answers.has(name) {
        let answer = context
            .publisher
            .answer(name, kind, &challenge.token, &challenge.key_authorization())
            .await
            .map_err(|why| OfferError::Name(why.into()))?;
        answers.keep(name, answer);
    }
    if is_offered {
        return Ok(());
    }
    challenge.set_ready().await.map_err(|error| {
        let reported = match &error {
            Error::Api(problem) => Some(of_name(problem, context.http)),
            _ => None,
        };
        match (AcmeError::of_order(error, context.http), reported) {
            (AcmeError::Refused(_) | AcmeError::Unauthorized(_), Some(reason)) => OfferError::Name(reason),
            (error, _) => OfferError::All(error),
        }
    })
}

/// The names that made the order invalid, without those that the authority had not validated when the first one failed.
async fn find_refused(order: &mut Order, context: &OrderContext<'_>) -> AcmeError {
    let OrderContext { challenges, http, .. } = context;
    let mut refused = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = match authorization {
            Ok(authorization) => authorization,
            Err(error) => return AcmeError::of(error, http),
        };
        let name = lower(&authorization.identifier().to_string());
        let Some(kind) = challenges.get(&name).copied() else { continue };
        if let Err(error) = authorization.refresh().await {
            return AcmeError::of(error, http);
        }
        if authorization.status == AuthorizationStatus::Invalid {
            let reported = authorization.challenges.iter().find_map(|challenge| challenge.error.as_ref());
            let reason = reported
                .map_or_else(|| "the authority gave no reason".into(), |reported| of_name(reported, http));
            refused.push(Refusal::new(name, kind, reason));
        }
    }
    if !refused.is_empty() {
        return AcmeError::Names(refused);
    }
    match order.state().error.clone() {
        Some(problem) => classified(Error::Api(problem), challenges, http),
        None => AcmeError::Refused("the order became invalid; the authority gave no reason".into()),
    }
}

/// The reason for the refusal of a name, with its fix.
fn of_name(problem: &Problem, http: &Http) -> Reason {
    Reason {
        why: detail(problem),
        fix: fix::of_problem(problem_type(problem), http.instructions().as_deref()),
    }
}

/// Sorts an error that may concern single names: the authority lists them (RFC 8555 §6.7.1) or mentions them.
fn classified(error: Error, challenges: &ChallengesByName, http: &Http) -> AcmeError {
    let problem = match &error {
        Error::Api(problem) => Some(problem.clone()),
        _ => None,
    };
    by_name(AcmeError::of(error, http), problem, challenges, http)
}

/// Sorts such an error of an order that exists.
fn classified_of_order(error: Error, challenges: &ChallengesByName, http: &Http) -> AcmeError {
    let problem = match &error {
        Error::Api(problem) => Some(problem.clone()),
        _ => None,
    };
    by_name(AcmeError::of_order(error, http), problem, challenges, http)
}

fn by_name(
    error: AcmeError,
    problem: Option<Problem>,
    challenges: &ChallengesByName,
    http: &Http,
) -> AcmeError {
    let (AcmeError::Refused(_), Some(problem)) = (&error, problem) else { return error };
    let refused = named(&problem, challenges, http);
    // In an order for one name, the refusal of that name counts as a refused name.
    let is_all = refused.len() == challenges.len() && challenges.len() > 1;
    if refused.is_empty() || is_all { error } else { AcmeError::Names(refused) }
}

fn named(problem: &Problem, challenges: &ChallengesByName, http: &Http) -> Vec<Refusal> {
    let page = http.instructions();
    let listed = problem.subproblems.iter().filter_map(|part| {
        let Some(Identifier::Dns(name)) = &part.identifier else { return None };
        let (name, kind) = challenges.get_key_value(&lower(name))?;
        let why = part.detail.as_deref().map_or_else(|| detail(problem), printable);
        let error_type = part.r#type.as_deref().and_then(|urn| urn.rsplit(':').next()).unwrap_or_default();
        Some(Refusal::new(name, *kind, Reason { why, fix: fix::of_problem(error_type, page.as_deref()) }))
    });
    let listed: Vec<Refusal> = listed.collect();
    if !listed.is_empty() {
        return listed;
    }
    let text = problem.detail.as_deref().unwrap_or_default();
    let words: Vec<&str> =
        text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '*'))).collect();
    let is_mentioned =
        |name: &str| words.iter().any(|word| word.trim_matches('.').eq_ignore_ascii_case(name));
    challenges
        .iter()
        .filter(|(name, _)| is_mentioned(name))
        .map(|(name, kind)| Refusal::new(name, *kind, of_name(problem, http)))
        .collect()
}

/// Normalizes a name for comparison: DNS ignores case (RFC 4343), and the trailing dot may be omitted.
fn lower(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// The certificate signing request, with the same names as the order (RFC 8555 §7.4).
fn request(names: impl Iterator<Item = String>, key: &KeyPair) -> Result<Vec<u8>, AcmeError> {
    let create = || {
        let mut parameters = CertificateParams::new(names.collect::<Vec<_>>())?;
        parameters.distinguished_name = DistinguishedName::new();
        Ok(parameters.serialize_request(key)?.der().to_vec())
    };
    create().map_err(|error: rcgen::Error| {
        AcmeError::local(format!("cannot create the certificate request: {error}"))
    })
}

#[cfg(test)]
mod tests;
