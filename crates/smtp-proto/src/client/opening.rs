//! The session from the greeting to the point where mail can be sent.

use std::collections::VecDeque;

use sasl::Mechanism;
use zeroize::Zeroizing;

use super::{Capabilities, PeerTransaction, ReplyEffect, Session, State, Tls};
use crate::server::Security;
use crate::{Dialect, Reply, Severity, replies};

/// The reply that is awaited.
#[derive(Debug)]
pub(super) enum Opening {
    Greeting,
    /// EHLO or LHLO.
    Hello,
    /// HELO, since the server does not know EHLO.
    Helo,
    StartTls,
    /// AUTH, with the responses left for the server's challenges.
    Login(VecDeque<Zeroizing<String>>),
}

/// Processes a reply.
pub(super) fn handle_reply(session: &mut Session, opening: Opening, reply: Reply) -> Option<ReplyEffect> {
    match (opening, reply.severity()) {
        (Opening::Greeting, Severity::Completion) => {
            hello(session);
            None
        }
        (Opening::Hello, Severity::Completion) => {
            session.capabilities = Capabilities::read(&reply);
            after_hello(session)
        }
        // "If the EHLO command is not acceptable … the client SHOULD try HELO" (RFC 5321 §3.2). LMTP has LHLO only.
        (Opening::Hello, Severity::Permanent) if session.settings.dialect != Dialect::Lmtp => {
            let line = format!("HELO {}", session.settings.hello_name);
            session.send_line(&line);
            session.state = State::Opening(Opening::Helo);
            None
        }
        (Opening::Helo, Severity::Completion) => {
            session.capabilities = Capabilities::default();
            after_hello(session)
        }
        (Opening::StartTls, Severity::Completion) => {
            session.state = State::Handshake;
            None
        }
        // Offered and then refused: continue without TLS if that is allowed.
        (Opening::StartTls, _) if session.settings.tls == Tls::WhenOffered => authenticate(session),
        (Opening::Login(_), Severity::Completion) => {
            session.state = State::Ready(PeerTransaction::Reset);
            None
        }
        (Opening::Login(mut responses), Severity::Intermediate) => match responses.pop_front() {
            Some(response) => {
                session.send_line(&response);
                session.state = State::Opening(Opening::Login(responses));
                None
            }
            None => Some(ReplyEffect::LoginRefused(reply)),
        },
        (Opening::Login(_), _) => Some(ReplyEffect::LoginRefused(reply)),
        _ => Some(ReplyEffect::Unusable(reply)),
    }
}

/// Sends the hello, for the first time or again after TLS began.
pub(super) fn hello(session: &mut Session) {
    let verb = match session.settings.dialect {
        Dialect::Smtp | Dialect::Submission => "EHLO",
        Dialect::Lmtp => "LHLO",
    };
    let line = format!("{verb} {}", session.settings.hello_name);
    session.send_line(&line);
    session.state = State::Opening(Opening::Hello);
}

/// Continues after the reply to the hello, with STARTTLS if it is to be used.
fn after_hello(session: &mut Session) -> Option<ReplyEffect> {
    let clear = session.security == Security::Clear;
    match (session.settings.tls, session.capabilities.starttls) {
        (Tls::WhenOffered | Tls::Required, true) if clear => {
            session.send_line("STARTTLS");
            session.state = State::Opening(Opening::StartTls);
            None
        }
        (Tls::Required, false) if clear => Some(ReplyEffect::Unusable(replies::PEER_WITHOUT_TLS)),
        _ => authenticate(session),
    }
}

/// Logs in if credentials are set, and never in clear text. TLS has started by now if it could.
fn authenticate(session: &mut Session) -> Option<ReplyEffect> {
    let Some(credentials) = session.settings.login.clone() else {
        session.state = State::Ready(PeerTransaction::Reset);
        return None;
    };
    if session.security == Security::Clear {
        return Some(ReplyEffect::Unusable(replies::PEER_WITHOUT_TLS));
    }
    // The mechanisms in our order, not in the server's: the first one is one round trip shorter.
    let offered = &session.capabilities.mechanisms;
    let Some(mechanism) = Mechanism::ALL.into_iter().find(|mechanism| offered.contains(mechanism)) else {
        return Some(ReplyEffect::LoginRefused(replies::PEER_WITHOUT_AUTH));
    };
    let responses = match mechanism {
        Mechanism::Plain => VecDeque::from([credentials.plain_response()]),
        Mechanism::Login => VecDeque::from(credentials.login_responses()),
    };
    send_auth(session, mechanism, responses);
    None
}

/// Sends AUTH: with the response of PLAIN on the same line, unless that exceeds a command line (RFC 4954 §4); then it
/// is sent after the server's challenge.
fn send_auth(session: &mut Session, mechanism: Mechanism, mut responses: VecDeque<Zeroizing<String>>) {
    let command = format!("AUTH {}", mechanism.name());
    let fits = |response: &Zeroizing<String>| command.len() + 1 + response.len() + 2 <= COMMAND_LINE;
    match responses.pop_front_if(|response| mechanism == Mechanism::Plain && fits(response)) {
        Some(response) => session.send_line(&Zeroizing::new(format!("{command} {}", *response))),
        None => session.send_line(&command),
    }
    session.state = State::Opening(Opening::Login(responses));
}

/// "The maximum total length of a command line including the command word and the `<CRLF>` is 512 octets" (RFC 5321
/// §4.5.3.1.4).
const COMMAND_LINE: usize = 512;
