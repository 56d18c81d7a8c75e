use super::{ModSeq, Snapshot};
use crate::maildir::UidValidity;

/// What STATUS tells of a mailbox (RFC 3501 §6.3.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// MESSAGES.
    pub messages: u32,
    /// RECENT: those that no session has claimed.
    pub recent: u32,
    /// UIDNEXT.
    pub uid_next: u32,
    /// UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// UNSEEN.
    pub unseen: u32,
    /// HIGHESTMODSEQ.
    pub highest_mod_seq: ModSeq,
}

impl Status {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        Self {
            messages: snapshot.len(),
            recent: snapshot.unclaimed(),
            uid_next: snapshot.uid_next(),
            uid_validity: snapshot.uid_validity(),
            unseen: snapshot.unseen(),
            highest_mod_seq: snapshot.highest_mod_seq(),
        }
    }
}
