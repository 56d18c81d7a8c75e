//! A certificate authority of the tests' own: a real ACME server over HTTPS (RFC 8555) that looks at challenges on port
//! 80, and is down, slow, choosy or strict on request; it suggests when to renew (RFC 9773) and revokes.
//!
//! What clients sign is not verified; that their nonces are good and their own, is.

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
use crate::reception::{Reception, locked, on_loopback};
use issuing::Issuing;

/// How the authority behaves from now on.
#[derive(Debug, Clone)]
pub struct Manners {
    /// It hangs up on everybody.
    pub is_down: bool,
    /// It says 503 to everybody, with so many seconds in Retry-After.
    pub busy: Option<u64>,
    /// Before each answer.
    pub slowness: Duration,
    /// So many orders to come are refused as too many, each with so many seconds in Retry-After.
    pub rate_limits: (usize, u64),
    /// Names that it does not want in an order.
    pub unwanted: BTreeSet<String>,
    /// Names whose challenge fails whatever it finds.
    pub unproven: BTreeSet<String>,
    /// It rejects every nonce but each third of a client.
    pub is_fussy: bool,
    /// It never signs, so that an order hangs in the air.
    pub never_signs: bool,
    /// How long certificates are valid.
    pub lifetime: Duration,
    /// When renewal is suggested, in seconds from the certificate's beginning; nothing is suggested without.
    pub suggests: Option<(i64, i64)>,
    /// By how much its clock is ahead.
    pub clock_ahead: i64,
    /// Whether accounts need to be bound to one that was made before (RFC 8555 §7.3.4).
    pub wants_binding: bool,
    /// What it issues.
    pub chain: Chain,
    /// So many looks at an order after it was to be signed find it processing.
    pub signs_after: usize,
    /// So many requests for a certificate that was issued find nothing yet.
    pub has_no_certificate: usize,
    /// So many requests to sign find an order that is not ready yet.
    pub is_not_ready: usize,
    /// Whether its directory has moved to another address.
    pub has_moved: bool,
    /// Whether it writes names in capitals.
    pub is_loud: bool,
}

/// What an authority issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    /// The leaf and then its issuer.
    Right,
    /// The issuer first.
    Reversed,
    /// Both in a line.
    Joined,
    /// A certificate for a key that is not the order's.
    OfAnotherKey,
    /// A certificate without the last name of the order.
    WithoutAName,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            is_down: false,
            busy: None,
            slowness: Duration::ZERO,
            rate_limits: (0, 0),
            unwanted: BTreeSet::new(),
            unproven: BTreeSet::new(),
            is_fussy: false,
            never_signs: false,
            lifetime: Duration::from_secs(90 * 24 * 3600),
            suggests: None,
            clock_ahead: 0,
            wants_binding: false,
            chain: Chain::Right,
            signs_after: 0,
            has_no_certificate: 0,
            is_not_ready: 0,
            has_moved: false,
            is_loud: false,
        }
    }
}

/// An order that was made.
#[derive(Debug, Clone)]
pub struct Ordered {
    /// When.
    pub at: Instant,
    /// For which names.
    pub names: Vec<String>,
    /// The certificate that it was to replace (RFC 9773 §5).
    pub replaces: Option<String>,
}

/// A running authority; it ends with this value.
pub struct Authority {
    reception: Reception,
    shared: Arc<Shared>,
    folder: TempDir,
}

struct Shared {
    address: SocketAddr,
    /// Where it looks for challenges: the port of HTTP.
    http: u16,
    tls: Arc<ServerConfig>,
    issuing: Issuing,
    manners: Mutex<Manners>,
    book: Mutex<Book>,
}

/// All that it remembers.
#[derive(Default)]
struct Book {
    nonces: BTreeSet<String>,
    given: u64,
    /// The thumbprint of each account's key.
    accounts: Vec<String>,
    /// Accounts from which nothing is accepted any more.
    deactivated: BTreeSet<usize>,
    bindings: Vec<String>,
    orders: Vec<Order>,
    ordered: Vec<Ordered>,
    /// Serial numbers of certificates that were revoked.
    revoked: BTreeSet<String>,
    /// Begin and end of each certificate, by its serial number.
    issued: BTreeMap<String, i64>,
}

struct Order {
    account: usize,
    names: Vec<String>,
    proofs: Vec<Proof>,
    replaces: Option<String>,
    chain: Option<String>,
    /// Looks at it that found it processing.
    looks: usize,
    /// Requests for its certificate that found nothing.
    misses: usize,
    /// Requests to sign that came too early.
    early: usize,
}

struct Proof {
    token: String,
    state: Proved,
}

#[derive(Clone, PartialEq, Eq)]
enum Proved {
    Pending,
    Valid,
    Invalid(String),
}

impl Authority {
    /// Starts one that looks for challenges on this port of loopback, whatever the name.
    pub fn start(http: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        web_certificate(folder.path());
        let listener = on_loopback();
        let shared = Arc::new(Shared {
            address: listener.local_addr().expect("a bound socket has an address"),
            http,
            tls: certificate::serving(&folder.path().join("web.pem"), &folder.path().join("web-key.pem")),
            issuing: Issuing::new(),
            manners: Mutex::default(),
            book: Mutex::default(),
        });
        let reception = Reception::open(listener, {
            let shared = Arc::clone(&shared);
            move |connection| web::serve(connection, &shared)
        });
        Self { reception, shared, folder }
    }

    /// Its directory.
    pub fn directory(&self) -> String {
        format!("https://localhost:{}/directory", self.reception.address().port())
    }

    /// What its web server is trusted by.
    pub fn trust(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Changes how it behaves from now on.
    pub fn manners(&self, change: impl FnOnce(&mut Manners)) {
        change(&mut locked(&self.shared.manners));
    }

    /// The orders so far, those that were refused as too many included.
    pub fn ordered(&self) -> Vec<Ordered> {
        locked(&self.shared.book).ordered.clone()
    }

    /// How many accounts were made.
    pub fn accounts(&self) -> usize {
        locked(&self.shared.book).accounts.len()
    }

    /// The key identifiers that accounts were bound with.
    pub fn bindings(&self) -> Vec<String> {
        locked(&self.shared.book).bindings.clone()
    }

    /// Forgets all accounts.
    pub fn forget_accounts(&self) {
        locked(&self.shared.book).accounts.clear();
    }

    /// Deactivates all accounts (RFC 8555 §7.3.6).
    pub fn deactivate_accounts(&self) {
        let mut book = locked(&self.shared.book);
        book.deactivated = (0..book.accounts.len()).collect();
    }

    /// Revokes every certificate: what it suggests for them is to renew them at once.
    pub fn revoke_all(&self) {
        let mut book = locked(&self.shared.book);
        book.revoked = book.issued.keys().cloned().collect();
    }
}
