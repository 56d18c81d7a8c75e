//! The client's side of a session: to other mail servers, to a relay, and over LMTP to the mail store.
//!
//! ```text
//!            220         250, STARTTLS offered          220, TLS
//!   Greeting ───► Hello ────────────────────► StartTls ──────────► Hello (again)
//!                   │ 250                                            │
//!                   ├──── a login is set ────► Login ──235──┐        │
//!                   ▼                                       ▼        ▼
//!   Closed ◄── Quit ◄──────────────────────────────────── Ready ◄────┘
//!                                                          │ ▲
//!                                    send, (RSET first)    │ │ Finished
//!                                                          ▼ │
//!                     Envelope: MAIL RCPT… DATA ──354──► Message ──► FinalReplies
//!                               MAIL RCPT… ──250, BDAT──►
//! ```
//!
//! (RFC 5321 §4.1.4, RFC 3207, RFC 4954, RFC 2033, RFC 3030.) The guarantees: each recipient of an envelope gets exactly one
//! [`Outcome`]; a reply is bounded whatever the peer sends; a password is sent under TLS only; information that the
//! peer sent in clear text is not used after a TLS handshake. The session measures no time: a driver that gives up gets
//! the outcomes so far from [`Session::abandon`].

mod capabilities;
mod event;
mod limits;
mod opening;
mod outcome;
mod reply_reader;
mod transaction;

use std::sync::Arc;

use address::Host;
use sasl::Credentials;

pub use event::{Event, Handshake, Idle, Sending};
pub use limits::Limits;
pub use outcome::Outcome;
pub use transaction::Envelope;

use crate::command::{BodyKind, EnvelopeId};
use crate::input::Input;
use crate::server::Security;
use crate::{Dialect, Reply, Severity, replies};
use capabilities::Capabilities;
use opening::Opening;
use reply_reader::ReplyReader;
use transaction::{FinalReplies, Purpose, Transaction};

/// The settings of a client.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The protocol to speak.
    pub dialect: Dialect,
    /// The name for EHLO, HELO or LHLO.
    pub hello_name: Host,
    /// The use of STARTTLS.
    pub tls: Tls,
    /// The credentials, if the client has to log in.
    pub login: Option<Credentials>,
}

/// The use of STARTTLS by a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// STARTTLS is not used.
    Never,
    /// STARTTLS is used when the server offers it.
    WhenOffered,
    /// Nothing is sent without TLS.
    Required,
}

/// One connection's session.
#[derive(Debug)]
pub struct Session {
    settings: Arc<Settings>,
    security: Security,
    capabilities: Capabilities,
    input: Input,
    reader: ReplyReader,
    output: Vec<u8>,
    state: State,
    /// The number of complete replies received.
    reply_count: u64,
}

#[derive(Debug)]
enum State {
    Opening(Opening),
    /// The driver performs the handshake.
    Handshake,
    Ready(PeerTransaction),
    /// RSET has been sent; then this envelope follows.
    Reset(Purpose, Envelope),
    Envelope(Transaction),
    /// The driver writes the message.
    Message(Transaction),
    FinalReplies(FinalReplies),
    Quit,
    Closed,
}

/// The state of the peer's last transaction: reset, or with parts left over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PeerTransaction {
    Reset,
    Open,
}

/// The effect of a reply that the driver must handle.
#[derive(Debug)]
enum ReplyEffect {
    Finished(Vec<Outcome>),
    Unusable(Reply),
    LoginRefused(Reply),
}

impl Session {
    /// A session that waits for the server's greeting. `security` is `Tls` when the connection was TLS from its
    /// first octet.
    pub fn new(settings: Arc<Settings>, security: Security) -> Self {
        Self {
            settings,
            security,
            capabilities: Capabilities::default(),
            input: Input::new(),
            reader: ReplyReader::default(),
            output: Vec::new(),
            state: State::Opening(Opening::Greeting),
            reply_count: 0,
        }
    }

