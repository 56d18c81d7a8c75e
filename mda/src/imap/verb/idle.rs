//! IDLE: sends changes as they happen (RFC 2177).

use std::time::Duration;

use imap_proto::response::{Condition, condition};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::imap::reply::{Bye, Failure, Reply};
use crate::imap::selected::{Expunges, Selected};
use crate::imap::session::Outcome;
use crate::imap::wire::{SessionEvent, Wire};

/// RFC 2177 §3: clients restart IDLE at least every 29 minutes; a client that has not is gone.
const MAX_IDLE: Duration = Duration::from_secs(30 * 60);
/// A periodic response keeps address translators on the way from forgetting the connection.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2 * 60);

/// Sends the changes of the selected mailbox until the client sends DONE.
pub(in crate::imap) async fn run(
    wire: &mut Wire,
    selected: Option<&mut Selected>,
) -> Result<Outcome, Failure> {
    condition::continuation(wire.out(), "idling");
    wire.reader().expect_continuation_response();
    let event = match selected {
        Some(selected) => watch(wire, selected).await?,
        None => IdleEvent::Client(wire.next(MAX_IDLE).await?),
    };
    // Only the client ends the command (RFC 2177 §3): where the server has to, it ends the session.
    let bye = match event {
        IdleEvent::MailboxGone => Bye::mailbox_gone(),
        IdleEvent::Client(SessionEvent::ContinuationResponse(line)) if line.eq_ignore_ascii_case(b"DONE") => {
            return Ok(Reply::ok("IDLE completed").into());
        }
        IdleEvent::Client(SessionEvent::ContinuationResponse(_) | SessionEvent::Malformed(_)) => {
            return Err(Reply::bad("Expected DONE").into());
        }
        IdleEvent::Client(SessionEvent::ShuttingDown) => Bye::shutting_down(),
        IdleEvent::Client(SessionEvent::Revoked) => Bye::revoked(),
        IdleEvent::Client(SessionEvent::Expired(expiry)) => Bye::expired(expiry),
        IdleEvent::Client(_) => Bye::idle_timeout(),
    };
    Err(Failure::Bye(bye))
}

/// The event that ended the wait.
enum IdleEvent {
    /// The client sent something, or stayed silent to the end.
    Client(SessionEvent),
    /// The mailbox is gone.
    MailboxGone,
}

/// Waits for the client, and sends it the changes of every newer snapshot meanwhile.
async fn watch(wire: &mut Wire, selected: &mut Selected) -> Result<IdleEvent, Failure> {
    let mut changes = selected.mailbox().watch();
    selected.check_for_changes().await;
    let end = Instant::now() + MAX_IDLE;
    let mut keepalive = interval_at(Instant::now() + KEEPALIVE_INTERVAL, KEEPALIVE_INTERVAL);
    keepalive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let updated = selected.update(wire.out(), Expunges::Send).await;
        if selected.mailbox().is_gone() {
            return Ok(IdleEvent::MailboxGone);
        }
        if let Err(error) = updated {
            // The next change or command sends it.
            tracing::warn!(mailbox = %selected.mailbox().name(), %error, "cannot send mailbox updates");
        }
        // Everything is sent before the wait, since a wait that is cut short would cut a half-sent line with it.
        wire.flush().await?;
        tokio::select! {
            arrived = wire.next(end.saturating_duration_since(Instant::now())) => return Ok(IdleEvent::Client(arrived?)),
            changed = changes.changed() => {
                if changed.is_err() || selected.mailbox().is_gone() {
                    return Ok(IdleEvent::MailboxGone);
                }
            }
            _ = keepalive.tick() => condition::untagged(wire.out(), Condition::Ok, None, "Still here"),
        }
    }
}
