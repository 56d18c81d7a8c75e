//! Sends a message to port 25 with the SMTP client that the MTA uses for sending.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use address::{ForwardPath, Host, ReversePath};
use handover::config::Heartbeat;
use rustls::pki_types::ServerName;
use serve::Stream;
use serve::tls::Connector;
use smtp_proto::Dialect;
use smtp_proto::client::{Envelope, Event, Outcome, Session, Settings, Tls};
use smtp_proto::command::BodyKind;
use smtp_proto::server::Security;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::test_message::TestMessage;
use super::{BeatFailure, Step};

/// Timeout for the server's next reply: the message checks alone may take eight seconds.
const REPLY_TIMEOUT: Duration = Duration::from_secs(20);

/// Sends a message. When this returns, the message is in the mailbox or is not delivered at all.
pub(super) async fn send(
    heartbeat: &Heartbeat,
    trusted: &Connector,
    message: &TestMessage,
) -> Result<(), BeatFailure> {
    let stream = connect(heartbeat.smtp, Step::Connect).await?;
    let settings = Settings {
        dialect: Dialect::Smtp,
        hello_name: Host::Domain(heartbeat.hostname.clone()),
        tls: Tls::Required,
        login: None,
    };
    let envelope = Envelope {
        // With a null sender, no bounce is ever sent.
        sender: ReversePath::Null,
        recipients: vec![ForwardPath::Address(heartbeat.address.clone())],
        size: message.octets.len() as u64,
        body: BodyKind::SevenBit,
        has_utf8_header: false,
        requires_tls: false,
        id: None,
        is_junk: false,
    };
    let mut session = Session::new(Arc::new(settings), Security::Clear);
    let ended = run_session(&mut session, stream, trusted, envelope, message).await?;
    match ended.into_iter().next() {
        Some(Outcome::Delivered(_)) => Ok(()),
        Some(outcome) => Err(BeatFailure::new(Step::Send, outcome.reply().to_string())),
        None => Err(BeatFailure::new(Step::Send, "no reply about the message")),
    }
}

/// Connects to this host.
pub(super) async fn connect(address: SocketAddr, step: Step) -> Result<Stream, BeatFailure> {
    match timeout(REPLY_TIMEOUT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => Ok(stream.into()),
        Ok(Err(error)) => Err(BeatFailure::new(step, format!("{address}: {error}"))),
        Err(_) => Err(BeatFailure::new(step, format!("{address} does not answer"))),
    }
}

async fn run_session(
    session: &mut Session,
    mut stream: Stream,
    trusted: &Connector,
    envelope: Envelope,
    message: &TestMessage,
) -> Result<Vec<Outcome>, BeatFailure> {
    let mut envelope = Some(envelope);
    loop {
        // A failure before the server is ready for mail is a connection fault, not one of this message.
        let step = if envelope.is_some() { Step::Connect } else { Step::Send };
        match session.next() {
            Event::Output => {
                stream
                    .send(session.output())
                    .await
                    .map_err(|error| BeatFailure::new(step, error.to_string()))?;
                session.sent();
            }
            Event::Input => match timeout(REPLY_TIMEOUT, stream.read(session.space())).await {
                Ok(Ok(0)) => return Err(BeatFailure::new(step, "the connection was closed")),
                Ok(Ok(count)) => session.filled(count),
                Ok(Err(error)) => return Err(BeatFailure::new(step, error.to_string())),
                Err(_) => return Err(BeatFailure::new(step, "no reply in time")),
            },
            Event::StartTls(handshake) => {
                // The server's name is not verified; its key is.
                let name = ServerName::IpAddress(std::net::IpAddr::from([127, 0, 0, 1]).into());
                let secured = stream.secure_to(trusted, name, &[]).await;
                stream = secured.map_err(|error| BeatFailure::new(step, error.to_string()))?;
                handshake.done();
            }
            Event::Ready(idle) => match envelope.take() {
                Some(envelope) => idle.send(envelope),
                None => return Err(BeatFailure::new(step, "no reply about the message")),
            },
            Event::Message(sending) => {
                let mut octets = Vec::with_capacity(message.octets.len() + 8);
                match sending.stuffing() {
                    Some(mut stuffing) => {
                        let pieces = stuffing.pieces(message.octets.as_bytes());
                        pieces.for_each(|piece| octets.extend_from_slice(piece));
                        octets.extend_from_slice(stuffing.end());
                    }
                    None => octets.extend_from_slice(message.octets.as_bytes()),
                }
                stream.send(&octets).await.map_err(|error| BeatFailure::new(step, error.to_string()))?;
                sending.done();
            }
            Event::Finished(outcomes) => {
                if let Event::Ready(idle) = session.next() {
                    idle.quit();
                    // The result is known already, so a failure to send QUIT does not matter.
                    let _ = stream.send(session.output()).await;
                }
                stream.close().await;
                return Ok(outcomes);
            }
            Event::Unusable(reply) | Event::LoginRefused(reply) => {
                return Err(BeatFailure::new(step, reply.to_string()));
            }
            Event::Closed => return Err(BeatFailure::new(step, "the connection was closed")),
        }
    }
}
