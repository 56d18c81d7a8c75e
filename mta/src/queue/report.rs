//! The consequence of failed recipients: a report to the sender (RFC 3464), or a note to a user here.
//!
//! | message                                      | who learns of the failure                                  |
//! |----------------------------------------------|------------------------------------------------------------|
//! | of a user                                    | the user                                                   |
//! | of a peer, its sender is authenticated       | the sender                                                 |
//! | of a peer, its sender may be forged, or null | users that the alias reaches; else the postmaster          |
//! | with the null sender, to another host        | only the log: a report is never reported (RFC 5321 §4.5.5) |
//! | of this server, to a mailbox here            | the operator: it is set aside                              |

use std::sync::Arc;
use std::time::Instant;

use accounts::Resolution;
use address::{Address, Domain, Host, ReversePath};
use message::DateTime;
use message::compose::{Action, DeliveryReport, Reader, RecipientReport};

use super::envelope::{Envelope, Origin, Recipient, RecipientState};
use super::lane::Lane;
use super::notes::Route;
use super::{BodyKind, MailId, NewEntry, NewRecipient, QueueError};
use crate::content::Content;
use crate::local::TargetMailbox;
use crate::site::Site;
use crate::timestamp::Timestamp;

/// Makes all failed recipients known that are not reported yet, and changes their state. A recipient stays
/// [`RecipientState::Failed`] if only the operator can learn of it.
pub(super) async fn report_failures(site: &Arc<Site>, envelope: &mut Envelope) -> Result<(), QueueError> {
    if let Some((to, recipients)) = reportable_sender(site, envelope) {
        let report = Composition { envelope, to: &to, reader: Reader::Sender, about: &is_failed };
        queue_report(site, report, recipients).await?;
        site.metrics.bounced();
        mark_reported(envelope, is_failed);
        return Ok(());
    }
    for route in failed_routes(envelope) {
        let is_remote = site.queue.routes().lane(&route.mailbox) != Lane::Local;
        let is_report = envelope.sender == ReversePath::Null && route.alias.is_none() && is_remote;
        let on_route = |recipient: &Recipient| is_failed(recipient) && recipient.route() == route;
        if is_report {
            tracing::warn!(id = %envelope.id, recipient = %route.mailbox, "undeliverable report discarded");
        } else if envelope.origin == Origin::Own || !note(site, envelope, &route).await? {
            continue;
        }
        mark_reported(envelope, on_route);
    }
    Ok(())
}

fn is_failed(recipient: &Recipient) -> bool {
    recipient.state == RecipientState::Failed
}

fn mark_reported(envelope: &mut Envelope, which: impl Fn(&Recipient) -> bool) {
    for recipient in envelope.recipients.iter_mut().filter(|recipient| which(recipient)) {
        recipient.state = RecipientState::Reported;
    }
}

fn failed_routes(envelope: &Envelope) -> Vec<Route> {
    envelope.recipients.iter().filter(|recipient| is_failed(recipient)).map(Recipient::route).collect()
}

/// The address for a report to the sender, and the mailboxes that it reaches; `None` when the sender must not get one
/// or does not exist any more.
fn reportable_sender(site: &Site, envelope: &Envelope) -> Option<(Address, Vec<NewRecipient>)> {
    let sender = envelope.sender.address()?;
    let recipients = match (&envelope.login, envelope.origin) {
        (Some(login), _) => mailboxes(site, sender).or_else(|| mailboxes(site, login)),
        (None, Origin::Authenticated) => match site.directory.resolve(sender) {
            Resolution::NotLocal => Some(vec![sender.clone().into()]),
            _ => mailboxes(site, sender),
        },
        (None, Origin::Unauthenticated | Origin::Own) => None,
    };
    Some((sender.clone(), recipients?))
}

/// The recipients of mail to a local address.
fn mailboxes(site: &Site, address: &Address) -> Option<Vec<NewRecipient>> {
    match site.directory.resolve(address) {
        Resolution::User(_) => Some(vec![address.clone().into()]),
        Resolution::Alias(targets) => {
            let local = targets.local.iter().map(|user| user.address());
            let through_alias = |target| NewRecipient { address: target, alias: Some(address.clone()) };
            Some(local.chain(targets.remote.iter().cloned()).map(through_alias).collect())
        }
        Resolution::Unknown | Resolution::NotLocal => None,
    }
}

/// Queues a note about a route, if one is due. Returns false when the message must be kept: no user can get the note, or
/// there was one within a day and no user has the message.
async fn note(site: &Arc<Site>, envelope: &Envelope, route: &Route) -> Result<bool, QueueError> {
    let (id, now) = (envelope.id, Instant::now());
    let Route { alias, mailbox } = route;
    let (alias_name, sender) = (alias.as_ref().map(tracing::field::display), &envelope.sender);
    let others = other_users(site, route);
    let Some(unreported) = site.queue.shared.notes.due(route, now) else {
        site.queue.shared.notes.count(route);
        tracing::warn!(%id, %sender, alias = alias_name, recipient = %mailbox, "failure counted: its forward or mailbox was reported within a day");
        return Ok(others.is_some());
    };
    let Some((to, recipients)) = others.or_else(|| postmaster(site)) else { return Ok(false) };
    let reader = Reader::User { sender: &envelope.sender, alias: alias.as_ref(), unreported };
    let about = |recipient: &Recipient| is_failed(recipient) && recipient.route() == *route;
    queue_report(site, Composition { envelope, to: &to, reader, about: &about }, recipients).await?;
    site.queue.shared.notes.record(route.clone(), now);
    site.metrics.noted();
    Ok(true)
}

