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

/// A check of the policy. The names are those of the setting `MAIL_POLICY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyCheck {
    /// The peer's address has a name.
    Rdns,
    /// The name has the address.
    Fcrdns,
    /// The name in HELO or EHLO can be the peer's.
    Helo,
    /// The sender's domain can receive a reply.
    Sender,
    /// The peer's address is in no blocklist.
    Blocklist,
    /// The sender's domain allows the peer.
    Spf,
    /// The message is mail of its author's domain.
    Dmarc,
}

impl PolicyCheck {
    /// All of them, in the order of the settings page.
    pub const ALL: [Self; 7] =
        [Self::Rdns, Self::Fcrdns, Self::Helo, Self::Sender, Self::Blocklist, Self::Spf, Self::Dmarc];

    /// The name in the settings, the log and the metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rdns => "rdns",
            Self::Fcrdns => "fcrdns",
            Self::Helo => "helo",
            Self::Sender => "sender",
            Self::Blocklist => "blocklist",
            Self::Spf => "spf",
            Self::Dmarc => "dmarc",
        }
    }
}

impl Policy {
    /// The action for a message that fails a check.
    pub fn action(&self, check: PolicyCheck) -> PolicyAction {
        match check {
            PolicyCheck::Rdns => self.rdns,
            PolicyCheck::Fcrdns => self.fcrdns,
            PolicyCheck::Helo => self.helo,
            PolicyCheck::Sender => self.sender,
            PolicyCheck::Blocklist => self.blocklist,
            PolicyCheck::Spf => self.spf,
            PolicyCheck::Dmarc => self.dmarc,
        }
    }

    /// Sets the action for a message that fails a check.
    pub fn set_action(&mut self, check: PolicyCheck, action: PolicyAction) {
        *match check {
            PolicyCheck::Rdns => &mut self.rdns,
            PolicyCheck::Fcrdns => &mut self.fcrdns,
            PolicyCheck::Helo => &mut self.helo,
            PolicyCheck::Sender => &mut self.sender,
            PolicyCheck::Blocklist => &mut self.blocklist,
            PolicyCheck::Spf => &mut self.spf,
            PolicyCheck::Dmarc => &mut self.dmarc,
        } = action;
    }

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
