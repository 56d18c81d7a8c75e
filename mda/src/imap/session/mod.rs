//! A client's session: its states, and the transitions between them (RFC 3501 §3).
//!
//! ```text
//!   connection ──► ┌───────────────────┐ ──┐ STARTTLS
//!                  │ not authenticated │ ◄─┘
//!                  └─────────┬─────────┘
//!                            │ LOGIN, AUTHENTICATE
//!                  ┌─────────▼─────────┐
//!                  │   authenticated   │ ◄──────────────────┐
//!                  └─────────┬─────────┘                    │ CLOSE, UNSELECT,
//!                            │ SELECT, EXAMINE              │ a SELECT that fails,
//!                  ┌─────────▼─────────┐ ──┐ SELECT,        │ DELETE or RENAME of it
//!                  │     selected      │ ◄─┘ EXAMINE        │
//!                  └─────────┬─────────┘ ───────────────────┘
//!
//!   from every state: LOGOUT, a limit exceeded, the daemon stops, login revoked, selected mailbox gone ──► BYE
//! ```

mod authenticated;
mod limits;
mod not_authenticated;
mod selected;
mod state;

use std::io;
use std::sync::Arc;

use accounts::{AppName, Login, User};
use imap_proto::command::{Append, Command, Malformed, Naming, Request, Search, Store};
use imap_proto::response::{Code, Condition, condition, server};
use serve::Peer;
use tracing::field::Empty;

use super::Server;
use super::reply::{Bye, Failure, Reply};
use super::selected::Expunges;
use super::verb::{append, capability};
use super::wire::{SessionEvent, Wire};
pub(super) use authenticated::Authenticated;
use limits::SessionLimits;
pub(super) use not_authenticated::NotAuthenticated;
use state::SessionState;
pub(super) use state::{Outcome, Transition};

/// The longest command before the login: LOGIN with two literals, or a SASL response.
pub(super) const MAX_COMMAND_BEFORE_LOGIN: usize = 8 * 1024;
/// The longest command after the login: sets of thousands of messages (RFC 7162 §4 asks for 8192 octets at least).
const MAX_COMMAND_AFTER_LOGIN: usize = 64 * 1024;

/// The next step of the session's loop.
enum Flow {
    Continue,
    StartTls,
    End,
}

/// A session.
pub(super) struct Session {
    wire: Wire,
    server: Arc<Server>,
    peer: Peer,
    state: SessionState,
    limits: SessionLimits,
}

impl Session {
    /// A new session. The greeting is not sent yet.
    pub(super) fn new(wire: Wire, server: Arc<Server>, peer: Peer) -> Self {
        Self {
            wire,
            server,
            peer,
            state: SessionState::NotAuthenticated(NotAuthenticated::default()),
            limits: SessionLimits::default(),
        }
    }

    /// Serves the client until the session ends.
    pub(super) async fn run(mut self) {
        let greeting = format!("{} Mailstead ready", self.server.hostname);
        let code = Code::Capability(capability::names(
            self.wire.privacy(),
            capability::ClientState::NotAuthenticated,
        ));
        condition::untagged(self.wire.out(), Condition::Ok, Some(&code), &greeting);
        loop {
            let flow = self.handle_event().await.unwrap_or_else(|error| {
                tracing::debug!(peer = %self.peer, %error, "connection lost");
                Flow::End
            });
            match flow {
                Flow::Continue => {}
                Flow::StartTls => match self.start_tls().await {
                    Some(encrypted) => self = encrypted,
                    None => return,
                },
                Flow::End => break,
            }
        }
        if let SessionState::Authenticated(authenticated) | SessionState::Selected(authenticated, _) =
            &self.state
        {
            let (peer, user) = (self.peer, &authenticated.login.user);
            if self.is_heartbeat(user) {
                tracing::debug!(%peer, "heartbeat session ended");
            } else {
                tracing::info!(%peer, %user, "imap session ended");
            }
        }
        self.wire.close().await;
    }

