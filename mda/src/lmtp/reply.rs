//! What the MTA is told when a message cannot be stored.

use smtp_proto::{Reply, replies};

use crate::mailbox::StoreError;

/// The reply to a failure of the store. All but one may pass by themselves, so the MTA keeps the message.
pub(super) fn of(error: &StoreError) -> Reply {
    match error {
        StoreError::DiskFull { .. } => replies::SYSTEM_FULL,
        // For now: its owner may make room, and nothing is bounced meanwhile.
        StoreError::OverQuota { .. } | StoreError::NoUidsLeft(_) => replies::MAILBOX_FULL,
        // No folder can be named for this user, today or tomorrow.
        StoreError::NotAllowed(_) => replies::UNKNOWN_RECIPIENT,
        StoreError::NoSuchMailbox(_)
        | StoreError::AlreadyExists(_)
        | StoreError::Gone(_)
        | StoreError::MessageGone
        | StoreError::Locked(_)
        | StoreError::Disk { .. }
        | StoreError::Interrupted => replies::STORE_UNAVAILABLE,
    }
}
