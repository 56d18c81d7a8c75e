//! The lanes of the queue, and the routes that say which one an address takes.

use std::fmt;
use std::sync::Arc;

use accounts::Directory;
use address::Address;
use arc_swap::ArcSwapOption;
use handover::config;

use crate::outbound::Destination;

/// A line of messages that go the same way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Lane {
    /// Nowhere: a report, a removal or a file that could not be written is to be tried again.
    Settlement,
    /// To the MDA, over LMTP.
    Local,
    /// To other hosts, over SMTP.
    Remote(Destination),
}

impl Lane {
    /// Workers of one lane at a time.
    pub(super) fn room(&self) -> usize {
        match self {
            Self::Settlement => 1,
            // More would only wait for the same disk.
            Self::Local => 4,
            // More than a few connections from one host look like an attack.
            Self::Remote(Destination::Host(_)) => 3,
            // It is ours, and it takes everything.
            Self::Remote(Destination::Relay(_)) => 8,
        }
    }
}

/// The way to each address: which domains are local, and the relay, if there is one. Cloned freely; changed by a reload.
#[derive(Clone)]
pub struct Routes {
    directory: Arc<Directory>,
    relay: Arc<ArcSwapOption<String>>,
}

impl Routes {
    /// The routes of a directory and a configured relay.
    pub fn new(directory: Arc<Directory>, relay: Option<&config::Relay>) -> Self {
        let routes = Self { directory, relay: Arc::default() };
        routes.set_relay(relay);
        routes
    }

    /// Exchanges the relay.
    pub(crate) fn set_relay(&self, relay: Option<&config::Relay>) {
        self.relay.store(relay.map(|relay| Arc::new(relay.to_string())));
    }

    /// The lane of an address.
    pub(super) fn lane(&self, address: &Address) -> Lane {
        if address.domain().is_some_and(|domain| self.directory.is_local(domain)) {
            return Lane::Local;
        }
        Lane::Remote(match &*self.relay.load() {
            Some(relay) => Destination::Relay(relay.to_string()),
            None => Destination::Host(address.host.clone()),
        })
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routes").field("relay", &self.relay.load()).finish_non_exhaustive()
    }
}
