//! GETQUOTAROOT: what bounds a mailbox (RFC 9208 §4.1.2): what bounds all of the user's mail, if anything does.

use imap_proto::MailboxName;
use imap_proto::response::quota;

use crate::imap::names;
use crate::imap::reply::{Failure, Reply};
use crate::imap::session::Turn;
use crate::imap::wire::Wire;
use crate::mailbox::Account;

/// Tells the roots of the mailbox, and their bounds.
pub(in crate::imap) async fn run(
    wire: &mut Wire,
    account: &Account,
    mailbox: &MailboxName,
) -> Result<Turn, Failure> {
    if !account.exists(&names::existing(mailbox)?).await? {
        return Err(Reply::no_such_mailbox().into());
    }
    let bounded = account.quota().await?;
    quota::quota_root(wire.out(), mailbox, bounded.is_some());
    if let Some(quota) = bounded {
        quota::quota(wire.out(), quota.kept, quota.bound);
    }
    Ok(Reply::done("GETQUOTAROOT completed").into())
}
