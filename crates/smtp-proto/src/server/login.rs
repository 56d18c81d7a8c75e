//! AUTH after its first line (RFC 4954 §4).

use super::state::{Answered, Ready, State};
use super::{Session, limits};
use crate::input::Line;
use crate::replies;
use crate::sasl::{Credentials, Exchange, Progress};

/// What the client's response leads to.
pub(super) enum Advance {
    Again,
    Starved,
    Asks(Credentials),
}

/// Reads the next response.
pub(super) fn advance(session: &mut Session, ready: Ready, exchange: Exchange) -> Advance {
    match session.input.line(limits::AUTH_LINE) {
        Line::Unfinished => {
            session.state = State::Login(ready, exchange);
            Advance::Starved
        }
        Line::TooLong => {
            session.fault(&replies::LINE_TOO_LONG, State::Ready(ready));
            Advance::Again
        }
        Line::Whole(length) => {
            let response = session.input.take(length + 2)[..length].to_vec();
            if response == b"*" {
                session.answer(&replies::AUTH_CANCELLED, State::Ready(ready));
                return Advance::Again;
            }
            respond(session, ready, exchange, &response)
        }
    }
}

/// Goes on with a response, in base64.
pub(super) fn respond(session: &mut Session, ready: Ready, exchange: Exchange, base64: &[u8]) -> Advance {
    match exchange.respond(base64) {
        Progress::Done(credentials) => {
            session.state = State::Asked(Answered::Login(ready));
            Advance::Asks(credentials)
        }
        Progress::Goes(exchange) => {
            challenge(session, ready, exchange);
            Advance::Again
        }
        Progress::Malformed => {
            session.fault(&replies::BAD_AUTH_RESPONSE, State::Ready(ready));
            Advance::Again
        }
    }
}

/// Asks the client for its next response.
pub(super) fn challenge(session: &mut Session, ready: Ready, exchange: Exchange) {
    session.answer(&replies::challenge(exchange.challenge()), State::Login(ready, exchange));
}
