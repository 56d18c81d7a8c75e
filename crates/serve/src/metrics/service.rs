use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::Peer;

/// The metrics of one service, passed along with each of its connections. One without a service counts nothing.
#[derive(Clone, Default)]
pub struct ServiceMetrics(Option<Arc<Counters>>);

/// The kind of peers of a service, which decides what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerKind {
    /// Users, who log in.
    Users,
    /// Peers that do not log in.
    Peers,
    /// Servers that we connect to.
    Servers,
}

/// The outcome of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginOutcome {
    /// The user is authenticated.
    Accepted,
    /// The name or the password was wrong.
    Refused,
    /// The password was not checked: there were too many failures lately, or it cannot be checked now.
    Deferred,
}

/// A session that is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct RunningSession(Option<Gauge>);

/// The families of all services.
#[derive(Debug, Clone, Default)]
pub(super) struct Services {
    running: Family<ServiceLabel, Gauge>,
    sessions: Family<ServiceLabel, Counter>,
    turned_away: Family<ServiceLabel, Counter>,
    last_outside: Family<ServiceLabel, Gauge>,
    handshakes: Family<Handshake, Counter>,
    failed_handshakes: Family<ServiceLabel, Counter>,
    logins: Family<LoginLabel, Counter>,
}

struct Counters {
    service: &'static str,
    running: Gauge,
    sessions: Counter,
    turned_away: Counter,
    last_outside: Gauge,
    failed_handshakes: Counter,
    accepted: Counter,
    refused: Counter,
    deferred: Counter,
    handshakes: Family<Handshake, Counter>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ServiceLabel {
    service: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Handshake {
    service: &'static str,
    version: &'static str,
    cipher: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LoginLabel {
    service: &'static str,
    outcome: &'static str,
}

impl Services {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("sessions", "Running sessions", self.running.clone());
        registry.register("sessions_begun", "Sessions started", self.sessions.clone());
        registry.register(
            "sessions_turned_away",
            "Connections refused because there were too many",
            self.turned_away.clone(),
        );
        registry.register(
            "last_outside_connection_timestamp_seconds",
            "Time of the last connection from outside this machine's networks since the start; 0 if none",
            self.last_outside.clone(),
        );
        registry.register(
            "tls_handshakes",
            "Successful TLS handshakes, by version and cipher suite",
            self.handshakes.clone(),
        );
        registry.register("tls_handshakes_failed", "Failed TLS handshakes", self.failed_handshakes.clone());
        registry.register("logins", "Logins by outcome", self.logins.clone());
    }
}

impl ServiceMetrics {
    /// Metrics are zero from the start, so that the first event is seen as a change; those that do not apply to a kind
    /// are left out.
    pub(super) fn new(services: &Services, service: &'static str, kind: PeerKind) -> Self {
        let label = ServiceLabel { service };
        let session = |family: &Family<ServiceLabel, Counter>| match kind {
            PeerKind::Users | PeerKind::Peers => family.get_or_create_owned(&label),
            PeerKind::Servers => Counter::default(),
        };
        let login = |outcome| match kind {
            PeerKind::Users => services.logins.get_or_create_owned(&LoginLabel { service, outcome }),
            PeerKind::Peers | PeerKind::Servers => Counter::default(),
        };
        Self(Some(Arc::new(Counters {
            service,
            running: match kind {
                PeerKind::Users | PeerKind::Peers => services.running.get_or_create_owned(&label),
                PeerKind::Servers => Gauge::default(),
            },
            sessions: session(&services.sessions),
            turned_away: session(&services.turned_away),
            last_outside: match kind {
                PeerKind::Users | PeerKind::Peers => services.last_outside.get_or_create_owned(&label),
                PeerKind::Servers => Gauge::default(),
            },
            failed_handshakes: services.failed_handshakes.get_or_create_owned(&label),
            accepted: login("accepted"),
            refused: login("refused"),
            deferred: login("put_off"),
            handshakes: services.handshakes.clone(),
        })))
    }

    /// Counts a session that begins.
    pub(crate) fn begin(&self) -> RunningSession {
        RunningSession(self.0.as_ref().map(|numbers| {
            numbers.sessions.inc();
            numbers.running.inc();
            numbers.running.clone()
        }))
    }

    /// A connection has come. One from a public address that is not the machine's own proves that the port is open to
    /// others.
    pub(crate) fn connected(&self, peer: Peer, local: Option<SocketAddr>) {
        let (Some(numbers), Some(peer)) = (&self.0, peer.ip()) else { return };
        if is_outside(peer, local.map(|local| local.ip())) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            numbers.last_outside.set(i64::try_from(now).unwrap_or(i64::MAX));
        }
    }

    /// Counts a connection that was refused.
    pub(crate) fn refused_connection(&self) {
        if let Some(numbers) = &self.0 {
            numbers.turned_away.inc();
        }
    }

    /// Counts a TLS handshake that has ended: the version and suite, as the library writes them, or `None` when it
    /// failed.
    pub(crate) fn handshake(&self, agreed: Option<(&'static str, &'static str)>) {
        let Some(numbers) = &self.0 else { return };
        match agreed {
            None => drop(numbers.failed_handshakes.inc()),
            Some((version, cipher)) => {
                let version = match version {
                    "TLSv1_2" => "1.2",
                    "TLSv1_3" => "1.3",
                    other => other,
                };
                let label = Handshake { service: numbers.service, version, cipher };
                numbers.handshakes.get_or_create(&label).inc();
            }
        }
    }

    /// Counts a login attempt.
    pub fn login(&self, outcome: LoginOutcome) {
        let Some(numbers) = &self.0 else { return };
        match outcome {
            LoginOutcome::Accepted => numbers.accepted.inc(),
            LoginOutcome::Refused => numbers.refused.inc(),
            LoginOutcome::Deferred => numbers.deferred.inc(),
        };
    }
}

/// Returns whether an address is public and not the one that was connected to: a machine that connects to itself shows
/// its own.
fn is_outside(peer: IpAddr, local: Option<IpAddr>) -> bool {
    let is_public = match peer {
        IpAddr::V4(v4) => {
            // 100.64.0.0/10 is for providers' own translators (RFC 6598).
            let is_shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified() || is_shared)
        }
        // 2000::/3 (RFC 4291 §2.4).
        IpAddr::V6(v6) => v6.segments()[0] & 0xe000 == 0x2000,
    };
    is_public && local.is_none_or(|local| local != peer)
}

impl Drop for RunningSession {
    fn drop(&mut self) {
        if let Some(running) = &self.0 {
            running.dec();
        }
    }
}

impl fmt::Debug for ServiceMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceMetrics({})", self.0.as_ref().map_or("none", |numbers| numbers.service))
    }
}

#[cfg(test)]
mod tests {
    use super::is_outside;

    #[test]
    fn a_connection_from_outside_has_a_public_address_that_is_not_our_own() {
        for (peer, local, is_it) in [
            ("192.0.2.7", "198.51.100.7", true),
            ("198.51.100.7", "198.51.100.7", false),
            ("172.17.0.1", "172.17.0.2", false),
            ("127.0.0.1", "127.0.0.1", false),
            ("2001:db8::1", "2001:db8::2", true),
            ("fd00::1", "2001:db8::2", false),
        ] {
            assert_eq!(is_outside(peer.parse().unwrap(), local.parse().ok()), is_it, "{peer}");
        }
    }
}
