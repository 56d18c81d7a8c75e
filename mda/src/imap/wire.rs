//! The connection of a session: events in, responses out.
//!
//! Responses are buffered. The buffer is sent when the session waits for the client, and earlier when it has grown. So
//! the responses to pipelined commands share packets, and a large response is never held in memory as a whole.

use std::io;
use std::time::Duration;

use accounts::LoginWatch;
use imap_proto::command::{Append, Command, CommandError, Malformed};
use imap_proto::reader::{Event, Reader};
use imap_proto::response::{Condition, condition};
use serve::metrics::ServiceMetrics;
use serve::{Expiry, Pace, ReceiveOutcome, StopSignal, Stream};

/// Octets of responses that are buffered before they are sent.
const FLUSH_THRESHOLD: usize = 64 * 1024;

/// An event from the client, or the end of a wait for one.
#[derive(Debug)]
pub(crate) enum SessionEvent {
    /// A whole command.
    Command(Command),
    /// A command that cannot be parsed.
    Malformed(Malformed),
    /// An APPEND, whose message is to be accepted or refused.
    Append(Append),
    /// The line that answers a continuation request (`+`).
    ContinuationResponse(Vec<u8>),
    /// Nothing within the time limit.
    IdleTimeout,
    /// The client is gone.
    Closed,
    /// The daemon stops.
    ShuttingDown,
    /// The login was revoked.
    Revoked,
    /// The session exceeded a time limit, or was evicted in favour of another client.
    Expired(Expiry),
}

/// A piece of the message of an APPEND.
#[derive(Debug)]
pub(crate) enum MessagePiece<'w> {
    /// The next octets.
    Octets(&'w [u8]),
    /// The message was complete, and the command ended with this result.
    End(Result<(), CommandError>),
    /// More is to come, but has not arrived yet: [`Wire::receive`].
    Pending,
}

/// The privacy of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Privacy {
    /// Not encrypted: passwords are refused.
    Clear,
    /// Encrypted.
    Encrypted,
}

/// The connection of a session.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    reader: Reader,
    out: Vec<u8>,
    stop: StopSignal,
    privacy: Privacy,
    /// Watches the session's login.
    login_watch: Option<LoginWatch>,
}

impl Wire {
    /// A new connection. `limit` bounds a command.
    pub(crate) fn new(stream: Stream, privacy: Privacy, stop: StopSignal, limit: usize) -> Self {
        Self { stream, reader: Reader::new(limit), out: Vec::new(), stop, privacy, login_watch: None }
    }

    /// The buffer for responses. Between large ones, flush it if it has grown.
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Sends the buffered responses if they are large.
    pub(crate) async fn flush_if_large(&mut self) -> io::Result<()> {
        if self.out.len() < FLUSH_THRESHOLD { Ok(()) } else { self.flush().await }
    }

