//! RCPT: the resolution of an address, and the check that this client may send to it.

use accounts::{Directory, Resolution, User};
use address::{Address, ForwardPath, LocalPart};
use smtp_proto::{Reply, replies};

/// The destinations of mail for one recipient.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Destinations {
    /// Local mailboxes.
    pub(super) local: Vec<Address>,
    /// Remote addresses.
    pub(super) remote: Vec<Address>,
}

/// Resolves a recipient. Only authenticated users may send to remote addresses: no address of a peer opens a relay.
pub(super) fn resolve(
    directory: &Directory,
    user: Option<&User>,
    recipient: &ForwardPath,
) -> Result<Destinations, Reply> {
    let (resolution, address) = match recipient {
        ForwardPath::Postmaster => (directory.postmaster(), None),
        ForwardPath::Address(address) => (directory.resolve(address), Some(address)),
    };
    match (resolution, address) {
        (Resolution::User(reached), address) => {
            let mailbox = address.map_or_else(|| reached.address(), |address| with_detail(&reached, address));
            Ok(Destinations { local: vec![mailbox], remote: Vec::new() })
        }
        (Resolution::Alias(reached), _) => Ok(Destinations {
            local: reached.local.iter().map(User::address).collect(),
            remote: reached.remote,
        }),
        (Resolution::NotLocal, Some(address)) if user.is_some() => {
            Ok(Destinations { local: Vec::new(), remote: vec![address.clone()] })
        }
        (Resolution::NotLocal, _) => Err(replies::RELAY_REFUSED),
        (Resolution::Unknown, _) => Err(replies::UNKNOWN_RECIPIENT),
    }
}

/// The heartbeat's mailbox, if the address is that one. It exists for programs on this machine; all other clients get
/// the reply for an unknown address.
pub(super) fn internal_mailbox(directory: &Directory, recipient: &ForwardPath) -> Option<Destinations> {
    let user = directory.hidden_at(recipient.address()?)?;
    Some(Destinations { local: vec![user.address()], remote: Vec::new() })
}

/// The user's mailbox, with the detail after the name in the address: the MDA sorts by it (RFC 5233).
fn with_detail(user: &User, address: &Address) -> Address {
    let mailbox = user.address();
    let detail = match address.local.split_detail('+') {
        (_, Some(detail)) if address.local.folded() != user.name() => detail,
        _ => return mailbox,
    };
    match LocalPart::parse(&format!("{}+{detail}", mailbox.local)) {
        Ok(local) => Address { local, host: mailbox.host },
        // A name that needs quotes is delivered without its detail.
        Err(_) => mailbox,
    }
}
