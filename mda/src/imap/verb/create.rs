//! CREATE: creates a mailbox (RFC 3501 §6.3.3).

use imap_proto::command::Create;

use crate::imap::names;
use crate::imap::reply::{Failure, Reply};
use crate::imap::session::Outcome;
use crate::mailbox::Account;

/// Creates the mailbox and its missing parents.
pub(in crate::imap) async fn run(account: &Account, create: &Create) -> Result<Outcome, Failure> {
    let name = names::parse_new(&create.mailbox)?;
    if !create.uses.is_empty() {
        return Err(Reply::unsupported_special_use().into());
    }
    account.create(&name).await?;
    Ok(Reply::ok("CREATE completed").into())
}