    async fn handle_event(&mut self) -> io::Result<Flow> {
        let is_before_login = matches!(self.state, SessionState::NotAuthenticated(_));
        match self.wire.next(self.limits.idle_timeout(is_before_login)).await? {
            SessionEvent::Command(command) => self.command(command).await,
            SessionEvent::Append(append) => self.append(append).await,
            SessionEvent::Malformed(malformed) => Ok(self.answer_malformed(&malformed)),
            // Only AUTHENTICATE and IDLE send continuation requests, and they read the responses themselves.
            SessionEvent::ContinuationResponse(_) => Ok(Flow::Continue),
            SessionEvent::IdleTimeout => Ok(self.bye(&Bye::idle_timeout())),
            SessionEvent::ShuttingDown => Ok(self.bye(&Bye::shutting_down())),
            SessionEvent::Revoked => Ok(self.bye(&Bye::revoked())),
            SessionEvent::Expired(expiry) => Ok(self.bye(&Bye::expired(expiry))),
            SessionEvent::Closed => Ok(Flow::End),
        }
    }

    async fn command(&mut self, Command { tag, request }: Command) -> io::Result<Flow> {
        let expunges = expunges_after(&request);
        let outcome = self.request(request).await;
        self.finish_command(&tag, expunges, outcome).await
    }

    async fn append(&mut self, append: Append) -> io::Result<Flow> {
        let tag = append.tag.clone();
        let outcome = match &self.state {
            SessionState::NotAuthenticated(_) => {
                self.wire.reader().refuse_message();
                Ok(Reply::not_authenticated().into())
            }
            SessionState::Authenticated(authenticated) | SessionState::Selected(authenticated, _) => {
                let limit = self.server.message_size;
                append::run(&mut self.wire, authenticated, append, limit, self.limits.idle_timeout(false))
                    .await
            }
        };
        self.finish_command(&tag, Expunges::Send, outcome).await
    }

    /// Runs the commands that are the same in every state, and passes the others to the state.
    async fn request(&mut self, request: Request) -> Result<Outcome, Failure> {
        let Self { wire, server, peer, state, limits } = self;
        match request {
            Request::Capability => {
                let client_state = match state {
                    SessionState::NotAuthenticated(_) => capability::ClientState::NotAuthenticated,
                    SessionState::Authenticated(_) | SessionState::Selected(..) => {
                        capability::ClientState::Authenticated
                    }
                };
                let names = capability::names(wire.privacy(), client_state);
                server::capability(wire.out(), &names);
                Ok(Reply::ok("CAPABILITY completed").into())
            }
            // RFC 2971 §3.3: the version is left out, since any client could read it.
            Request::Id => {
                server::id(wire.out(), &[("name", Some("Mailstead"))]);
                Ok(Reply::ok("ID completed").into())
            }
            Request::Logout => Ok(Outcome {
                reply: Reply::ok("LOGOUT completed"),
                transition: Transition::End("Logging out"),
            }),
            // RFC 3501 §6.1.2: "This command always succeeds."
            Request::Noop => {
                if let SessionState::Selected(_, selected) = state {
                    selected.check_for_changes().await;
                }
                Ok(Reply::ok("NOOP completed").into())
            }
            request => match state {
                SessionState::NotAuthenticated(client) => {
                    not_authenticated::run(wire, server, *peer, client, limits.idle_timeout(true), request)
                        .await
                }
                SessionState::Authenticated(authenticated) => {
                    authenticated::run(wire, authenticated, request).await
                }
                SessionState::Selected(authenticated, selected) => {
                    selected::run(wire, authenticated, selected, request).await
                }
            },
        }
    }

    /// Writes the mailbox's changes and the reply, and makes the transition.
    async fn finish_command(
        &mut self,
        tag: &imap_proto::Tag,
        expunges: Expunges,
        outcome: Result<Outcome, Failure>,
    ) -> io::Result<Flow> {
        let Outcome { reply, transition } = match outcome {
            Ok(outcome) => outcome,
            Err(Failure::Refused(reply)) => reply.into(),
            Err(Failure::Bye(bye)) => return Ok(self.bye(&bye)),
            Err(Failure::ConnectionLost(error)) => return Err(error),
        };
        let mut gone = false;
        if let (SessionState::Selected(_, selected), Transition::Stay) = (&mut self.state, &transition) {
            if let Err(error) = selected.update(self.wire.out(), expunges).await
                && !selected.mailbox().is_gone()
            {
                tracing::warn!(peer = %self.peer, %error, "cannot send mailbox updates");
            }
            gone = selected.mailbox().is_gone();
        }
        if gone {
            // A client must know that its command succeeded, or it repeats it. A NO would be shown in a window; the
            // BYE alone makes the client connect again.
            if reply.is_ok() {
                reply.write(self.wire.out(), tag);
            }
            return Ok(self.bye(&Bye::mailbox_gone()));
        }
        if let Transition::End(words) = transition {
            condition::bye(self.wire.out(), None, words);
        }
        reply.write(self.wire.out(), tag);
        self.wire.flush_if_large().await?;
        Ok(match self.apply(transition) {
            Flow::Continue if reply.is_bad() => self.count_bad_command(),
            Flow::Continue => self.reset_bad_commands(),
            flow => flow,
        })
    }

