use super::{Guest, Member};
use crate::imap::reply::Reply;
use crate::imap::selected::Selected;

/// Where a session stands.
#[derive(Debug)]
pub(super) enum State {
    /// Nobody yet.
    Guest(Guest),
    /// A user.
    Member(Member),
    /// A user with a mailbox.
    Selected(Member, Box<Selected>),
}

/// What a command came to.
#[derive(Debug)]
pub(in crate::imap) struct Turn {
    /// What the client is told.
    pub(in crate::imap) reply: Reply,
    /// Where the session goes.
    pub(in crate::imap) step: Step,
}

/// The moves of the table above.
#[derive(Debug)]
pub(in crate::imap) enum Step {
    /// Nowhere.
    Stay,
    /// Encrypt, then begin anew as a guest.
    Encrypt,
    /// Guest to member.
    Enter(Member),
    /// Member, or another selected mailbox, to selected.
    Select(Box<Selected>),
    /// Selected to member.
    Deselect,
    /// Out, after these last words.
    Leave(&'static str),
}

impl From<Reply> for Turn {
    fn from(reply: Reply) -> Self {
        Self { reply, step: Step::Stay }
    }
}
