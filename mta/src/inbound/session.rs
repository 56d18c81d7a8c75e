//! The octets of a session: between the stream and [`smtp_proto::server::Session`], until one of them ends.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serve::tls::Tls;
use serve::{Connection, Expiry, ReadOutcome, StopSignal, Stream};
use smtp_proto::server::{Event, Security, Session, Settings};
use smtp_proto::{Reply, replies};

use super::ServiceKind;
use super::client::Client;
use super::commands::Commands;
use crate::site::Site;

/// The longest silence of a peer (RFC 5321 §4.5.3.2.7).
const SILENCE: Duration = Duration::from_secs(5 * 60);

/// Runs the session of a connection. A session keeps the settings that it started with.
pub async fn serve_connection(site: Arc<Site>, tls: Tls, service: ServiceKind, connection: Connection) {
    let Connection { stream, peer, stop, .. } = connection;
    tracing::debug!(service = service.name(), %peer, "connected");
    let stream = match service {
        ServiceKind::Smtp | ServiceKind::Submission => stream,
        ServiceKind::Submissions => match stream.secure(&tls, b"").await {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(service = service.name(), %peer, %error, "TLS handshake failed");
                return;
            }
        },
    };
    let client = Client::new(service, peer, &stream);
    let settings = site.settings();
    let protocol = Settings {
        dialect: service.dialect(),
        hostname: settings.config.hostname.clone(),
        message_size: settings.config.limits.message_size,
        recipients: settings.config.limits.recipients,
        starttls: true,
    };
    let security = if stream.is_encrypted() { Security::Tls } else { Security::Clear };
    let session = Session::new(Arc::new(protocol), security);
    let commands = Commands::new(site, settings, client);
    match run_session(stream, &tls, session, commands, stop).await {
        Ok(stream) => stream.close().await,
        Err(error) => tracing::debug!(service = service.name(), %peer, %error, "disconnected"),
    }
}

/// Moves octets and answers events until the session is over; returns the stream, for the caller to close.
async fn run_session(
    mut stream: Stream,
    tls: &Tls,
    mut session: Session,
    mut commands: Commands,
    mut stop: StopSignal,
) -> io::Result<Stream> {
    loop {
        match session.next() {
            Event::Output => {
                stream.pace().command_ended();
                stream.send(session.output()).await?;
                session.sent();
            }
            Event::Input => {
                // A message that is being received may end first; the daemon's own limit for stopping is above it.
                let may_stop = !session.receives_message();
                stream.pace().expects_body(session.receives_message());
                let stop = may_stop.then_some(&mut stop);
                tokio::select! {
                    biased;
                    () = commands.revoked(), if may_stop => session.close(&replies::LOGIN_REVOKED),
                    outcome = stream.read_or_stop(session.space(), SILENCE, stop) => match outcome? {
                        ReadOutcome::Octets(count) => session.filled(count),
                        ReadOutcome::Silence => session.close(&replies::IDLE_TIMEOUT),
                        ReadOutcome::Stop => session.close(&replies::SHUTTING_DOWN),
                        ReadOutcome::Expired(expiry) => session.close(&closing_reply(expiry)),
                    },
                }
            }
            Event::StartTls(request) => {
                stream = stream.secure(tls, b"").await.map_err(io::Error::other)?;
                commands.tls_started(&stream);
                request.done();
            }
            Event::Closed => return Ok(stream),
            event => {
                let is_last = event.ends_transaction();
                stream.pace().command_ended();
                commands.handle(event).await;
                if is_last && stop.is_requested() {
                    session.close(&replies::SHUTTING_DOWN);
                }
            }
        }
    }
}

/// The last reply to a peer when the server ends the session.
fn closing_reply(expiry: Expiry) -> Reply {
    match expiry {
        Expiry::Silence | Expiry::Command => replies::IDLE_TIMEOUT,
        Expiry::Body | Expiry::SlowReader => replies::TOO_SLOW,
        Expiry::Unproved => replies::SESSION_TIMEOUT,
        Expiry::Evicted => replies::EVICTED,
    }
}
