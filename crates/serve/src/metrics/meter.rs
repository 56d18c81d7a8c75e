use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The metrics of one service, passed along with each of its connections. One without a service counts nothing.
#[derive(Clone, Default)]
pub struct Meter(Option<Arc<Numbers>>);

/// The kind of peers of a service, which decides what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Users, who log in.
    Users,
    /// Peers that do not log in.
    Peers,
    /// Servers that we connect to.
    Servers,
}

/// The outcome of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// The user is authenticated.
    Accepted,
    /// The name or the password was wrong.
    Refused,
    /// The password was not checked: there were too many failures lately, or it cannot be checked now.
    PutOff,
}

/// A session that is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Running(Option<Gauge>);

/// The families of all services.
#[derive(Debug, Clone, Default)]
pub(super) struct Services {
    running: Family<ServiceLabel, Gauge>,
    sessions: Family<ServiceLabel, Counter>,
    turned_away: Family<ServiceLabel, Counter>,
    handshakes: Family<Handshake, Counter>,
    failed_handshakes: Family<ServiceLabel, Counter>,
    logins: Family<LoginLabel, Counter>,
}

struct Numbers {
    service: &'static str,
    running: Gauge,
    sessions: Counter,
    turned_away: Counter,
    failed_handshakes: Counter,
    accepted: Counter,
    refused: Counter,
    put_off: Counter,
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
        registry.register("sessions", "Sessions that run now", self.running.clone());
        registry.register("sessions_begun", "Sessions that have begun", self.sessions.clone());
        registry.register(
            "sessions_turned_away",
            "Connections that were closed at once because there were too many",
            self.turned_away.clone(),
        );
        registry.register(
            "tls_handshakes",
            "TLS handshakes that succeeded, by version and cipher suite",
            self.handshakes.clone(),
        );
        registry.register(
            "tls_handshakes_failed",
            "TLS handshakes that did not succeed",
            self.failed_handshakes.clone(),
        );
        registry.register("logins", "Logins by outcome", self.logins.clone());
    }
}

impl Meter {
    /// Metrics are zero from the start, so that the first event is seen as a change; those that do not apply to a kind
    /// are left out.
    pub(super) fn new(services: &Services, service: &'static str, kind: Kind) -> Self {
        let label = ServiceLabel { service };
        let session = |family: &Family<ServiceLabel, Counter>| match kind {
            Kind::Users | Kind::Peers => family.get_or_create_owned(&label),
            Kind::Servers => Counter::default(),
        };
        let login = |outcome| match kind {
            Kind::Users => services.logins.get_or_create_owned(&LoginLabel { service, outcome }),
            Kind::Peers | Kind::Servers => Counter::default(),
        };
        Self(Some(Arc::new(Numbers {
            service,
            running: match kind {
                Kind::Users | Kind::Peers => services.running.get_or_create_owned(&label),
                Kind::Servers => Gauge::default(),
            },
            sessions: session(&services.sessions),
            turned_away: session(&services.turned_away),
            failed_handshakes: services.failed_handshakes.get_or_create_owned(&label),
            accepted: login("accepted"),
            refused: login("refused"),
            put_off: login("put_off"),
            handshakes: services.handshakes.clone(),
        })))
    }

    /// Counts a session that begins.
    pub(crate) fn begin(&self) -> Running {
        Running(self.0.as_ref().map(|numbers| {
            numbers.sessions.inc();
            numbers.running.inc();
            numbers.running.clone()
        }))
    }

    /// Counts a connection that was refused.
    pub(crate) fn turned_away(&self) {
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
    pub fn login(&self, outcome: Login) {
        let Some(numbers) = &self.0 else { return };
        match outcome {
            Login::Accepted => numbers.accepted.inc(),
            Login::Refused => numbers.refused.inc(),
            Login::PutOff => numbers.put_off.inc(),
        };
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(running) = &self.0 {
            running.dec();
        }
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Meter({})", self.0.as_ref().map_or("none", |numbers| numbers.service))
    }
}
