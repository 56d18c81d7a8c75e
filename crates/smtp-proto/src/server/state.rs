//! Where a session stands. Each state owns what is known by then.

use sasl::Exchange;

use crate::body::BodyReader;

#[derive(Debug)]
pub(super) enum State {
    /// No hello yet, or none since TLS began.
    Fresh,
    /// Between two transactions.
    Ready(Ready),
    /// MAIL was accepted.
    Mail(Transaction),
    /// DATA was accepted.
    Body(Receiving),
    /// AUTH waits for a response.
    Login(Ready, Exchange),
    /// The reply to STARTTLS is on its way out.
    AwaitTls,
    /// The driver has been asked.
    Asked(Answered),
    /// Nothing is read any more; what is queued is still sent.
    Closing,
}

/// What stays between two transactions.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) client: Client,
}

/// What is known of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    Stranger,
    LoggedIn,
}

/// A message is announced: its sender is accepted.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) ready: Ready,
    /// How many recipients were accepted.
    pub(super) recipients: usize,
    /// Whether any was asked for: DATA is answered differently then.
    pub(super) refused: bool,
}

/// A message on its way in.
#[derive(Debug)]
pub(super) struct Receiving {
    pub(super) transaction: Transaction,
    pub(super) reader: BodyReader,
}

/// What the driver was asked, with what the session goes on with.
#[derive(Debug)]
pub(super) enum Answered {
    Hello(Before),
    Mail(Ready),
    Rcpt(Transaction),
    Data(Transaction),
    Message(Ready),
    /// With the number of recipients that each get an answer.
    Delivery(Ready, usize),
    Login(Ready),
    StartTls,
}

/// What was before a hello: it stays so when the hello is refused.
#[derive(Debug)]
pub(super) enum Before {
    Fresh,
    Ready(Ready),
}

impl Before {
    pub(super) fn client(&self) -> Client {
        match self {
            Self::Fresh => Client::Stranger,
            Self::Ready(ready) => ready.client,
        }
    }

    pub(super) fn into_state(self) -> State {
        match self {
            Self::Fresh => State::Fresh,
            Self::Ready(ready) => State::Ready(ready),
        }
    }
}
