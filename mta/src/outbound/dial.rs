//! A connection to one host, encrypted where the host can.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use address::Host;
use rustls_pki_types::ServerName;
use serve::{MailId, Stream, UpgradeError};
use smtp_proto::Dialect;
use smtp_proto::client::{Settings, Tls};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Departure;
use super::route::Hop;
use crate::client::{Client, OpenError, Patience};
use crate::outcome::{Reason, Status};

/// A host that is there answers within a round trip; three lost packets later it is not.
const CONNECT: Duration = Duration::from_secs(30);

/// RFC 5321 §4.5.3.2: 5 minutes for the greeting, MAIL and RCPT, 2 for DATA, 10 for the end of the message.
const PATIENCE: Patience =
    Patience { command: Duration::from_secs(5 * 60), verdict: Duration::from_secs(10 * 60) };

/// Why there is no connection to a host.
pub(super) enum DialError {
    /// Its address is ours.
    Ourselves,
    /// It is not there, or does not want us. Another host, or another time, may do better.
    Failed(Reason),
}

/// Connects to the first address of a host that answers.
pub(super) async fn hop(departure: &Departure, id: MailId, hop: &Hop) -> Result<Client, DialError> {
    let mut last = None;
    for address in &hop.addresses {
        if departure.own.contain(*address) {
            return Err(DialError::Ourselves);
        }
        match open(departure, id, &hop.name, *address).await {
            Ok(client) => return Ok(client),
            Err(reason) => {
                tracing::debug!(%id, host = hop.name, %address, %reason, "cannot deliver there");
                last = Some(reason);
            }
        }
    }
    Err(DialError::Failed(last.unwrap_or_else(|| unreachable(&hop.name, "it has no address"))))
}

/// Why one connection did not come to the point where mail can be sent.
enum Fault {
    /// The host is not there, or does not want us.
    Host(Reason),
    /// The host is there, but TLS failed.
    Tls(UpgradeError),
}

/// Opens a session: encrypted when the host offers it, and in the clear on a second connection when that then fails.
/// An attacker who can make it fail could have taken the offer out as well (RFC 7435); policies that forbid the
/// clear come before this.
async fn open(departure: &Departure, id: MailId, name: &str, address: SocketAddr) -> Result<Client, Reason> {
    let opened = match attempt(departure, name, address, Tls::WhenOffered).await {
        Err(Fault::Tls(fault)) => {
            tracing::info!(%id, host = name, %fault, "TLS failed, sending in the clear");
            attempt(departure, name, address, Tls::Never).await
        }
        opened => opened,
    };
    opened.map_err(|fault| match fault {
        Fault::Host(reason) => reason,
        Fault::Tls(fault) => unreachable(name, &fault.to_string()),
    })
}

/// One connection.
async fn attempt(departure: &Departure, name: &str, address: SocketAddr, tls: Tls) -> Result<Client, Fault> {
    let stream = match timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(Fault::Host(unreachable(name, &error.to_string()))),
        Err(_) => return Err(Fault::Host(unreachable(name, "no answer in time"))),
    };
    let settings = Settings {
        dialect: Dialect::Smtp,
        hello_name: Host::Domain(departure.hostname.clone()),
        tls,
        login: None,
    };
    let stream = Stream::from(stream).counted(departure.meter.clone());
    // Whom the server is told we want. A name that TLS cannot say is replaced by the address.
    let server = ServerName::try_from(name.to_owned()).unwrap_or_else(|_| address.ip().into());
    let opened = Client::open(stream, Arc::new(settings), Some((&departure.connector, server)), PATIENCE);
    opened.await.map_err(|error| match error {
        OpenError::Handshake(fault) => Fault::Tls(fault),
        // Also a 5yz in the greeting is about this connection, not about the message: another host or another day
        // may take it, and if none does, it expires.
        OpenError::Unusable(reply) => {
            let reason = Reason::from_reply(&reply, Some(name));
            Fault::Host(Reason { status: Status { class: 4, ..reason.status }, ..reason })
        }
    })
}

fn unreachable(name: &str, why: &str) -> Reason {
    Reason { status: Status::new(4, 4, 1), text: format!("cannot reach {name}: {why}"), remote: None }
}
