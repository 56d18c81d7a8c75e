//! GETQUOTA: the user's usage and limit (RFC 9208 §4.1.1).

use imap_proto::response::quota::{self, ROOT};

use crate::imap::reply::{Failure, Reply};
use crate::imap::session::Outcome;
use crate::imap::wire::Wire;
use crate::mailbox::Account;

/// Sends the usage and limit of the quota root. There is only one root.
pub(in crate::imap) async fn run(
    wire: &mut Wire,
    account: &Account,
    root: &[u8],
) -> Result<Outcome, Failure> {
    let Some(quota) = account.quota().await?.filter(|_| root == ROOT) else {
        return Err(Reply::no_such_quota_root().into());
    };
    quota::quota(wire.out(), quota.used, quota.limit);
    Ok(Reply::ok("GETQUOTA completed").into())
}
