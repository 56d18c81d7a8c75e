//! MAIL: the check that a client may use a sender address.

use accounts::{Directory, User};
use address::ReversePath;
use smtp_proto::{Reply, replies};

/// Checks the sender. A peer may use any: the checks record their results. An authenticated user must use an address of
/// its own (RFC 6409 §6.1), or the null sender: a read receipt has it, so that nothing answers it (RFC 8098 §3). The
/// author is checked in either case, and determines the signature.
pub(super) fn check(directory: &Directory, user: Option<&User>, sender: &ReversePath) -> Result<(), Reply> {
    let Some(user) = user else { return Ok(()) };
    match sender {
        ReversePath::Address(address) if directory.may_send_as(user, address) => Ok(()),
        ReversePath::Null => Ok(()),
        ReversePath::Address(_) => Err(replies::SENDER_NOT_OWNED),
    }
}
