//! A connection to one host, as private as the host allows, or as it is required to be.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use address::Host;
use rustls_pki_types::ServerName;
use sasl::Credentials;
use serve::tls::Connector;
use serve::{MailId, Stream, UpgradeError};
use smtp_proto::client::{Settings, Tls};
use smtp_proto::{Dialect, Reply};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::OutboundSettings;
use super::route::NextHop;
use crate::outcome::{Reason, Status};
use crate::smtp_client::{OpenError, SmtpClient, Timeouts};

/// A host that is up answers within a round trip; this allows for three lost packets.
const CONNECT: Duration = Duration::from_secs(30);

/// RFC 5321 §4.5.3.2: 5 minutes for the greeting, MAIL and RCPT, 2 for DATA, 10 for the end of the message. A host that
/// is so slow with all of them occupies one of few places for deliveries: it is retried later.
const TIMEOUTS: Timeouts = Timeouts {
    command: Duration::from_secs(5 * 60),
    final_reply: Duration::from_secs(10 * 60),
    total: Duration::from_secs(30 * 60),
};

/// The reason why there is no connection to a host.
pub(super) enum DialError {
    /// Its address is ours.
    ThisHost,
    /// The host is down, or refuses us. Another host, or another time, may do better.
    Failed(Reason),
}

/// The protection of a connection.
#[derive(Debug)]
pub(super) enum Protection {
    /// TLS when the host offers it, with any certificate, and otherwise clear text: mail between hosts that do not know
    /// each other.
    Opportunistic,
    /// STARTTLS, and a certificate with the host's name.
    StartTls(Connector),
    /// TLS from the first octet, and a certificate with the host's name.
    Implicit(Connector),
}

/// Connects to the first address of a host that answers.
pub(super) async fn connect(
    outbound: &OutboundSettings,
    id: MailId,
    next_hop: &NextHop,
    protection: &Protection,
    login: Option<&Credentials>,
) -> Result<SmtpClient, DialError> {
    let mut last = None;
    for address in &next_hop.addresses {
        if outbound.own.contains(*address) {
            return Err(DialError::ThisHost);
        }
        let attempt = ConnectionAttempt { outbound, id, name: &next_hop.name, address: *address, login };
        let opened = match protection {
            Protection::Opportunistic => attempt.open_opportunistically().await,
            Protection::StartTls(connector) => attempt.open(Tls::Required, Some(connector)).await,
            Protection::Implicit(connector) => attempt.open(Tls::Never, Some(connector)).await,
        };
        match opened {
            Ok(client) => {
                let tls = client.encryption().map(|(version, _)| version);
                tracing::debug!(%id, host = next_hop.name, %address, tls, "connected");
                return Ok(client);
            }
            // The host's other addresses would refuse it too, and each try may count against us there.
            Err(ConnectError::Login(reason)) => return Err(DialError::Failed(reason)),
            Err(error) => {
                let reason = error.reason(&next_hop.name);
                tracing::debug!(%id, host = next_hop.name, %address, %reason, "host unavailable");
                last = Some(reason);
            }
        }
    }
    Err(DialError::Failed(last.unwrap_or_else(|| unreachable(&next_hop.name, "it has no address"))))
}

/// The reason why one connection did not reach the point where mail can be sent.
enum ConnectError {
    /// The host is down, or refuses us.
    Host(Reason),
    /// The host is up, but TLS failed.
    Tls(UpgradeError),
    /// The host is up, but refuses our login.
    Login(Reason),
}

/// An attempt to connect to one address of a host.
struct ConnectionAttempt<'a> {
    outbound: &'a OutboundSettings,
    id: MailId,
    name: &'a str,
    address: SocketAddr,
    login: Option<&'a Credentials>,
}

impl ConnectionAttempt<'_> {
    /// Encrypted when the host offers it, and in clear text on a second connection when TLS then fails. An attacker who
    /// can make it fail could have removed the offer as well (RFC 7435); policies that forbid clear text come before
    /// this.
    async fn open_opportunistically(&self) -> Result<SmtpClient, ConnectError> {
        match self.open(Tls::WhenOffered, None).await {
            Err(ConnectError::Tls(error)) => {
                tracing::info!(id = %self.id, host = self.name, fault = %error, "TLS handshake failed, sending in clear text");
                self.open(Tls::Never, None).await
            }
            opened => opened,
        }
    }

    /// Opens one connection. With a verifying connector and without STARTTLS, it is encrypted from the first octet.
    async fn open(&self, tls: Tls, verifying: Option<&Connector>) -> Result<SmtpClient, ConnectError> {
        let connector = verifying.unwrap_or(&self.outbound.connector);
        let server = self.tls_server_name(verifying.is_some())?;
        let failed = |why: String| ConnectError::Host(unreachable(self.name, &why));
        let stream = match timeout(CONNECT, TcpStream::connect(self.address)).await {
            Ok(Ok(stream)) => Stream::from(stream).with_metrics(self.outbound.meter.clone()),
            Ok(Err(error)) => return Err(failed(error.to_string())),
            Err(_) => return Err(failed("connection timed out".to_owned())),
        };
        let stream = match tls {
            Tls::Never if verifying.is_some() => {
                stream.secure_to(connector, server.clone(), &[]).await.map_err(ConnectError::Tls)?
            }
            _ => stream,
        };
        let settings = Settings {
            // To the relay we speak as one of its users would.
            dialect: if verifying.is_some() { Dialect::Submission } else { Dialect::Smtp },
            hello_name: Host::Domain(self.outbound.hostname.clone()),
            tls,
            login: self.login.cloned(),
        };
        let opened = SmtpClient::open(stream, Arc::new(settings), Some((connector, server)), TIMEOUTS);
        opened.await.map_err(|error| match error {
            OpenError::Handshake(error) => ConnectError::Tls(error),
            OpenError::Unusable(reply) => ConnectError::Host(temporary_reason(&reply, self.name)),
            OpenError::LoginRefused(reply) => {
                let reason = temporary_reason(&reply, self.name);
                tracing::error!(id = %self.id, host = self.name, %reason, "login refused by the relay");
                ConnectError::Login(reason)
            }
        })
    }

    /// The server name for TLS, which the certificate must match if `must_match` is set. If it is not, a name that TLS
    /// cannot express is replaced by the address.
    fn tls_server_name(&self, must_match: bool) -> Result<ServerName<'static>, ConnectError> {
        let literal = self.name.starts_with('[');
        match ServerName::try_from(self.name.to_owned()) {
            Ok(server) => Ok(server),
            Err(_) if literal || !must_match => Ok(self.address.ip().into()),
            Err(_) => Err(ConnectError::Host(unreachable(self.name, "that name cannot be in a certificate"))),
        }
    }
}

impl ConnectError {
    fn reason(self, name: &str) -> Reason {
        match self {
            Self::Host(reason) | Self::Login(reason) => reason,
            Self::Tls(error) => unreachable(name, &error.to_string()),
        }
    }
}

/// Treats a 5yz in the greeting as temporary: it is about this connection, not about the message. Another host or a
/// later attempt may succeed, and if none does, the message expires.
fn temporary_reason(reply: &Reply, name: &str) -> Reason {
    let reason = Reason::from_reply(reply, Some(name));
    Reason { status: Status { class: 4, ..reason.status }, ..reason }
}

fn unreachable(name: &str, why: &str) -> Reason {
    Reason { status: Status::new(4, 4, 1), text: format!("cannot reach {name}: {why}"), remote: None }
}
