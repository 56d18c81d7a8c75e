//! GETQUOTAROOT: the quota root of a mailbox (RFC 9208 §4.1.2). The only root is that of all the user's mail, if the
//! user has a quota.

use imap_proto::MailboxArgument;
use imap_proto::response::quota;

use crate::imap::names;
use crate::imap::reply::{Failure, Reply};
use crate::imap::session::Outcome;
use crate::imap::wire::Wire;
use crate::mailbox::Account;

/// Sends the roots of the mailbox, and their limits.
pub(in crate::imap) async fn run(
    wire: &mut Wire,
    account: &Account,
    mailbox: &MailboxArgument,
) -> Result<Outcome, Failure> {
    let name = names::parse(mailbox)?;
    if !account.exists(&name).await? {
        return Err(Reply::no_such_mailbox().into());
    }
    let name = names::to_protocol(&name).ok_or_else(Reply::no_such_mailbox)?;
    let bounded = account.quota().await?;
    quota::quota_root(wire.out(), &name, bounded.is_some());
    if let Some(quota) = bounded {
        quota::quota(wire.out(), quota.used, quota.limit);
    }
    Ok(Reply::ok("GETQUOTAROOT completed").into())
}
