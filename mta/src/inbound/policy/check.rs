//! One check of the policy and its result.

use handover::config::PolicyAction;
use smtp_proto::{Reply, Status, replies};

use crate::checks::{AuthResult, Finding, Method};

pub(super) use handover::config::PolicyCheck as Check;

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CheckResult {
    pub(super) check: Check,
    pub(super) result: AuthResult,
    /// The finding, for a person: it follows the name of the check and a colon.
    pub(super) explanation: String,
    /// The most that follows from the result, whatever the settings say.
    pub(super) at_most: PolicyAction,
    /// The refusal if the result is a failure, or the deferral if it is a temporary error that the check does not
    /// ignore.
    pub(super) refusal: Option<Refusal>,
}

/// A refusal in preparation: the reply without the address at which the peer may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: Status,
    /// The fault and the remedy, a sentence without its end.
    pub(super) text: String,
}

/// The subject of a check, for a person.
pub(super) fn subject(check: Check) -> &'static str {
    match check {
        Check::Rdns => "reverse name",
        Check::Fcrdns => "address of the name",
        Check::Blocklist => "blocklists",
        Check::Helo => "HELO",
        Check::Sender => "sender",
        Check::Spf => "SPF",
        Check::Dmarc => "DMARC",
    }
}

impl CheckResult {
    /// The finding for `Authentication-Results`; `None` for a check that has a method of its own there.
    pub(super) fn finding(&self) -> Option<Finding> {
        let method = match self.check {
            Check::Helo => Method::Helo,
            Check::Sender => Method::Sender,
            Check::Blocklist => Method::Blocklist,
            Check::Rdns | Check::Fcrdns | Check::Spf | Check::Dmarc => return None,
        };
        Some(Finding::new(method, self.result).with_reason(&self.explanation))
    }

    pub(super) fn new(check: Check, result: AuthResult, explanation: impl Into<String>) -> Self {
        Self { check, result, explanation: explanation.into(), at_most: PolicyAction::Reject, refusal: None }
    }

    pub(super) fn at_most(self, at_most: PolicyAction) -> Self {
        Self { at_most, ..self }
    }

    pub(super) fn with_refusal(mut self, status: Status, text: impl Into<String>) -> Self {
        self.refusal = Some(Refusal { status, text: text.into() });
        self
    }
}

impl Refusal {
    /// The reply. `contact` is the postmaster's address, which no check refuses.
    pub(super) fn reply(&self, is_lasting: bool, contact: &str) -> Reply {
        replies::policy_refusal(is_lasting, self.status, &self.text, contact)
    }
}
