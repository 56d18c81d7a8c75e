//! The evaluation of one message (RFC 9989 §5.3).

use address::Domain;

use super::record::{Alignment, Policies, Policy, Record};
use super::walk::{Stop, answer, record_at, record_name, walk};
use super::{Answer, Answers, Query};

/// The largest number of identifiers whose organizational domains are looked up. Honest mail has one or two that need
/// it; each costs up to seven queries for names that the sender chose.
const MAX_WALKS: usize = 4;

/// The message, as DMARC sees it.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The author domain: the one domain in From (RFC 9989 §3.2.2).
    pub author: &'a Domain,
    /// The SPF domain and the signing domains. Those whose check failed are not identifiers and may be left out.
    pub identifiers: &'a [Identifier],
}

/// A domain that authenticated the message, or may have (RFC 9989 §3.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    /// The domain of MAIL FROM, or of `d=`.
    pub domain: Domain,
    /// The mechanism that checked it.
    pub mechanism: Mechanism,
    /// The result of that check.
    pub authentication: Authentication,
}

/// An authentication mechanism (RFC 9989 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// SPF of MAIL FROM (RFC 9989 §4.4.2).
    Spf,
    /// A DKIM signature (RFC 9989 §4.4.1).
    Dkim,
}

/// The result of an authentication mechanism, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// The check passed.
    Passed,
    /// DNS did not answer, so that the check may pass later.
    Unknown,
}

/// The evaluation of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The result and its reason.
    pub outcome: Outcome,
    /// The policy for mail from the author domain; `None` if no record applies.
    pub policy: Option<AppliedPolicy>,
}

/// The result (RFC 9989 §9.2) and its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// No record applies to the author domain.
    None,
    /// An identifier is aligned with the author domain.
    Pass {
        /// The first identifier that is aligned.
        identifier: Identifier,
        /// `Strict` if it is the author domain itself, whatever mode the record has.
        alignment: Alignment,
    },
    /// No identifier is aligned with the author domain.
    Fail(FailReason),
    /// DNS did not answer, and a later evaluation may have another result.
    TempError(TempErrorReason),
    /// The record that applies is malformed, so that no policy applies (RFC 9989 §4.10.1).
    PermError {
        /// The domain of the record.
        domain: Domain,
        /// The record.
        record: Box<Record>,
    },
}

/// The reason of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailReason {
    /// No mechanism passed.
    Unauthenticated,
    /// No mechanism passed for an aligned domain.
    Unaligned,
}

/// The reason of a temporary error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TempErrorReason {
    /// DNS did not answer a query of this evaluation.
    Unanswered {
        /// The name that was queried.
        name: Query,
        /// The error.
        error: String,
    },
    /// DNS did not answer a query of the mechanism that checks an aligned identifier.
    Unverified(Identifier),
}

/// The policy for mail from the author domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedPolicy {
    /// The DMARC policy domain: the domain of the record (RFC 9989 §3.2.5).
    pub domain: Domain,
    /// The record.
    pub record: Record,
    /// The tag that contains the policy, or whose absence stands for it.
    pub tag: PolicyTag,
    /// The policy of that tag.
    pub published: Policy,
    /// The policy that applies to the message: one level lower under `t=y`.
    pub requested: Policy,
}

/// A tag that contains a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyTag {
    /// `p`
    Domain,
    /// `sp`
    Subdomain,
    /// `np`
    Nonexistent,
}

impl Evaluation {
    /// The disposition that the domain owner requests for this message: `None` unless it fails (RFC 9989 §5.3.6).
    pub fn disposition(&self) -> Policy {
        match (&self.outcome, &self.policy) {
            (Outcome::Fail(_), Some(policy)) => policy.requested,
            _ => Policy::None,
        }
    }
}

/// Evaluates DMARC for a message, or returns the queries that must be answered first.
pub fn evaluate(message: &Message<'_>, answers: &Answers) -> Result<Evaluation, Vec<Query>> {
    let evaluator = Evaluator { author: message.author, identifiers: message.identifiers, answers };
    match evaluator.evaluate() {
        Ok(evaluation) => Ok(evaluation),
        Err(Stop::Pending(queries)) => Err(queries),
        Err(Stop::Unanswered { name, error }) => {
            Ok(Evaluation { outcome: unanswered(name, error), policy: None })
        }
    }
}

fn unanswered(name: Query, error: String) -> Outcome {
    Outcome::TempError(TempErrorReason::Unanswered { name, error })
}

struct Evaluator<'a> {
    author: &'a Domain,
    identifiers: &'a [Identifier],
    answers: &'a Answers,
}

