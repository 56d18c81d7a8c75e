//! RENAME: renames a mailbox and its children (RFC 3501 §6.3.5).

use imap_proto::MailboxArgument;

use crate::imap::names;
use crate::imap::reply::{Failure, Reply};
use crate::imap::session::Outcome;
use crate::mailbox::Account;

/// Renames the mailbox. INBOX stays, empty, and its messages move to the new name.
pub(in crate::imap) async fn run(
    account: &Account,
    from: &MailboxArgument,
    to: &MailboxArgument,
) -> Result<Outcome, Failure> {
    account.rename(&names::parse(from)?, &names::parse_new(to)?).await?;
    Ok(Reply::ok("RENAME completed").into())
}
