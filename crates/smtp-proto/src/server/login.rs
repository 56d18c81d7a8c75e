//! AUTH after its first line (RFC 4954 §4).

use sasl::{Credentials, Exchange, ExchangeStep, SaslError};

use super::state::{PendingRequest, Ready, State};
use super::{Session, limits};
use crate::input::Line;
use crate::{Reply, replies};

/// The effect of the client's response.
pub(super) enum LoginEffect {
    Continue,
    NeedInput,
    Credentials(Credentials),
}

/// Reads the next response.
pub(super) fn advance(session: &mut Session, ready: Ready, exchange: Exchange) -> LoginEffect {
    match session.input.line(limits::AUTH_LINE) {
        Line::Unfinished => {
            session.state = State::Login(ready, exchange);
            LoginEffect::NeedInput
        }
        Line::TooLong => {
            session.answer_error(&replies::LINE_TOO_LONG, State::Ready(ready));
            LoginEffect::Continue
        }
        Line::Whole(length) => {
            let step = exchange.respond(&session.input.take(length + 2)[..length]);
            handle_step(session, ready, step)
        }
    }
}

/// Processes the step that follows from the client's response.
pub(super) fn handle_step(session: &mut Session, ready: Ready, step: ExchangeStep) -> LoginEffect {
    match step {
        ExchangeStep::Complete(credentials) => {
            session.state = State::Pending(PendingRequest::Login(ready));
            return LoginEffect::Credentials(credentials);
        }
        ExchangeStep::Challenge(challenge, exchange) => {
            session.answer(&replies::challenge(challenge), State::Login(ready, exchange));
        }
        ExchangeStep::Failed(SaslError::Cancelled) => {
            session.answer(&replies::AUTH_CANCELLED, State::Ready(ready));
        }
        ExchangeStep::Failed(SaslError::NotBase64 | SaslError::Malformed) => {
            session.answer_error(&replies::BAD_AUTH_RESPONSE, State::Ready(ready));
        }
        // Well-formed, and wrong without a look at the accounts.
        ExchangeStep::Failed(SaslError::AuthzidMismatch | SaslError::InvalidPassword) => {
            session.refuse_login(&replies::BAD_CREDENTIALS, ready);
        }
    }
    LoginEffect::Continue
}

impl Session {
    /// Refuses the login, and closes after too many.
    pub(super) fn refuse_login(&mut self, reply: &Reply, ready: Ready) {
        let reply = if self.counts.count_failed_login() { &replies::TOO_MANY_LOGINS } else { reply };
        self.answer(reply, State::Ready(ready));
    }
}
