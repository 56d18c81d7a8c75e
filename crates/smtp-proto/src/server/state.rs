//! The state of a session. Each variant owns the data that is known by then.

use sasl::Exchange;

use crate::body::BodyReader;

#[derive(Debug)]
pub(super) enum State {
    /// Before the first hello, or the first one since TLS began.
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
    /// A request waits for the driver's answer.
    Asked(Answered),
    /// Input is ignored; queued output is still sent.
    Closing,
}

/// The data that is kept between two transactions.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) client: Client,
}

/// The client's authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    Stranger,
    LoggedIn,
}

/// An open transaction: the sender is accepted.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) ready: Ready,
    /// The number of accepted recipients.
    pub(super) recipients: usize,
    /// Is set once a recipient was refused: the reply to DATA differs then.
    pub(super) refused: bool,
}

/// A message that is being received.
#[derive(Debug)]
pub(super) struct Receiving {
    pub(super) transaction: Transaction,
    pub(super) reader: BodyReader,
}

/// The request to the driver, with the state in which the session continues.
#[derive(Debug)]
pub(super) enum Answered {
    Hello(Before),
    Mail(Ready),
    Rcpt(Transaction),
    Data(Transaction),
    Message(Ready),
    /// With the number of recipients, each of which gets an answer.
    Delivery(Ready, usize),
    Login(Ready),
    StartTls,
}

/// The state before a hello, which remains if the hello is refused.
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