    /// The next step.
    // Not an iterator: the event borrows from the session.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Event<'_> {
        loop {
            if !self.output.is_empty() {
                return Event::Output;
            }
            match &self.state {
                State::Ready(_) => return Event::Ready(Idle::new(self)),
                State::Handshake => return Event::StartTls(Handshake::new(self)),
                State::Message(_) => return Event::Message(Sending::new(self)),
                State::Closed => return Event::Closed,
                _ => {}
            }
            match self.reader.read(&mut self.input) {
                reply_reader::Read::Unfinished => return Event::Input,
                reply_reader::Read::Malformed => {
                    let reply = replies::MALFORMED_REPLY;
                    return match self.abandon(&reply) {
                        Some(outcomes) => Event::Finished(outcomes),
                        None => Event::Unusable(reply),
                    };
                }
                reply_reader::Read::Reply(reply) => match self.handle_reply(reply) {
                    Some(ReplyEffect::Finished(outcomes)) => return Event::Finished(outcomes),
                    Some(ReplyEffect::Unusable(reply)) => return Event::Unusable(reply),
                    Some(ReplyEffect::LoginRefused(reply)) => return Event::LoginRefused(reply),
                    None => {}
                },
            }
        }
    }

    /// Processes a reply.
    fn handle_reply(&mut self, reply: Reply) -> Option<ReplyEffect> {
        self.reply_count += 1;
        // 421 may come at any time, and the peer is gone after it (RFC 5321 §3.8).
        if reply.code().number() == 421 {
            return match self.abandon(&reply) {
                Some(outcomes) => Some(ReplyEffect::Finished(outcomes)),
                None => Some(ReplyEffect::Unusable(reply)),
            };
        }
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Opening(opening) => opening::handle_reply(self, opening, reply),
            State::Reset(purpose, envelope) if reply.severity() == Severity::Completion => {
                transaction::begin(self, purpose, envelope);
                None
            }
            State::Reset(_, envelope) => {
                Some(ReplyEffect::Finished(vec![Outcome::Deferred(reply); envelope.recipients.len()]))
            }
            State::Envelope(transaction) => transaction::handle_reply(self, transaction, reply),
            State::FinalReplies(final_replies) => transaction::handle_final_reply(self, final_replies, reply),
            State::Quit => None,
            // These states read nothing.
            state @ (State::Handshake | State::Ready(_) | State::Message(_) | State::Closed) => {
                self.state = state;
                None
            }
        }
    }

    /// Abandons the connection: it broke, or the peer timed out. If an envelope was under way, each of its recipients
    /// gets an outcome: the peer's reply, or else a deferral with `reply`.
    pub fn abandon(&mut self, reply: &Reply) -> Option<Vec<Outcome>> {
        self.output.clear();
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Reset(_, envelope) => {
                Some(vec![Outcome::Deferred(reply.clone()); envelope.recipients.len()])
            }
            State::Envelope(transaction) | State::Message(transaction) => Some(transaction.abandoned(reply)),
            State::FinalReplies(final_replies) => Some(final_replies.abandoned(reply)),
            _ => None,
        }
    }

    /// Space for octets from the peer, never empty. For use after [`Event::Input`].
    pub fn space(&mut self) -> &mut [u8] {
        self.input.space(false)
    }

    /// Adds the `count` octets from the peer that were read into [`Session::space`].
    pub fn filled(&mut self, count: usize) {
        self.input.filled(count);
    }

    /// The octets to send to the peer.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// Notes that all of [`Session::output`] has been sent.
    pub fn sent(&mut self) {
        self.output.clear();
    }

    /// True if the peer accepts addresses and header fields in UTF-8 (RFC 6531).
    pub fn offers_smtputf8(&self) -> bool {
        self.capabilities.smtputf8
    }

    /// The kind of reply that is awaited: their time limits differ (RFC 5321 §4.5.3.2).
    pub fn awaited_reply(&self) -> AwaitedReply {
        match &self.state {
            State::Opening(Opening::Greeting) => AwaitedReply::Greeting,
            State::Message(_) | State::FinalReplies(_) => AwaitedReply::FinalReply,
            _ => AwaitedReply::Command,
        }
    }

    /// True if the server accepts the demand for TLS (RFC 8689), and TLS protects this connection.
    pub fn offers_requiretls(&self) -> bool {
        self.capabilities.requiretls && self.security == Security::Tls
    }

    /// The limits that the server has announced.
    pub fn limits(&self) -> Limits {
        self.capabilities.limits
    }

    /// The number of complete replies. As long as it stays the same, the peer is sending one and the same reply,
    /// however many octets come.
    pub fn reply_count(&self) -> u64 {
        self.reply_count
    }

    fn send_line(&mut self, line: &str) {
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }
}

/// The kind of reply that a client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AwaitedReply {
    /// The greeting (5 minutes, RFC 5321 §4.5.3.2.1).
    Greeting,
    /// The reply to a command (5 minutes, RFC 5321 §4.5.3.2.2).
    Command,
    /// The reply to the message (10 minutes, RFC 5321 §4.5.3.2.6).
    FinalReply,
}

#[cfg(test)]
mod tests;
