//! CLOSE and UNSELECT: leave the selected mailbox (RFC 3501 §6.4.2, RFC 3691).

use crate::imap::reply::{Failure, Reply};
use crate::imap::selected::Selected;
use crate::imap::session::{Outcome, Transition};
use crate::mailbox::StoreError;

/// Leaves the mailbox and, unless it is read-only, removes its `\Deleted` messages without EXPUNGE responses.
pub(in crate::imap) async fn close(selected: &Selected) -> Result<Outcome, Failure> {
    if selected.require_writable().is_ok() && !selected.mailbox().is_gone() {
        match selected.mailbox().expunge(None).await {
            // The messages to remove are gone together with the mailbox.
            Ok(_) | Err(StoreError::MailboxGone(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Outcome { reply: Reply::ok("CLOSE completed"), transition: Transition::Deselect })
}

/// Leaves the mailbox as it is.
pub(in crate::imap) fn unselect() -> Outcome {
    Outcome { reply: Reply::ok("UNSELECT completed"), transition: Transition::Deselect }
}
