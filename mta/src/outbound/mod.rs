//! Deliveries to other hosts.
//!
//! | step                                   | file             |
//! |----------------------------------------|------------------|
//! | the hosts for a destination's mail     | `route.rs`       |
//! | none of them may be this host          | `own.rs`         |
//! | the route to an address                | `path.rs`        |
//! | the name of our address, for IPv6      | `source_name.rs` |
//! | a connection to the first that answers | `dial.rs`        |
//! | or to the relay for all mail           | `relay.rs`       |
//!
//! The input is one message and its recipients of one destination; the output is one [`Outcome`] for each. The time of
//! the next attempt is not decided here.

mod dial;
mod own;
mod path;
mod relay;
mod route;
mod source_name;

pub use own::OwnAddresses;
pub use relay::{Relay, RelayError};
pub use source_name::SourceNames;

use address::{Address, Domain, ForwardPath, Host, ReversePath};
use serve::MailId;
use serve::metrics::ServiceMetrics;
use smtp_proto::client::Envelope;
use smtp_proto::command::BodyKind;

use crate::content::Content;
use crate::outcome::{Outcome, Status};
use crate::resolver::Resolver;
use crate::smtp_client::SmtpClient;
use dial::Protection;

/// The destination that messages share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// The hosts that a domain names, or an address.
    Host(Host),
    /// The relay for all mail, as `host:port`.
    Relay(String),
}

/// The settings for outgoing mail.
#[derive(Clone, Debug)]
pub struct OutboundSettings {
    /// Our own host name, for EHLO.
    pub hostname: Domain,
    /// The DNS resolver.
    pub resolver: Resolver,
    /// The port of other hosts' servers.
    pub port: u16,
    /// The addresses that we listen on.
    pub own: OwnAddresses,
    /// The TLS connector for opportunistic encryption.
    pub connector: serve::tls::Connector,
    /// The metrics of the handshakes.
    pub meter: ServiceMetrics,
    /// The relay for all mail, if there is one.
    pub relay: Option<Relay>,
    /// The reverse names of the addresses that we send from.
    pub source_names: SourceNames,
}

/// An open connection to a host that accepts a destination's mail.
#[derive(Debug)]
pub struct Connection {
    client: SmtpClient,
    /// The host's name, for logs and reports.
    remote: String,
    is_relay: bool,
    /// True if the host's certificate was verified.
    is_verified: bool,
}

impl OutboundSettings {
    /// True if the hosts for mail to other domains are verified, as REQUIRETLS demands (RFC 8689 §4.2.1): only a relay is,
    /// since the hosts of a domain are found and encrypted opportunistically.
    pub fn verifies_hosts(&self) -> bool {
        self.relay.as_ref().is_some_and(Relay::is_verified)
    }

    /// Connects to the first host of a destination that accepts us, on behalf of a message. Without such a host, the
    /// outcome is never [`Outcome::Delivered`], and it applies to every message of the destination.
    pub async fn connect(&self, id: MailId, destination: &Destination) -> Result<Connection, Outcome> {
        let host = match destination {
            Destination::Relay(_) => return relay::connect(self, id, destination).await,
            Destination::Host(host) => host,
        };
        let mut last = None;
        for next_hop in route::next_hops(self, host).await? {
            match dial::connect(self, id, &next_hop, &Protection::Opportunistic, None).await {
                Ok(client) => {
                    let remote = next_hop.name;
                    return Ok(Connection { client, remote, is_relay: false, is_verified: false });
                }
                Err(dial::DialError::ThisHost) => {
                    // Hosts after us in preference are no better a choice than we are (RFC 5321 §5.1).
                    return Err(last.unwrap_or_else(|| own::loop_detected(destination)));
                }
                Err(dial::DialError::Failed(reason)) => last = Some(Outcome::Deferred(reason)),
            }
        }
        Err(last.unwrap_or_else(|| route::no_address(destination)))
    }
}

/// The declarations of the client that sent a message.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    /// The parameter BODY of MAIL.
    pub body: BodyKind,
    /// The presence of the parameter SMTPUTF8. Header fields in UTF-8 that were sent without it are sent on without it:
    /// hosts exchanged such mail before RFC 6531, and a refusal would lose it.
    pub smtputf8: bool,
    /// The presence of the parameter REQUIRETLS (RFC 8689).
    pub requires_tls: bool,
}

impl Connection {
    /// Sends one message to recipients of this destination.
    pub async fn send(
        &mut self,
        id: MailId,
        sender: &ReversePath,
        recipients: &[Address],
        declared: Declared,
        content: &Content,
    ) -> Vec<Outcome> {
        if declared.requires_tls && !(self.is_verified && self.client.offers_requiretls()) {
            return vec![self.requiretls_refused(); recipients.len()];
        }
        let envelope = Envelope {
            sender: sender.clone(),
            recipients: recipients.iter().cloned().map(ForwardPath::Address).collect(),
            size: content.len(),
            body: declared.body,
            has_utf8_header: declared.smtputf8 && !content.header().is_ascii(),
            requires_tls: declared.requires_tls,
            // Our identifier of the message is private, and other hosts would send reports about it.
            id: None,
            is_junk: false,
        };
        let outcomes = self.client.deliver(id, envelope, content).await;
        let adjust = if self.is_relay { relay::defer_access_refusals } else { |outcome| outcome };
        outcomes.into_iter().map(|outcome| Outcome::from_peer(adjust(outcome), Some(&self.remote))).collect()
    }

    /// The outcome of a message that demands TLS, at a host that cannot fulfil it: no later attempt would find a host that
    /// can (RFC 8689 §4.2.1).
    fn requiretls_refused(&self) -> Outcome {
        let fault = if self.is_verified { "does not offer REQUIRETLS" } else { "cannot be verified" };
        let text = format!(
            "REQUIRETLS support required: {} {fault}; send the message without REQUIRETLS",
            self.remote
        );
        Outcome::failed(Status::new(5, 7, 30), text)
    }

    /// True if another message can be sent.
    pub fn is_ready(&mut self) -> bool {
        self.client.is_ready()
    }

    /// The host's name.
    pub fn remote(&self) -> &str {
        &self.remote
    }

    /// Sends QUIT and closes the connection.
    pub async fn quit(self) {
        self.client.quit().await;
    }
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Host(host) => host.fmt(f),
            Self::Relay(relay) => f.write_str(relay),
        }
    }
}

#[cfg(test)]
mod tests;
