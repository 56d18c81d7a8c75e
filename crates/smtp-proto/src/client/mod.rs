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
//!                     Envelope: MAIL RCPT… DATA ──354──► Message ──► Verdicts
//! ```
//!
//! (RFC 5321 §4.1.4, RFC 3207, RFC 4954, RFC 2033.) What it promises: each recipient of an envelope gets exactly
//! one [`Outcome`]; a reply is bounded whatever the peer sends; a password is sent under TLS only; what the peer
//! sent in the clear is not taken for its word after a TLS handshake. It measures no time: a driver that gives up
//! asks [`Session::abandon`] what is known so far.

mod capabilities;
mod event;
mod opening;
mod outcome;
mod reply_reader;
mod transaction;

use std::sync::Arc;

use address::Host;
use sasl::Credentials;

pub use event::{Event, Handshake, Idle, Sending};
pub use outcome::Outcome;
pub use transaction::Envelope;

use crate::command::{BodyKind, EnvelopeId};
use crate::input::Input;
use crate::server::Security;
use crate::{Dialect, Reply, Severity, replies};
use capabilities::Capabilities;
use opening::Opening;
use reply_reader::ReplyReader;
use transaction::{Purpose, Transaction, Verdicts};

/// How a client talks to a server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which protocol it speaks.
    pub dialect: Dialect,
    /// What it calls itself.
    pub hello_name: Host,
    /// Whether it asks for TLS.
    pub tls: Tls,
    /// As whom it logs in, where it has to.
    pub login: Option<Credentials>,
}

/// Whether a client asks for TLS by STARTTLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// It does not.
    Never,
    /// When the server offers it.
    WhenOffered,
    /// Without it, nothing is sent.
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
    /// The replies that have come to their end.
    replies: u64,
}

#[derive(Debug)]
enum State {
    Opening(Opening),
    /// The driver makes the handshake.
    Handshake,
    Ready(Table),
    /// RSET is on its way; then this follows.
    Reset(Purpose, Envelope),
    Envelope(Transaction),
    /// The driver writes the message.
    Message(Transaction),
    Verdicts(Verdicts),
    Quit,
    Closed,
}

/// Whether the peer still has parts of the last transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    Clean,
    Littered,
}

/// What a reply led to, where the driver is to hear of it.
#[derive(Debug)]
enum Happened {
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
            replies: 0,
        }
    }

    /// What is to be done next.
    // It is no iterator: what it yields borrows from the session.
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
                reply_reader::Read::Nonsense => {
                    let reply = replies::PEER_MAKES_NO_SENSE;
                    return match self.abandon(&reply) {
                        Some(outcomes) => Event::Finished(outcomes),
                        None => Event::Unusable(reply),
                    };
                }
                reply_reader::Read::Reply(reply) => match self.take(reply) {
                    Some(Happened::Finished(outcomes)) => return Event::Finished(outcomes),
                    Some(Happened::Unusable(reply)) => return Event::Unusable(reply),
                    Some(Happened::LoginRefused(reply)) => return Event::LoginRefused(reply),
                    None => {}
                },
            }
        }
    }

    /// Moves on by a reply.
    fn take(&mut self, reply: Reply) -> Option<Happened> {
        self.replies += 1;
        // 421 may come at any time, and the peer is gone after it (RFC 5321 §3.8).
        if reply.code().number() == 421 {
            return match self.abandon(&reply) {
                Some(outcomes) => Some(Happened::Finished(outcomes)),
                None => Some(Happened::Unusable(reply)),
            };
        }
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Opening(opening) => opening::take(self, opening, reply),
            State::Reset(purpose, envelope) if reply.severity() == Severity::Done => {
                transaction::begin(self, purpose, envelope);
                None
            }
            State::Reset(_, envelope) => {
                Some(Happened::Finished(vec![Outcome::Deferred(reply); envelope.recipients.len()]))
            }
            State::Envelope(transaction) => transaction::take(self, transaction, reply),
            State::Verdicts(verdicts) => transaction::conclude(self, verdicts, reply),
            State::Quit => None,
            // Nothing is read in these.
            state @ (State::Handshake | State::Ready(_) | State::Message(_) | State::Closed) => {
                self.state = state;
                None
            }
        }
    }

    /// Gives the connection up: it broke, or the peer took too long. Where an envelope was under way, each of its
    /// recipients has an outcome: what the peer said, or else that `reply` stood in the way.
    pub fn abandon(&mut self, reply: &Reply) -> Option<Vec<Outcome>> {
        self.output.clear();
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Reset(_, envelope) => {
                Some(vec![Outcome::Deferred(reply.clone()); envelope.recipients.len()])
            }
            State::Envelope(transaction) | State::Message(transaction) => Some(transaction.abandoned(reply)),
            State::Verdicts(verdicts) => Some(verdicts.abandoned(reply)),
            _ => None,
        }
    }

    /// Room for octets from the peer, never empty. To be used after [`Event::Input`].
    pub fn space(&mut self) -> &mut [u8] {
        self.input.space(false)
    }

    /// So many octets from the peer have been put into [`Session::space`].
    pub fn filled(&mut self, count: usize) {
        self.input.filled(count);
    }

    /// What the peer is to be sent.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// All of [`Session::output`] has been sent.
    pub fn sent(&mut self) {
        self.output.clear();
    }

    /// Which reply is awaited: how long that may take differs (RFC 5321 §4.5.3.2).
    pub fn awaits(&self) -> Awaits {
        match &self.state {
            State::Opening(Opening::Greeting) => Awaits::Greeting,
            State::Message(_) | State::Verdicts(_) => Awaits::Verdict,
            _ => Awaits::Command,
        }
    }

    /// How many replies have come to their end. As long as that stays the same, the peer is sending one and the same reply,
    /// however many octets come.
    pub fn replies(&self) -> u64 {
        self.replies
    }

    fn say(&mut self, line: &str) {
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }
}

/// What a client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaits {
    /// The server's first words (5 minutes, RFC 5321 §4.5.3.2.1).
    Greeting,
    /// The reply to a command (5 minutes, RFC 5321 §4.5.3.2.2).
    Command,
    /// What becomes of the message (10 minutes, RFC 5321 §4.5.3.2.6).
    Verdict,
}

#[cfg(test)]
mod tests;
