use super::{NotAuthenticated, Authenticated};
use crate::imap::reply::Reply;
use crate::imap::selected::Selected;

/// The state of a session.
#[derive(Debug)]
pub(super) enum State {
    /// Not authenticated.
    NotAuthenticated(NotAuthenticated),
    /// Authenticated.
    Authenticated(Authenticated),
    /// Authenticated, with a mailbox selected.
    Selected(Authenticated, Box<Selected>),
}

/// The outcome of a command.
#[derive(Debug)]
pub(in crate::imap) struct Turn {
    /// The tagged reply.
    pub(in crate::imap) reply: Reply,
    /// The transition to the next state.
    pub(in crate::imap) step: Step,
}

/// The transitions of the diagram in [`super`].
#[derive(Debug)]
pub(in crate::imap) enum Step {
    /// No change.
    Stay,
    /// Starts TLS, then restarts as not authenticated.
    Encrypt,
    /// Not authenticated to authenticated.
    Enter(Authenticated),
    /// Authenticated, or another selected mailbox, to selected.
    Select(Box<Selected>),
    /// Selected to authenticated.
    Deselect,
    /// Ends the session with this BYE text.
    Leave(&'static str),
}

impl From<Reply> for Turn {
    fn from(reply: Reply) -> Self {
        Self { reply, step: Step::Stay }
    }
}
