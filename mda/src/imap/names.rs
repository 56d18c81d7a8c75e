//! Conversion of mailbox names between the protocol and the folders.

use imap_proto::{MailboxArgument, MailboxName as ProtocolName};

use super::reply::Reply;
use crate::maildir::{MailboxName, NameError};

/// The mailbox that a client names, if a mailbox can have this name.
pub(super) fn parse(argument: &MailboxArgument) -> Result<MailboxName, Reply> {
    convert(argument).and_then(Result::ok).ok_or_else(Reply::no_such_mailbox)
}

/// The mailbox that a client wants to create, or to put messages in. A name that no mailbox can have is answered
/// without `[TRYCREATE]` (RFC 3501 §6.3.11).
pub(super) fn parse_new(argument: &MailboxArgument) -> Result<MailboxName, Reply> {
    match convert(argument) {
        Some(Ok(name)) => Ok(name),
        Some(Err(error)) => Err(Reply::cannot(error.to_string())),
        None => Err(Reply::cannot("This folder name cannot be used. Choose another name.")),
    }
}

fn convert(argument: &MailboxArgument) -> Option<Result<MailboxName, NameError>> {
    argument.name().map(|name| MailboxName::parse(name.as_str()))
}

/// The mailbox of a name that the client was shown.
pub(super) fn from_protocol(name: &ProtocolName) -> Option<MailboxName> {
    MailboxName::parse(name.as_str()).ok()
}

/// The name as it is sent to the client.
pub(super) fn to_protocol(name: &MailboxName) -> Option<ProtocolName> {
    ProtocolName::new(name.as_str())
}
