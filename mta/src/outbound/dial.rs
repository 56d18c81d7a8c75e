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

use super::Departure;
use super::route::Hop;
use crate::outcome::{Reason, Status};
use crate::smtp_client::{OpenError, Patience, SmtpClient};

/// A host that is up answers within a round trip; this allows for three lost packets.
const CONNECT: Duration = Duration::from_secs(30);

/// RFC 5321 §4.5.3.2: 5 minutes for the greeting, MAIL and RCPT, 2 for DATA, 10 for the end of the message. A host that
/// is so slow with all of them occupies one of few places for deliveries: it is retried later.
const PATIENCE: Patience = Patience {
    command: Duration::from_secs(5 * 60),
    verdict: Duration::from_secs(10 * 60),
    whole: Duration::from_secs(30 * 60),
};

/// The reason why there is no connection to a host.
pub(super) enum DialError {
    /// Its address is ours.
    Ourselves,
    /// The host is down, or refuses us. Another host, or another time, may do better.
    Failed(Reason),
}

/// The protection of a connection.
#[derive(Debug)]
pub(super) enum Protection {
    /// TLS when the host offers it, with any certificate, and otherwise clear text: mail between hosts that do not know
    /// each other.
    WhereOffered,
    /// STARTTLS, and a certificate with the host's name.
    StartTls(Connector),
    /// TLS from the first octet, and a certificate with the host's name.
    Implicit(Connector),
}

/// Connects to the first address of a host that answers.
pub(super) async fn hop(
    departure: &Departure,
    id: MailId,
    hop: &Hop,
    protection: &Protection,
    login: Option<&Credentials>,
) -> Result<SmtpClient, DialError> {
    let mut last = None;
    for address in &hop.addresses {
        if departure.own.contain(*address) {
            return Err(DialError::Ourselves);
        }
        let call = Call { departure, id, name: &hop.name, address: *address, login };
        let opened = match protection {
            Protection::WhereOffered => call.where_offered().await,
            Protection::StartTls(connector) => call.attempt(Tls::Required, Some(connector)).await,
            Protection::Implicit(connector) => call.attempt(Tls::Never, Some(connector)).await,
        };
        match opened {
            Ok(client) => {
                let tls = client.encryption().map(|(version, _)| version);
                tracing::debug!(%id, host = hop.name, %address, tls, "connected");
                return Ok(client);
            }
            // The host's other addresses would refuse it too, and each try may count against us there.
            Err(Fault::Login(reason)) => return Err(DialError::Failed(reason)),
            Err(fault) => {
                let reason = fault.reason(&hop.name);
                tracing::debug!(%id, host = hop.name, %address, %reason, "cannot deliver there");
                last = Some(reason);
            }
        }
    }
    Err(DialError::Failed(last.unwrap_or_else(|| unreachable(&hop.name, "it has no address"))))
}

/// The reason why one connection did not reach the point where mail can be sent.
enum Fault {
    /// The host is down, or refuses us.
    Host(Reason),
    /// The host is up, but TLS failed.
    Tls(UpgradeError),
    /// The host is up, but refuses our login.
    Login(Reason),
}

/// An attempt to connect to one address of a host.
struct Call<'a> {
    departure: &'a Departure,
    id: MailId,
    name: &'a str,
    address: SocketAddr,
    login: Option<&'a Credentials>,
}

impl Call<'_> {
    /// Encrypted when the host offers it, and in clear text on a second connection when TLS then fails. An attacker who
    /// can make it fail could have removed the offer as well (RFC 7435); policies that forbid clear text come before
    /// this.
    async fn where_offered(&self) -> Result<SmtpClient, Fault> {
        match self.attempt(Tls::WhenOffered, None).await {
            Err(Fault::Tls(fault)) => {
                tracing::info!(id = %self.id, host = self.name, %fault, "TLS failed, sending in the clear");
                self.attempt(Tls::Never, None).await
            }
            opened => opened,
        }
    }

    /// Opens one connection. With a verifying connector and without STARTTLS, it is encrypted from the first octet.
    async fn attempt(&self, tls: Tls, verifying: Option<&Connector>) -> Result<SmtpClient, Fault> {
        let connector = verifying.unwrap_or(&self.departure.connector);
        let server = self.server(verifying.is_some())?;
        let failed = |why: String| Fault::Host(unreachable(self.name, &why));
        let stream = match timeout(CONNECT, TcpStream::connect(self.address)).await {
            Ok(Ok(stream)) => Stream::from(stream).counted(self.departure.meter.clone()),
            Ok(Err(error)) => return Err(failed(error.to_string())),
            Err(_) => return Err(failed("no answer in time".to_owned())),
        };
        let stream = match tls {
            Tls::Never if verifying.is_some() => {
                stream.secure_to(connector, server.clone(), &[]).await.map_err(Fault::Tls)?
            }
            _ => stream,
        };
        let settings = Settings {
            // To the relay we speak as one of its users would.
            dialect: if verifying.is_some() { Dialect::Submission } else { Dialect::Smtp },
            hello_name: Host::Domain(self.departure.hostname.clone()),
            tls,
            login: self.login.cloned(),
        };
        let opened = SmtpClient::open(stream, Arc::new(settings), Some((connector, server)), PATIENCE);
        opened.await.map_err(|error| match error {
            OpenError::Handshake(fault) => Fault::Tls(fault),
            OpenError::Unusable(reply) => Fault::Host(not_about_the_message(&reply, self.name)),
            OpenError::LoginRefused(reply) => {
                let reason = not_about_the_message(&reply, self.name);
                tracing::error!(id = %self.id, host = self.name, %reason, "our login is refused");
                Fault::Login(reason)
            }
        })
    }

    /// The server name for TLS, which the certificate must match if `counts` is set. If it is not, a name that TLS
    /// cannot express is replaced by the address.
    fn server(&self, counts: bool) -> Result<ServerName<'static>, Fault> {
        let literal = self.name.starts_with('[');
        match ServerName::try_from(self.name.to_owned()) {
            Ok(server) => Ok(server),
            Err(_) if literal || !counts => Ok(self.address.ip().into()),
            Err(_) => Err(Fault::Host(unreachable(self.name, "no certificate can have that name"))),
        }
    }
}

impl Fault {
    fn reason(self, name: &str) -> Reason {
        match self {
            Self::Host(reason) | Self::Login(reason) => reason,
            Self::Tls(fault) => unreachable(name, &fault.to_string()),
        }
    }
}

/// Treats a 5yz in the greeting as temporary: it is about this connection, not about the message. Another host or a
/// later attempt may succeed, and if none does, the message expires.
fn not_about_the_message(reply: &Reply, name: &str) -> Reason {
    let reason = Reason::from_reply(reply, Some(name));
    Reason { status: Status { class: 4, ..reason.status }, ..reason }
}

fn unreachable(name: &str, why: &str) -> Reason {
    Reason { status: Status::new(4, 4, 1), text: format!("cannot reach {name}: {why}"), remote: None }
}
