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
//! that is queued and fails is set aside by the queue, never bounced.

use address::Address;
use smtp_proto::{Reply, replies};

use super::envelope::InboundEnvelope;
use crate::outcome::{Outcome, Reason};

/// The outcome of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Every recipient has it.
    Delivered,
    /// These recipients do not have it yet, and we take responsibility for it.
    Queued(Vec<Address>),
    /// Every recipient was refused.
    Refused(Reply),
}

/// Combines the outcomes of the mailboxes, which are in the envelope's order.
pub(super) fn weigh(envelope: &InboundEnvelope, outcomes: Vec<Outcome>, logged_in: bool) -> Fate {
    let mailboxes = envelope.local();
    let remote = envelope.remote();
    let left: Vec<(&Address, &Outcome)> =
        mailboxes.iter().zip(&outcomes).filter(|(_, outcome)| **outcome != Outcome::Delivered).collect();
    if left.is_empty() && remote.is_empty() {
        return Fate::Delivered;
    }
    if left.len() == mailboxes.len() && remote.is_empty() {
        let deferred = left.iter().find_map(|(_, outcome)| match outcome {
            Outcome::Deferred(reason) => Some(reason),
            _ => None,
        });
        let failed = left.iter().find_map(|(_, outcome)| outcome.reason());
        match (deferred, failed) {
            (Some(reason), _) if !logged_in => return Fate::Refused(for_now(reason)),
            (None, Some(reason)) => return Fate::Refused(for_good(reason)),
            _ => {}
        }
    }
    let rest = left.into_iter().map(|(mailbox, _)| mailbox).chain(remote);
    Fate::Queued(rest.cloned().collect())
}

/// A temporary refusal in our own words: the peer gets what helps it, not the MDA's reply.
fn for_now(reason: &Reason) -> Reply {
    match (reason.status.subject, reason.status.detail) {
        (2, 2) => replies::MAILBOX_FULL,
        (3, 1) => replies::SYSTEM_FULL,
        _ => replies::STORE_UNAVAILABLE,
    }
}

/// A permanent refusal.
fn for_good(reason: &Reason) -> Reply {
    match (reason.status.subject, reason.status.detail) {
        (1, _) => replies::UNKNOWN_RECIPIENT,
        (2, 2) => replies::MAILBOX_FULL_FOR_GOOD,
        (3, 4) => replies::MESSAGE_TOO_BIG,
        _ => replies::REFUSED_BY_STORE,
    }
}

#[cfg(test)]
mod tests;