    fn apply(&mut self, transition: Transition) -> Flow {
        match transition {
            Transition::Stay => {}
            Transition::StartTls => return Flow::StartTls,
            Transition::End(_) => return Flow::End,
            Transition::Authenticate(authenticated) => {
                let Login { user, device, .. } = &authenticated.login;
                let (peer, device) = (self.peer, device.as_ref().map(AppName::as_str));
                if self.is_heartbeat(user) {
                    tracing::debug!(%peer, "heartbeat logged in");
                } else {
                    tracing::info!(%peer, %user, device, "logged in");
                }
                self.wire.pace().authenticated(&user.to_string());
                self.wire.watch(self.server.directory.watch(authenticated.login.clone()));
                self.wire.reader().set_limit(MAX_COMMAND_AFTER_LOGIN);
                self.state = SessionState::Authenticated(authenticated);
            }
            Transition::Select(selected) => {
                if let SessionState::Authenticated(authenticated) | SessionState::Selected(authenticated, _) =
                    &self.state
                {
                    self.state = SessionState::Selected(authenticated.clone(), selected);
                }
            }
            Transition::Deselect => {
                if let SessionState::Selected(authenticated, _) = &self.state {
                    self.state = SessionState::Authenticated(authenticated.clone());
                }
            }
        }
        Flow::Continue
    }

    /// Returns true for the heartbeat's internal mailbox, whose sessions are of interest only when they fail.
    fn is_heartbeat(&self, user: &User) -> bool {
        self.server.directory.internal_mailbox_at(&user.address()).is_some()
    }

    fn answer_malformed(&mut self, malformed: &Malformed) -> Flow {
        match &malformed.tag {
            Some(tag) => Reply::syntax_error(&malformed.error).write(self.wire.out(), tag),
            None => condition::untagged(self.wire.out(), Condition::Bad, None, "Missing or invalid tag"),
        }
        self.count_bad_command()
    }

    fn count_bad_command(&mut self) -> Flow {
        if self.limits.count_bad_command() {
            tracing::info!(peer = %self.peer, suppressed = Empty, "too many bad commands");
            return self.bye(&Bye::too_many_bad_commands());
        }
        Flow::Continue
    }

    /// Resets the count, as bad commands count in a row. Before the login they add up.
    fn reset_bad_commands(&mut self) -> Flow {
        if !matches!(self.state, SessionState::NotAuthenticated(_)) {
            self.limits.reset_bad_commands();
        }
        Flow::Continue
    }

    fn bye(&mut self, bye: &Bye) -> Flow {
        bye.write(self.wire.out());
        Flow::End
    }

    async fn start_tls(mut self) -> Option<Self> {
        if let Err(error) = self.wire.flush().await {
            tracing::debug!(peer = %self.peer, %error, "connection lost");
            return None;
        }
        match self.wire.secure(&self.server.tls, MAX_COMMAND_BEFORE_LOGIN).await {
            Ok(wire) => Some(Self { wire, ..self }),
            Err(error) => {
                tracing::debug!(peer = %self.peer, %error, "TLS handshake failed");
                None
            }
        }
    }
}

/// RFC 3501 §7.4.1: expunges are held during a command that names messages by number, since the next such command
/// may be on its way. COPY and MOVE have no responses with a sequence number.
fn expunges_after(request: &Request) -> Expunges {
    let naming = match request {
        Request::Fetch(fetch) => fetch.messages.naming,
        Request::Store(Store { messages, .. }) => messages.naming,
        Request::Search(Search { naming, .. }) => *naming,
        _ => return Expunges::Send,
    };
    match naming {
        Naming::Number => Expunges::Hold,
        Naming::Uid => Expunges::Send,
    }
}
