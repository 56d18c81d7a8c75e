//! What FETCH tells of messages (RFC 3501 §6.4.5 and §7.4.2).
//!
//! ```text
//! respond: batch by batch ──► responses: a piece at a time, off the runtime ──► wire
//!                                 │ each message: rendering ── envelope, structure
//!                                 └─ what the index does not remember, and octets: contents
//! ```
//!
//! A message that is gone from the disk gives no response, and the others are told all the same. A
//! message that cannot be read to the end, after its length was announced, ends the connection: nothing
//! sent after that would be understood.

mod envelope;
mod rendering;
mod responses;
mod structure;

use std::io;
use std::sync::Arc;

use imap_proto::command::FetchItem;
use imap_proto::response::fetch::Recent;

use self::responses::{Message, Responses};
use super::abandon::Waiting;
use super::selected::Selected;
use super::wire::Wire;
use crate::mailbox::{Entry, Snapshot};

/// How many messages the index is asked about, and told of, at a time.
const BATCH: usize = 256;

/// About how much is made before it is sent.
const PIECE: usize = 64 * 1024;

/// A message of which something is asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Its sequence number, as the client knows it.
    pub(crate) number: u32,
    /// The message, with its flags as they are now.
    pub(crate) entry: Entry,
    /// Whether this FETCH itself has set `\Seen`: then FLAGS are told even if they were not asked for
    /// (RFC 3501 §6.4.5).
    pub(crate) newly_seen: bool,
}

/// What came of telling it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// How many messages were gone from the disk, of which nothing was told.
    pub(crate) gone: u32,
    /// How many could not be read, of which nothing was told; the reason is in the log.
    pub(crate) unreadable: u32,
}

/// Writes one FETCH response for each message, in their order. `snapshot` names the keywords of the messages' flags. An error
/// is that of the connection.
pub(crate) async fn respond(
    wire: &mut Wire,
    selected: &Selected,
    snapshot: Arc<Snapshot>,
    messages: &[Asked],
    items: &[FetchItem],
) -> io::Result<Told> {
    let mut responses = Responses::new(selected.mailbox().clone(), snapshot, items);
    for batch in messages.chunks(BATCH) {
        let recent =
            |asked: &Asked| if selected.is_recent(asked.entry.uid) { Recent::Yes } else { Recent::No };
        let message = |asked: &Asked| Message { asked: asked.clone(), recent: recent(asked) };
        responses.begin(batch.iter().map(message).collect());
        while !responses.is_done() {
            let out = std::mem::take(wire.out());
            let (next, written) = wire.unless_broken(write(responses, out)).await??;
            responses = next;
            *wire.out() = written;
            wire.relieve().await?;
        }
    }
    Ok(responses.told())
}

/// Makes the next piece: on a thread for blocking work, if anything has to be read for it.
async fn write(mut responses: Responses, mut out: Vec<u8>) -> io::Result<(Responses, Vec<u8>)> {
    if !responses.reads() {
        responses.write(PIECE, &mut out)?;
        return Ok((responses, out));
    }
    let turn = responses.mailbox().turn().await;
    let waiting = Waiting::default();
    responses.until(waiting.abandon());
    let written = tokio::task::spawn_blocking(move || {
        responses.write(PIECE, &mut out)?;
        drop(turn);
        Ok((responses, out))
    });
    written.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests;