impl Evaluator<'_> {
    fn evaluate(&self) -> Result<Evaluation, Stop> {
        let Some((domain, record)) = self.policy_record()? else {
            return Ok(Evaluation { outcome: Outcome::None, policy: None });
        };
        let Some(policies) = record.policies() else {
            let outcome = Outcome::PermError { domain, record: Box::new(record) };
            return Ok(Evaluation { outcome, policy: None });
        };
        let outcome = match self.outcome(&record) {
            // The record is known, although the result is not.
            Err(Stop::Unanswered { name, error }) => unanswered(name, error),
            outcome => outcome?,
        };
        let (tag, published) = match self.policy(&domain, &policies) {
            // A result other than a failure needs no policy, so nothing depends on the answer.
            Err(Stop::Unanswered { .. }) if !matches!(outcome, Outcome::Fail(_)) => for_subdomains(&policies),
            policy => policy?,
        };
        let requested = if record.is_testing { published.lowered() } else { published };
        Ok(Evaluation { outcome, policy: Some(AppliedPolicy { domain, record, tag, published, requested }) })
    }

    /// DMARC policy discovery (RFC 9989 §4.10.1): the record of the author domain, else that of its organizational
    /// domain, else that of its public suffix domain.
    fn policy_record(&self) -> Result<Option<(Domain, Record)>, Stop> {
        match record_at(self.answers, self.author)? {
            Some(record) => Ok(Some((self.author.clone(), record))),
            None => Ok(walk(self.answers, self.author)?.into_inherited()),
        }
    }

    /// Identifier alignment evaluation (RFC 9989 §4.10.2), and the result (§5.3.5).
    fn outcome(&self, record: &Record) -> Result<Outcome, Stop> {
        let passed = |identifier: &&&Identifier| identifier.authentication == Authentication::Passed;
        let same: Vec<_> =
            self.identifiers.iter().filter(|identifier| identifier.domain == *self.author).collect();
        // The same domain is aligned in either mode, and its organizational domain need not be known.
        if let Some(identifier) = same.iter().find(passed) {
            let identifier = (**identifier).clone();
            return Ok(Outcome::Pass { identifier, alignment: Alignment::Strict });
        }
        let related = self.related(record)?;
        let (mut pending, mut undecided, mut unverified) = (Vec::new(), None, same.first().copied());
        for identifier in &related.below {
            let is_passed = passed(&identifier);
            match walk(self.answers, &identifier.domain).map(|walk| Some(walk.organization)) {
                Ok(organization) if related.organization != organization => {}
                Ok(_) if is_passed => {
                    let identifier = (*identifier).clone();
                    return Ok(Outcome::Pass { identifier, alignment: Alignment::Relaxed });
                }
                Err(Stop::Pending(queries)) => pending.extend(queries),
                Err(stop) if is_passed => undecided = undecided.or(Some(stop)),
                Ok(_) | Err(Stop::Unanswered { .. }) => unverified = unverified.or(Some(identifier)),
            }
        }
        if !pending.is_empty() {
            pending.sort();
            pending.dedup();
            return Err(Stop::Pending(pending));
        }
        // A query without an answer leaves the result open only where an identifier depends on it (§5.3.6).
        match (undecided, unverified) {
            (Some(stop), _) => Err(stop),
            (None, Some(identifier)) => {
                Ok(Outcome::TempError(TempErrorReason::Unverified(identifier.clone())))
            }
            (None, None) if self.identifiers.iter().any(|identifier| passed(&&identifier)) => {
                Ok(Outcome::Fail(FailReason::Unaligned))
            }
            (None, None) => Ok(Outcome::Fail(FailReason::Unauthenticated)),
        }
    }

    /// The organizational domain of the author, and the identifiers that may have the same.
    ///
    /// An organizational domain is the domain itself or above it: only an identifier below that of the author can have
    /// it too, so others cost no query. Those that passed come first, each domain once.
    fn related(&self, record: &Record) -> Result<Related<'_>, Stop> {
        let top = |domain: &Domain| domain.labels().next_back().map(str::to_owned);
        let is_relaxed = |identifier: &&Identifier| {
            let mode = match identifier.mechanism {
                Mechanism::Spf => record.spf_alignment,
                Mechanism::Dkim => record.dkim_alignment,
            };
            mode == Alignment::Relaxed
                && identifier.domain != *self.author
                && top(&identifier.domain) == top(self.author)
        };
        let mut below: Vec<&Identifier> = self.identifiers.iter().filter(is_relaxed).collect();
        if below.is_empty() {
            return Ok(Related { organization: None, below });
        }
        let organization = walk(self.answers, self.author)?.organization;
        below.retain(|identifier| identifier.domain.is_within(&organization));
        below.sort_by_key(|identifier| identifier.authentication != Authentication::Passed);
        let mut seen = Vec::new();
        below.retain(|identifier| {
            let is_new = !seen.contains(&&identifier.domain);
            seen.push(&identifier.domain);
            is_new
        });
        below.truncate(MAX_WALKS);
        Ok(Related { organization: Some(organization), below })
    }

    /// The policy for the author domain and its tag (RFC 9989 §4.10.1).
    fn policy(&self, domain: &Domain, policies: &Policies) -> Result<(PolicyTag, Policy), Stop> {
        if domain == self.author {
            return Ok((PolicyTag::Domain, policies.domain));
        }
        let existing = for_subdomains(policies);
        match policies.nonexistent {
            Some(policy) if policy == existing.1 => Ok(existing),
            Some(policy) if !self.author_exists()? => Ok((PolicyTag::Nonexistent, policy)),
            _ => Ok(existing),
        }
    }

    /// True unless DNS answers that the author domain does not exist (RFC 9989 §3.2.13).
    fn author_exists(&self) -> Result<bool, Stop> {
        // A name below it that exists proves that it exists too (RFC 8020 §2).
        if let Some(name) = record_name(self.author)
            && *answer(self.answers, name)? != Answer::NxDomain
        {
            return Ok(true);
        }
        Ok(*answer(self.answers, self.author.clone())? != Answer::NxDomain)
    }
}

/// The organizational domain of the author, `None` where nothing depends on it, and the identifiers at it or below.
struct Related<'a> {
    organization: Option<Domain>,
    below: Vec<&'a Identifier>,
}

fn for_subdomains(policies: &Policies) -> (PolicyTag, Policy) {
    match policies.subdomains {
        Some(policy) => (PolicyTag::Subdomain, policy),
        None => (PolicyTag::Domain, policies.domain),
    }
}
