//! The relay for all mail, where the operator configures one (a smarthost).
//!
//! The guarantees: a password is sent under TLS only, to a host whose certificate was verified; and any fault of the
//! host or of our login defers mail and fails none, since the operator must correct it, not the sender.

use std::net::SocketAddr;
use std::sync::Arc;

use address::Host;
use handover::config;
use handover::config::RelaySecurity;
use sasl::{Credentials, Password, PasswordError};
use serve::MailId;
use serve::tls::{Connector, TlsError};
use smtp_proto::{Reply, client};

use super::dial::{self, DialError, Protection};
use super::{Connection, Destination, OutboundSettings, own, route};
use crate::outcome::{Outcome, Status};

/// Addresses of the relay that are tried: when all are silent, an attempt ends within five minutes.
const MAX_ADDRESSES: usize = 10;

/// The relay and its settings.
#[derive(Clone, Debug)]
pub struct Relay(Arc<RelaySettings>);

#[derive(Debug)]
struct RelaySettings {
    config: config::Relay,
    protection: Protection,
    login: Option<Credentials>,
}

/// The reason why a relay cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The password is not valid.
    #[error("the relay's password cannot be used: {0}")]
    Password(#[from] PasswordError),
    /// The password would be sent to any host that answers.
    #[error("the relay has a password but no TLS: set its security to start-tls or implicit-tls")]
    Unprotected,
    /// The certificate cannot be verified.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Relay {
    /// The relay of a configuration.
    pub fn new(config: &config::Relay) -> Result<Self, RelayError> {
        let verifying = || match &config.authorities {
            Some(authorities) => Connector::verifying_with(authorities),
            None => Connector::verifying(),
        };
        let protection = match config.security {
            RelaySecurity::Opportunistic if config.credentials.is_some() => {
                return Err(RelayError::Unprotected);
            }
            RelaySecurity::Opportunistic => Protection::Opportunistic,
            RelaySecurity::StartTls => Protection::StartTls(verifying()?),
            RelaySecurity::ImplicitTls => Protection::Implicit(verifying()?),
        };
        let login = match &config.credentials {
            Some(credentials) => Some(Credentials {
                login: credentials.user.clone(),
                password: Password::new(credentials.password.reveal())?,
            }),
            None => None,
        };
        Ok(Self(Arc::new(RelaySettings { config: config.clone(), protection, login })))
    }

    /// True if mail is sent to it only after its certificate was verified.
    pub(super) fn is_verified(&self) -> bool {
        match self.0.protection {
            Protection::StartTls(_) | Protection::Implicit(_) => true,
            Protection::Opportunistic => false,
        }
    }
}

/// Connects to the relay.
pub(super) async fn connect(
    outbound: &OutboundSettings,
    id: MailId,
    destination: &Destination,
) -> Result<Connection, Outcome> {
    let Some(relay) = &outbound.relay else {
        return Err(Outcome::deferred(Status::new(4, 3, 5), "the relay was removed from the configuration"));
    };
    let is_verified = relay.is_verified();
    let RelaySettings { config, protection, login } = &*relay.0;
    let (name, addresses) = match &config.host {
        Host::Literal(ip) => (route::literal(*ip), vec![SocketAddr::new(*ip, config.port)]),
        Host::Domain(host) => {
            let ips = route::addresses(&outbound.resolver, host).await?;
            let mut addresses = route::in_order(ips, config.port, route::has_route);
            addresses.truncate(MAX_ADDRESSES);
            (host.to_string(), addresses)
        }
    };
    if addresses.is_empty() {
        return Err(Outcome::deferred(
            Status::new(4, 4, 4),
            format!("the relay {name} has no address record"),
        ));
    }
    let next_hop = route::NextHop { name, addresses };
    match dial::connect(outbound, id, &next_hop, protection, login.as_ref()).await {
        Ok(client) => Ok(Connection { client, remote: next_hop.name, is_relay: true, is_verified }),
        Err(DialError::ThisHost) => Err(own::loop_detected(destination)),
        Err(DialError::Failed(reason)) => Err(Outcome::Deferred(reason)),
    }
}

/// The outcome that follows from the relay's reply: a refusal of our login, or of the relaying itself, says nothing
/// about the message.
pub(super) fn defer_access_refusals(outcome: client::Outcome) -> client::Outcome {
    match outcome {
        client::Outcome::Failed(reply) if is_access_refusal(&reply) => client::Outcome::Deferred(reply),
        outcome => outcome,
    }
}

/// True if a permanent refusal is about our access to the relay. There are codes for that (RFC 4954 §6), which many
/// servers do not use: Postfix answers `554 5.7.1 <bob@example.net>: Relay access denied`, others 550 and words of
/// their own.
fn is_access_refusal(reply: &Reply) -> bool {
    const PHRASES: [&str; 14] = [
        "relaying",
        "relay access",
        "relay denied",
        "relay is not",
        "relay not",
        "relay prohibited",
        "to relay",
        "not relay",
        "authentication required",
        "authentication is required",
        "requires authentication",
        "must authenticate",
        "need to authenticate",
        "not authenticated",
    ];
    if matches!(reply.code().number(), 530 | 534 | 535 | 538) {
        return true;
    }
    // RFC 3463 §3.2, §3.3: the status is about the recipient's address or mailbox, whatever the text names.
    if matches!(reply.status().map(|status| status.subject()), Some(1 | 2)) {
        return false;
    }
    let text = reply.text().to_ascii_lowercase();
    PHRASES.iter().any(|phrase| text.contains(phrase))
}

#[cfg(test)]
mod tests;
