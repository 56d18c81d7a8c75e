use super::ModSeq;
use super::live::LiveMailbox;
use crate::maildir::{Flags, UidValidity, maildirsize};

/// The figures of a mailbox for STATUS (RFC 3501 §6.3.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxStatus {
    /// MESSAGES.
    pub messages: u32,
    /// RECENT: messages that no session has claimed.
    pub recent: u32,
    /// UIDNEXT.
    pub uid_next: u32,
    /// UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// UNSEEN.
    pub unseen: u32,
    /// DELETED-STORAGE: the octets of the messages that are `\Deleted`.
    pub deleted_storage: u64,
    /// HIGHESTMODSEQ.
    pub highest_mod_seq: ModSeq,
}

impl MailboxStatus {
    /// The figures of this mailbox. Blocks if there are messages that are `\Deleted` and whose names do not have their
    /// sizes.
    pub(super) fn of(live: &LiveMailbox) -> Self {
        let snapshot = live.snapshot();
        let deleted = snapshot.entries().filter(|entry| entry.flags.contains(Flags::DELETED));
        let sizes = deleted.filter_map(|entry| maildirsize::octets_of(&live.folder, &entry.file));
        Self {
            messages: snapshot.len(),
            recent: snapshot.unclaimed(),
            uid_next: snapshot.uid_next(),
            uid_validity: snapshot.uid_validity(),
            unseen: snapshot.unseen(),
            deleted_storage: sizes.sum(),
            highest_mod_seq: snapshot.highest_mod_seq(),
        }
    }
}
