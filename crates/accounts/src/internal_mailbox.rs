use address::Address;

use crate::{Secret, SecretError, User, UserError};

/// The internal mailbox, which is not in the file: it is not a user's address, is not listed, and receives mail only
/// where a daemon looks it up by [`internal_mailbox_at`](crate::Directory::internal_mailbox_at). Its password is
/// accepted from this machine only: see [`is_this_machine`].
#[derive(Debug, Clone)]
pub struct InternalMailbox {
    pub(crate) user: User,
    pub(crate) secret: Secret,
}

/// The name of the internal mailbox. It is reserved in every domain, since the heartbeat empties the mailbox.
pub const RESERVED_NAME: &str = "mailstead-heartbeat";

/// The reason why the internal mailbox cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum InternalMailboxError {
    /// The address cannot be a user's.
    #[error(transparent)]
    User(#[from] UserError),
    /// The hash is not valid.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl InternalMailbox {
    /// The mailbox with this address and this hash of its password.
    pub fn new(address: &Address, secret: &str) -> Result<Self, InternalMailboxError> {
        Ok(Self { user: User::new(address)?, secret: Secret::parse(secret)? })
    }
}

/// True if an address shows that the peer is a program on this machine; only such a peer may use the internal mailbox.
///
/// That is loopback and no other address. A proxy or a container engine forwards clients under the gateway's address,
/// some also under the machine's own, so neither shows where they are.
pub(crate) fn is_this_machine(peer: std::net::IpAddr) -> bool {
    peer.to_canonical().is_loopback()
}
