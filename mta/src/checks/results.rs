//! The field `Authentication-Results` (RFC 8601) as a value.

use address::{Domain, ReversePath};
use message::compose::{self, MethodResult};

/// The results of the checks on one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticationResults {
    /// `authserv-id`: the server that checked the message.
    server: Domain,
    findings: Vec<Finding>,
    spf: SpfEvaluation,
    dmarc: DmarcEvaluation,
}

/// The result of SPF for the sender, or for the name in HELO if the sender is null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpfEvaluation {
    /// The result.
    pub result: AuthResult,
    /// The sender's address, or the name in HELO.
    pub identity: String,
}

/// The result of DMARC, as far as a decision depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DmarcEvaluation {
    /// The result.
    pub result: AuthResult,
    /// The author's domain; `None` if there is not exactly one.
    pub author: Option<Domain>,
    /// The request of the domain: `None` unless the message fails.
    pub requested: dmarc::Policy,
}

/// The result of one method: `resinfo` (RFC 8601 §2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The method of the check.
    pub method: Method,
    /// The result of the check.
    pub result: AuthResult,
    /// The reason, for a human reader.
    pub reason: Option<String>,
    /// The subject of the result: `ptype "." property` and its value.
    pub properties: Vec<(&'static str, String)>,
}

/// An authentication method (RFC 8601 §2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The address has a name that has the address (RFC 8601 §3).
    Iprev,
    /// The name in HELO or EHLO can be the peer's. Not registered, hence the `x-` (RFC 8601 §2.7.7).
    Helo,
    /// The sender's domain can receive a reply.
    Sender,
    /// The address is in no blocklist.
    Blocklist,
    /// The address may send for the domain (RFC 7208).
    Spf,
    /// The domain signed the message (RFC 6376).
    Dkim,
    /// SPF or DKIM is aligned with the author's domain (RFC 9989).
    Dmarc,
}

/// The result of a check. Each method uses some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthResult {
    /// There was nothing to check.
    None,
    /// The check passed.
    Pass,
    /// The check failed.
    Fail,
    /// The check failed, and the domain is not sure of its own record.
    SoftFail,
    /// The check allows no conclusion.
    Neutral,
    /// Something that the check needs is unavailable at the moment.
    TempError,
    /// Something that the check needs is wrong, and stays so until it is corrected.
    PermError,
}

impl AuthenticationResults {
    /// Creates an empty list of results.
    pub fn new(server: Domain) -> Self {
        Self {
            server,
            findings: Vec::new(),
            spf: SpfEvaluation { result: AuthResult::None, identity: String::new() },
            dmarc: DmarcEvaluation { result: AuthResult::None, author: None, requested: dmarc::Policy::None },
        }
    }

    pub(super) fn set_evaluations(&mut self, spf: SpfEvaluation, dmarc: DmarcEvaluation) {
        (self.spf, self.dmarc) = (spf, dmarc);
    }

    /// SPF.
    pub fn spf(&self) -> &SpfEvaluation {
        &self.spf
    }

    /// The domains whose signatures passed.
    pub fn signers(&self) -> impl Iterator<Item = Domain> + '_ {
        let passed =
            |finding: &&Finding| finding.method == Method::Dkim && finding.result == AuthResult::Pass;
        let signer = |finding: &Finding| Domain::parse(finding.property("header.d")?).ok();
        self.findings.iter().filter(passed).filter_map(signer)
    }

    /// DMARC.
    pub fn dmarc(&self) -> &DmarcEvaluation {
        &self.dmarc
    }

    pub(super) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
    }

    /// All results.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// True if the domain of the envelope sender vouches for the message: SPF passed for it, or a signature of the domain
    /// or one above it. A domain below it does not count, since it may belong to a customer.
    pub fn authenticate(&self, sender: &ReversePath) -> bool {
        let Some(domain) = sender.address().and_then(|address| address.domain()) else { return false };
        // The identity is the sender, and not the name in HELO.
        let is_of_sender = |finding: &Finding| {
            finding.method == Method::Spf
                && finding.result == AuthResult::Pass
                && finding.property("smtp.mailfrom").is_some()
        };
        self.findings.iter().any(is_of_sender) || self.signers().any(|signer| domain.is_within(&signer))
    }

    /// True if DNS was queried and not one answer came.
    pub(super) fn are_all_unanswered(&self) -> bool {
        let mut queried =
            self.findings.iter().filter(|finding| finding.result != AuthResult::None).peekable();
        queried.peek().is_some() && queried.all(|finding| finding.result == AuthResult::TempError)
    }

    /// The whole field, folded and ended by CRLF.
    ///
    /// Fields of the message that look like ours must be removed before this one is put on top (RFC 8601 §5):
    /// [`message::forged::trace_fields`] finds them.
    pub fn to_field(&self) -> String {
        let methods = self.findings.iter().map(|finding| MethodResult {
            method: finding.method.name(),
            result: finding.result.name(),
            comment: finding.reason.as_deref().map(shortened),
            properties: finding.properties.iter().map(|(name, value)| (*name, shortened(value))).collect(),
        });
        compose::AuthenticationResults { host: self.server.as_str(), methods: methods.collect() }.field()
    }
}

