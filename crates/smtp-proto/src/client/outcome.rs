use crate::{Reply, Severity, Status};

/// What became of a message for one recipient, and the reply that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The peer answers for it now.
    Delivered(Reply),
    /// Not now; it may go well later.
    Deferred(Reply),
    /// Never.
    Failed(Reply),
}

impl Outcome {
    /// What a final reply means: 2yz is success, 5yz failure for good, everything else passes (RFC 5321 §4.2.1).
    pub fn of(reply: Reply) -> Self {
        match reply.severity() {
            Severity::Done => Self::Delivered(reply),
            Severity::Permanent => Self::Failed(reply),
            Severity::GoOn | Severity::Transient => Self::Deferred(reply),
        }
    }

    /// What a refusal means, where success is no outcome yet.
    pub(super) fn of_refusal(reply: Reply) -> Self {
        match reply.severity() {
            Severity::Permanent => Self::Failed(reply),
            _ => Self::Deferred(reply),
        }
    }

    /// What a refused RCPT means.
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

/// Old servers say 552 for "too many recipients", as RFC 821 had it; "the client SHOULD treat a 552 code in this
/// case as a temporary, rather than permanent, failure" (RFC 5321 §4.5.3.1.10).
fn quirk_552_means_too_many(reply: &Reply) -> bool {
    reply.code().number() == 552 && reply.status().is_none_or(|status| status == Status::TOO_MANY_RECIPIENTS)
}
