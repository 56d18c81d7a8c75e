use super::{Data, Delivery, Hello, Login, Mail, Message, Rcpt, Request, StartTls};
use crate::BodyFault;

/// The next step that a session needs from its driver.
#[derive(Debug)]
pub enum Event<'s> {
    /// Send [`Session::output`](super::Session::output), call `sent`, and continue.
    Output,
    /// Read from the peer into [`Session::space`](super::Session::space), pass the count to `filled`, and continue.
    Input,
    /// The client's hello. An open transaction is dropped (RFC 5321 §4.1.4).
    Hello(Request<'s, Hello>),
    /// The client announces a message.
    Mail(Request<'s, Mail>),
    /// The client names a recipient.
    Rcpt(Request<'s, Rcpt>),
    /// The client wants to send the message. There is at least one recipient.
    Data(Request<'s, Data>),
    /// The next octets of the message, stuffed dots removed. Needs no answer.
    Body(&'s [u8]),
    /// The message has been read to its end and refused; the driver must drop the octets received so far, and the
    /// transaction. Needs no answer.
    BodyRefused(BodyFault),
    /// The message is complete (SMTP and submission).
    Message(Request<'s, Message>),
    /// The message is complete, and each accepted recipient gets an answer (LMTP, RFC 2033 §4.2).
    Delivery(Request<'s, Delivery>),
    /// The client wants to log in.
    Login(Request<'s, Login>),
    /// Perform the server's side of a TLS handshake now.
    StartTls(Request<'s, StartTls>),
    /// The open transaction is dropped: RSET. Needs no answer.
    Reset,
    /// The session is over: close the connection.
    Closed,
}

impl Event<'_> {
    /// True if the transaction is over once this has been answered.
    pub fn ends_transaction(&self) -> bool {
        matches!(self, Self::Message(_) | Self::Delivery(_) | Self::BodyRefused(_))
    }
}