/// Shortens a text. Senders choose these texts, and one that is longer than an address only serves to fill the field.
fn shortened(text: &str) -> String {
    const MAX_TEXT: usize = 320;
    text.chars().take(MAX_TEXT).collect()
}

impl Finding {
    /// A result without a reason.
    pub fn new(method: Method, result: AuthResult) -> Self {
        Self { method, result, reason: None, properties: Vec::new() }
    }

    /// The same with a reason.
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    fn property(&self, property: &str) -> Option<&str> {
        let found = self.properties.iter().find(|(name, _)| *name == property);
        found.map(|(_, value)| value.as_str())
    }

    /// The same with a property.
    pub fn with_property(mut self, property: &'static str, value: impl Into<String>) -> Self {
        self.properties.push((property, value.into()));
        self
    }
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Iprev => "iprev",
            Self::Helo => "x-helo",
            Self::Sender => "x-sender",
            Self::Blocklist => "x-dnsbl",
            Self::Spf => "spf",
            Self::Dkim => "dkim",
            Self::Dmarc => "dmarc",
        }
    }
}

impl AuthResult {
    /// The name in the field.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::Neutral => "neutral",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(findings: &[Finding]) -> String {
        let mut results = AuthenticationResults::new(Domain::parse("mx.example.org").unwrap());
        results.extend(findings.iter().cloned());
        results.to_field()
    }

    #[test]
    fn without_a_result_the_field_says_none() {
        assert_eq!(field(&[]), "Authentication-Results: mx.example.org; none\r\n");
    }

    #[test]
    fn each_result_has_its_reason_and_properties() {
        let written = field(&[
            Finding::new(Method::Spf, AuthResult::SoftFail).with_property("smtp.mailfrom", "ann@example.net"),
            Finding::new(Method::Dkim, AuthResult::Fail)
                .with_reason("body hash did not verify")
                .with_property("header.b", "a/b="),
        ]);
        assert_eq!(
            written.replace("\r\n\t", " ").replace("\r\n ", " "),
            "Authentication-Results: mx.example.org; spf=softfail smtp.mailfrom=ann@example.net; \
             dkim=fail (body hash did not verify) header.b=\"a/b=\"\r\n"
        );
    }

    #[test]
    fn a_sender_is_authenticated_by_spf_of_its_domain_or_an_aligned_signature() {
        let finding = |method, result, property, value: &str| {
            Finding::new(method, result).with_property(property, value)
        };
        let spf = |result| finding(Method::Spf, result, "smtp.mailfrom", "ann@bounce.example.net");
        let dkim = |domain| finding(Method::Dkim, AuthResult::Pass, "header.d", domain);
        for (finding, expected) in [
            (spf(AuthResult::Pass), true),
            (spf(AuthResult::SoftFail), false),
            (spf(AuthResult::Neutral), false),
            (finding(Method::Spf, AuthResult::Pass, "smtp.helo", "bounce.example.net"), false),
            (dkim("bounce.example.net"), true),
            (dkim("example.net"), true),
            (dkim("a.bounce.example.net"), false),
            (dkim("other.example.net"), false),
            (dkim("example.com"), false),
            (finding(Method::Dkim, AuthResult::Fail, "header.d", "example.net"), false),
            (finding(Method::Dmarc, AuthResult::Pass, "header.from", "example.net"), false),
        ] {
            let mut results = AuthenticationResults::new(Domain::parse("mx.example.org").unwrap());
            results.extend([finding.clone()]);
            let sender = ReversePath::parse("<ann@bounce.example.net>").unwrap();
            assert_eq!(results.authenticate(&sender), expected, "{finding:?}");
            assert!(!results.authenticate(&ReversePath::Null));
        }
    }

    #[test]
    fn a_hostile_value_is_truncated_and_cannot_leave_its_field() {
        let long = "x".repeat(5000);
        for hostile in ["a\r\nX-Evil: yes", "a\"; dkim=pass", "\\", "", "a)b", long.as_str(), "a;b", "a(b"] {
            let finding = Finding::new(Method::Spf, AuthResult::Pass)
                .with_reason(hostile)
                .with_property("smtp.helo", hostile);
            let written = field(&[finding]);
            assert_eq!(message::field::fields(written.as_bytes()).count(), 1, "{written}");
            assert!(written.len() < 1000, "{written}");
        }
    }
}
