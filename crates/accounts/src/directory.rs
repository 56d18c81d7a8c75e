mod entries;
mod expansion;
mod reachability;

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use address::{Address, Domain};
use ipnet::IpNet;
use tokio::sync::watch;

use crate::authentication::{CheckPriority, Denied, PasswordChecker};
use crate::guard::{Guard, Outcome};
use crate::internal_mailbox::is_this_machine;
use crate::last_use::RecordedUses;
use crate::login::{Login, LoginWatch};
use crate::{Accounts, AccountsError, Credentials, InternalMailbox, User};
pub(crate) use entries::{Entries, Keys};
pub(crate) use reachability::{MAX_REACHED, Reachability, reachability};

/// The time between writes of the files that logins change.
const SAVE_INTERVAL: Duration = Duration::from_secs(60);

/// The accounts in use: queried by every session, replaced as a whole on reload.
///
/// One per process, shared as an `Arc`. A query is answered from the accounts of that moment; a session
/// that queries twice may see two different files.
pub struct Directory {
    entries: watch::Sender<Arc<Entries>>,
    internal_mailbox: Mutex<Option<InternalMailbox>>,
    hostname: Mutex<Option<Domain>>,
    checker: PasswordChecker,
    guard: Guard,
    uses: RecordedUses,
}

/// The file of known networks. The name is not a valid domain, so it does not collide with folders named by domains.
const KNOWN_NETWORKS: &str = "known_networks";

/// The recipients of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// One user's own address, with or without a `+detail`.
    User(User),
    /// An alias: all its final recipients, each once, at least one.
    Alias(Expansion),
    /// The domain is local, but the address does not exist (550 5.1.1).
    Unknown,
    /// The domain is not local.
    NotLocal,
}

/// The final recipients of an alias.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expansion {
    /// Local users.
    pub local: Vec<User>,
    /// Addresses elsewhere.
    pub remote: Vec<Address>,
}

impl Directory {
    /// Reads `accounts.toml`.
    pub fn open(path: &Path) -> Result<Self, AccountsError> {
        Ok(Self::new(&Accounts::load(path)?))
    }

    /// A directory of these accounts and the internal mailbox.
    pub fn with_internal_mailbox(accounts: &Accounts, internal_mailbox: Option<InternalMailbox>) -> Self {
        let directory = Self::new(accounts);
        directory.set_internal_mailbox(internal_mailbox);
        directory.replace(accounts);
        directory
    }

    /// The same for a host with this name: see [`Directory::resolve`].
    pub fn at_host(
        accounts: &Accounts,
        internal_mailbox: Option<InternalMailbox>,
        hostname: &Domain,
    ) -> Self {
        let directory = Self::new(accounts);
        directory.set_internal_mailbox(internal_mailbox);
        directory.set_hostname(hostname);
        directory.replace(accounts);
        directory
    }

    /// A directory of these accounts.
    pub fn new(accounts: &Accounts) -> Self {
        Self {
            entries: watch::Sender::new(Arc::new(Entries::new(accounts))),
            internal_mailbox: Mutex::default(),
            hostname: Mutex::default(),
            checker: PasswordChecker::new(),
            guard: Guard::new(),
            uses: RecordedUses::default(),
        }
    }

    /// Reads the file again, and replaces the accounts only when the new ones have no fault.
    pub fn reload(&self, path: &Path) -> Result<(), AccountsError> {
        self.replace(&Accounts::load(path)?);
        Ok(())
    }

    /// Replaces the accounts, and wakes the tasks that watch for revoked logins.
    pub fn replace(&self, accounts: &Accounts) {
        let internal_mailbox = self.lock_internal_mailbox().clone();
        let host = self.hostname.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.entries.send_replace(Arc::new(
            Entries::new(accounts).with_internal_mailbox(internal_mailbox).at_host(host),
        ));
    }

    /// Sets the internal mailbox, effective from the next [`Directory::replace`].
    pub fn set_internal_mailbox(&self, internal_mailbox: Option<InternalMailbox>) {
        *self.lock_internal_mailbox() = internal_mailbox;
    }

    /// Sets the host's name, effective from the next [`Directory::replace`].
    pub fn set_hostname(&self, hostname: &Domain) {
        *self.hostname.lock().unwrap_or_else(PoisonError::into_inner) = Some(hostname.clone());
    }

    fn lock_internal_mailbox(&self) -> MutexGuard<'_, Option<InternalMailbox>> {
        self.internal_mailbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user of the internal mailbox, if the address is its address. Called only where mail to it is permitted; for
    /// all other callers the address does not exist.
    pub fn internal_mailbox_at(&self, address: &Address) -> Option<User> {
        self.entries().internal_mailbox_at(address).cloned()
    }

    /// Watches a login for revocation.
    pub fn watch(&self, login: Login) -> LoginWatch {
        LoginWatch::new(self.entries.subscribe(), login)
    }

