//! SUBSCRIBE and UNSUBSCRIBE: which mailboxes clients show (RFC 3501 §6.3.6 and §6.3.7).

use imap_proto::MailboxArgument;

use crate::imap::names;
use crate::imap::reply::{Failure, Reply};
use crate::imap::session::Turn;
use crate::mailbox::Account;

/// Subscribes to a mailbox that is there; a subscription outlives its mailbox, but does not come before it.
pub(in crate::imap) async fn subscribe(account: &Account, name: &MailboxArgument) -> Result<Turn, Failure> {
    let name = names::existing(name)?;
    if !account.exists(&name).await? {
        return Err(Reply::no_such_mailbox().into());
    }
    account.subscribe(&name).await?;
    Ok(Reply::done("SUBSCRIBE completed").into())
}

/// Ends a subscription.
pub(in crate::imap) async fn unsubscribe(account: &Account, name: &MailboxArgument) -> Result<Turn, Failure> {
    account.unsubscribe(&names::existing(name)?).await?;
    Ok(Reply::done("UNSUBSCRIBE completed").into())
}
