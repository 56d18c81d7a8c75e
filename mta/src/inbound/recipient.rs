//! RCPT: the resolution of an address, and the check that this client may send to it.

use accounts::{Directory, Resolution, User};
use address::{Address, ForwardPath, LocalPart, ReversePath};
use smtp_proto::{Reply, replies};

use crate::site::{Settings, Site};
use crate::srs::{self, Unresolved};

/// The destinations of mail for one recipient.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Destinations {
    /// Local mailboxes.
    pub(super) local: Vec<Address>,
    /// Remote addresses.
    pub(super) remote: Vec<Address>,
    /// The alias that leads to them, if the address is one.
    pub(super) alias: Option<Address>,
}

/// Resolves a recipient. Only authenticated users may send to remote addresses (`may_relay`): no address of a peer opens
/// a relay.
pub(super) fn resolve(
    directory: &Directory,
    may_relay: bool,
    recipient: &ForwardPath,
) -> Result<Destinations, Reply> {
    let (resolution, address) = match recipient {
        ForwardPath::Postmaster => (directory.postmaster(), None),
        ForwardPath::Address(address) => (directory.resolve(address), Some(address)),
    };
    match (resolution, address) {
        (Resolution::User(reached), address) => {
            let mailbox = address.map_or_else(|| reached.address(), |address| with_detail(&reached, address));
            Ok(Destinations { local: vec![mailbox], ..Destinations::default() })
        }
        (Resolution::Alias(reached), address) => Ok(Destinations {
            local: reached.local.iter().map(User::address).collect(),
            remote: reached.remote,
            alias: address.cloned(),
        }),
        (Resolution::NotLocal, Some(address)) if may_relay => {
            Ok(Destinations { remote: vec![address.clone()], ..Destinations::default() })
        }
        (Resolution::NotLocal, _) => Err(replies::RELAY_REFUSED),
        (Resolution::Unknown, _) => Err(replies::UNKNOWN_RECIPIENT),
    }
}

/// The original sender, if the address is a return path of forwarded mail. A return path accepts delivery reports only,
/// which have the null sender (RFC 5321 §4.5.5): no other mail is relayed to a remote address.
pub(super) fn return_path(
    site: &Site,
    settings: &Settings,
    sender: &ReversePath,
    recipient: &ForwardPath,
) -> Option<Result<Destinations, Reply>> {
    let (host, address) = (&settings.config.hostname, recipient.address()?);
    let Some(keys) = &site.return_path_keys else {
        return srs::is_return_path(host, address).then_some(Err(replies::RETURN_PATHS_UNAVAILABLE));
    };
    Some(match srs::resolve(keys, host, address)? {
        Ok(_) if *sender != ReversePath::Null => Err(replies::RETURN_PATH_TAKES_REPORTS),
        Ok(original) => resolve(&site.directory, true, &ForwardPath::Address(original)),
        Err(Unresolved::Expired) => Err(replies::RETURN_PATH_EXPIRED),
        Err(Unresolved::Forged) => Err(replies::RETURN_PATH_FORGED),
    })
}

/// The heartbeat's mailbox, if the address is that one. It exists for programs on this machine; all other clients get
/// the reply for an unknown address.
pub(super) fn internal_mailbox(directory: &Directory, recipient: &ForwardPath) -> Option<Destinations> {
    let user = directory.internal_mailbox_at(recipient.address()?)?;
    Some(Destinations { local: vec![user.address()], ..Destinations::default() })
}

/// The postmaster's address in the domain of a recipient, at which a refused host may ask.
pub(super) fn postmaster_of(recipient: &ForwardPath) -> String {
    match recipient.address().and_then(Address::domain) {
        Some(domain) => format!("postmaster@{domain}"),
        None => "postmaster".to_owned(),
    }
}

/// The user's mailbox, with the detail after the name in the address: the MDA sorts by it (RFC 5233).
fn with_detail(user: &User, address: &Address) -> Address {
    let mailbox = user.address();
    let detail = match address.local.split_detail('+') {
        (_, Some(detail)) if address.local.to_lower_case() != user.name() => detail,
        _ => return mailbox,
    };
    match LocalPart::parse(&format!("{}+{detail}", mailbox.local)) {
        Ok(local) => Address { local, host: mailbox.host },
        // A name that needs quotes is delivered without its detail.
        Err(_) => mailbox,
    }
}
