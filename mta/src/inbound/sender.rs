//! MAIL: who may send as whom.

use accounts::{Directory, User};
use address::ReversePath;
use smtp_proto::{Reply, replies};

/// Whether the sender is accepted. A stranger may name whom it likes: the checks record what they find. Who has
/// logged in sends as oneself, and so never as nobody (RFC 6409 §6.1).
pub(super) fn check(directory: &Directory, user: Option<&User>, sender: &ReversePath) -> Result<(), Reply> {
    let Some(user) = user else { return Ok(()) };
    match sender {
        ReversePath::Address(address) if directory.may_send_as(user, address) => Ok(()),
        ReversePath::Address(_) | ReversePath::Null => Err(replies::SENDER_NOT_YOURS),
    }
}
