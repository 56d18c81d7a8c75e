//! A connection to one host, encrypted where the host can.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use address::Host;
use rustls_pki_types::ServerName;
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
pub(super) async fn hop(departure: &Departure, hop: &Hop) -> Result<Client, DialError> {
    let mut last = None;
    for address in &hop.addresses {
        if departure.own.contain(*address) {
            return Err(DialError::Ourselves);
        }
        match open(departure, &hop.name, *address).await {
            Ok(client) => return Ok(client),
            Err(reason) => {
                tracing::debug!(host = hop.name, %address, %reason, "cannot deliver there");
                last = Some(reason);
            }
        }
    }
    Err(DialError::Failed(last.unwrap_or_else(|| unreachable(&hop.name, "it has no address"))))
}

/// Opens a session: encrypted when the host offers it, and in the clear on a second connection when that then fails.
/// An attacker who can make it fail could have taken the offer out as well (RFC 7435); policies that forbid the
/// clear come before this.
async fn open(departure: &Departure, name: &str, address: SocketAddr) -> Result<Client, Reason> {
    let encrypted = match server_name(name) {
        Some(server) => attempt(departure, name, address, Some(server)).await?,
        None => Err(None),
    };
    match encrypted {
        Ok(client) => Ok(client),
        Err(fault) => {
            if let Some(fault) = fault {
                tracing::info!(host = name, %fault, "TLS failed, sending in the clear");
            }
            attempt(departure, name, address, None).await?.map_err(|_| unreachable(name, "TLS failed"))
        }
    }
}

/// One connection. What is wrong with TLS alone comes back inside.
async fn attempt(
    departure: &Departure,
    name: &str,
    address: SocketAddr,
    tls: Option<ServerName<'static>>,
) -> Result<Result<Client, Option<serve::UpgradeError>>, Reason> {
    let stream = match timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(unreachable(name, &error.to_string())),
        Err(_) => return Err(unreachable(name, "no answer in time")),
    };
    let settings = Settings {
        dialect: Dialect::Smtp,
        hello_name: Host::Domain(departure.hostname.clone()),
        tls: if tls.is_some() { Tls::WhenOffered } else { Tls::Never },
        login: None,
    };
    let tls = tls.map(|server| (&departure.connector, server));
    match Client::open(stream.into(), Arc::new(settings), tls, PATIENCE).await {
        Ok(client) => Ok(Ok(client)),
        Err(OpenError::Handshake(fault)) => Ok(Err(Some(fault))),
        // Also a 5yz in the greeting is about this connection, not about the message: another host or another day
        // may take it, and if none does, it expires.
        Err(OpenError::Unusable(reply)) => {
            let reason = Reason::from_reply(&reply, Some(name));
            Err(Reason { status: Status { class: 4, ..reason.status }, ..reason })
        }
    }
}

/// Whom the server is told we want.
fn server_name(name: &str) -> Option<ServerName<'static>> {
    ServerName::try_from(name.to_owned()).ok()
}

fn unreachable(name: &str, why: &str) -> Reason {
    Reason { status: Status::new(4, 4, 1), text: format!("cannot reach {name}: {why}"), remote: None }
}
