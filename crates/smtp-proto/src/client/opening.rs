//! From the greeting to the point where mail can be sent.

use super::{Capabilities, Happened, Session, State, Table, Tls};
use crate::server::Security;
use crate::{Dialect, Reply, Severity, replies};

/// Which reply is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    Greeting,
    /// EHLO or LHLO.
    Hello,
    /// HELO, since EHLO is unknown there.
    OldHello,
    StartTls,
    Login,
}

/// Moves on by a reply.
pub(super) fn take(session: &mut Session, opening: Opening, reply: Reply) -> Option<Happened> {
    match (opening, reply.severity()) {
        (Opening::Greeting, Severity::Done) => {
            hello(session);
            None
        }
        (Opening::Hello, Severity::Done) => {
            session.capabilities = Capabilities::read(&reply);
            introduced(session)
        }
        // "If the EHLO command is not acceptable … the client SHOULD try HELO" (RFC 5321 §3.2). An LMTP server
        // knows no other hello.
        (Opening::Hello, Severity::Permanent) if session.settings.dialect != Dialect::Lmtp => {
            let line = format!("HELO {}", session.settings.hello_name);
            session.say(&line);
            session.state = State::Opening(Opening::OldHello);
            None
        }
        (Opening::OldHello, Severity::Done) => {
            session.capabilities = Capabilities::default();
            introduced(session)
        }
        (Opening::StartTls, Severity::Done) => {
            session.state = State::Handshake;
            None
        }
        // It was offered and is refused: without it where that is allowed.
        (Opening::StartTls, _) if session.settings.tls == Tls::WhenOffered => secured(session),
        (Opening::Login, Severity::Done) => {
            session.state = State::Ready(Table::Clean);
            None
        }
        _ => Some(Happened::Unusable(reply)),
    }
}

/// Says hello, for the first time or again after TLS began.
pub(super) fn hello(session: &mut Session) {
    let verb = match session.settings.dialect {
        Dialect::Smtp | Dialect::Submission => "EHLO",
        Dialect::Lmtp => "LHLO",
    };
    let line = format!("{verb} {}", session.settings.hello_name);
    session.say(&line);
    session.state = State::Opening(Opening::Hello);
}

/// The hello is answered: TLS where it is wanted.
fn introduced(session: &mut Session) -> Option<Happened> {
    let clear = session.security == Security::Clear;
    match (session.settings.tls, session.capabilities.starttls) {
        (Tls::WhenOffered | Tls::Required, true) if clear => {
            session.say("STARTTLS");
            session.state = State::Opening(Opening::StartTls);
            None
        }
        (Tls::Required, false) if clear => Some(Happened::Unusable(replies::PEER_WITHOUT_TLS)),
        _ => secured(session),
    }
}

/// As secure as it gets: the login where one is set, and never in the clear.
fn secured(session: &mut Session) -> Option<Happened> {
    let Some(credentials) = session.settings.login.clone() else {
        session.state = State::Ready(Table::Clean);
        return None;
    };
    if session.security == Security::Clear {
        return Some(Happened::Unusable(replies::PEER_WITHOUT_TLS));
    }
    if !session.capabilities.auth_plain {
        return Some(Happened::Unusable(replies::PEER_WITHOUT_AUTH));
    }
    session.say(&format!("AUTH PLAIN {}", *credentials.plain_response()));
    session.state = State::Opening(Opening::Login);
    None
}
