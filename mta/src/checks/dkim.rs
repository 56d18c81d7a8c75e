//! Whether domains signed the message (RFC 6376).

use std::io;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::join_all;
use mail_auth::common::crypto::Algorithm;
use mail_auth::dkim::{Canonicalization, DkimError, Signature};
use mail_auth::{AuthenticatedMessage, DkimOutput, DkimResult, DnsError, Error, MessageAuthenticator};
use tokio::time::{Instant, timeout_at};

use super::{Finding, Method, Verdict, body_hash};
use crate::content::Content;

/// Signatures that are looked at, from the top: each costs a question to DNS that a stranger chose. Honest mail has
/// one to four.
const MOST_SIGNATURES: usize = 8;

/// Fields of a message, and names that a signature lists, beyond which nothing is checked: comparing the two costs
/// their product, at a stranger's wish. Honest mail has some hundred fields and lists some fifty names.
const MOST_FIELDS: usize = 2_000;
const MOST_SIGNED: usize = 256;

/// A message whose signatures can be checked.
pub(super) struct Prepared<'x> {
    /// The message's fields, without a signature.
    pub(super) message: AuthenticatedMessage<'x>,
    /// The message once for each signature that is to be checked, with that signature alone.
    signed: Vec<AuthenticatedMessage<'x>>,
    /// What is known of signatures without asking anybody.
    known: Vec<Finding>,
}

/// Finds the signatures and hashes the body for them. None when there is not one field.
pub(super) async fn prepare(content: &Content) -> io::Result<Option<Prepared<'_>>> {
    let Some(mut message) = AuthenticatedMessage::parse(content.header()) else { return Ok(None) };
    let mut known = Vec::new();
    let malformed = message.errors.iter().filter(|error| error.name.eq_ignore_ascii_case(b"DKIM-Signature"));
    for error in malformed.take(MOST_SIGNATURES) {
        known.push(Finding::new(Method::Dkim, Verdict::Neutral).because(error.header.to_string()));
    }
    let mut signatures = std::mem::take(&mut message.dkim_headers);
    signatures.truncate(MOST_SIGNATURES);
    let too_many_fields = message.headers.len() > MOST_FIELDS;
    signatures.retain(|signature| match refused(&signature.header, too_many_fields) {
        Some(finding) => {
            known.push(finding);
            false
        }
        None => true,
    });
    let mut forms: Vec<Canonicalization> = Vec::new();
    for signature in &signatures {
        if !forms.contains(&signature.header.cb) {
            forms.push(signature.header.cb);
        }
    }
    let hashed = if forms.is_empty() { Vec::new() } else { hash(content, forms.clone()).await? };
    // The library hashed an empty body: it was given the header section alone.
    for (form, algorithm, _, hash) in &mut message.body_hashes {
        if let Some(at) = forms.iter().position(|wanted| wanted == form)
            && *algorithm == mail_auth::common::crypto::HashAlgorithm::Sha256
        {
            hash.clone_from(&hashed[at]);
        }
    }
    let signed = signatures.into_iter().map(|signature| {
        let mut message = message.clone();
        message.errors.clear();
        message.dkim_headers.push(signature);
        message
    });
    Ok(Some(Prepared { signed: signed.collect(), message, known }))
}

/// What is known of a signature that is not checked.
fn refused(signature: &Signature, too_many_fields: bool) -> Option<Finding> {
    if signature.a == Algorithm::RsaSha1 {
        return Some(describe(Verdict::Fail, signature).because("rsa-sha1 must not be used (RFC 8301)"));
    }
    if too_many_fields || signature.h.len() > MOST_SIGNED {
        return Some(describe(Verdict::PermError, signature).because("too many header fields"));
    }
    None
}

async fn hash(content: &Content, forms: Vec<Canonicalization>) -> io::Result<Vec<Vec<u8>>> {
    let content = content.clone();
    tokio::task::spawn_blocking(move || body_hash::hashes(&content, &forms))
        .await
        .map_err(io::Error::other)?
}

impl Prepared<'_> {
    /// Checks all signatures at the same time.
    pub(super) async fn verify(&self, asker: &MessageAuthenticator, end: Instant) -> Vec<DkimOutput<'_>> {
        let outputs = self.signed.iter().map(|message| async move {
            match timeout_at(end, asker.verify_dkim(message)).await {
                Ok(outputs) => outputs,
                Err(_) => {
                    let unanswered = Error::Dns(DnsError::Resolver("no answer in time".to_owned()));
                    let signatures = message.dkim_headers.iter();
                    let output = |header| DkimOutput::temp_err(unanswered.clone()).with_signature(header);
                    signatures.map(|signature| output(&signature.header)).collect()
                }
            }
        });
        join_all(outputs).await.into_iter().flatten().collect()
    }

    /// What is known of all signatures; `none` when there is not one.
    pub(super) fn findings(&self, outputs: &[DkimOutput<'_>]) -> Vec<Finding> {
        let mut findings: Vec<_> = outputs.iter().map(finding).chain(self.known.iter().cloned()).collect();
        if findings.is_empty() {
            findings.push(Finding::new(Method::Dkim, Verdict::None));
        }
        findings
    }
}

fn finding(output: &DkimOutput<'_>) -> Finding {
    let (verdict, reason) = match output.result() {
        DkimResult::Pass => (Verdict::Pass, None),
        DkimResult::None => (Verdict::None, None),
        DkimResult::Neutral(error) | DkimResult::Fail(error) => (refusal(error), Some(error)),
        DkimResult::PermError(error) => (Verdict::PermError, Some(error)),
        DkimResult::TempError(error) => (Verdict::TempError, Some(error)),
    };
    let finding = match output.signature() {
        Some(signature) => describe(verdict, signature),
        None => Finding::new(Method::Dkim, verdict),
    };
    match reason {
        Some(error) => finding.because(error.to_string()),
        None => finding,
    }
}

/// A signature that does not hold is a failure; one that cannot be read says nothing (RFC 8601 §2.7.1).
fn refusal(error: &Error) -> Verdict {
    match error {
        Error::Crypto(_)
        | Error::Dkim(
            DkimError::FailedBodyHashMatch | DkimError::FailedAuidMatch | DkimError::SignatureExpired,
        ) => Verdict::Fail,
        _ => Verdict::Neutral,
    }
}

fn describe(verdict: Verdict, signature: &Signature) -> Finding {
    // The first octets tell the signatures of one domain apart (RFC 6008).
    let mut octets = BASE64_STANDARD.encode(&signature.b);
    octets.truncate(8);
    Finding::new(Method::Dkim, verdict)
        .about("header.d", &signature.d)
        .about("header.s", &signature.s)
        .about("header.a", signature.a.name())
        .about("header.b", octets)
}
