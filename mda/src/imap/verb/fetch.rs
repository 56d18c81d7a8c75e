//! FETCH and UID FETCH: send data of messages (RFC 3501 §6.4.5).

use imap_proto::command::{Fetch, FetchItem, Naming};

use crate::imap::fetch::{MessageRequest, Summary, respond};
use crate::imap::reply::{Failure, Reply};
use crate::imap::selected::Selected;
use crate::imap::session::Outcome;
use crate::imap::wire::Wire;
use crate::mailbox::Snapshot;
use crate::maildir::{Flags, Uid};

/// Messages marked `\Seen` per batch; small enough that the first response is not delayed.
const BATCH: usize = 256;

/// Sends the requested items of each message. Reading a body marks the message `\Seen`.
pub(in crate::imap) async fn run(
    wire: &mut Wire,
    selected: &mut Selected,
    fetch: Fetch,
) -> Result<Outcome, Failure> {
    let Fetch { messages, mut items } = fetch;
    // RFC 3501 §6.4.8: UID FETCH always sends the UID.
    if messages.naming == Naming::Uid && !items.contains(&FetchItem::Uid) {
        items.insert(0, FetchItem::Uid);
    }
    let marks = items.iter().any(FetchItem::marks_seen) && selected.require_writable().is_ok();
    let named: Vec<(u32, Uid)> =
        selected.resolve(&messages)?.into_iter().map(|(number, entry)| (number, entry.uid)).collect();
    let mut summary = Summary::default();
    for batch in named.chunks(BATCH) {
        let seen = if marks { mark_seen(selected, batch).await } else { Vec::new() };
        let newest = selected.mailbox().snapshot();
        // A keyword is sent in FLAGS before any message that has it (RFC 3501 §7.2.6).
        selected.write_new_keywords(wire.out(), &newest);
        let requests = requests_of(selected, &newest, batch, &seen);
        let of_batch = respond(wire, selected, newest, &requests, &items).await?;
        summary.gone += of_batch.gone;
        summary.unreadable += of_batch.unreadable;
    }
    match summary {
        Summary { unreadable: 1.., .. } => Err(Reply::unreadable().into()),
        Summary { gone: 1.., .. } => Err(Reply::expunge_issued().into()),
        Summary { .. } => Ok(Reply::ok("FETCH completed").into()),
    }
}

/// Marks the messages of a batch that are not `\Seen` yet, and returns those that were marked. Messages that cannot be
/// marked are still sent.
async fn mark_seen(selected: &Selected, batch: &[(u32, Uid)]) -> Vec<Uid> {
    let snapshot = selected.mailbox().snapshot();
    let is_unseen =
        |uid: &Uid| snapshot.by_uid(*uid).is_some_and(|(_, entry)| !entry.flags.contains(Flags::SEEN));
    let unseen: Vec<Uid> = batch.iter().map(|(_, uid)| *uid).filter(is_unseen).collect();
    if unseen.is_empty() {
        return unseen;
    }
    match selected.mailbox().mark_seen(unseen.clone()).await {
        Ok(_) => unseen,
        Err(error) => {
            tracing::warn!(mailbox = %selected.mailbox().name(), %error, "cannot mark messages as seen");
            Vec::new()
        }
    }
}

/// The messages with their current flags or, where a message is gone, with the flags that the client knows.
fn requests_of(
    selected: &mut Selected,
    newest: &Snapshot,
    batch: &[(u32, Uid)],
    seen: &[Uid],
) -> Vec<MessageRequest> {
    let mut requests = Vec::with_capacity(batch.len());
    for (number, uid) in batch {
        let Some((_, known)) = selected.snapshot().by_uid(*uid) else { continue };
        let mut entry = known.clone();
        if let Some((_, now)) = newest.by_uid(*uid) {
            entry = now.clone();
        }
        let newly_seen = seen.contains(uid);
        requests.push(MessageRequest { number: *number, entry, newly_seen });
    }
    for message in requests.iter().filter(|message| message.newly_seen) {
        selected.note_client_flags(message.entry.uid, message.entry.flags);
    }
    requests
}
