use accounts::{Directory, Resolution, User};
use address::{Address, ForwardPath};
use smtp_proto::{Reply, replies};

/// A recipient of a message.
#[derive(Debug, Clone)]
pub(super) struct Recipient {
    /// The user whose INBOX it goes to.
    pub(super) user: User,
    /// The address that it was sent to, including a `+detail`.
    pub(super) address: Address,
    /// True for the heartbeat's mailbox.
    pub(super) is_heartbeat: bool,
}

/// Resolves an address to its user. `ann+anything@example.org` is Ann's, and goes to her INBOX. The MTA resolves
/// aliases; an address that reaches more than one user would need more than one reply. The MTA also decides which
/// senders may write to the heartbeat's mailbox.
pub(super) fn resolve(directory: &Directory, path: &ForwardPath) -> Result<Recipient, Reply> {
    if let Some(address) = path.address()
        && let Some(user) = directory.internal_mailbox_at(address)
    {
        return Ok(Recipient { user, address: address.clone(), is_heartbeat: true });
    }
    let resolution = match path {
        ForwardPath::Postmaster => directory.postmaster(),
        ForwardPath::Address(address) => directory.resolve(address),
    };
    let user = match resolution {
        Resolution::User(user) => user,
        Resolution::Alias(reached) => match (&reached.local[..], &reached.remote[..]) {
            ([user], []) => user.clone(),
            _ => return Err(replies::UNKNOWN_RECIPIENT),
        },
        Resolution::Unknown | Resolution::NotLocal => return Err(replies::UNKNOWN_RECIPIENT),
    };
    let address = path.address().cloned().unwrap_or_else(|| user.address());
    Ok(Recipient { user, address, is_heartbeat: false })
}
