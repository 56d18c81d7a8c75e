//! RCPT: the check that the mailboxes of a recipient have room.

use address::ReversePath;
use serve::MailId;
use smtp_proto::{Reply, replies};

use super::recipient::Destinations;
use crate::local;
use crate::outcome::{Outcome, Status};
use crate::site::Settings;

/// The status that the MDA gives for a full mailbox (RFC 3463 §3.3).
const FULL: (u16, u16) = (2, 2);

/// Temporarily refuses a recipient all of whose mailboxes are full: the peer keeps the message and retries, and no
/// report has to be sent later. Only the MDA knows the usage; it is queried only for users that have a quota. When it
/// does not answer, or the message is larger than declared, the end of the message decides.
pub(super) async fn check(
    settings: &Settings,
    id: MailId,
    sender: &ReversePath,
    declared_size: Option<u64>,
    destinations: &Destinations,
) -> Result<(), Reply> {
    let Destinations { local, remote, .. } = destinations;
    let config = &settings.config;
    // The mailbox's own name is looked up, without a detail after it.
    let is_bounded = |mailbox: &address::Address| config.quotas.of(&without_detail(mailbox)).is_some();
    if local.is_empty() || !remote.is_empty() || !local.iter().all(is_bounded) {
        return Ok(());
    }
    let size = declared_size.unwrap_or(0);
    let outcomes = local::probe(&config.lmtp, &config.hostname, id, sender, local, size).await;
    match outcomes.iter().all(is_full) {
        true => Err(replies::MAILBOX_FULL),
        false => Ok(()),
    }
}

fn is_full(outcome: &Outcome) -> bool {
    let is_full = |status: &Status| (status.subject, status.detail) == FULL;
    matches!(outcome, Outcome::Deferred(reason) if is_full(&reason.status))
}

fn without_detail(mailbox: &address::Address) -> address::Address {
    let (name, _) = mailbox.local.split_detail('+');
    let bare = address::LocalPart::parse(name).unwrap_or_else(|_| mailbox.local.clone());
    address::Address { local: bare, host: mailbox.host.clone() }
}
