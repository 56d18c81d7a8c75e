//! A connection to one host, as private as it can be, or as it must be.

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
use crate::client::{Client, OpenError, Patience};
use crate::outcome::{Reason, Status};

/// A host that is there answers within a round trip; three lost packets later it is not.
const CONNECT: Duration = Duration::from_secs(30);

/// RFC 5321 §4.5.3.2: 5 minutes for the greeting, MAIL and RCPT, 2 for DATA, 10 for the end of the message. A host that is
/// so slow with all of them holds one of few places for deliveries: it is tried again later.
const PATIENCE: Patience = Patience {
    command: Duration::from_secs(5 * 60),
    verdict: Duration::from_secs(10 * 60),
    whole: Duration::from_secs(30 * 60),
};

/// Why there is no connection to a host.
pub(super) enum DialError {
    /// Its address is ours.
    Ourselves,
    /// It is not there, or does not want us. Another host, or another time, may do better.
    Failed(Reason),
}

/// How a connection is kept private.
#[derive(Debug)]
pub(super) enum Protection {
    /// TLS when the host offers it, from whoever answers, and else none: mail between hosts that do not know each other.
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
) -> Result<Client, DialError> {
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
            // It is as wrong at the host's other addresses, and each try may count against us there.
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

/// Why one connection did not come to the point where mail can be sent.
enum Fault {
    /// The host is not there, or does not want us.
    Host(Reason),
    /// The host is there, but TLS failed.
    Tls(UpgradeError),
    /// The host is there, and does not know us.
    Login(Reason),
}

/// One host's address that is tried.
struct Call<'a> {
    departure: &'a Departure,
    id: MailId,
    name: &'a str,
    address: SocketAddr,
    login: Option<&'a Credentials>,
}

impl Call<'_> {
    /// Encrypted when the host offers it, and in the clear on a second connection when that then fails. An attacker who
    /// can make it fail could have taken the offer out as well (RFC 7435); policies that forbid the clear come before
    /// this.
    async fn where_offered(&self) -> Result<Client, Fault> {
        match self.attempt(Tls::WhenOffered, None).await {
            Err(Fault::Tls(fault)) => {
                tracing::info!(id = %self.id, host = self.name, %fault, "TLS failed, sending in the clear");
                self.attempt(Tls::Never, None).await
            }
            opened => opened,
        }
    }

    /// One connection. A connector that verifies whom it talks to, without STARTTLS, encrypts from the first octet.
    async fn attempt(&self, tls: Tls, verifying: Option<&Connector>) -> Result<Client, Fault> {
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
            // The relay is spoken to as one of its users would.
            dialect: if verifying.is_some() { Dialect::Submission } else { Dialect::Smtp },
            hello_name: Host::Domain(self.departure.hostname.clone()),
            tls,
            login: self.login.cloned(),
        };
        let opened = Client::open(stream, Arc::new(settings), Some((connector, server)), PATIENCE);
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

    /// Whom the server is told we want, and who it must be where that counts. Where it does not, a name that TLS cannot
    /// say is replaced by the address.
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

/// Also a 5yz in the greeting is about this connection, not about the message: another host or another day may take it,
/// and if none does, it expires.
fn not_about_the_message(reply: &Reply, name: &str) -> Reason {
    let reason = Reason::from_reply(reply, Some(name));
    Reason { status: Status { class: 4, ..reason.status }, ..reason }
}

fn unreachable(name: &str, why: &str) -> Reason {
    Reason { status: Status::new(4, 4, 1), text: format!("cannot reach {name}: {why}"), remote: None }
}
