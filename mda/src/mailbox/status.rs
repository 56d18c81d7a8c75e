use super::ModSeq;
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
