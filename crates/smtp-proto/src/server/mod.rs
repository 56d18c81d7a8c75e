//! The server's side of a session.
//!
//! ```text
//!            hello            MAIL              RCPT…           DATA
//!   Fresh ──────────► Ready ────────► Mail(0) ──────► Mail(n) ──────► Body
//!     ▲                │ ▲ ▲                            │               │
//!     │ STARTTLS, TLS  │ │ └── RSET, hello ─────────────┘               │
//!     ├────────────────┘ └───────── the message is answered ────────────┘
//!     │        AUTH │ ▲ done, refused, cancelled
//!  AwaitTls         ▼ │
//!                 Login
//!
//!           BDAT             end of the chunk              RSET, hello
//!  Mail(n) ──────► Chunk ─────────────────────► Chunked ──────────────► Ready
//!                  │   ▲          BDAT             │                      ▲
//!                  │   └───────────────────────────┘                      │
//!                  └── end of the last chunk, the message is answered ────┘
//! ```
//!
//! (RFC 5321 §4.1.4, RFC 3030 §2, RFC 3207 §4.2, RFC 4954 §4, RFC 2033 §4.) QUIT, or any reply with the code 421, leads from every
//! state to `Closing`. Before every transition that needs the driver's consent, the machine is in `Request`: it stops
//! reading, keeps pipelined commands, and continues when the driver has answered.
//!
//! The guarantees: one reply for each command, in their order; only CRLF "." CRLF ends a message; commands sent in
//! clear text before a TLS handshake are never executed after it; a peer cannot make it hold more than one buffer.

mod body;
mod capabilities;
mod chunk;
mod commands;
mod event;
mod limits;
mod login;
mod request;
mod state;

use std::sync::Arc;

use address::Domain;

pub use event::Event;
pub use request::{Data, Delivery, Hello, Login, Mail, Message, Rcpt, Request, StartTls};

use crate::input::Input;
use crate::server::state::{Chunk, PendingRequest, State, Transaction};
use crate::{BodyFault, Dialect, Reply, replies};

/// The settings of the server that a session belongs to.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The protocol to speak.
    pub dialect: Dialect,
    /// The server's host name.
    pub hostname: Domain,
    /// The largest accepted message, in octets.
    pub message_size: u64,
    /// The largest number of recipients of a message. RFC 5321 §4.5.3.1.8 asks for 100 at least.
    pub recipients: usize,
    /// Is set when STARTTLS is available.
    pub starttls: bool,
}

/// The protection of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Clear text: others can intercept it.
    Clear,
    /// TLS protects the connection.
    Tls,
}

/// One connection's session.
#[derive(Debug)]
pub struct Session {
    settings: Arc<Settings>,
    security: Security,
    input: Input,
    output: Vec<u8>,
    state: State,
    counts: limits::Counts,
}

impl Session {
    /// A session that sends its greeting first. `security` is `Tls` when the connection was TLS from its first octet.
    pub fn new(settings: Arc<Settings>, security: Security) -> Self {
        let greeting = replies::greeting(settings.dialect, &settings.hostname);
        let mut session = Self {
            settings,
            security,
            input: Input::new(),
            output: Vec::new(),
            state: State::Fresh,
            counts: limits::Counts::default(),
        };
        session.reply(&greeting);
        session
    }

