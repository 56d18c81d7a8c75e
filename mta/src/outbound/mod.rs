//! Deliveries to other hosts.
//!
//! | step                                   | file       |
//! |----------------------------------------|------------|
//! | which hosts take a destination's mail  | `route.rs` |
//! | not one of them is this host           | `own.rs`   |
//! | the route to an address                | `path.rs`  |
//! | a connection to the first that answers | `dial.rs`  |
//! | or to the one that takes everything    | `relay.rs` |
//!
//! What comes in is one message and its recipients of one destination; what comes out is one [`Outcome`] for each.
//! When to try again is not decided here.

mod dial;
mod own;
mod path;
mod relay;
mod route;

pub use own::OwnAddresses;
pub use relay::{Relay, RelayError};

use address::{Address, Domain, ForwardPath, Host, ReversePath};
use serve::MailId;
use serve::metrics::Meter;
use smtp_proto::client::Envelope;
use smtp_proto::command::BodyKind;

use crate::client::Client;
use crate::content::Content;
use crate::outcome::Outcome;
use crate::resolver::Resolver;
use dial::Protection;

/// Where messages go together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// To the hosts that a domain names, or to an address.
    Host(Host),
    /// To the one host that takes everything, as `host:port`.
    Relay(String),
}

/// How mail leaves.
#[derive(Clone, Debug)]
pub struct Departure {
    /// Our own name, for EHLO.
    pub hostname: Domain,
    /// Asks DNS.
    pub resolver: Resolver,
    /// The port of other hosts' servers.
    pub port: u16,
    /// Where we listen ourselves.
    pub own: OwnAddresses,
    /// Encrypts where it can.
    pub connector: serve::tls::Connector,
    /// Counts the handshakes.
    pub meter: Meter,
    /// The host that takes everything, if there is one.
    pub relay: Option<Relay>,
}

/// An open connection to a host that takes a destination's mail.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    /// The host's name, for logs and reports.
    remote: String,
    is_relay: bool,
}

impl Departure {
    /// Connects to the first host of a destination that will have us, for the sake of a message. When there is none, the outcome is never
    /// [`Outcome::Delivered`], and it is that of every message there.
    pub async fn connect(&self, id: MailId, destination: &Destination) -> Result<Connection, Outcome> {
        let host = match destination {
            Destination::Relay(_) => return relay::connect(self, id, destination).await,
            Destination::Host(host) => host,
        };
        let mut last = None;
        for hop in route::hops(self, host).await? {
            match dial::hop(self, id, &hop, &Protection::WhereOffered, None).await {
                Ok(client) => return Ok(Connection { client, remote: hop.name, is_relay: false }),
                Err(dial::DialError::Ourselves) => {
                    // Whoever is named after us is no better a choice than we are (RFC 5321 §5.1).
                    return Err(last.unwrap_or_else(|| own::loop_found(destination)));
                }
                Err(dial::DialError::Failed(reason)) => last = Some(Outcome::Deferred(reason)),
            }
        }
        Err(last.unwrap_or_else(|| route::nowhere(destination)))
    }
}

impl Connection {
    /// Sends one message to recipients of this destination.
    pub async fn send(
        &mut self,
        id: MailId,
        sender: &ReversePath,
        recipients: &[Address],
        body: BodyKind,
        content: &Content,
    ) -> Vec<Outcome> {
        let envelope = Envelope {
            sender: sender.clone(),
            recipients: recipients.iter().cloned().map(ForwardPath::Address).collect(),
            size: content.len(),
            body,
            // What it is called here is nobody else's business, and others would send reports about it.
            id: None,
        };
        let outcomes = self.client.deliver(id, envelope, content).await;
        let judge = if self.is_relay { relay::judge } else { |outcome| outcome };
        outcomes.into_iter().map(|outcome| Outcome::from_peer(judge(outcome), Some(&self.remote))).collect()
    }

    /// Whether another message can be sent.
    pub fn is_ready(&mut self) -> bool {
        self.client.is_ready()
    }

    /// The host's name.
    pub fn remote(&self) -> &str {
        &self.remote
    }

    /// Takes leave.
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
