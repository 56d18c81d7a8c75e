//! MAIL: who may send as whom.

use accounts::{Directory, User};
use address::ReversePath;
use smtp_proto::{Reply, replies};

/// Checks the sender. A peer may name any: the checks record what they find. An authenticated user names an address of its
/// own (RFC 6409 §6.1), or none: a read receipt has the null sender, so that nothing answers it (RFC 8098 §3). The author
/// is checked all the same, and signs.
pub(super) fn check(directory: &Directory, user: Option<&User>, sender: &ReversePath) -> Result<(), Reply> {
    let Some(user) = user else { return Ok(()) };
    match sender {
        ReversePath::Address(address) if directory.may_send_as(user, address) => Ok(()),
        ReversePath::Null => Ok(()),
        ReversePath::Address(_) => Err(replies::SENDER_NOT_YOURS),
    }
}
