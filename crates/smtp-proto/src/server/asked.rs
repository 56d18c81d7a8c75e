//! The questions of a session, and the only way to answer each.
//!
//! A question borrows the session, so nothing else can be done with it before the answer. One that is dropped
//! without an answer is answered by the session itself: a temporary failure.

use sasl::Credentials;

use super::state::{Answered, Client, Ready, Receiving, State, Transaction};
use super::{Security, Session, capabilities};
use crate::body::{BareLf, BodyReader};
use crate::command::{HelloName, HelloVerb, MailCommand, RcptCommand};
use crate::{Dialect, Reply, Severity, replies};

/// A question `Q` that waits for its answer. What is asked can be read through it.
#[derive(Debug)]
pub struct Asked<'s, Q> {
    session: &'s mut Session,
    question: Q,
}

/// May this client go on?
#[derive(Debug)]
pub struct Hello {
    /// How it said hello.
    pub verb: HelloVerb,
    /// What it calls itself.
    pub name: HelloName,
}

/// May this sender send? Its declared size is within the limit.
#[derive(Debug)]
pub struct Mail {
    /// The command.
    pub command: MailCommand,
}

/// Is this recipient served?
#[derive(Debug)]
pub struct Rcpt {
    /// The command.
    pub command: RcptCommand,
}

/// Is there room for the message?
#[derive(Debug)]
pub struct Data {
    /// How many recipients have been accepted.
    pub recipients: usize,
}

/// What becomes of the message?
#[derive(Debug)]
pub struct Message {
    /// Its octets.
    pub size: u64,
}

/// What becomes of the message for each recipient?
#[derive(Debug)]
pub struct Delivery {
    /// Its octets.
    pub size: u64,
    /// How many recipients have been accepted, and want an answer.
    pub recipients: usize,
}

/// Is this who it says it is?
#[derive(Debug)]
pub struct Login {
    /// What the client gave.
    pub credentials: Credentials,
}

/// Is the handshake done?
#[derive(Debug)]
pub struct StartTls;

impl<'s, Q> Asked<'s, Q> {
    pub(super) fn new(session: &'s mut Session, question: Q) -> Self {
        Self { session, question }
    }
}

impl<Q> std::ops::Deref for Asked<'_, Q> {
    type Target = Q;

    fn deref(&self) -> &Q {
        &self.question
    }
}

/// Takes out what the session goes on with; the question and the state always match, since both are set in
/// one place.
macro_rules! resume {
    ($asked:ident, $variant:ident) => {
        match std::mem::replace(&mut $asked.session.state, State::Closing) {
            State::Asked(Answered::$variant(kept)) => kept,
            other => unreachable!("asked for {}, but in state {other:?}", stringify!($variant)),
        }
    };
}

impl Asked<'_, Hello> {
    /// Welcomes the client.
    pub fn accept(self) {
        let before = resume!(self, Hello);
        let client = before.client();
        let reply = capabilities::welcome(self.session, self.question.verb, client);
        self.session.answer(&reply, State::Ready(Ready { client }));
    }

    /// Refuses it.
    pub fn refuse(self, reply: &Reply) {
        let before = resume!(self, Hello);
        self.session.answer(reply, before.into_state());
    }
}

impl Asked<'_, Mail> {
    /// Begins the transaction.
    pub fn accept(self) {
        let ready = resume!(self, Mail);
        let transaction = Transaction { ready, recipients: 0, refused: false };
        self.session.answer(&replies::SENDER_OK, State::Mail(transaction));
    }

    /// Begins none.
    pub fn refuse(self, reply: &Reply) {
        let ready = resume!(self, Mail);
        self.session.answer(reply, State::Ready(ready));
    }
}

impl Asked<'_, Rcpt> {
    /// Adds the recipient.
    pub fn accept(self) {
        let mut transaction = resume!(self, Rcpt);
        transaction.recipients += 1;
        self.session.answer(&replies::RECIPIENT_OK, State::Mail(transaction));
    }

    /// Leaves it out; the transaction goes on. Only what is refused for good counts against the client: one that is told
    /// to bring the rest later (RFC 5321 §4.5.3.1.10) did nothing wrong, and learns nothing of the directory.
    pub fn refuse(self, reply: &Reply) {
        let mut transaction = resume!(self, Rcpt);
        transaction.refused = true;
        let for_good = reply.severity() == Severity::Permanent;
        let stop = for_good && self.session.counts.refused_recipient();
        let reply = if stop { &replies::TOO_MANY_ERRORS } else { reply };
        self.session.answer(reply, State::Mail(transaction));
    }
}

impl Asked<'_, Data> {
    /// Asks the client for the message.
    pub fn accept(self) {
        let transaction = resume!(self, Data);
        let settings = &self.session.settings;
        let bare_lf = match settings.dialect {
            Dialect::Submission => BareLf::quirk_becomes_crlf(),
            Dialect::Smtp | Dialect::Lmtp => BareLf::Refused,
        };
        let reader = BodyReader::new(settings.message_size, bare_lf);
        self.session.answer(&replies::START_MESSAGE, State::Body(Receiving { transaction, reader }));
    }

    /// Refuses to take it; the transaction stays open (RFC 5321 §4.1.1.4).
    pub fn refuse(self, reply: &Reply) {
        let transaction = resume!(self, Data);
        self.session.answer(reply, State::Mail(transaction));
    }
}

impl Asked<'_, Message> {
    /// Says what became of the message: [`replies::accepted_as`] only when it is on disk or with who answers
    /// for it.
    pub fn answer(self, reply: &Reply) {
        let ready = resume!(self, Message);
        self.session.answer(reply, State::Ready(ready));
    }
}

impl Asked<'_, Delivery> {
    /// Says what became of the message for each recipient, in the order in which they were accepted. Missing
    /// answers become temporary failures; there are never more or fewer than recipients (RFC 2033 §4.2).
    pub fn answer(self, each: impl IntoIterator<Item = Reply>) {
        let (ready, recipients) = match std::mem::replace(&mut self.session.state, State::Closing) {
            State::Asked(Answered::Delivery(ready, recipients)) => (ready, recipients),
            other => unreachable!("asked for the delivery, but in state {other:?}"),
        };
        let missing = std::iter::repeat_with(|| replies::LOCAL_ERROR);
        for reply in each.into_iter().chain(missing).take(recipients) {
            self.session.reply(&reply);
        }
        self.session.state = State::Ready(ready);
    }
}

impl Asked<'_, Login> {
    /// The client is who it says.
    pub fn accept(self) {
        let _ = resume!(self, Login);
        let ready = Ready { client: Client::LoggedIn };
        self.session.answer(&replies::AUTHENTICATED, State::Ready(ready));
    }

    /// It is not, or nobody can say.
    pub fn refuse(self, reply: &Reply) {
        let ready = resume!(self, Login);
        self.session.refuse_login(reply, ready);
    }
}

impl Asked<'_, StartTls> {
    /// The handshake is done. The session begins anew, and what the peer sent in the clear behind STARTTLS is
    /// forgotten: it could be somebody else's (RFC 3207 §4.2).
    pub fn done(self) {
        self.session.input.clear();
        self.session.security = Security::Tls;
        self.session.state = State::Fresh;
    }
}
