//! The state of a session. Each variant owns the data that is known by then.

use sasl::Exchange;

use super::chunk::RefusedChunk;
use crate::body::BodyReader;
use crate::command::BdatCommand;

#[derive(Debug)]
pub(super) enum State {
    /// Before the first hello, or the first one since TLS began.
    Fresh,
    /// Between two transactions.
    Ready(Ready),
    /// MAIL was accepted.
    Mail(Transaction),
    /// DATA was accepted.
    Body(Reception),
    /// BDAT was accepted, and its chunk arrives.
    Chunk(Reception, Chunk),
    /// Between two chunks of a message.
    Chunked(Reception),
    /// The octets of a refused chunk arrive.
    RefusedChunk(RefusedChunk),
    /// AUTH waits for a response.
    Login(Ready, Exchange),
    /// The reply to STARTTLS is on its way out.
    AwaitTls,
    /// A request waits for the driver's answer.
    Pending(PendingRequest),
    /// Input is ignored; queued output is still sent.
    Closing,
}

/// The data that is kept between two transactions.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) authentication: Authentication,
}

/// The client's authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authentication {
    NotAuthenticated,
    Authenticated,
}

/// An open transaction: the sender is accepted.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) ready: Ready,
    pub(super) declarations: Declarations,
    /// The number of accepted recipients.
    pub(super) recipients: usize,
    /// Is set once a recipient was refused: the reply to DATA differs then.
    pub(super) refused: bool,
}

/// The parameters of MAIL that later commands depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declarations {
    /// SMTPUTF8 (RFC 6531 §3.4).
    pub(super) smtputf8: bool,
    /// BODY=BINARYMIME (RFC 3030 §3).
    pub(super) is_binary: bool,
}

/// A message that is being received.
#[derive(Debug)]
pub(super) struct Reception {
    pub(super) transaction: Transaction,
    pub(super) reader: BodyReader,
}

/// A chunk that is being received.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) size: u64,
    /// The number of octets that have not been read yet.
    pub(super) left: u64,
    pub(super) is_last: bool,
}

impl From<BdatCommand> for Chunk {
    fn from(BdatCommand { size, is_last }: BdatCommand) -> Self {
        Self { size, left: size, is_last }
    }
}

/// The request to the driver, with the state in which the session continues.
#[derive(Debug)]
pub(super) enum PendingRequest {
    Hello(StateBeforeHello),
    Mail(Ready, Declarations),
    Rcpt(Transaction),
    /// With the first chunk, when the message comes in chunks.
    Data(Transaction, Option<Chunk>),
    Message(Ready),
    /// With the number of recipients, each of which gets an answer.
    Delivery(Ready, usize),
    Login(Ready),
    StartTls,
}

/// The state before a hello, which remains if the hello is refused.
#[derive(Debug)]
pub(super) enum StateBeforeHello {
    Fresh,
    Ready(Ready),
}

impl StateBeforeHello {
    pub(super) fn authentication(&self) -> Authentication {
        match self {
            Self::Fresh => Authentication::NotAuthenticated,
            Self::Ready(ready) => ready.authentication,
        }
    }

    pub(super) fn into_state(self) -> State {
        match self {
            Self::Fresh => State::Fresh,
            Self::Ready(ready) => State::Ready(ready),
        }
    }
}
