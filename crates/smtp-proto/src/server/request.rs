//! The requests of a session to its driver, and the only way to answer each.
//!
//! A request borrows the session, so the driver must answer it before any other step. If a request is dropped without
//! an answer, the session itself answers with a temporary failure.

use sasl::Credentials;

use super::state::{
    Authentication, Chunk, Declarations, PendingRequest, Ready, Reception, State, Transaction,
};
use super::{Security, Session, capabilities};
use crate::body::{BareLf, BodyReader};
use crate::command::{HelloName, HelloVerb, MailCommand, RcptCommand};
use crate::{Dialect, Reply, Severity, replies};

/// A request `Q` that waits for its answer. Its fields can be read through it.
#[derive(Debug)]
pub struct Request<'s, Q> {
    session: &'s mut Session,
    details: Q,
}

/// A client's hello, to accept or refuse.
#[derive(Debug)]
pub struct Hello {
    /// The verb.
    pub verb: HelloVerb,
    /// The client's name.
    pub name: HelloName,
}

/// A sender, to accept or refuse. Its declared size is within the limit.
#[derive(Debug)]
pub struct Mail {
    /// The command.
    pub command: MailCommand,
}

/// A recipient, to accept or refuse.
#[derive(Debug)]
pub struct Rcpt {
    /// The command.
    pub command: RcptCommand,
}

/// The start of a message, to accept or refuse.
#[derive(Debug)]
pub struct Data {
    /// The number of accepted recipients.
    pub recipients: usize,
}

/// A complete message, to answer.
#[derive(Debug)]
pub struct Message {
    /// Its size in octets.
    pub size: u64,
}

/// A complete message, to answer for each recipient.
#[derive(Debug)]
pub struct Delivery {
    /// Its size in octets.
    pub size: u64,
    /// The number of accepted recipients, each of which needs an answer.
    pub recipients: usize,
}

/// Credentials, to accept or refuse.
#[derive(Debug)]
pub struct Login {
    /// The credentials from the client.
    pub credentials: Credentials,
}

/// A TLS handshake, to perform.
#[derive(Debug)]
pub struct StartTls;

impl<'s, Q> Request<'s, Q> {
    pub(super) fn new(session: &'s mut Session, details: Q) -> Self {
        Self { session, details }
    }
}

impl<Q> std::ops::Deref for Request<'_, Q> {
    type Target = Q;

    fn deref(&self) -> &Q {
        &self.details
    }
}

/// Takes out the state in which the session continues. The request and the state always match, since both are set in
/// one place.
macro_rules! resume {
    ($request:ident, $variant:ident) => {
        match std::mem::replace(&mut $request.session.state, State::Closing) {
            State::Pending(PendingRequest::$variant(kept)) => kept,
            other => unreachable!("requested {}, but in state {other:?}", stringify!($variant)),
        }
    };
}

impl Request<'_, Hello> {
    /// Accepts the hello.
    pub fn accept(self) {
        let before = resume!(self, Hello);
        let authentication = before.authentication();
        let reply = capabilities::hello_reply(self.session, self.details.verb, authentication);
        self.session.answer(&reply, State::Ready(Ready { authentication }));
    }

    /// Refuses the hello.
    pub fn refuse(self, reply: &Reply) {
        let before = resume!(self, Hello);
        self.session.answer(reply, before.into_state());
    }
}

/// As `resume!`, for MAIL.
fn resume_mail(session: &mut Session) -> (Ready, Declarations) {
    match std::mem::replace(&mut session.state, State::Closing) {
        State::Pending(PendingRequest::Mail(ready, declarations)) => (ready, declarations),
        other => unreachable!("requested MAIL, but in state {other:?}"),
    }
}

impl Request<'_, Mail> {
    /// Begins the transaction.
    pub fn accept(self) {
        let (ready, declarations) = resume_mail(self.session);
        let transaction = Transaction { ready, declarations, recipients: 0, refused: false };
        self.session.answer(&replies::SENDER_OK, State::Mail(transaction));
    }

    /// Refuses the sender; the transaction does not begin.
    pub fn refuse(self, reply: &Reply) {
        let (ready, _) = resume_mail(self.session);
        self.session.answer(reply, State::Ready(ready));
    }
}

