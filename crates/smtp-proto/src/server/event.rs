use super::{Asked, Data, Delivery, Hello, Login, Mail, Message, Rcpt, StartTls};
use crate::BodyFault;

/// What a session needs from its driver next.
#[derive(Debug)]
pub enum Event<'s> {
    /// Send [`Session::output`](super::Session::output), say so by `sent`, and come back.
    Output,
    /// Read from the peer into [`Session::space`](super::Session::space), say how much by `filled`, and come back.
    Input,
    /// The client says who it is. A transaction that was open is dropped (RFC 5321 §4.1.4).
    Hello(Asked<'s, Hello>),
    /// The client announces a message.
    Mail(Asked<'s, Mail>),
    /// The client names a recipient.
    Rcpt(Asked<'s, Rcpt>),
    /// The client wants to send the message. There is a recipient at least.
    Data(Asked<'s, Data>),
    /// The next octets of the message, stuffed dots removed. Nothing is to be answered.
    Body(&'s [u8]),
    /// The message has been read to its end and refused; what was received of it is to be dropped, with the
    /// transaction. Nothing is to be answered.
    BodyRefused(BodyFault),
    /// The message is complete (SMTP and submission).
    Message(Asked<'s, Message>),
    /// The message is complete, and each accepted recipient gets an answer (LMTP, RFC 2033 §4.2).
    Delivery(Asked<'s, Delivery>),
    /// The client wants to log in.
    Login(Asked<'s, Login>),
    /// Make the server's side of a TLS handshake now.
    StartTls(Asked<'s, StartTls>),
    /// The transaction that was open is dropped: RSET. Nothing is to be answered.
    Reset,
    /// The session is over: close the connection.
    Closed,
}

impl Event<'_> {
    /// Whether the transaction is over once this has been answered.
    pub fn ends_transaction(&self) -> bool {
        matches!(self, Self::Message(_) | Self::Delivery(_) | Self::BodyRefused(_))
    }
}