/// The users that an alias reaches besides the mailbox that failed: each has the message.
fn other_users(site: &Site, route: &Route) -> Option<(Address, Vec<NewRecipient>)> {
    let alias = route.alias.as_ref()?;
    let Resolution::Alias(targets) = site.directory.resolve(alias) else { return None };
    let users = targets.local.iter().map(|user| user.address()).filter(|user| *user != route.mailbox);
    let recipients: Vec<_> =
        users.map(|address| NewRecipient { address, alias: Some(alias.clone()) }).collect();
    (!recipients.is_empty()).then(|| (alias.clone(), recipients))
}

/// The recipients of mail to the postmaster.
fn postmaster(site: &Site) -> Option<(Address, Vec<NewRecipient>)> {
    let (local, remote) = match site.directory.postmaster() {
        Resolution::User(user) => (vec![user], Vec::new()),
        Resolution::Alias(targets) => (targets.local, targets.remote),
        Resolution::Unknown | Resolution::NotLocal => return None,
    };
    let recipients: Vec<_> = local.iter().map(|user| user.address()).chain(remote).collect();
    let to = recipients.first()?.clone();
    // Set aside if it fails, wherever it goes: no one else is left to learn of it.
    let through_postmaster = |address| NewRecipient { address, alias: Some(to.clone()) };
    Some((to.clone(), recipients.into_iter().map(through_postmaster).collect()))
}

/// A report to compose.
struct Composition<'a> {
    envelope: &'a Envelope,
    to: &'a Address,
    reader: Reader<'a>,
    /// The recipients that it is about.
    about: &'a (dyn Fn(&Recipient) -> bool + Sync),
}

async fn queue_report(
    site: &Arc<Site>,
    report: Composition<'_>,
    recipients: Vec<NewRecipient>,
) -> Result<(), QueueError> {
    let (to, original_id) = (report.to, report.envelope.id);
    let original = site.queue.read(original_id).await?;
    let id = MailId::new();
    let settings = site.settings();
    let hostname = &settings.config.hostname;
    let mut content =
        Content::from_octets(report.compose(hostname.as_str(), original.header(), id, Timestamp::now()));
    if let Some(domain) = signing_domain(site, to, hostname) {
        let signatures = settings.signer.sign(&domain, &content).await?;
        content.prepend(&signatures);
    }
    let (origin, body) = (Origin::Own, BodyKind::EightBitMime);
    // The report quotes the header section of the message.
    let smtputf8 = report.envelope.smtputf8;
    // The report must be protected like the message (RFC 8689 §5).
    let requires_tls = report.envelope.requires_tls;
    let (login, sender, mailbox) = (None, ReversePath::Null, TargetMailbox::Inbox);
    let entry = NewEntry { login, origin, sender, body, mailbox, smtputf8, requires_tls, recipients };
    site.queue.stage(id, &content).await?.commit(entry).await?;
    match report.reader {
        Reader::Sender => {
            tracing::info!(%id, original = %original_id, recipient = %to, "delivery report queued")
        }
        Reader::User { .. } => {
            tracing::info!(%id, original = %original_id, recipient = %to, "note about a failure queued");
        }
    }
    Ok(())
}

/// The domain that signs a report: the reader's own, or for a reader elsewhere the first one above this host.
fn signing_domain(site: &Site, to: &Address, hostname: &Domain) -> Option<Domain> {
    match &to.host {
        Host::Domain(domain) if site.directory.is_local(domain) => Some(domain.clone()),
        _ => site.directory.nearest_local(hostname),
    }
}

impl Composition<'_> {
    /// The report's octets.
    fn compose(&self, hostname: &str, original: &[u8], id: MailId, now: Timestamp) -> Vec<u8> {
        let recipients = self.envelope.recipients.iter().filter(|recipient| (self.about)(recipient));
        DeliveryReport {
            reporting_host: hostname,
            to: self.to,
            reader: self.reader,
            date: date(now),
            arrived: date(self.envelope.created),
            queue_id: self.envelope.id.as_str(),
            unique: id.as_str(),
            envelope_id: None,
            recipients: recipients.map(recipient_report).collect(),
            original,
        }
        .compose()
    }
}

fn recipient_report(recipient: &Recipient) -> RecipientReport<'_> {
    let error = recipient.error.as_ref();
    RecipientReport {
        recipient: &recipient.address,
        original_recipient: recipient.alias.as_ref(),
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
