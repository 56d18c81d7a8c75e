//! A certificate authority of the tests' own: a real ACME server over HTTPS (RFC 8555) that validates challenges on
//! port 80, and is down, slow, choosy or strict on request; it has renewal info (RFC 9773) and revokes.
//!
//! The clients' signatures are not verified; that their nonces are valid and their own, is.

mod issuing;
mod protocol;
mod web;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use tempfile::TempDir;

use crate::certificate;
use crate::pebble::web_certificate;
use crate::test_server::{TestServer, locked, on_loopback};
use issuing::Issuing;

/// The authority's behaviour from now on.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// Set to close every connection.
    pub is_down: bool,
    /// The Retry-After in seconds of a 503 to every request.
    pub busy: Option<u64>,
    /// The delay before each reply.
    pub delay: Duration,
    /// The number of next orders that are refused with `rateLimited`, and their Retry-After in seconds.
    pub rate_limits: (usize, u64),
    /// Names that it refuses in an order.
    pub refused_names: BTreeSet<String>,
    /// Names whose challenge always fails.
    pub failing_names: BTreeSet<String>,
    /// Set to accept only each third nonce of a client.
    pub refuses_nonces: bool,
    /// Set to never issue, so that an order stays in processing.
    pub never_signs: bool,
    /// The lifetime of certificates.
    pub lifetime: Duration,
    /// The suggested renewal window, in seconds from the certificate's beginning; without it there is no renewal info.
    pub renewal_window: Option<(i64, i64)>,
    /// The seconds that its clock is ahead.
    pub clock_ahead: i64,
    /// Set if accounts need an external account binding (RFC 8555 §7.3.4).
    pub requires_binding: bool,
    /// The chain that it issues.
    pub chain: Chain,
    /// The number of requests for an order that find it processing after its finalization.
    pub polls_in_processing: usize,
    /// The number of requests for an issued certificate that find nothing yet.
    pub polls_without_certificate: usize,
    /// The number of requests to finalize that find the order not ready yet.
    pub early_finalizations: usize,
    /// Set if its directory has moved to another address.
    pub has_moved: bool,
    /// Set to write names in capitals.
    pub writes_upper_case: bool,
}

/// The chains that an authority issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    /// The leaf and then its issuer.
    InOrder,
    /// The issuer first.
    Reversed,
    /// Both in a line.
    Joined,
    /// A certificate for a key that is not the order's.
    OfAnotherKey,
    /// A certificate without the last name of the order.
    WithoutAName,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            is_down: false,
            busy: None,
            delay: Duration::ZERO,
            rate_limits: (0, 0),
            refused_names: BTreeSet::new(),
            failing_names: BTreeSet::new(),
            refuses_nonces: false,
            never_signs: false,
            lifetime: Duration::from_secs(90 * 24 * 3600),
            renewal_window: None,
            clock_ahead: 0,
            requires_binding: false,
            chain: Chain::InOrder,
            polls_in_processing: 0,
            polls_without_certificate: 0,
            early_finalizations: 0,
            has_moved: false,
            writes_upper_case: false,
        }
    }
}

/// An order that was made.
#[derive(Debug, Clone)]
pub struct Ordered {
    /// The time of the order.
    pub at: Instant,
    /// Its names.
    pub names: Vec<String>,
    /// The certificate that it was to replace (RFC 9773 §5).
    pub replaces: Option<String>,
}

/// A running authority; it ends with this value.
pub struct Authority {
    reception: TestServer,
    shared: Arc<Shared>,
    folder: TempDir,
}

struct Shared {
    address: SocketAddr,
    /// The port of HTTP, on which it validates challenges.
    http: u16,
    tls: Arc<ServerConfig>,
    issuing: Issuing,
    behaviour: Mutex<Behaviour>,
    records: Mutex<Records>,
}

/// The authority's records.
#[derive(Default)]
struct Records {
    nonces: BTreeSet<String>,
    given: u64,
    /// The thumbprint of each account's key.
    accounts: Vec<String>,
    /// Deactivated accounts.
    deactivated: BTreeSet<usize>,
    bindings: Vec<String>,
    orders: Vec<Order>,
    ordered: Vec<Ordered>,
    /// Serial numbers of certificates that were revoked.
    revoked: BTreeSet<String>,
    /// The beginning of each certificate's validity, by its serial number.
    issued: BTreeMap<String, i64>,
}

struct Order {
    account: usize,
    names: Vec<String>,
    challenges: Vec<Challenge>,
    replaces: Option<String>,
    chain: Option<String>,
    /// The number of requests that found it processing.
    polls: usize,
    /// The number of requests for its certificate that found nothing.
    certificate_polls: usize,
    /// The number of requests to finalize that came too early.
    early: usize,
}

struct Challenge {
    token: String,
    state: ChallengeState,
}

#[derive(Clone, PartialEq, Eq)]
enum ChallengeState {
    Pending,
    Valid,
    Invalid(String),
}

impl Authority {
    /// Starts one that validates challenges on this port of loopback, whatever the name.
    pub fn start(http: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        web_certificate(folder.path());
        let listener = on_loopback();
        let shared = Arc::new(Shared {
            address: listener.local_addr().expect("a bound socket has an address"),
            http,
            tls: certificate::serving(&folder.path().join("web.pem"), &folder.path().join("web-key.pem")),
            issuing: Issuing::new(),
            behaviour: Mutex::default(),
            records: Mutex::default(),
        });
        let reception = TestServer::open(listener, {
            let shared = Arc::clone(&shared);
            move |connection| web::serve(connection, &shared)
        });
        Self { reception, shared, folder }
    }

    /// Its directory.
    pub fn directory(&self) -> String {
        format!("https://localhost:{}/directory", self.reception.address().port())
    }

    /// The CA certificate of its web server.
    pub fn trust(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Changes its behaviour from now on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut locked(&self.shared.behaviour));
    }

    /// True if there is an order, and every name of every order is validated.
    pub fn has_validated_all(&self) -> bool {
        let records = locked(&self.shared.records);
        let mut challenges = records.orders.iter().flat_map(|order| &order.challenges).peekable();
        challenges.peek().is_some() && challenges.all(|challenge| challenge.state == ChallengeState::Valid)
    }

    /// The orders so far, including those refused by a rate limit.
    pub fn ordered(&self) -> Vec<Ordered> {
        locked(&self.shared.records).ordered.clone()
    }

    /// The number of accounts that were created.
    pub fn accounts(&self) -> usize {
        locked(&self.shared.records).accounts.len()
    }

    /// The key identifiers that accounts were bound with.
    pub fn bindings(&self) -> Vec<String> {
        locked(&self.shared.records).bindings.clone()
    }

    /// Deletes all accounts.
    pub fn forget_accounts(&self) {
        locked(&self.shared.records).accounts.clear();
    }

    /// Deactivates all accounts (RFC 8555 §7.3.6).
    pub fn deactivate_accounts(&self) {
        let mut records = locked(&self.shared.records);
        records.deactivated = (0..records.accounts.len()).collect();
    }

    /// Revokes every certificate: its renewal info suggests to renew them at once.
    pub fn revoke_all(&self) {
        let mut records = locked(&self.shared.records);
        records.revoked = records.issued.keys().cloned().collect();
    }
}
