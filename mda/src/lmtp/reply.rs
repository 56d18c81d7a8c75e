//! Replies to the MTA when a message cannot be stored.

use smtp_proto::{Reply, replies};

use crate::mailbox::StoreError;

/// The reply to a failure of the store. All but one are transient, so the MTA keeps the message.
pub(super) fn for_store_error(error: &StoreError) -> Reply {
    match error {
        StoreError::DiskFull { .. } => replies::SYSTEM_FULL,
        // Transient: the user may make room, and nothing is bounced meanwhile.
        StoreError::OverQuota { .. } | StoreError::NoUidsLeft(_) => replies::MAILBOX_FULL,
        // No folder can be named for this user, so a retry cannot succeed.
        StoreError::NotAllowed(_) => replies::UNKNOWN_RECIPIENT,
        StoreError::NoSuchMailbox(_)
        | StoreError::AlreadyExists(_)
        | StoreError::MailboxGone(_)
        | StoreError::MessageGone
        | StoreError::Locked(_)
        | StoreError::Disk { .. }
        | StoreError::Interrupted => replies::STORE_UNAVAILABLE,
    }
}
