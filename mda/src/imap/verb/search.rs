//! SEARCH and UID SEARCH: which messages fit (RFC 3501 §6.4.4).

use imap_proto::command::{Naming, Search};
use imap_proto::response::mailbox;

use crate::imap::reply::{Failure, Reply};
use crate::imap::search::{CHARSETS, SearchError, evaluate};
use crate::imap::selected::Selected;
use crate::imap::session::Turn;
use crate::imap::wire::Wire;

/// Finds the messages, and names them as the command did.
pub(in crate::imap) async fn run(
    wire: &mut Wire,
    selected: &Selected,
    wish: &Search,
) -> Result<Turn, Failure> {
    let found = match evaluate(selected, wish).await {
        Ok(found) => found,
        Err(SearchError::BadCharset) => return Err(Reply::bad_charset(CHARSETS).into()),
    };
    mailbox::search(
        wire.out(),
        found.iter().map(|found| match wish.naming {
            Naming::Number => found.number,
            Naming::Uid => found.uid.value(),
        }),
    );
    Ok(Reply::done("That is all").into())
}
