//! The report to a sender about a message that did not reach all recipients (RFC 3464).

use std::sync::Arc;

use accounts::Resolution;
use address::{Address, Host, ReversePath};
use message::DateTime;
use message::compose::{Action, DeliveryReport, RecipientReport};

use super::envelope::{Envelope, Recipient, RecipientState};
use super::{BodyKind, MailId, NewEntry, QueueError};
use crate::content::Content;
use crate::local::TargetMailbox;
use crate::site::Site;
use crate::timestamp::Timestamp;

/// The outcome of a report to the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReportOutcome {
    /// The report is queued.
    Queued,
    /// The sender must not get a report, or does not exist any more.
    Suppressed,
}

/// Queues a report about all failed recipients that have not been reported yet.
///
/// Only authenticated users get reports, since the sender address of a peer may be forged. A report itself has no
/// sender and is never reported (RFC 5321 §4.5.5).
pub(super) async fn queue_report(site: &Arc<Site>, envelope: &Envelope) -> Result<ReportOutcome, QueueError> {
    let (Some(sender), Some(login)) = (envelope.sender.address(), &envelope.login) else {
        return Ok(ReportOutcome::Suppressed);
    };
    let Some(recipients) = report_recipients(site, sender).or_else(|| report_recipients(site, login)) else {
        return Ok(ReportOutcome::Suppressed);
    };
    let original = site.queue.read(envelope.id).await?;
    let id = MailId::new();
    let settings = site.settings();
    let octets =
        compose(envelope, sender, settings.config.hostname.as_str(), original.header(), id, Timestamp::now());
    let mut content = Content::from_octets(octets);
    if let Host::Domain(domain) = &sender.host {
        let signatures = settings.signer.sign(domain, &content).await?;
        content.prepend(&signatures);
    }
    let body = BodyKind::EightBitMime;
    // The report quotes the header section of the message.
    let smtputf8 = envelope.smtputf8;
    // The report must be protected like the message (RFC 8689 §5).
    let requires_tls = envelope.requires_tls;
    let (login, mailbox) = (None, TargetMailbox::Inbox);
    let entry =
        NewEntry { login, sender: ReversePath::Null, body, mailbox, smtputf8, requires_tls, recipients };
    site.queue.stage(id, &content).await?.commit(entry).await?;
    tracing::info!(%id, original = %envelope.id, recipient = %sender, "delivery report queued");
    Ok(ReportOutcome::Queued)
}

/// The recipients of a report to a local address.
fn report_recipients(site: &Site, address: &Address) -> Option<Vec<Address>> {
    match site.directory.resolve(address) {
        Resolution::User(_) => Some(vec![address.clone()]),
        Resolution::Alias(targets) => {
            let local = targets.local.iter().map(|user| user.address());
            Some(local.chain(targets.remote.iter().cloned()).collect())
        }
        Resolution::Unknown | Resolution::NotLocal => None,
    }
}

/// The report's octets.
fn compose(
    envelope: &Envelope,
    to: &Address,
    hostname: &str,
    original: &[u8],
    id: MailId,
    now: Timestamp,
) -> Vec<u8> {
    let failed = envelope.recipients.iter().filter(|recipient| recipient.state == RecipientState::Failed);
    DeliveryReport {
        reporting_host: hostname,
        to,
        date: date(now),
        arrived: date(envelope.created),
        queue_id: envelope.id.as_str(),
        unique: id.as_str(),
        envelope_id: None,
        recipients: failed.map(recipient_report).collect(),
        original,
    }
    .compose()
}

fn recipient_report(recipient: &Recipient) -> RecipientReport<'_> {
    let error = recipient.error.as_ref();
    RecipientReport {
        recipient: &recipient.address,
        original_recipient: None,
        action: Action::Failed,
        status: error
            .map_or(EXPIRED, |error| if error.status.starts_with('5') { &error.status } else { EXPIRED }),
        remote_host: error.and_then(|error| error.remote.as_deref()),
        diagnostic: error.map(|error| error.text.as_str()),
        last_attempt: recipient.last.map(date),
    }
}

/// "Delivery time expired" (RFC 3463 §3.5): a recipient that was deferred until the message expired has failed,
/// whatever deferred it.
const EXPIRED: &str = "5.4.7";

fn date(moment: Timestamp) -> DateTime {
    DateTime::from_unix(moment.unix(), 0)
}

#[cfg(test)]
mod tests;