    pub(crate) fn entries(&self) -> Arc<Entries> {
        self.entries.borrow().clone()
    }

    /// True if the domain is local.
    pub fn is_local(&self, domain: &Domain) -> bool {
        self.entries().domains.contains(domain)
    }

    /// The domain itself if it is local, else the nearest one above it that is.
    pub fn nearest_local(&self, domain: &Domain) -> Option<Domain> {
        std::iter::successors(Some(domain.clone()), Domain::parent).find(|name| self.is_local(name))
    }

    /// Finds the recipients of an address. Case does not matter; `ann+anything` is `ann` unless it has an entry of its
    /// own; an address without an entry goes to the domain's catch-all; `postmaster` and `abuse` of every local domain
    /// reach the first user unless declared otherwise. Under the host's name they have the recipients that they have in
    /// the first domain: reports of failures come from there, and may be answered (RFC 5321 §4.5.1).
    pub fn resolve(&self, address: &Address) -> Resolution {
        self.entries().resolve(address)
    }

    /// The recipients of the bare `<Postmaster>`, which has no domain (RFC 5321 §4.5.1): those in the first domain.
    pub fn postmaster(&self) -> Resolution {
        self.entries().postmaster()
    }

    /// True if a user may send mail as this address: the user's own, or an alias that reaches the user, such as the
    /// catch-all of a domain.
    pub fn may_send_as(&self, user: &User, address: &Address) -> bool {
        match self.resolve(address) {
            Resolution::User(owner) => owner == *user,
            Resolution::Alias(reached) => reached.local.contains(user),
            Resolution::Unknown | Resolution::NotLocal => false,
        }
    }

    /// Checks a login's password; [`Denied`] lists the other outcomes. The login is an address, or a name in the first
    /// domain: `ann@example.org`, `ann`.
    ///
    /// The internal mailbox is accepted from this machine only; for every other peer its name is wrong like any other.
    ///
    /// A caller with failed attempts waits first, or is refused: see [`crate::guard`]. Must run within a tokio runtime:
    /// the work is done on its blocking threads.
    pub async fn authenticate(&self, credentials: &Credentials, peer: IpAddr) -> Result<Login, Denied> {
        let name = self.guard_key(&credentials.login, peer);
        let caller = self.guard.attempt(peer, &name, &credentials.password);
        let ticket = self.guard.admit(caller, Instant::now()).ok_or(Denied::TooMany)?;
        if !ticket.delay.is_zero() {
            tokio::time::sleep(ticket.delay).await;
        }
        let priority = CheckPriority { rank: ticket.rank, account: caller.account };
        let is_local = is_this_machine(peer);
        let checked = self.checker.authenticate(&self.entries(), credentials, is_local, priority).await;
        // The check took time: the login may have been revoked meanwhile.
        let login = checked.and_then(|login| match self.entries().is_valid(&login) {
            true => Ok(login),
            false => Err(Denied::Wrong),
        });
        if let Ok(Login { user, device: Some(device), .. }) = &login {
            self.uses.record(user, device, unix_now());
        }
        match &login {
            Ok(_) => ticket.conclude(Outcome::Right),
            Err(Denied::Wrong) => ticket.conclude(Outcome::Wrong),
            Err(_) => drop(ticket),
        }
        login
    }

    /// Stores what must outlive a restart in files of this folder, and loads the files: the networks from which users
    /// log in, and the last use of each app password over this protocol. Only [`Directory::save`] writes them.
    pub fn persist_in(&self, folder: &Path, protocol: &'static str) {
        self.guard.persist_in(&folder.join(KNOWN_NETWORKS));
        self.uses.persist_in(folder, protocol);
    }

    /// Writes the files at intervals, forever. A crash loses at most the changes of one minute.
    pub async fn save_regularly(self: Arc<Self>) {
        loop {
            tokio::time::sleep(SAVE_INTERVAL).await;
            let directory = self.clone();
            let _ = tokio::task::spawn_blocking(move || directory.save()).await;
        }
    }

    /// Writes the files that have changes. Blocks.
    pub fn save(&self) {
        self.guard.save();
        self.uses.save();
    }

    /// The name under which the guard counts an account. The internal mailbox has a separate one for this machine, so
    /// that guesses at it from elsewhere do not delay the heartbeat.
    pub(crate) fn guard_key(&self, login: &str, peer: IpAddr) -> String {
        let entries = self.entries();
        let name = entries.canonical(login);
        if is_this_machine(peer) && entries.is_internal_mailbox(login) {
            format!("{name} on this machine")
        } else {
            name
        }
    }

    /// Sets the networks that many clients share, so that none of them counts as one client. Initially this is
    /// the machine itself.
    pub fn set_shared_networks(&self, networks: &[IpNet]) {
        self.guard.set_shared_networks(networks);
    }
}

/// Seconds since 1970; 0 if the clock is before that.
fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
