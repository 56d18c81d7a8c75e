//! DELETE: removes a mailbox (RFC 3501 §6.3.4).

use imap_proto::MailboxArgument;

use crate::imap::names;
use crate::imap::reply::{Failure, Reply};
use crate::imap::session::Outcome;
use crate::mailbox::Account;

/// Removes the mailbox with its messages. Its children stay, and its name as their parent.
pub(in crate::imap) async fn run(account: &Account, name: &MailboxArgument) -> Result<Outcome, Failure> {
    account.delete(&names::parse(name)?).await?;
    Ok(Reply::ok("DELETE completed").into())
}
