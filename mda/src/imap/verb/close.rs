//! CLOSE and UNSELECT: leave the selected mailbox (RFC 3501 §6.4.2, RFC 3691).

use crate::imap::reply::{Failure, Reply};
use crate::imap::selected::Selected;
use crate::imap::session::{Step, Turn};
use crate::mailbox::StoreError;

/// Leaves the mailbox and, unless it is read-only, removes its `\Deleted` messages without EXPUNGE responses.
pub(in crate::imap) async fn close(selected: &Selected) -> Result<Turn, Failure> {
    if selected.writable().is_ok() && !selected.mailbox().is_gone() {
        match selected.mailbox().expunge(None).await {
            // The messages to remove are gone together with the mailbox.
            Ok(_) | Err(StoreError::Gone(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Turn { reply: Reply::done("CLOSE completed"), step: Step::Deselect })
}

/// Leaves the mailbox as it is.
pub(in crate::imap) fn unselect() -> Turn {
    Turn { reply: Reply::done("UNSELECT completed"), step: Step::Deselect }
}
