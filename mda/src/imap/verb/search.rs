//! SEARCH and UID SEARCH: find messages (RFC 3501 §6.4.4).

use imap_proto::command::{Naming, Search};
use imap_proto::response::mailbox;

use crate::imap::reply::{Failure, Reply};
use crate::imap::search::{CHARSETS, SearchError, evaluate};
use crate::imap::selected::Selected;
use crate::imap::session::Outcome;
use crate::imap::wire::Wire;
use crate::mailbox::StoreError;

/// Finds the messages, and sends their numbers or UIDs as the command asks. A search of messages that another session
/// has removed is answered with EXPUNGEISSUED: the client fetches the other changes when it is ready for them
/// (RFC 2180 §4.3, RFC 5530 §3).
pub(in crate::imap) async fn run(
    wire: &mut Wire,
    selected: &Selected,
    search: &Search,
) -> Result<Outcome, Failure> {
    let outcome = match wire.unless_gone(evaluate(selected, search)).await? {
        Ok(outcome) => outcome,
        Err(SearchError::BadCharset) => return Err(Reply::bad_charset(CHARSETS).into()),
    };
    // The index may have answered for a mailbox that does not exist any more, and an empty result differs from a
    // missing mailbox.
    if selected.mailbox().is_gone() {
        return Err(StoreError::MailboxGone(selected.mailbox().name().clone()).into());
    }
    mailbox::search(
        wire.out(),
        outcome.found.iter().map(|found| match search.naming {
            Naming::Number => found.number,
            Naming::Uid => found.uid.value(),
        }),
    );
    Ok(if outcome.has_expunged { Reply::search_expunge_issued() } else { Reply::ok("SEARCH completed") }
        .into())
}
