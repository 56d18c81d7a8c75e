use address::Domain;
use serde::{Deserialize, Serialize};

/// The policy for mail from other hosts: the action for a message that fails a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The peer's address has no reverse name.
    pub rdns: PolicyAction,
    /// The reverse name does not have the peer's address (forward-confirmed reverse DNS).
    pub fcrdns: PolicyAction,
    /// The name in HELO or EHLO cannot be the peer's.
    pub helo: PolicyAction,
    /// The sender's domain cannot receive a reply.
    pub sender: PolicyAction,
    /// The peer's address is in one of [`Policy::blocklists`].
    pub blocklist: PolicyAction,
    /// SPF failed, and no DKIM signature passed.
    pub spf: PolicyAction,
    /// DMARC failed, and the author's domain has a policy for this case. The action is the most that is done: the domain
    /// may ask for less.
    pub dmarc: PolicyAction,
    /// The zones of the DNS blocklists (RFC 5782).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocklists: Vec<Domain>,
}

/// The action for a message that fails a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyAction {
    /// The result is recorded only.
    Off,
    /// The message is delivered to the user's Junk mailbox.
    Junk,
    /// The message is refused.
    Reject,
}

impl Policy {
    /// A policy with the same action for every check, and no blocklist.
    pub fn uniform(action: PolicyAction) -> Self {
        Self {
            rdns: action,
            fcrdns: action,
            helo: action,
            sender: action,
            blocklist: action,
            // A host that forwards mail unchanged makes SPF fail: a refusal would lose honest mail.
            spf: action.min(PolicyAction::Junk),
            dmarc: action,
            blocklists: Vec::new(),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::uniform(PolicyAction::Reject)
    }
}
