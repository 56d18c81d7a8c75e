//! A client's session over a stream: what carries [`smtp_proto::client::Session`] to a peer and back, with the
//! time that RFC 5321 §4.5.3.2 gives to each step. Deliveries to other hosts and to the MDA both go through it.
//!
//! Whatever goes wrong ends as an outcome for each recipient; the caller never has to ask what an I/O error means.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;
use serve::Stream;
use serve::tls::Connector;
use smtp_proto::client::{Awaits, Envelope, Event, Outcome, Session, Settings};
use smtp_proto::server::Security;
use smtp_proto::{Reply, replies};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use crate::content::Content;

/// How long a peer may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For its greeting, and for the reply to a command.
    pub(crate) command: Duration,
    /// For what becomes of a message.
    pub(crate) verdict: Duration,
}

impl Patience {
    /// With hosts of strangers (RFC 5321 §4.5.3.2: 5 minutes and 10 minutes).
    pub(crate) const REMOTE: Self =
        Self { command: Duration::from_secs(5 * 60), verdict: Duration::from_secs(10 * 60) };

    /// With our own MDA, while another peer waits for us: well below the 10 minutes that it waits.
    pub(crate) const LOCAL: Self =
        Self { command: Duration::from_secs(30), verdict: Duration::from_secs(2 * 60) };
}

/// TLS, where a session may come to ask for it.
pub(crate) struct Protection {
    /// Whom to trust.
    pub(crate) connector: Connector,
    /// Whom we want to reach.
    pub(crate) name: ServerName<'static>,
}

/// Why a peer takes no mail from us.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// It said so, or nothing sensible, or nothing at all; the reply stands for that.
    Reply(Reply),
    /// TLS was agreed on, and the handshake failed. Without TLS it may work.
    Handshake(serve::UpgradeError),
}

/// A peer that is ready for envelopes.
pub(crate) struct Conversation {
    stream: Stream,
    session: Session,
    patience: Patience,
}

/// Where a session stands when it needs more than octets.
enum Pause {
    Ready,
    StartTls,
    Message,
    Finished(Vec<Outcome>),
    Unusable(Reply),
    Closed,
}

impl Conversation {
    /// Greets the peer, protects the connection as the settings want it, and logs in where they say so.
    pub(crate) async fn open(
        stream: Stream,
        settings: Arc<Settings>,
        protection: Option<Protection>,
        patience: Patience,
    ) -> Result<Self, Unusable> {
        let security = if stream.is_encrypted() { Security::Tls } else { Security::Clear };
        let mut conversation = Self { stream, session: Session::new(settings, security), patience };
        match conversation.advance().await {
            Ok(Pause::StartTls) => conversation.protect(protection).await,
            pause => conversation.opened(pause),
        }
    }

    /// Makes the handshake, and goes on from there.
    async fn protect(mut self, protection: Option<Protection>) -> Result<Self, Unusable> {
        let Some(Protection { connector, name }) = protection else {
            return Err(Unusable::Reply(replies::PEER_WITHOUT_TLS));
        };
        self.stream = self.stream.secure_to(&connector, name, b"").await.map_err(Unusable::Handshake)?;
        if let Event::StartTls(handshake) = self.session.next() {
            handshake.done();
        }
        let pause = self.advance().await;
        self.opened(pause)
    }

    fn opened(self, pause: Result<Pause, Reply>) -> Result<Self, Unusable> {
        match pause {
            Ok(Pause::Ready) => Ok(self),
            Ok(Pause::Unusable(reply)) | Err(reply) => Err(Unusable::Reply(reply)),
            Ok(_) => Err(Unusable::Reply(replies::CONNECTION_LOST)),
        }
    }