impl Request<'_, Rcpt> {
    /// Adds the recipient.
    pub fn accept(self) {
        let mut transaction = resume!(self, Rcpt);
        transaction.recipients += 1;
        self.session.answer(&replies::RECIPIENT_OK, State::Mail(transaction));
    }

    /// Leaves the recipient out; the transaction continues. Only permanent refusals count against the client: one that
    /// has to send the rest later (RFC 5321 §4.5.3.1.10) did nothing wrong, and gets no information about the
    /// directory.
    pub fn refuse(self, reply: &Reply) {
        let mut transaction = resume!(self, Rcpt);
        transaction.refused = true;
        let is_permanent = reply.severity() == Severity::Permanent;
        let stop = is_permanent && self.session.counts.count_refused_recipient();
        let reply = if stop { &replies::TOO_MANY_ERRORS } else { reply };
        self.session.answer(reply, State::Mail(transaction));
    }
}

impl Request<'_, Data> {
    /// Requests the message from the client.
    pub fn accept(mut self) {
        let (transaction, chunk) = self.resume();
        let settings = &self.session.settings;
        let bare_lf = match settings.dialect {
            Dialect::Submission => BareLf::quirk_becomes_crlf(),
            Dialect::Smtp | Dialect::Lmtp => BareLf::Refused,
        };
        let reader = match transaction.declarations.is_binary {
            true => BodyReader::binary(settings.message_size),
            false => BodyReader::new(settings.message_size, bare_lf),
        };
        let reception = Reception { transaction, reader };
        match chunk {
            // The octets come without a further reply (RFC 3030 §2).
            Some(chunk) => self.session.state = State::Chunk(reception, chunk),
            None => self.session.answer(&replies::START_MESSAGE, State::Body(reception)),
        }
    }

    /// Refuses the message; the transaction stays open (RFC 5321 §4.1.1.4).
    pub fn refuse(mut self, reply: &Reply) {
        let (transaction, chunk) = self.resume();
        self.session.refuse_data(reply, transaction, chunk);
    }

    fn resume(&mut self) -> (Transaction, Option<Chunk>) {
        match std::mem::replace(&mut self.session.state, State::Closing) {
            State::Pending(PendingRequest::Data(transaction, chunk)) => (transaction, chunk),
            other => unreachable!("requested the start of a message, but in state {other:?}"),
        }
    }
}

impl Request<'_, Message> {
    /// Sends the reply to the message: [`replies::accepted_as`] only when it is on disk or the next host is responsible
    /// for it.
    pub fn answer(self, reply: &Reply) {
        let ready = resume!(self, Message);
        self.session.answer(reply, State::Ready(ready));
    }
}

impl Request<'_, Delivery> {
    /// Sends a reply for each recipient, in the order in which they were accepted. Missing answers become temporary
    /// failures; there are never more or fewer than recipients (RFC 2033 §4.2).
    pub fn answer(self, each: impl IntoIterator<Item = Reply>) {
        let (ready, recipients) = match std::mem::replace(&mut self.session.state, State::Closing) {
            State::Pending(PendingRequest::Delivery(ready, recipients)) => (ready, recipients),
            other => unreachable!("requested the delivery, but in state {other:?}"),
        };
        let missing = std::iter::repeat_with(|| replies::LOCAL_ERROR);
        for reply in each.into_iter().chain(missing).take(recipients) {
            self.session.reply(&reply);
        }
        self.session.state = State::Ready(ready);
    }
}

impl Request<'_, Login> {
    /// Accepts the login.
    pub fn accept(self) {
        let _ = resume!(self, Login);
        let ready = Ready { authentication: Authentication::Authenticated };
        self.session.answer(&replies::AUTHENTICATED, State::Ready(ready));
    }

    /// Refuses the login: it is wrong, or cannot be checked.
    pub fn refuse(self, reply: &Reply) {
        let ready = resume!(self, Login);
        self.session.refuse_login(reply, ready);
    }
}

impl Request<'_, StartTls> {
    /// Continues after the handshake. The session starts over, and the octets that were sent in clear text after
    /// STARTTLS are discarded: they could come from an attacker (RFC 3207 §4.2).
    pub fn done(self) {
        self.session.input.clear();
        self.session.security = Security::Tls;
        self.session.state = State::Fresh;
    }
}
