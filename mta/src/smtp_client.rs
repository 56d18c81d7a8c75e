//! The client's side of SMTP and LMTP on a connection: moves octets between a session and a stream.

use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;
use serve::tls::Connector;
use serve::{MailId, Stream, UpgradeError};
use smtp_proto::client::{AwaitedReply, Envelope, Event, Outcome, Session, Settings};
use smtp_proto::server::Security;
use smtp_proto::{Reply, Stuffing, replies};
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout, timeout_at};

use crate::content::Content;

mod batches;
mod smtputf8;

/// Time limits for a peer. They are wide, because after a timeout both sides lose the work that the peer had done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// For the greeting, and for the reply to each command.
    pub(crate) command: Duration,
    /// For the reply to the end of the message, during which the peer does its work.
    pub(crate) final_reply: Duration,
    /// For all replies together: until mail can be sent, and again for each message, whose transfer has time of its
    /// own.
    pub(crate) total: Duration,
}

/// The lowest rate at which a peer is assumed to accept a message, in octets per second, when the time for its whole
/// delivery is computed. The stream itself ends a transfer that is slower.
const MIN_RATE: u64 = 512;

/// A connection on which mail can be sent.
#[derive(Debug)]
pub(crate) struct SmtpClient {
    session: Session,
    stream: Stream,
    timeouts: Timeouts,
    /// The number of transactions so far, which the peer may limit.
    transactions: usize,
    /// The deadline for the reply that is awaited, and the number of replies before it.
    reply_deadline: Option<(u64, Instant)>,
    /// The deadline for the whole.
    deadline: Instant,
}

/// The reason why no mail can be sent on a connection.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// The peer refused, or sent no reply, in which case the reply is ours.
    Unusable(Reply),
    /// The peer refused our login.
    LoginRefused(Reply),
    /// The TLS handshake failed.
    Handshake(UpgradeError),
}

/// The event at which a session stops for its caller.
enum ClientStep {
    Handshake,
    Ready,
    /// With the dot-stuffing, unless the message is sent as a chunk.
    Message(Option<Stuffing>),
    Finished(Vec<Outcome>),
    Unusable(Reply),
    LoginRefused(Reply),
    Closed,
}

