//! Moves octets between the stream and [`smtp_proto::server::Session`], until one of them ends.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serve::{Connection, ReadOutcome, StopSignal, Stream};
use smtp_proto::server::{Event, Security, Session, Settings};
use smtp_proto::{Dialect, replies};

use super::Server;
use super::commands::Commands;

/// The longest silence of the MTA (RFC 5321 §4.5.3.2.7).
const SILENCE: Duration = Duration::from_secs(5 * 60);

/// The recipients of one message: more than the MTA sends in one transaction (RFC 5321 §4.5.3.1.8 asks for 100).
const RECIPIENTS: usize = 1_000;

/// Serves one client until it leaves or the daemon stops.
pub async fn serve(connection: Connection, server: Arc<Server>) {
    let Connection { stream, peer, stop, .. } = connection;
    let settings = Settings {
        dialect: Dialect::Lmtp,
        hostname: server.hostname.clone(),
        message_size: server.message_size,
        recipients: RECIPIENTS,
        starttls: false,
    };
    let session = Session::new(Arc::new(settings), Security::Clear);
    match run_session(stream, session, Commands::new(server), stop).await {
        Ok(stream) => stream.close().await,
        Err(error) => tracing::debug!(service = "lmtp", %peer, %error, "disconnected"),
    }
}

/// Moves octets and answers events until the session is over; returns the stream to be closed.
async fn run_session(
    mut stream: Stream,
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
                // A message in transfer is waited for; the daemon's own limit for stopping is above it.
                stream.pace().expects_body(session.receives_message());
                let stop = (!session.receives_message()).then_some(&mut stop);
                match stream.read_or_stop(session.space(), SILENCE, stop).await? {
                    ReadOutcome::Octets(count) => session.filled(count),
                    ReadOutcome::Silence | ReadOutcome::Expired(_) => session.close(&replies::IDLE_TIMEOUT),
                    ReadOutcome::Stop => session.close(&replies::SHUTTING_DOWN),
                }
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
