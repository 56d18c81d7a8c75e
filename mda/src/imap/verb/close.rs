//! CLOSE and UNSELECT: the mailbox left (RFC 3501 §6.4.2, RFC 3691).

use crate::imap::reply::{Failure, Reply};
use crate::imap::selected::Selected;
use crate::imap::session::{Step, Turn};

/// Leaves the mailbox, and removes what is `\Deleted` without a word of it, unless it was only looked at.
pub(in crate::imap) async fn close(selected: &Selected) -> Result<Turn, Failure> {
    if selected.writable().is_ok() && !selected.mailbox().is_gone() {
        selected.mailbox().expunge(None).await?;
    }
    Ok(Turn { reply: Reply::done("Closed"), step: Step::Deselect })
}

/// Leaves the mailbox as it is.
pub(in crate::imap) fn unselect() -> Turn {
    Turn { reply: Reply::done("Closed"), step: Step::Deselect }
}
