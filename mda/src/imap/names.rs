//! Mailbox names between the protocol and the folders.

use imap_proto::MailboxName as Spoken;

use super::reply::Reply;
use crate::maildir::MailboxName;

/// The mailbox that a client names, if there can be such a one.
pub(super) fn existing(spoken: &Spoken) -> Result<MailboxName, Reply> {
    MailboxName::parse(spoken.as_str()).map_err(|_| Reply::no_such_mailbox())
}

/// The mailbox that a client wants to put messages in, if there can be such a one.
pub(super) fn target(spoken: &Spoken) -> Result<MailboxName, Reply> {
    MailboxName::parse(spoken.as_str()).map_err(|_| Reply::try_create())
}

/// The mailbox that a client wants there to be. A separator at the end says only that it shall have children, which
/// every mailbox here can have (RFC 3501 §6.3.3).
pub(super) fn wanted(spoken: &Spoken) -> Result<MailboxName, Reply> {
    let text = spoken.as_str();
    let text = text.strip_suffix(MailboxName::SEPARATOR).unwrap_or(text);
    MailboxName::parse(text).map_err(|error| Reply::cannot(error.to_string()))
}

/// The name as the client is told it.
pub(super) fn spoken(name: &MailboxName) -> Option<Spoken> {
    Spoken::new(name.as_str())
}
