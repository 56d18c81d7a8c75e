use address::Address;

use crate::{Secret, SecretError, User, UserError};

/// A mailbox of the program's own, which is in no file: it is nobody's address, is listed nowhere, and takes mail only
/// from whoever asks for it by [`hidden_at`](crate::Directory::hidden_at). Its password lets in like any other.
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
