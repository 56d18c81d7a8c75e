//! A session's connection: events in, responses out.
//!
//! Responses gather in a buffer, which goes out when the session waits for more from the client, and in between when
//! it has grown. So the answers to pipelined commands share packets, and a large answer does not stand in memory.

use std::io;
use std::time::Duration;

use accounts::Vigil;
use imap_proto::command::{Append, Command, Fault, Malformed};
use imap_proto::reader::{Event, Reader};
use imap_proto::response::{Condition, condition};
use serve::metrics::Meter;
use serve::{Arrival, Expiry, Pace, Stop, Stream};

/// How many octets of responses wait at most before they are sent.
const ENOUGH: usize = 64 * 1024;

/// What a client sent, or that it sent nothing.
#[derive(Debug)]
pub(crate) enum Arrived {
    /// A whole command.
    Command(Command),
    /// No command.
    Malformed(Malformed),
    /// An APPEND, whose message waits to be taken or refused.
    Append(Append),
    /// The line that answers a `+`.
    Answer(Vec<u8>),
    /// Nothing within the time.
    Idle,
    /// The client is gone.
    End,
    /// The daemon stops.
    Stopping,
    /// Who has logged in would not be let in any more.
    Expelled,
    /// The session has passed a limit in time, or its place was given to another client.
    Expired(Expiry),
}

/// A piece of the message that an APPEND brings, given to whoever takes it.
#[derive(Debug)]
pub(crate) enum Piece<'w> {
    /// The next octets.
    Octets(&'w [u8]),
    /// The message was whole, and the command ended so.
    End(Result<(), Fault>),
    /// There is more to come, but not here yet: [`Wire::receive`].
    Nothing,
}

/// Whether others can read along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Privacy {
    /// They can: no password is taken.
    Clear,
    /// They cannot.
    Encrypted,
}

/// A session's connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    reader: Reader,
    out: Vec<u8>,
    stop: Stop,
    privacy: Privacy,
    /// Whether who has logged in may stay.
    vigil: Option<Vigil>,
}

impl Wire {
    /// A connection at its beginning. `limit` bounds a command.
    pub(crate) fn new(stream: Stream, privacy: Privacy, stop: Stop, limit: usize) -> Self {
        Self { stream, reader: Reader::new(limit), out: Vec::new(), stop, privacy, vigil: None }
    }

    /// Where responses are written. Whoever writes much calls [`Wire::relieve`] in between.
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Sends what has gathered, if it is much.
    pub(crate) async fn relieve(&mut self) -> io::Result<()> {
        if self.out.len() < ENOUGH { Ok(()) } else { self.flush().await }
    }

    /// Sends what has gathered.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        if !self.out.is_empty() {
            self.stream.send(&self.out).await?;
            // Given back, not kept: most sessions wait most of the time, and there may be a thousand.
            self.out = Vec::new();
        }
        Ok(())
    }

    /// How commands are read.
    pub(crate) fn reader(&mut self) -> &mut Reader {
        &mut self.reader
    }

    /// Whether others can read along.
    pub(crate) fn privacy(&self) -> Privacy {
        self.privacy
    }

    /// The next thing that the client says, after all responses have been sent. May be dropped and called again.
    pub(crate) async fn next(&mut self, within: Duration) -> io::Result<Arrived> {
        let arrived = loop {
            match self.reader.next_event() {
                Some(Event::Command(command)) => break Arrived::Command(command),
                Some(Event::Malformed(malformed)) => break Arrived::Malformed(malformed),
                Some(Event::Append(append)) => break Arrived::Append(append),
                Some(Event::Answer(line)) => break Arrived::Answer(line),
                Some(Event::Continue) => condition::continuation(&mut self.out, "Ready for literal"),
                // Of a message that was given up.
                Some(Event::Octets(_) | Event::AppendEnd(_)) => {}
                None => match self.receive(within).await? {
                    Arrival::Octets(_) => {}
                    Arrival::End => return Ok(Arrived::End),
                    Arrival::Idle if self.stop.is_requested() => return Ok(Arrived::Stopping),
                    Arrival::Idle if self.is_expelled() => return Ok(Arrived::Expelled),
                    Arrival::Idle => return Ok(Arrived::Idle),
                    Arrival::Expired(expiry) => return Ok(Arrived::Expired(expiry)),
                },
            }
        };
        self.stream.pace().command_ended();
        Ok(arrived)
    }

    /// The next piece of the message that is being taken.
    pub(crate) fn piece(&mut self) -> Piece<'_> {
        match self.reader.next_event() {
            Some(Event::Octets(octets)) => Piece::Octets(octets),
            Some(Event::AppendEnd(end)) => Piece::End(end),
            Some(Event::Continue) => {
                condition::continuation(&mut self.out, "Ready for literal");
                Piece::Nothing
            }
            _ => Piece::Nothing,
        }
    }

    /// Somebody has logged in, and is waited for only as long as that login stands.
    pub(crate) fn watch(&mut self, vigil: Vigil) {
        self.vigil = Some(vigil);
    }

    fn is_expelled(&self) -> bool {
        self.vigil.as_ref().is_some_and(|vigil| !vigil.stands())
    }

    /// Sends what has gathered and waits for octets. Also ends, as if idle, when the daemon stops or the login falls.
    pub(crate) async fn receive(&mut self, within: Duration) -> io::Result<Arrival> {
        self.flush().await?;
        self.stream.pace().expects_body(self.reader.passes_message());
        let mut stop = self.stop.clone();
        Ok(tokio::select! {
            biased;
            () = stop.requested() => Arrival::Idle,
            () = expelled(&mut self.vigil) => Arrival::Idle,
            arrival = self.stream.receive_within(within, self.reader.room()) => arrival,
        })
    }

    /// Does work for the client, and gives it up when the client is gone: then the error of the connection.
    ///
    /// A client that has closed its side may still read, so it is sent a line; one that does not read answers with a reset.
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

    /// As [`Wire::unless_gone`] while a response is half sent: nothing is written, and a reset alone ends the work.
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

    /// Counts for the door through which the client came.
    pub(crate) fn meter(&self) -> &Meter {
        self.stream.meter()
    }

    /// Becomes an encrypted connection, which begins anew: nothing that was read in clear is left.
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
        // The client may be gone, which is where closing leads anyway.
        let _ = self.flush().await;
        self.stream.close().await;
    }
}

/// Completes when a login falls; without one, never.
async fn expelled(vigil: &mut Option<Vigil>) {
    match vigil {
        Some(vigil) => vigil.expelled().await,
        None => std::future::pending().await,
    }
}