    /// The next step. Consumes the input until the driver is needed.
    // Not an iterator: the event borrows from the session.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Event<'_> {
        loop {
            if self.output.len() >= limits::OUTPUT {
                return Event::Output;
            }
            // The state is taken out, and each arm sets the next one.
            match std::mem::replace(&mut self.state, State::Closing) {
                State::Closing if self.output.is_empty() => return Event::Closed,
                State::Closing => return Event::Output,
                State::RefusedChunk(chunk) => {
                    if chunk::discard(self, chunk) {
                        return self.need_input();
                    }
                }
                arriving @ (State::Body(_) | State::Chunk(..)) => match advance_body(self, arriving) {
                    body::BodyEffect::Continue => {}
                    body::BodyEffect::NeedInput => return self.need_input(),
                    body::BodyEffect::Chunk(used, content) => {
                        return Event::Body(&self.input.take(used)[content]);
                    }
                    body::BodyEffect::LineEnd => return Event::Body(b"\r\n"),
                    body::BodyEffect::Refused(fault) => return Event::BodyRefused(fault),
                    body::BodyEffect::Message(size) => return Event::Message(self.request(Message { size })),
                    body::BodyEffect::Delivery(size, recipients) => {
                        return Event::Delivery(self.request(Delivery { size, recipients }));
                    }
                },
                State::Login(ready, exchange) => match login::advance(self, ready, exchange) {
                    login::LoginEffect::Continue => {}
                    login::LoginEffect::NeedInput => return self.need_input(),
                    login::LoginEffect::Credentials(credentials) => {
                        return Event::Login(self.request(Login { credentials }));
                    }
                },
                State::AwaitTls if self.output.is_empty() => {
                    self.state = State::Pending(PendingRequest::StartTls);
                    return Event::StartTls(self.request(StartTls));
                }
                State::AwaitTls => {
                    self.state = State::AwaitTls;
                    return Event::Output;
                }
                State::Pending(request) => self.answer_dropped_request(request),
                idle @ (State::Fresh | State::Ready(_) | State::Mail(_) | State::Chunked(_)) => {
                    match commands::advance(self, idle) {
                        commands::CommandEffect::Continue => {}
                        commands::CommandEffect::NeedInput => return self.need_input(),
                        commands::CommandEffect::Reset => return Event::Reset,
                        commands::CommandEffect::TooBig => return Event::BodyRefused(BodyFault::TooBig),
                        commands::CommandEffect::Hello(hello) => return Event::Hello(self.request(hello)),
                        commands::CommandEffect::Mail(mail) => return Event::Mail(self.request(mail)),
                        commands::CommandEffect::Rcpt(rcpt) => return Event::Rcpt(self.request(rcpt)),
                        commands::CommandEffect::Data(data) => return Event::Data(self.request(data)),
                        commands::CommandEffect::Login(credentials) => {
                            return Event::Login(self.request(Login { credentials }));
                        }
                    }
                }
            }
        }
    }

    /// Space for octets from the peer, never empty. For use after [`Event::Input`].
    pub fn space(&mut self) -> &mut [u8] {
        let bulk = matches!(self.state, State::Body(_) | State::Chunk(..) | State::RefusedChunk(_));
        self.input.space(bulk)
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
        // The buffer of a long burst of replies should not stay with an idle connection.
        self.output.shrink_to(limits::OUTPUT / 8);
    }

    /// Sends a last reply and closes: the server stops, or the peer was silent for too long. Does nothing if the
    /// session is closing already.
    pub fn close(&mut self, reply: &Reply) {
        if !matches!(self.state, State::Closing) {
            self.reply(reply);
            self.state = State::Closing;
        }
    }

    /// True while a message is received, for which a peer may need longer than for a command. This includes the time
    /// between its chunks, so all of them together get the time of one body.
    pub fn receives_message(&self) -> bool {
        matches!(self.state, State::Body(_) | State::Chunk(..) | State::Chunked(_) | State::RefusedChunk(_))
    }

    fn request<Q>(&mut self, details: Q) -> Request<'_, Q> {
        Request::new(self, details)
    }

    fn need_input(&self) -> Event<'_> {
        if self.output.is_empty() { Event::Input } else { Event::Output }
    }

    /// Queues a reply. 421 closes the channel whatever the reason (RFC 5321 §3.8).
    fn reply(&mut self, reply: &Reply) {
        reply.write(&mut self.output);
    }

    /// Queues a reply and continues in `state`, unless the reply closes the channel.
    fn answer(&mut self, reply: &Reply, state: State) {
        self.reply(reply);
        self.state = if reply.code().number() == 421 { State::Closing } else { state };
    }

    /// Refuses the start of a message, after the octets of its first chunk if it comes in chunks.
    fn refuse_data(&mut self, reply: &Reply, transaction: Transaction, chunk: Option<Chunk>) {
        match chunk {
            Some(chunk) => chunk::refuse(self, chunk.size, reply.clone(), State::Mail(transaction)),
            None => self.answer(reply, State::Mail(transaction)),
        }
    }

    /// Answers a request that was dropped without an answer: a temporary failure on our side.
    fn answer_dropped_request(&mut self, request: PendingRequest) {
        match request {
            PendingRequest::Hello(before) => self.answer(&replies::LOCAL_ERROR, before.into_state()),
            PendingRequest::Mail(ready, _) | PendingRequest::Message(ready) => {
                self.answer(&replies::LOCAL_ERROR, State::Ready(ready));
            }
            PendingRequest::Rcpt(transaction) => self.answer(&replies::LOCAL_ERROR, State::Mail(transaction)),
            PendingRequest::Data(transaction, chunk) => {
                self.refuse_data(&replies::LOCAL_ERROR, transaction, chunk);
            }
            PendingRequest::Delivery(ready, recipients) => {
                (0..recipients).for_each(|_| self.reply(&replies::LOCAL_ERROR));
                self.state = State::Ready(ready);
            }
            PendingRequest::Login(ready) => self.answer(&replies::LOGIN_UNAVAILABLE, State::Ready(ready)),
            // The peer waits for a handshake that will not come.
            PendingRequest::StartTls => self.state = State::Closing,
        }
    }
}

/// Reads the next octets of a message, after DATA or within a chunk.
fn advance_body(session: &mut Session, state: State) -> body::BodyEffect {
    match state {
        State::Body(receiving) => body::advance(session, receiving),
        State::Chunk(reception, chunk) => chunk::advance(session, reception, chunk),
        state => {
            session.state = state;
            body::BodyEffect::Continue
        }
    }
}

#[cfg(test)]
mod tests;
