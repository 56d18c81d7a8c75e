use super::transaction::Purpose;
use super::{Envelope, Outcome, PeerTransaction, Session, State, transaction};
use crate::server::Security;
use crate::{Reply, Stuffing};

/// The next step that a session needs from its driver.
#[derive(Debug)]
pub enum Event<'s> {
    /// Send [`Session::output`], call `sent`, and continue.
    Output,
    /// Read from the peer into [`Session::space`], pass the count to `filled`, and continue.
    Input,
    /// Perform the client's side of a TLS handshake now.
    StartTls(Handshake<'s>),
    /// The peer is ready for an envelope.
    Ready(Idle<'s>),
    /// The peer waits for the message.
    Message(Sending<'s>),
    /// The result of the envelope: one outcome for each recipient, in their order.
    Finished(Vec<Outcome>),
    /// The peer accepts no mail from us, by this reply. The session is over.
    Unusable(Reply),
    /// The peer refuses our login, by this reply. The session is over.
    LoginRefused(Reply),
    /// The session is over: close the connection.
    Closed,
}

/// A session without a command or transaction under way.
#[derive(Debug)]
pub struct Idle<'s>(&'s mut Session);

impl<'s> Idle<'s> {
    pub(super) fn new(session: &'s mut Session) -> Self {
        Self(session)
    }

    /// Sends a message to an envelope's recipients.
    pub fn send(self, envelope: Envelope) {
        self.begin(Purpose::Send, envelope);
    }

    /// Probes which of an envelope's recipients the peer would accept, and sends no message: an outcome of
    /// [`Outcome::Delivered`] is a recipient that it would accept.
    pub fn probe(self, envelope: Envelope) {
        self.begin(Purpose::Probe, envelope);
    }

    fn begin(self, purpose: Purpose, envelope: Envelope) {
        match std::mem::replace(&mut self.0.state, State::Closed) {
            State::Ready(PeerTransaction::Open) => {
                self.0.send_line("RSET");
                self.0.state = State::Reset(purpose, envelope);
            }
            _ => transaction::begin(self.0, purpose, envelope),
        }
    }

    /// Sends QUIT. The driver need not wait for the reply.
    pub fn quit(self) {
        self.0.send_line("QUIT");
        self.0.state = State::Quit;
    }
}

/// A peer that waits for the message.
#[derive(Debug)]
pub struct Sending<'s>(&'s mut Session);

impl<'s> Sending<'s> {
    pub(super) fn new(session: &'s mut Session) -> Self {
        Self(session)
    }

    /// The dot-stuffing for the message's chunks. `None` if the number of octets has been declared to the peer with BDAT:
    /// then they are written as they are, and nothing after them.
    ///
    /// The octets do not pass through the session, so that they need not be copied: the driver writes the pieces and
    /// [`Stuffing::end`] to the connection, and then calls [`Sending::done`].
    pub fn stuffing(&self) -> Option<Stuffing> {
        match &self.0.state {
            State::Message(transaction) if transaction.is_chunk() => None,
            _ => Some(Stuffing::new()),
        }
    }

    /// Continues after the message has been written to its end.
    pub fn done(self) {
        if let State::Message(transaction) = std::mem::replace(&mut self.0.state, State::Closed) {
            self.0.state = transaction::written(transaction);
        }
    }
}

/// A peer that waits for a TLS handshake.
#[derive(Debug)]
pub struct Handshake<'s>(&'s mut Session);

impl<'s> Handshake<'s> {
    pub(super) fn new(session: &'s mut Session) -> Self {
        Self(session)
    }

    /// Continues after the handshake. All information from the peer in clear text is discarded (RFC 3207 §4.2).
    pub fn done(self) {
        self.0.input.clear();
        self.0.security = Security::Tls;
        super::opening::hello(self.0);
    }
}