    /// Sends the buffered responses.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        if !self.out.is_empty() {
            self.stream.send(&self.out).await?;
            // Freed, not kept: most sessions wait most of the time, and there may be a thousand.
            self.out = Vec::new();
        }
        Ok(())
    }

    /// The reader of commands.
    pub(crate) fn reader(&mut self) -> &mut Reader {
        &mut self.reader
    }

    /// The privacy of the connection.
    pub(crate) fn privacy(&self) -> Privacy {
        self.privacy
    }

    /// The next event from the client. Sends all responses first. May be dropped and called again.
    pub(crate) async fn next(&mut self, within: Duration) -> io::Result<SessionEvent> {
        let arrived = loop {
            match self.reader.next_event() {
                Some(Event::Command(command)) => break SessionEvent::Command(command),
                Some(Event::Malformed(malformed)) => break SessionEvent::Malformed(malformed),
                Some(Event::Append(append)) => break SessionEvent::Append(append),
                Some(Event::ContinuationResponse(line)) => break SessionEvent::ContinuationResponse(line),
                Some(Event::Continue) => condition::continuation(&mut self.out, "Ready for literal"),
                // Rest of a message that was refused.
                Some(Event::Octets(_) | Event::AppendEnd(_)) => {}
                None => match self.receive(within).await? {
                    ReceiveOutcome::Octets(_) => {}
                    ReceiveOutcome::End => return Ok(SessionEvent::Closed),
                    ReceiveOutcome::Idle if self.stop.is_requested() => {
                        return Ok(SessionEvent::ShuttingDown);
                    }
                    ReceiveOutcome::Idle if self.is_revoked() => return Ok(SessionEvent::Revoked),
                    ReceiveOutcome::Idle => return Ok(SessionEvent::IdleTimeout),
                    ReceiveOutcome::Expired(expiry) => return Ok(SessionEvent::Expired(expiry)),
                },
            }
        };
        self.stream.pace().command_ended();
        Ok(arrived)
    }

    /// The next piece of the message that is being received.
    pub(crate) fn piece(&mut self) -> MessagePiece<'_> {
        match self.reader.next_event() {
            Some(Event::Octets(octets)) => MessagePiece::Octets(octets),
            Some(Event::AppendEnd(end)) => MessagePiece::End(end),
            Some(Event::Continue) => {
                condition::continuation(&mut self.out, "Ready for literal");
                MessagePiece::Pending
            }
            _ => MessagePiece::Pending,
        }
    }

    /// Watches the login of an authenticated user. Waits end once it is revoked.
    pub(crate) fn watch(&mut self, login_watch: LoginWatch) {
        self.login_watch = Some(login_watch);
    }

    fn is_revoked(&self) -> bool {
        self.login_watch.as_ref().is_some_and(|login_watch| !login_watch.is_valid())
    }

    /// Sends the buffered responses and waits for octets. Also ends, as if idle, when the daemon stops or the login is
    /// revoked.
    pub(crate) async fn receive(&mut self, within: Duration) -> io::Result<ReceiveOutcome> {
        self.flush().await?;
        self.stream.pace().expects_body(self.reader.passes_message());
        let mut stop = self.stop.clone();
        Ok(tokio::select! {
            biased;
            () = stop.requested() => ReceiveOutcome::Idle,
            () = revoked(&mut self.login_watch) => ReceiveOutcome::Idle,
            arrival = self.stream.receive_within(within, self.reader.input_buffer()) => arrival,
        })
    }

    /// Runs work for the client, and abandons it with the connection's error when the client is gone.
    ///
    /// A client that has closed its side may still read, so it is sent a line; a client that does not read answers with
    /// a reset.
    pub(crate) async fn unless_gone<T>(&mut self, work: impl Future<Output = T>) -> io::Result<T> {
        let gone = async {
            self.stream.peer_closed().await;
            condition::untagged(&mut self.out, Condition::Ok, None, "Still working");
            match self.flush().await {
                Ok(()) => self.stream.broken().await,
                Err(error) => error,
            }
        };
        tokio::select! {
            biased;
            done = work => Ok(done),
            error = gone => Err(error),
        }
    }

    /// Like [`Wire::unless_gone`] while a response is half sent: nothing is written, and only a reset ends the work.
    pub(crate) async fn unless_broken<T>(&mut self, work: impl Future<Output = T>) -> io::Result<T> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            error = self.stream.broken() => Err(error),
        }
    }

    /// The pace of the session.
    pub(crate) fn pace(&self) -> &Pace {
        self.stream.pace()
    }

    /// The metrics of the service that the client connected to.
    pub(crate) fn metrics(&self) -> &ServiceMetrics {
        self.stream.metrics()
    }

    /// Upgrades to an encrypted connection, which starts from scratch: nothing that was read in clear text is kept.
    pub(crate) async fn secure(
        self,
        tls: &serve::tls::Tls,
        limit: usize,
    ) -> Result<Self, serve::UpgradeError> {
        let stream = self.stream.secure(tls, self.reader.unread()).await?;
        Ok(Self::new(stream, Privacy::Encrypted, self.stop, limit))
    }

    /// Sends the last responses and closes.
    pub(crate) async fn close(mut self) {
        // The client may be gone, which closing leads to anyway.
        let _ = self.flush().await;
        self.stream.close().await;
    }
}

/// Completes when the login is revoked. Without a login, never completes.
async fn revoked(login_watch: &mut Option<LoginWatch>) {
    match login_watch {
        Some(login_watch) => login_watch.revoked().await,
        None => std::future::pending().await,
    }
}
