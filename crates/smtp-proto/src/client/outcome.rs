use crate::{Reply, Severity, Status};

/// The outcome of a message for one recipient, with the reply that decided it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The peer has taken responsibility for it.
    Delivered(Reply),
    /// A temporary failure: a later attempt may succeed.
    Deferred(Reply),
    /// A permanent failure.
    Failed(Reply),
}

impl Outcome {
    /// Converts a final reply: 2yz is success, 5yz a permanent failure, every other reply a temporary one
    /// (RFC 5321 §4.2.1).
    pub fn of(reply: Reply) -> Self {
        match reply.severity() {
            Severity::Completion => Self::Delivered(reply),
            Severity::Permanent => Self::Failed(reply),
            Severity::Intermediate | Severity::Transient => Self::Deferred(reply),
        }
    }

    /// Converts a reply to a command at which success is not an outcome yet.
    pub(super) fn of_refusal(reply: Reply) -> Self {
        match reply.severity() {
            Severity::Permanent => Self::Failed(reply),
            _ => Self::Deferred(reply),
        }
    }

    /// Converts the reply to a refused RCPT.
    pub(super) fn of_refused_recipient(reply: Reply) -> Self {
        if quirk_552_means_too_many(&reply) { Self::Deferred(reply) } else { Self::of_refusal(reply) }
    }

    /// The reply.
    pub fn reply(&self) -> &Reply {
        match self {
            Self::Delivered(reply) | Self::Deferred(reply) | Self::Failed(reply) => reply,
        }
    }
}

/// Old servers send 552 for "too many recipients", as in RFC 821; "the client SHOULD treat a 552 code in this case as a
/// temporary, rather than permanent, failure" (RFC 5321 §4.5.3.1.10).
fn quirk_552_means_too_many(reply: &Reply) -> bool {
    reply.code().number() == 552 && reply.status().is_none_or(|status| status == Status::TOO_MANY_RECIPIENTS)
}
