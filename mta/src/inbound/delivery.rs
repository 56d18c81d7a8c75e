//! Delivery to the mailboxes and into the queue, before the peer gets its reply.

use accounts::User;
use serve::MailId;
use smtp_proto::{Reply, replies};

use super::disposition::{self, Disposition};
use super::envelope::InboundEnvelope;
use crate::content::Content;
use crate::local;
use crate::queue::{NewEntry, QueueError};
use crate::site::{Settings, Site};

/// Delivers to local recipients and queues for remote ones. An error is a refusal like any other: it means that we do
/// not take responsibility for the message.
pub(super) async fn deliver(
    site: &Site,
    settings: &Settings,
    user: Option<&User>,
    envelope: &InboundEnvelope,
    content: &Content,
) -> Result<Reply, Reply> {
    let id = envelope.id;
    let refusal = |error| refusal(id, error);
    // The disk is asked first: once a mailbox has the message, a refusal would make the peer send it twice.
    let staged = match envelope.remote() {
        [] => None,
        _ => Some(site.queue.stage(id, content).await.map_err(refusal)?),
    };
    let outcomes = match envelope.local() {
        [] => Vec::new(),
        mailboxes => {
            let (socket, hostname) = (&settings.config.lmtp, &settings.config.hostname);
            local::deliver(socket, hostname, id, &envelope.sender, mailboxes, envelope.mailbox, content).await
        }
    };
    outcomes.iter().for_each(|outcome| site.metrics.delivered_locally(outcome));
    let remaining = match disposition::decide(envelope, outcomes, user.is_some()) {
        Disposition::Delivered => return Ok(replies::accepted_as(id)),
        Disposition::Refused(reply) => return Err(reply),
        Disposition::Queued(rest) => rest,
    };
    let staged = match staged {
        Some(staged) => staged,
        None => site.queue.stage(id, content).await.map_err(refusal)?,
    };
    let entry = NewEntry {
        login: user.map(User::address),
        origin: envelope.origin,
        sender: envelope.sender.clone(),
        body: envelope.body,
        mailbox: envelope.mailbox,
        smtputf8: envelope.smtputf8,
        requires_tls: envelope.requires_tls,
        recipients: remaining.into_iter().map(|address| envelope.recipient(address)).collect(),
    };
    staged.commit(entry).await.map_err(refusal)?;
    Ok(replies::accepted_as(id))
}

fn refusal(id: MailId, error: QueueError) -> Reply {
    tracing::error!(%id, %error, "cannot queue a message");
    match error {
        QueueError::Full(_) => replies::SYSTEM_FULL,
        QueueError::Disk(_) | QueueError::Unreadable { .. } => replies::LOCAL_ERROR,
    }
}
