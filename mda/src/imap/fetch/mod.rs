//! FETCH responses (RFC 3501 §6.4.5 and §7.4.2).
//!
//! ```text
//! respond: batch by batch ──► responses: a piece at a time, off the runtime ──► wire
//!                                 │ each message: rendering ── envelope, structure
//!                                 └─ facts missing from the index, and octets: contents
//! ```
//!
//! A message that is gone from the disk gets no response; the others are still sent. A message that cannot be read to
//! the end after its length was announced ends the connection, since the client could not parse anything sent after it.

mod envelope;
mod rendering;
mod responses;
mod structure;

use std::io;
use std::sync::Arc;

use imap_proto::command::FetchItem;
use imap_proto::response::fetch::Recent;

use self::responses::{Message, Responses};
use super::cancellation::CancelOnDrop;
use super::selected::Selected;
use super::wire::Wire;
use crate::mailbox::{MessageEntry, Snapshot};

/// Number of messages per batch: looked up in the index, and sent, together.
const BATCH: usize = 256;

/// Approximate number of octets rendered before they are sent.
const PIECE: usize = 64 * 1024;

/// A message in a FETCH request.
#[derive(Debug, Clone)]
pub(crate) struct MessageRequest {
    /// The sequence number, as the client knows it.
    pub(crate) number: u32,
    /// The message, with its current flags.
    pub(crate) entry: MessageEntry,
    /// True if this FETCH itself has set `\Seen`: FLAGS are then sent even if they were not requested
    /// (RFC 3501 §6.4.5).
    pub(crate) newly_seen: bool,
}

/// The number of messages that could not be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Messages that were gone from the disk. They got no response.
    pub(crate) gone: u32,
    /// Messages that could not be read. They got no response; the reason is in the log.
    pub(crate) unreadable: u32,
}

/// Writes one FETCH response for each message, in order. `snapshot` names the keywords of the messages' flags. An error
/// means that the connection is lost.
pub(crate) async fn respond(
    wire: &mut Wire,
    selected: &Selected,
    snapshot: Arc<Snapshot>,
    messages: &[MessageRequest],
    items: &[FetchItem],
) -> io::Result<Summary> {
    let mut responses = Responses::new(selected.mailbox().clone(), snapshot, items);
    for batch in messages.chunks(BATCH) {
        let recent = |request: &MessageRequest| {
            if selected.is_recent(request.entry.uid) { Recent::Yes } else { Recent::No }
        };
        let message =
            |request: &MessageRequest| Message { request: request.clone(), recent: recent(request) };
        responses.start_batch(batch.iter().map(message).collect());
        while !responses.is_done() {
            let out = std::mem::take(wire.out());
            let (next, written) = wire.unless_broken(write(responses, out)).await??;
            responses = next;
            *wire.out() = written;
            wire.flush_if_large().await?;
        }
    }
    Ok(responses.summary())
}

/// Renders the next piece, on a thread for blocking work if anything has to be read for it.
async fn write(mut responses: Responses, mut out: Vec<u8>) -> io::Result<(Responses, Vec<u8>)> {
    if !responses.needs_reading() {
        responses.write(PIECE, &mut out)?;
        return Ok((responses, out));
    }
    let permit = responses.mailbox().read_permit().await;
    let waiting = CancelOnDrop::default();
    responses.set_cancellation(waiting.token());
    let written = tokio::task::spawn_blocking(move || {
        responses.write(PIECE, &mut out)?;
        drop(permit);
        Ok((responses, out))
    });
    written.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests;
