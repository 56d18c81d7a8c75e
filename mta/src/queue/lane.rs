//! The lanes of the queue, and the routes that choose the lane of an address.

use std::fmt;
use std::sync::Arc;

use accounts::Directory;
use address::Address;
use arc_swap::ArcSwapOption;
use handover::config;

use crate::outbound::Destination;

/// A line of messages with the same destination.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Lane {
    /// No destination: a report, a removal or a write to a file is to be retried.
    Settlement,
    /// To the MDA, over LMTP.
    Local,
    /// To other hosts, over SMTP.
    Remote(Destination),
}

impl Lane {
    /// The largest number of workers of one lane.
    pub(super) fn max_workers(&self) -> usize {
        match self {
            Self::Settlement => 1,
            // More would only wait for the same disk.
            Self::Local => 4,
            // More than a few connections from one host look like an attack.
            Self::Remote(Destination::Host(_)) => 3,
            // The operator's own relay, which accepts all mail.
            Self::Remote(Destination::Relay(_)) => 8,
        }
    }
}

/// The lane of each address: the local domains, and the relay, if there is one. Cheap to clone; changed by a reload.
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

    /// Replaces the relay.
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
