//! The reply to the peer when a message's recipients have different outcomes.
//!
//! | recipients left                    | for a peer                    | for a user            |
//! |------------------------------------|-------------------------------|-----------------------|
//! | none                               | 250                           | 250                   |
//! | all, and all permanently           | 5yz                           | 5yz                   |
//! | all, some of them temporarily      | 4yz, nothing is kept          | queued, 250           |
//! | some, local or remote              | queued, 250                   | queued, 250           |
//!
//! A peer retries after 4yz; a mail client would show an error to a user who has done nothing wrong. Mail from a peer
//! that is queued and fails is reported by the queue, and never to a sender that may be forged.

use address::Address;
use smtp_proto::{Reply, replies};

use super::envelope::InboundEnvelope;
use crate::outcome::{Outcome, Reason};

/// The disposition of a message, which determines the reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Disposition {
    /// Every recipient has it.
    Delivered,
    /// These recipients do not have it yet, and we take responsibility for it.
    Queued(Vec<Address>),
    /// Every recipient was refused.
    Refused(Reply),
}

/// Combines the outcomes of the mailboxes, which are in the envelope's order.
pub(super) fn decide(envelope: &InboundEnvelope, outcomes: Vec<Outcome>, logged_in: bool) -> Disposition {
    let mailboxes = envelope.local();
    let remote = envelope.remote();
    let left: Vec<(&Address, &Outcome)> =
        mailboxes.iter().zip(&outcomes).filter(|(_, outcome)| **outcome != Outcome::Delivered).collect();
    if left.is_empty() && remote.is_empty() {
        return Disposition::Delivered;
    }
    if left.len() == mailboxes.len() && remote.is_empty() {
        let deferred = left.iter().find_map(|(_, outcome)| match outcome {
            Outcome::Deferred(reason) => Some(reason),
            _ => None,
        });
        let failed = left.iter().find_map(|(_, outcome)| outcome.reason());
        match (deferred, failed) {
            (Some(reason), _) if !logged_in => return Disposition::Refused(temporary_refusal(reason)),
            (None, Some(reason)) => return Disposition::Refused(permanent_refusal(reason)),
            _ => {}
        }
    }
    let rest = left.into_iter().map(|(mailbox, _)| mailbox).chain(remote);
    Disposition::Queued(rest.cloned().collect())
}

/// A temporary refusal in our own words: the peer gets what helps it, not the MDA's reply.
fn temporary_refusal(reason: &Reason) -> Reply {
    match (reason.status.subject, reason.status.detail) {
        (2, 2) => replies::MAILBOX_FULL,
        (3, 1) => replies::SYSTEM_FULL,
        _ => replies::STORE_UNAVAILABLE,
    }
}

/// A permanent refusal.
fn permanent_refusal(reason: &Reason) -> Reply {
    match (reason.status.subject, reason.status.detail) {
        (1, _) => replies::UNKNOWN_RECIPIENT,
        (2, 2) => replies::MAILBOX_FULL_PERMANENT,
        (3, 4) => replies::MESSAGE_TOO_BIG,
        _ => replies::REFUSED_BY_STORE,
    }
}

#[cfg(test)]
mod tests;
