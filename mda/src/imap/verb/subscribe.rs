//! SUBSCRIBE and UNSUBSCRIBE: change the list of mailboxes that clients show (RFC 3501 §6.3.6 and §6.3.7).

use imap_proto::MailboxArgument;

use crate::imap::names;
use crate::imap::reply::{Failure, Reply};
use crate::imap::session::Outcome;
use crate::mailbox::Account;

/// Subscribes to an existing mailbox. A subscription may outlive its mailbox, but not precede it.
pub(in crate::imap) async fn subscribe(
    account: &Account,
    name: &MailboxArgument,
) -> Result<Outcome, Failure> {
    let name = names::parse(name)?;
    if !account.exists(&name).await? {
        return Err(Reply::no_such_mailbox().into());
    }
    account.subscribe(&name).await?;
    Ok(Reply::ok("SUBSCRIBE completed").into())
}

/// Removes a subscription.
pub(in crate::imap) async fn unsubscribe(
    account: &Account,
    name: &MailboxArgument,
) -> Result<Outcome, Failure> {
    account.unsubscribe(&names::parse(name)?).await?;
    Ok(Reply::ok("UNSUBSCRIBE completed").into())
}
