use super::{Authenticated, NotAuthenticated};
use crate::imap::reply::Reply;
use crate::imap::selected::Selected;

/// The state of a session.
#[derive(Debug)]
pub(super) enum SessionState {
    /// Not authenticated.
    NotAuthenticated(NotAuthenticated),
    /// Authenticated.
    Authenticated(Authenticated),
    /// Authenticated, with a mailbox selected.
    Selected(Authenticated, Box<Selected>),
}

/// The outcome of a command.
#[derive(Debug)]
pub(in crate::imap) struct Outcome {
    /// The tagged reply.
    pub(in crate::imap) reply: Reply,
    /// The transition to the next state.
    pub(in crate::imap) transition: Transition,
}

/// The transitions of the diagram in [`super`].
#[derive(Debug)]
pub(in crate::imap) enum Transition {
    /// No change.
    Stay,
    /// Starts TLS, then restarts as not authenticated.
    StartTls,
    /// Not authenticated to authenticated.
    Authenticate(Authenticated),
    /// Authenticated, or another selected mailbox, to selected.
    Select(Box<Selected>),
    /// Selected to authenticated.
    Deselect,
    /// Ends the session with this BYE text.
    End(&'static str),
}

impl From<Reply> for Outcome {
    fn from(reply: Reply) -> Self {
        Self { reply, transition: Transition::Stay }
    }
}
