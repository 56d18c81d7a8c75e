use accounts::{Directory, Resolution, User};
use address::{Address, ForwardPath};
use smtp_proto::{Reply, replies};

/// Whose mailbox a message is for.
#[derive(Debug, Clone)]
pub(super) struct Recipient {
    /// Whose INBOX it goes to.
    pub(super) user: User,
    /// The address that it was sent to, with a `+detail` if there was one.
    pub(super) address: Address,
    /// It is the heartbeat's mailbox.
    pub(super) is_heartbeat: bool,
}

/// Finds out whose address it is. `ann+anything@example.org` is Ann's, and goes to her INBOX. The MTA resolves aliases;
/// an address that reaches more than one user would need more than one answer. The MTA also decides who may write to the
/// heartbeat's mailbox.
pub(super) fn resolve(directory: &Directory, path: &ForwardPath) -> Result<Recipient, Reply> {
    if let Some(address) = path.address()
        && let Some(user) = directory.hidden_at(address)
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