impl SmtpClient {
    /// Brings a new connection to the point where mail can be sent. `tls` is used when the settings ask for encryption
    /// and the peer offers it.
    pub(crate) async fn open(
        stream: Stream,
        settings: Arc<Settings>,
        tls: Option<(&Connector, ServerName<'static>)>,
        timeouts: Timeouts,
    ) -> Result<Self, OpenError> {
        let security = if stream.is_encrypted() { Security::Tls } else { Security::Clear };
        let session = Session::new(settings, security);
        let deadline = Instant::now() + timeouts.total;
        let mut client = Self { session, stream, timeouts, transactions: 0, reply_deadline: None, deadline };
        loop {
            match client.advance().await {
                ClientStep::Ready => return Ok(client),
                ClientStep::Handshake => {
                    let Some((connector, name)) = &tls else {
                        return Err(OpenError::Unusable(replies::PEER_WITHOUT_TLS));
                    };
                    client = client.secure(connector, name.clone()).await.map_err(OpenError::Handshake)?;
                }
                ClientStep::Unusable(reply) => return Err(OpenError::Unusable(reply)),
                ClientStep::LoginRefused(reply) => return Err(OpenError::LoginRefused(reply)),
                ClientStep::Message(_) | ClientStep::Finished(_) | ClientStep::Closed => {
                    return Err(OpenError::Unusable(replies::CONNECTION_LOST));
                }
            }
        }
    }

    async fn secure(self, connector: &Connector, name: ServerName<'static>) -> Result<Self, UpgradeError> {
        let Self { mut session, stream, timeouts, transactions, deadline, .. } = self;
        let stream = stream.secure_to(connector, name, &[]).await?;
        if let Event::StartTls(handshake) = session.next() {
            handshake.done();
        }
        Ok(Self { session, stream, timeouts, transactions, reply_deadline: None, deadline })
    }

    /// TLS version and cipher suite, if there is TLS.
    pub(crate) fn encryption(&self) -> Option<(String, String)> {
        self.stream.encryption()
    }

    /// True if another message can be sent.
    pub(crate) fn is_ready(&mut self) -> bool {
        self.is_within_mail_max() && matches!(self.session.next(), Event::Ready(_))
    }

    /// True if the peer accepts the demand for TLS (RFC 8689), and TLS protects the connection.
    pub(crate) fn offers_requiretls(&self) -> bool {
        self.session.offers_requiretls()
    }

    /// True if the peer's limit allows another transaction.
    fn is_within_mail_max(&self) -> bool {
        self.session.limits().mail_max.is_none_or(|most| self.transactions < most)
    }

    /// Sends a message, in as many transactions as the peer's limits require. Returns one outcome for each recipient, in
    /// their order. It fails for recipients to whom it cannot be sent without SMTPUTF8, if the peer lacks that.
    pub(crate) async fn deliver(
        &mut self,
        id: MailId,
        envelope: Envelope,
        content: &Content,
    ) -> Vec<Outcome> {
        let (envelope, split) = smtputf8::split(envelope, self.session.offers_smtputf8());
        if envelope.recipients.is_empty() {
            return split.merge(Vec::new());
        }
        let batches = batches::split(&envelope.recipients, self.session.limits());
        // The time for all replies is the same, however small the peer wants the transactions.
        self.begin(content.len().saturating_mul(batches.len() as u64));
        let mut outcomes = Vec::with_capacity(envelope.recipients.len());
        for batch in batches {
            let envelope = Envelope { recipients: batch.to_vec(), ..envelope.clone() };
            outcomes.extend(self.transact(id, envelope, content).await);
        }
        split.merge(outcomes)
    }

    async fn transact(&mut self, id: MailId, envelope: Envelope, content: &Content) -> Vec<Outcome> {
        let count = envelope.recipients.len();
        if !self.is_within_mail_max() {
            return vec![Outcome::Deferred(replies::PEER_MAIL_LIMIT); count];
        }
        self.transactions += 1;
        self.reply_deadline = None;
        match self.session.next() {
            Event::Ready(idle) => idle.send(envelope),
            _ => return vec![Outcome::Deferred(replies::CONNECTION_LOST); count],
        }
        loop {
            match self.advance().await {
                ClientStep::Finished(outcomes) => return outcomes,
                ClientStep::Message(stuffing) => {
                    if let Some(outcomes) = self.write(id, content, stuffing).await {
                        return outcomes;
                    }
                }
                ClientStep::Unusable(reply) | ClientStep::LoginRefused(reply) => {
                    return vec![Outcome::Deferred(reply); count];
                }
                ClientStep::Handshake | ClientStep::Ready | ClientStep::Closed => {
                    return vec![Outcome::Deferred(replies::CONNECTION_LOST); count];
                }
            }
        }
    }

    /// Probes which of an envelope's recipients the peer would accept. Returns one outcome for each, in their order.
    pub(crate) async fn probe(&mut self, envelope: Envelope) -> Vec<Outcome> {
        let (envelope, split) = smtputf8::split(envelope, self.session.offers_smtputf8());
        let outcomes = match envelope.recipients.as_slice() {
            [] => Vec::new(),
            _ => self.transact_probe(envelope).await,
        };
        split.merge(outcomes)
    }

    async fn transact_probe(&mut self, envelope: Envelope) -> Vec<Outcome> {
        let count = envelope.recipients.len();
        self.begin(0);
        match self.session.next() {
            Event::Ready(idle) => idle.probe(envelope),
            _ => return vec![Outcome::Deferred(replies::CONNECTION_LOST); count],
        }
        match self.advance().await {
            ClientStep::Finished(outcomes) => outcomes,
            ClientStep::Unusable(reply) | ClientStep::LoginRefused(reply) => {
                vec![Outcome::Deferred(reply); count]
            }
            ClientStep::Handshake | ClientStep::Ready | ClientStep::Message(_) | ClientStep::Closed => {
                vec![Outcome::Deferred(replies::CONNECTION_LOST); count]
            }
        }
    }

    /// Writes the message. Returns outcomes when it could not be written completely: then its end must not be sent
    /// either, or the peer would accept a part as the whole message.
    async fn write(
        &mut self,
        id: MailId,
        content: &Content,
        mut stuffing: Option<Stuffing>,
    ) -> Option<Vec<Outcome>> {
        /// Small pieces are batched: a system call and a TLS record for each would cost more than the copy.
        const BATCH: usize = 32 * 1024;
        let mut batch = Vec::with_capacity(BATCH);
        let mut chunks = content.chunks();
        let sent = loop {
            match chunks.next().await {
                Ok(Some(chunk)) => {
                    match &mut stuffing {
                        Some(stuffing) => {
                            stuffing.pieces(&chunk).for_each(|piece| batch.extend_from_slice(piece))
                        }
                        None => batch.extend_from_slice(&chunk),
                    }
                    if batch.len() >= BATCH {
                        if let Err(error) = self.stream.send(&batch).await {
                            break Err(error);
                        }
                        batch.clear();
                    }
                }
                Ok(None) => {
                    batch.extend_from_slice(stuffing.take().map_or(&[][..], Stuffing::end));
                    break self.stream.send(&batch).await;
                }
                Err(error) => {
                    tracing::error!(%id, %error, "cannot read the message while sending it");
                    return self.session.abandon(&replies::LOCAL_ERROR);
                }
            }
        };
        // A peer that refuses in the middle sends a reply and closes; that reply can still be read.
        if let Err(error) = sent {
            tracing::debug!(%id, %error, "peer stopped accepting the message");
        }
        if let Event::Message(sending) = self.session.next() {
            sending.done();
        }
        self.reply_deadline = None;
        None
    }

    /// Starts the time for a message of this many octets.
    fn begin(&mut self, octets: u64) {
        self.reply_deadline = None;
        self.deadline = Instant::now() + self.timeouts.total + Duration::from_secs(octets / MIN_RATE);
    }

    /// Sends QUIT and closes the connection.
    pub(crate) async fn quit(mut self) {
        if let Event::Ready(idle) = self.session.next() {
            idle.quit();
            let quit = self.session.output().to_vec();
            // The peer may have closed already, which is the goal here.
            let _ = timeout(QUIT_TIMEOUT, self.stream.send(&quit)).await;
        }
        self.stream.close().await;
    }

    /// Moves octets until the session needs something else.
    async fn advance(&mut self) -> ClientStep {
        loop {
            let input = match self.session.next() {
                Event::Output => false,
                Event::Input => true,
                Event::StartTls(_) => return ClientStep::Handshake,
                Event::Ready(_) => return ClientStep::Ready,
                Event::Message(sending) => return ClientStep::Message(sending.stuffing()),
                Event::Finished(outcomes) => return ClientStep::Finished(outcomes),
                Event::Unusable(reply) => return ClientStep::Unusable(reply),
                Event::LoginRefused(reply) => return ClientStep::LoginRefused(reply),
                Event::Closed => return ClientStep::Closed,
            };
            let fault = if input { self.read().await } else { self.send().await };
            if let Some(reply) = fault {
                return match self.session.abandon(&reply) {
                    Some(outcomes) => ClientStep::Finished(outcomes),
                    None => ClientStep::Unusable(reply),
                };
            }
        }
    }

    async fn send(&mut self) -> Option<Reply> {
        match self.stream.send(self.session.output()).await {
            Ok(()) => {
                self.session.sent();
                self.reply_deadline = None;
                None
            }
            Err(_) => Some(replies::CONNECTION_LOST),
        }
    }

    async fn read(&mut self) -> Option<Reply> {
        let limit = match self.session.awaited_reply() {
            AwaitedReply::Greeting | AwaitedReply::Command => self.timeouts.command,
            AwaitedReply::FinalReply => self.timeouts.final_reply,
        };
        // A deadline for the whole reply: a peer that trickles its octets gains no time by each.
        let replies = self.session.reply_count();
        let until = match self.reply_deadline {
            Some((before, until)) if before == replies => until,
            _ => Instant::now() + limit,
        };
        self.reply_deadline = Some((replies, until));
        match timeout_at(until.min(self.deadline), self.stream.read(self.session.space())).await {
            Ok(Ok(0) | Err(_)) => Some(replies::CONNECTION_LOST),
            Ok(Ok(count)) => {
                self.session.filled(count);
                None
            }
            Err(_) => Some(replies::PEER_TIMED_OUT),
        }
    }
}

/// Time for the last octets to a peer when nothing more is expected from it.
const QUIT_TIMEOUT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
