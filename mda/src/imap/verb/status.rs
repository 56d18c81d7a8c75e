//! STATUS: the figures of a mailbox, selected or not (RFC 3501 §6.3.10).

use imap_proto::command::Status;
use imap_proto::command::status::StatusItem;
use imap_proto::response::mailbox;

use crate::imap::names;
use crate::imap::reply::{Failure, Reply};
use crate::imap::session::Outcome;
use crate::imap::wire::Wire;
use crate::mailbox::{Account, MailboxStatus};

/// Sends the requested figures.
pub(in crate::imap) async fn run(
    wire: &mut Wire,
    account: &Account,
    request: &Status,
) -> Result<Outcome, Failure> {
    let name = names::parse(&request.mailbox)?;
    let status = account.status(&name).await?;
    if let Some(name) = names::to_protocol(&name) {
        mailbox::status(wire.out(), &name, &values(&status, &request.items));
    }
    Ok(Reply::ok("STATUS completed").into())
}

/// The requested figures of a mailbox, in the requested order.
pub(super) fn values(status: &MailboxStatus, items: &[StatusItem]) -> Vec<(StatusItem, u64)> {
    let figure = |item: &StatusItem| match item {
        StatusItem::Messages => status.messages.into(),
        StatusItem::Recent => status.recent.into(),
        StatusItem::UidNext => status.uid_next.into(),
        StatusItem::UidValidity => status.uid_validity.value().into(),
        StatusItem::Unseen => status.unseen.into(),
        StatusItem::DeletedStorage => status.deleted_storage,
    };
    items.iter().map(|item| (*item, figure(item))).collect()
}
