//! Reception of a message in chunks (RFC 3030 §2).
//!
//! The size of a chunk is declared, so it ends there whatever its octets are. The octets of a refused chunk are read and
//! dropped before the reply: they must not be read as commands. A chunk of unknown size, or one that is too large to
//! be dropped, ends the session.

use super::body::{self, BodyEffect, complete};
use super::state::{Chunk, PendingRequest, Reception, State, Transaction};
use super::{Data, Session, limits};
use crate::command::BdatCommand;
use crate::{BodyFault, Reply, replies};

/// The effect of BDAT.
pub(super) enum BdatEffect {
    /// The session continues alone.
    Continue,
    /// The message begins with this chunk.
    Data(Data),
    /// The message is larger than the limit.
    TooBig,
}

/// A chunk that is read and dropped, and then refused.
#[derive(Debug)]
pub(super) struct RefusedChunk {
    left: u64,
    reply: Reply,
    next: Box<State>,
}

/// BDAT after MAIL: the first chunk of a message.
pub(super) fn first(session: &mut Session, transaction: Transaction, command: BdatCommand) -> BdatEffect {
    let recipients = transaction.recipients;
    if recipients == 0 {
        let reply = if transaction.refused { replies::NO_VALID_RECIPIENTS } else { replies::RCPT_FIRST };
        refuse(session, command.size, reply, State::Mail(transaction));
        return BdatEffect::Continue;
    }
    if command.size > session.settings.message_size {
        // The driver has seen no part of the message yet; it drops the envelope all the same.
        return too_big(session, transaction, command);
    }
    session.state = State::Pending(PendingRequest::Data(transaction, Some(command.into())));
    BdatEffect::Data(Data { recipients })
}

/// BDAT after another one. The declared sizes are summed, so a message beyond the limit is refused before its octets
/// are accepted.
pub(super) fn further(session: &mut Session, reception: Reception, command: BdatCommand) -> BdatEffect {
    if reception.reader.size().saturating_add(command.size) > session.settings.message_size {
        return too_big(session, reception.transaction, command);
    }
    session.state = State::Chunk(reception, command.into());
    BdatEffect::Continue
}

fn too_big(session: &mut Session, transaction: Transaction, command: BdatCommand) -> BdatEffect {
    refuse(session, command.size, replies::MESSAGE_TOO_BIG, State::Ready(transaction.ready));
    BdatEffect::TooBig
}

/// Refuses a chunk and continues in `next` after its octets.
pub(super) fn refuse(session: &mut Session, size: u64, reply: Reply, next: State) {
    if size > session.settings.message_size.saturating_mul(limits::REFUSED_CHUNK) {
        session.answer(&reply, State::Closing);
    } else {
        session.state = State::RefusedChunk(RefusedChunk { left: size, reply, next: Box::new(next) });
    }
}

/// Drops the next octets of a refused chunk. Returns true if more octets are needed.
pub(super) fn discard(session: &mut Session, mut chunk: RefusedChunk) -> bool {
    let count = within(chunk.left, session.input.pending().len());
    session.input.take(count);
    chunk.left -= count as u64;
    if chunk.left > 0 {
        session.state = State::RefusedChunk(chunk);
        return true;
    }
    session.answer(&chunk.reply, *chunk.next);
    false
}

/// Reads the next octets of a chunk.
pub(super) fn advance(session: &mut Session, mut reception: Reception, mut chunk: Chunk) -> BodyEffect {
    if chunk.left == 0 {
        return end(session, reception, chunk);
    }
    let pending = session.input.pending();
    let count = within(chunk.left, pending.len());
    if count == 0 {
        session.state = State::Chunk(reception, chunk);
        return BodyEffect::NeedInput;
    }
    let piece = reception.reader.read_chunk(&pending[..count]);
    chunk.left -= piece.used as u64;
    session.state = State::Chunk(reception, chunk);
    body::of_piece(session, piece)
}

/// The end of a chunk.
fn end(session: &mut Session, mut reception: Reception, chunk: Chunk) -> BodyEffect {
    if chunk.is_last {
        reception.reader.end_of_chunks();
    }
    match reception.reader.fault() {
        Some(fault) => {
            session.answer(&refusal(fault), State::Ready(reception.transaction.ready));
            BodyEffect::Refused(fault)
        }
        None if chunk.is_last => complete(session, reception),
        None => {
            session.answer(&replies::chunk_received(chunk.size), State::Chunked(reception));
            BodyEffect::Continue
        }
    }
}

/// The end of a chunk is known, so a bare CR or LF leaves no doubt about what follows, and the session continues.
fn refusal(fault: BodyFault) -> Reply {
    match fault {
        BodyFault::TooBig => replies::MESSAGE_TOO_BIG,
        BodyFault::Nul => replies::BODY_HAS_NUL,
        BodyFault::BareCr => replies::CHUNK_HAS_BARE_CR,
        BodyFault::BareLf => replies::CHUNK_HAS_BARE_LF,
    }
}

fn within(left: u64, pending: usize) -> usize {
    usize::try_from(left).map_or(pending, |left| left.min(pending))
}
