use address::Address;

use crate::{Secret, SecretError, User, UserError};

/// A mailbox of the program's own, which is in no file: it is no user's address, is listed nowhere, and takes mail only
/// from where a daemon asks for it by [`hidden_at`](crate::Directory::hidden_at). Its password lets in from this machine
/// only: see [`is_this_machine`].
#[derive(Debug, Clone)]
pub struct Hidden {
    pub(crate) user: User,
    pub(crate) secret: Secret,
}

/// The name of the program's own mailbox. Nobody else is called so in any domain: whose it is empties it.
pub const RESERVED: &str = "mailstead-heartbeat";

/// Why there is no such mailbox.
#[derive(Debug, thiserror::Error)]
pub enum HiddenError {
    /// The address can be nobody's.
    #[error(transparent)]
    User(#[from] UserError),
    /// The hash is none.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl Hidden {
    /// The mailbox with this address, whose password has this hash.
    pub fn new(address: &Address, secret: &str) -> Result<Self, HiddenError> {
        Ok(Self { user: User::new(address)?, secret: Secret::parse(secret)? })
    }
}

/// Whether an address shows that the peer is a program on this machine, for which alone the program's own mailbox is.
///
/// That is loopback and no other address. A proxy or a container's engine forwards clients under the gateway's address,
/// some also under the machine's own, so neither shows where they are.
pub(crate) fn is_this_machine(peer: std::net::IpAddr) -> bool {
    peer.to_canonical().is_loopback()
}
