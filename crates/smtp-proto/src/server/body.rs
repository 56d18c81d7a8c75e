//! Reception of a message (RFC 5321 §4.1.1.4).

use std::ops::Range;

use super::Session;
use super::state::{PendingRequest, Reception, State};
use crate::body::Piece;
use crate::{BodyFault, Dialect, Reply, replies};

/// The effect of the message's next octets.
pub(super) enum BodyEffect {
    /// The driver need not act.
    Continue,
    NeedInput,
    /// The number of octets to remove from the input; the range within them belongs to the message.
    Chunk(usize, Range<usize>),
    /// A line end of the message that was not sent as CRLF.
    LineEnd,
    Refused(BodyFault),
    Message(u64),
    Delivery(u64, usize),
}

pub(super) fn advance(session: &mut Session, mut receiving: Reception) -> BodyEffect {
    if session.input.pending().is_empty() {
        session.state = State::Body(receiving);
        return BodyEffect::NeedInput;
    }
    let piece = receiving.reader.read(session.input.pending());
    if !piece.is_end {
        session.state = State::Body(receiving);
        return of_piece(session, piece);
    }
    session.input.take(piece.used);
    match receiving.reader.fault() {
        Some(fault) => {
            let transaction = receiving.transaction;
            let lmtp = session.settings.dialect == Dialect::Lmtp;
            let answers = if lmtp { transaction.recipients } else { 1 };
            let reply = refusal(fault);
            (0..answers).for_each(|_| session.reply(&reply));
            // After a bare CR or LF the peer may see the end of the message elsewhere than here, and what follows as
            // its rest: none of it is read as a command.
            session.state = match fault {
                BodyFault::BareCr | BodyFault::BareLf => State::Closing,
                BodyFault::TooBig | BodyFault::Nul => State::Ready(transaction.ready),
            };
            BodyEffect::Refused(fault)
        }
        None => complete(session, receiving),
    }
}

/// The effect of a piece within the message.
pub(super) fn of_piece(session: &mut Session, piece: Piece) -> BodyEffect {
    if !piece.line_end && !piece.content.is_empty() {
        return BodyEffect::Chunk(piece.used, piece.content);
    }
    session.input.take(piece.used);
    if piece.line_end { BodyEffect::LineEnd } else { BodyEffect::Continue }
}

/// Requests the driver's answer to a message that has been read completely.
pub(super) fn complete(session: &mut Session, Reception { transaction, reader }: Reception) -> BodyEffect {
    if session.settings.dialect == Dialect::Lmtp {
        session.state = State::Pending(PendingRequest::Delivery(transaction.ready, transaction.recipients));
        BodyEffect::Delivery(reader.size(), transaction.recipients)
    } else {
        session.state = State::Pending(PendingRequest::Message(transaction.ready));
        BodyEffect::Message(reader.size())
    }
}

fn refusal(fault: BodyFault) -> Reply {
    match fault {
        BodyFault::TooBig => replies::MESSAGE_TOO_BIG,
        BodyFault::Nul => replies::BODY_HAS_NUL,
        BodyFault::BareCr => replies::BODY_HAS_BARE_CR,
        BodyFault::BareLf => replies::BODY_HAS_BARE_LF,
    }
}