    /// Sends a message. There is one outcome for each recipient of the envelope, in their order.
    pub(crate) async fn send(&mut self, envelope: Envelope, content: &Content) -> Vec<Outcome> {
        let recipients = envelope.recipients.len();
        match self.session.next() {
            Event::Ready(idle) => idle.send(envelope),
            _ => return vec![Outcome::Deferred(replies::CONNECTION_LOST); recipients],
        }
        let reply = loop {
            match self.advance().await {
                Ok(Pause::Finished(outcomes)) => return outcomes,
                Ok(Pause::Message) => {
                    if let Err(reply) = self.send_content(content).await {
                        break reply;
                    }
                }
                Ok(Pause::Unusable(reply)) | Err(reply) => break reply,
                Ok(Pause::Ready | Pause::StartTls | Pause::Closed) => break replies::CONNECTION_LOST,
            }
        };
        let known = self.session.abandon(&reply);
        known.unwrap_or_else(|| vec![Outcome::Deferred(reply); recipients])
    }

    /// Whether another envelope can be sent.
    pub(crate) fn is_open(&mut self) -> bool {
        matches!(self.session.next(), Event::Ready(_))
    }

    /// Takes leave, without waiting for the peer's answer.
    pub(crate) async fn quit(mut self) {
        if let Event::Ready(idle) = self.session.next() {
            idle.quit();
            // The peer hears the end of the connection in any case.
            let _ = self.stream.send(self.session.output()).await;
        }
    }

    async fn send_content(&mut self, content: &Content) -> Result<(), Reply> {
        let Event::Message(sending) = self.session.next() else { return Ok(()) };
        let mut stuffing = sending.stuffing();
        let mut chunks = content.chunks();
        let mut wire = Vec::with_capacity(WIRE);
        loop {
            let chunk = chunks.next().await.map_err(|error| {
                tracing::error!(%error, "cannot read a message to send it");
                replies::LOCAL_ERROR
            })?;
            let Some(chunk) = chunk else { break };
            for piece in stuffing.pieces(&chunk) {
                // Small pieces go together: each dot would be a packet of its own.
                if wire.len() + piece.len() > WIRE {
                    self.stream.send(&wire).await.map_err(lost)?;
                    wire.clear();
                }
                if piece.len() > WIRE {
                    self.stream.send(piece).await.map_err(lost)?;
                } else {
                    wire.extend_from_slice(piece);
                }
            }
        }
        wire.extend_from_slice(stuffing.end());
        self.stream.send(&wire).await.map_err(lost)?;
        if let Event::Message(sending) = self.session.next() {
            sending.done();
        }
        Ok(())
    }

    /// Goes on until the session needs more than octets; an error is a reply that stands for it.
    async fn advance(&mut self) -> Result<Pause, Reply> {
        loop {
            match self.session.next() {
                Event::Output => {
                    self.stream.send(self.session.output()).await.map_err(lost)?;
                    self.session.sent();
                }
                Event::Input => {
                    let limit = match self.session.awaits() {
                        Awaits::Greeting | Awaits::Command => self.patience.command,
                        Awaits::Verdict => self.patience.verdict,
                    };
                    let read = timeout(limit, self.stream.read(self.session.space())).await;
                    match read.map_err(|_| replies::PEER_TIMED_OUT)?.map_err(lost)? {
                        0 => return Err(replies::CONNECTION_LOST),
                        count => self.session.filled(count),
                    }
                }
                Event::StartTls(_) => return Ok(Pause::StartTls),
                Event::Ready(_) => return Ok(Pause::Ready),
                Event::Message(_) => return Ok(Pause::Message),
                Event::Finished(outcomes) => return Ok(Pause::Finished(outcomes)),
                Event::Unusable(reply) => return Ok(Pause::Unusable(reply)),
                Event::Closed => return Ok(Pause::Closed),
            }
        }
    }
}

/// What is sent at once.
const WIRE: usize = 16 * 1024;

fn lost(error: io::Error) -> Reply {
    if error.kind() == io::ErrorKind::TimedOut { replies::PEER_TIMED_OUT } else { replies::CONNECTION_LOST }
}
