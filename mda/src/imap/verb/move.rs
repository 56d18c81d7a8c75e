//! MOVE and UID MOVE: move messages to another mailbox (RFC 6851).

use imap_proto::command::Transfer;
use imap_proto::response::{Condition, condition};

use super::copy::{copy_uid, open_target};
use crate::imap::reply::{Failure, Reply};
use crate::imap::selected::Selected;
use crate::imap::session::Outcome;
use crate::imap::wire::Wire;
use crate::mailbox::Account;

/// Moves the messages: all of them or none. COPYUID comes untagged, before the EXPUNGE responses of the next update
/// (RFC 6851 §4.3).
pub(in crate::imap) async fn run(
    wire: &mut Wire,
    selected: &Selected,
    account: &Account,
    transfer: &Transfer,
) -> Result<Outcome, Failure> {
    selected.require_writable()?;
    let uids = selected.uids(&transfer.messages)?;
    let target = open_target(account, &transfer.mailbox).await?;
    let wanted = uids.len();
    let moved =
        selected.mailbox().move_to(uids, &target).await.map_err(|error| Reply::target_error(&error))?;
    match copy_uid(&moved) {
        Some(code) => condition::untagged(wire.out(), Condition::Ok, Some(&code), "Moved UIDs"),
        None if wanted > 0 => return Err(Reply::expunge_issued().into()),
        None => {}
    }
    Ok(Reply::ok("MOVE completed").into())
}
