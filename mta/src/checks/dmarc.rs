//! Alignment of SPF or DKIM with the domain of the author (RFC 7489, RFC 9989).
//!
//! The author is [`message::Author`]: the library's own reading of From is lenient, so the library never sees the
//! message.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use address::Domain;
use hickory_resolver::proto::rr::{Name, RData};
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::{
    AuthenticatedMessage, DkimOutput, DmarcOutput, DmarcResult, DnsError, Error, MessageAuthenticator,
    Parameters, ResolverCache, SpfOutput, Txt,
};
use message::{Author, AuthorError};
use tokio::time::{Instant, timeout_at};

use super::{AuthResult, Finding, Method};

/// Checks the alignment and finds the policy of the author's domain.
///
/// A From field without a single meaning is a permanent error. Authors of several domains are exempt (RFC 9989), and
/// an address literal has no policy: both are recorded as `none`.
pub(super) async fn check(
    authenticator: &MessageAuthenticator,
    author: &Result<Author, AuthorError>,
    (spf, spf_domain): (&SpfOutput, &str),
    dkim: &[DkimOutput<'_>],
    end: Instant,
) -> Finding {
    let author = match author {
        Ok(author) => author,
        Err(error) => {
            let reason = format!("the From field {error}");
            return Finding::new(Method::Dmarc, AuthResult::PermError).with_reason(reason);
        }
    };
    let Some(domain) = author.domain() else {
        let reason = match author.first_domain() {
            Some(_) => "authors of several domains",
            None => "the author has no domain",
        };
        return Finding::new(Method::Dmarc, AuthResult::None).with_reason(reason);
    };
    let message = AuthenticatedMessage { from: vec![format!("author@{domain}")], ..Default::default() };
    let parameters = || DmarcParameters {
        message: &message,
        dkim_output: dkim,
        dkim2_output: None,
        rfc5321_mail_from_domain: spf_domain,
        spf_output: spf,
    };
    match timeout_at(end, verify(authenticator, parameters)).await {
        Ok(Some(output)) => finding(domain, &output),
        Ok(None) | Err(_) => for_author(AuthResult::TempError, domain),
    }
}

/// Evaluates the policy, and repeats this without a name as often as that name turns out to have several records.
/// Returns `None` when DNS fails meanwhile, or when such names do not come to an end.
async fn verify<'x>(
    authenticator: &MessageAuthenticator,
    parameters: impl Fn() -> DmarcParameters<'x>,
) -> Option<DmarcOutput> {
    /// The names at which a record is looked up: eight for each of a few domains.
    const MAX_ROUNDS: usize = 32;
    let mut records = RecordCache::default();
    let mut counted: HashSet<Box<str>> = HashSet::new();
    for _ in 0..MAX_ROUNDS {
        let output = authenticator.verify_dmarc(Parameters::new(parameters()).with_txt_cache(&records)).await;
        let before = records.ambiguous.len();
        for name in records.take_found() {
            if counted.insert(name.clone()) && count(authenticator, &name).await? > 1 {
                records.ambiguous.insert(name);
            }
        }
        if records.ambiguous.len() == before {
            return Some(output);
        }
    }
    None
}

/// The number of DMARC records at a name. The resolver has just looked them up and answers from its cache.
async fn count(authenticator: &MessageAuthenticator, name: &str) -> Option<usize> {
    let answer = authenticator.0.txt_lookup(Name::from_str_relaxed(name).ok()?).await.ok()?;
    let is_dmarc = |record: &&hickory_resolver::proto::rr::Record| match &record.data {
        RData::TXT(text) => is_dmarc(&text.txt_data.concat()),
        _ => false,
    };
    Some(answer.answers().iter().filter(is_dmarc).count())
}

/// True if a text record begins with the version of DMARC, so that it counts among the records (RFC 7489 §6.6.3).
///
/// ```abnf
/// dmarc-version = "v" *WSP "=" *WSP "DMARC1"
/// ```
fn is_dmarc(text: &[u8]) -> bool {
    let tag = text.split(|octet| *octet == b';').next().unwrap_or_default();
    let mut sides = tag.splitn(2, |octet| *octet == b'=');
    let (name, value) = (sides.next().unwrap_or_default(), sides.next().unwrap_or_default());
    name.trim_ascii().eq_ignore_ascii_case(b"v") && value.trim_ascii() == b"DMARC1"
}

/// A cache for the library, which uses the first of several records that it can read, where none applies
/// (RFC 7489 §6.6.3, RFC 9989 §4.10). It learns the names at which the library has found a record, and hides those that
/// have several.
#[derive(Default)]
struct RecordCache {
    ambiguous: HashSet<Box<str>>,
    found: Mutex<Vec<Box<str>>>,
}

impl RecordCache {
    fn take_found(&self) -> Vec<Box<str>> {
        std::mem::take(&mut *self.found.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolverCache<Box<str>, Txt> for RecordCache {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.ambiguous.contains(name).then(|| Txt::Error(Error::Dns(DnsError::InvalidRecordType)))
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, name: Box<str>, record: Txt, _: std::time::Instant) {
        if !matches!(record, Txt::Error(Error::Dns(_))) {
            self.found.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        }
    }
}

fn finding(domain: &Domain, output: &DmarcOutput) -> Finding {
    let result = match output.result() {
        DmarcResult::Pass => AuthResult::Pass,
        DmarcResult::Fail(_) => AuthResult::Fail,
        DmarcResult::TempError(_) => AuthResult::TempError,
        DmarcResult::PermError(_) => AuthResult::PermError,
        DmarcResult::None => AuthResult::None,
    };
    let finding = for_author(result, domain);
    match output.dmarc_record() {
        Some(_) => finding.with_property("policy.dmarc", output.policy().to_string()),
        None => finding,
    }
}

fn for_author(result: AuthResult, domain: &Domain) -> Finding {
    Finding::new(Method::Dmarc, result).with_property("header.from", domain.as_str())
}
