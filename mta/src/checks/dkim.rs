//! Verification of the signatures of a message (RFC 6376).

use std::io;

use aws_lc_rs::digest::Digest;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use dkim::{BodyHash, Canonicalization, FailureKind, HeaderSection, Signature, SignatureFailure, Verified};
use dmarc::{Authentication, Identifier, Mechanism};
use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::RecordType;
use tokio::time::Instant;

use super::{AuthResult, Finding, Method};
use crate::body_hash::body_hashes;
use crate::content::Content;
use crate::resolver::{query, query_name, texts};
use crate::timestamp::Timestamp;

/// Signatures that are checked, from the top: each costs a DNS query for a name that the sender chose, and one pass
/// over the header section. Honest mail has one to four.
const MAX_SIGNATURES: usize = 8;

/// The signatures of one message, before any DNS query.
pub(super) struct PreparedSignatures(Vec<Candidate>);

/// One signature field.
enum Candidate {
    /// The result is known without a key.
    Decided(Finding),
    /// The result depends on the key.
    NeedsKey(Box<UnverifiedSignature>),
}

/// A signature whose key is not known yet.
struct UnverifiedSignature {
    signature: Signature,
    digest: Digest,
    body: BodyHash,
}

/// The results for all signatures of one message. A signature that passed, or whose key could not be fetched, matters
/// to DMARC.
pub(super) struct DkimResults(Vec<(Finding, Option<Identifier>)>);

impl PreparedSignatures {
    /// Reads the signatures and computes the digests for them.
    pub(super) async fn of(content: &Content) -> io::Result<Self> {
        if HeaderSection::parse(content.header()).signatures().next().is_none() {
            return Ok(Self(Vec::new()));
        }
        let content = content.clone();
        let now = u64::try_from(Timestamp::now().unix()).unwrap_or(0);
        tokio::task::spawn_blocking(move || prepare(&content, now)).await.map_err(io::Error::other)?
    }

    /// The result for a message that could not be read, which says nothing about its signatures.
    pub(super) fn unreadable() -> Self {
        let finding =
            Finding::new(Method::Dkim, AuthResult::TempError).with_reason("message could not be read");
        Self(vec![Candidate::Decided(finding)])
    }

    /// Verifies all signatures at the same time.
    pub(super) async fn verify(self, resolver: &TokioResolver, end: Instant) -> DkimResults {
        let results = self.0.into_iter().map(|candidate| async move {
            match candidate {
                Candidate::Decided(finding) => (finding, None),
                Candidate::NeedsKey(unverified) => unverified.verify(resolver, end).await,
            }
        });
        DkimResults(join_all(results).await)
    }
}

/// Reads the signatures and hashes the body. Blocks, since a body may be in a file.
fn prepare(content: &Content, now: u64) -> io::Result<PreparedSignatures> {
    let section = HeaderSection::parse(content.header());
    let read = section.signatures().take(MAX_SIGNATURES).map(|field| match field.read() {
        // An unreadable signature says nothing (RFC 8601 §2.7.1).
        Err(error) => Err(Finding::new(Method::Dkim, AuthResult::Neutral).with_reason(error.to_string())),
        Ok(signature) => match signature.early_failure(&section, now) {
            Some(failure) => Err(describe(failed(&failure, false), &signature)),
            None => Ok(signature),
        },
    });
    let read: Vec<Result<Signature, Finding>> = read.collect();
    let forms = [Canonicalization::Simple, Canonicalization::Relaxed];
    let is_used = |form: &Canonicalization| {
        read.iter().flatten().any(|signature| signature.body_canonicalization() == *form)
    };
    let used: Vec<_> = forms.into_iter().filter(is_used).collect();
    let hashes = if used.is_empty() { Vec::new() } else { body_hashes(content, &used)? };
    let hash = |form| used.iter().zip(&hashes).find(|(used, _)| **used == form).map(|(_, hash)| *hash);
    let candidate = |read| match read {
        Err(finding) => Some(Candidate::Decided(finding)),
        Ok(signature) => {
            let (digest, body) = (section.digest(&signature), hash(signature.body_canonicalization())?);
            Some(Candidate::NeedsKey(Box::new(UnverifiedSignature { signature, digest, body })))
        }
    };
    Ok(PreparedSignatures(read.into_iter().filter_map(candidate).collect()))
}

impl UnverifiedSignature {
    async fn verify(&self, resolver: &TokioResolver, end: Instant) -> (Finding, Option<Identifier>) {
        let name = query_name(self.signature.key_name());
        let answer = query(resolver, name, RecordType::TXT, end).await.records();
        let finding = match answer {
            Ok(records) => match self.signature.verify(&self.digest, &self.body, &texts(&records)) {
                Verified { result: Err(failure), is_testing } => failed(&failure, is_testing),
                Verified { result: Ok(()), is_testing: true } => {
                    Finding::new(Method::Dkim, AuthResult::Pass).with_reason("test mode")
                }
                Verified { result: Ok(()), is_testing: false } => {
                    Finding::new(Method::Dkim, AuthResult::Pass)
                }
            },
            // A changed body fails whatever the key is.
            Err(reason) => match self.signature.check_body(&self.body) {
                Err(failure) => failed(&failure, false),
                Ok(()) => Finding::new(Method::Dkim, AuthResult::TempError).with_reason(reason),
            },
        };
        let authentication = match finding.result {
            AuthResult::Pass => Some(Authentication::Passed),
            AuthResult::TempError => Some(Authentication::Unknown),
            _ => None,
        };
        let identifier = authentication.map(|authentication| Identifier {
            domain: self.signature.domain().clone(),
            mechanism: Mechanism::Dkim,
            authentication,
        });
        (describe(finding, &self.signature), identifier)
    }
}

impl DkimResults {
    /// The results to record, in the order of the fields; `none` when there is no signature.
    pub(super) fn findings(&self) -> Vec<Finding> {
        if self.0.is_empty() {
            return vec![Finding::new(Method::Dkim, AuthResult::None)];
        }
        self.0.iter().map(|(finding, _)| finding.clone()).collect()
    }

    /// The signing domains that matter to DMARC.
    pub(super) fn for_dmarc(&self) -> Vec<Identifier> {
        self.0.iter().filter_map(|(_, identifier)| identifier.clone()).collect()
    }
}

/// Converts a failure to a result. A failure of a domain in test mode says nothing (RFC 6376 §3.6.1, `t=y`).
fn failed(failure: &SignatureFailure, is_testing: bool) -> Finding {
    if is_testing {
        return Finding::new(Method::Dkim, AuthResult::Neutral).with_reason(format!("test mode: {failure}"));
    }
    let result = match failure.kind() {
        FailureKind::Neutral => AuthResult::Neutral,
        FailureKind::Fail => AuthResult::Fail,
        FailureKind::PermError => AuthResult::PermError,
    };
    Finding::new(Method::Dkim, result).with_reason(failure.to_string())
}

fn describe(finding: Finding, signature: &Signature) -> Finding {
    // The first octets distinguish the signatures of one domain (RFC 6008).
    let mut octets = BASE64_STANDARD.encode(signature.octets());
    octets.truncate(8);
    finding
        .with_property("header.d", signature.domain().as_str())
        .with_property("header.s", signature.selector())
        .with_property("header.a", signature.algorithm().name())
        .with_property("header.b", octets)
}

#[cfg(test)]
mod tests;
