mod ends;
mod entries;
mod walk;

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use address::{Address, Domain};
use ipnet::IpNet;
use tokio::sync::watch;

use crate::authentication::{Denied, Gate, Turn};
use crate::guard::{Guard, Outcome};
use crate::hidden::is_this_machine;
use crate::last_use::Noticed;
use crate::login::{Login, Vigil};
use crate::{Accounts, AccountsError, Credentials, Hidden, User};
pub(crate) use ends::{End, MOST_REACHED, ends};
pub(crate) use entries::{Entries, Keys};

/// The time between writes of what the directory has noticed of logins.
const SAVE: Duration = Duration::from_secs(60);

/// The accounts at work: asked by every session, swapped as a whole on reload.
///
/// One per process, shared as an `Arc`. A question is answered from the accounts of that moment; a session
/// that asks twice may see two different files.
pub struct Directory {
    entries: watch::Sender<Arc<Entries>>,
    hidden: Mutex<Option<Hidden>>,
    host: Mutex<Option<Domain>>,
    gate: Gate,
    guard: Guard,
    noticed: Noticed,
}

/// The file of known networks. No domain is called so, by which folders next to it may be named.
const KNOWN_NETWORKS: &str = "known_networks";

/// Whom an address reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// One user's own address, with or without a `+detail`.
    User(User),
    /// An alias: all whom it reaches in the end, each once, at least one.
    Alias(Expansion),
    /// The domain is local, but nobody has this address (550 5.1.1).
    Unknown,
    /// The domain is not for here.
    NotLocal,
}

/// Where an alias leads in the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expansion {
    /// Users here.
    pub local: Vec<User>,
    /// Addresses elsewhere.
    pub remote: Vec<Address>,
}

impl Directory {
    /// Reads `accounts.toml`.
    pub fn open(path: &Path) -> Result<Self, AccountsError> {
        Ok(Self::new(&Accounts::load(path)?))
    }

    /// A directory of these accounts, and of the program's own mailbox beside.
    pub fn hiding(accounts: &Accounts, hidden: Option<Hidden>) -> Self {
        let directory = Self::new(accounts);
        directory.hide(hidden);
        directory.replace(accounts);
        directory
    }

    /// The same of a host that has this name: see [`Directory::resolve`].
    pub fn at_host(accounts: &Accounts, hidden: Option<Hidden>, hostname: &Domain) -> Self {
        let directory = Self::new(accounts);
        directory.hide(hidden);
        directory.name_host(hostname);
        directory.replace(accounts);
        directory
    }

    /// A directory of these accounts.
    pub fn new(accounts: &Accounts) -> Self {
        Self {
            entries: watch::Sender::new(Arc::new(Entries::new(accounts))),
            hidden: Mutex::default(),
            host: Mutex::default(),
            gate: Gate::new(),
            guard: Guard::new(),
            noticed: Noticed::default(),
        }
    }

    /// Reads the file again, and lets the old accounts go only when the new ones have no fault.
    pub fn reload(&self, path: &Path) -> Result<(), AccountsError> {
        self.replace(&Accounts::load(path)?);
        Ok(())
    }

    /// Swaps the accounts, and wakes those who watch whether their logins still stand.
    pub fn replace(&self, accounts: &Accounts) {
        let hidden = self.hidden().clone();
        let host = self.host.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.entries.send_replace(Arc::new(Entries::new(accounts).hiding(hidden).at_host(host)));
    }

    /// Has the program's own mailbox from the next [`Directory::replace`] on.
    pub fn hide(&self, hidden: Option<Hidden>) {
        *self.hidden() = hidden;
    }

    /// Names the host from the next [`Directory::replace`] on.
    pub fn name_host(&self, hostname: &Domain) {
        *self.host.lock().unwrap_or_else(PoisonError::into_inner) = Some(hostname.clone());
    }

    fn hidden(&self) -> MutexGuard<'_, Option<Hidden>> {
        self.hidden.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose mailbox that is, if it is the program's own. To be asked only where it may be written to; for everybody
    /// else it is no address.
    pub fn hidden_at(&self, address: &Address) -> Option<User> {
        self.entries().hidden_at(address).cloned()
    }

    /// Watches whether a login still stands.
    pub fn watch(&self, login: Login) -> Vigil {
        Vigil::new(self.entries.subscribe(), login)
    }

    pub(crate) fn entries(&self) -> Arc<Entries> {
        self.entries.borrow().clone()
    }

    /// Whether mail for this domain is for here.
    pub fn is_local(&self, domain: &Domain) -> bool {
        self.entries().domains.contains(domain)
    }

    /// Whom an address reaches. Case does not matter; `ann+anything` is `ann` unless it has an entry of its own; what
    /// nobody has a name for is for the rest of the domain; `postmaster` and `abuse` of every local domain reach the
    /// first user unless it is declared otherwise. Under the host's name they reach whom they reach in the first domain:
    /// reports of failures come from there, and may be answered (RFC 5321 §4.5.1).
    pub fn resolve(&self, address: &Address) -> Resolution {
        self.entries().resolve(address)
    }

    /// Whom the bare `<Postmaster>` reaches, which has no domain (RFC 5321 §4.5.1): the first domain's.
    pub fn postmaster(&self) -> Resolution {
        self.entries().postmaster()
    }

    /// Whether a user may send mail as this address: the user's own, or an alias that reaches the user, such as one for
    /// the rest of a domain.
    pub fn may_send_as(&self, user: &User, address: &Address) -> bool {
        match self.resolve(address) {
            Resolution::User(owner) => owner == *user,
            Resolution::Alias(reached) => reached.local.contains(user),
            Resolution::Unknown | Resolution::NotLocal => false,
        }
    }

    /// Checks a login's password; see [`Denied`] for what else may come of it. The login is an address, or a
    /// name in the first domain: `ann@example.org`, `ann`.
    ///
    /// The program's own mailbox is found from this machine only; for every other peer its name is wrong like any.
    ///
    /// Who has been wrong before waits first, or is not looked at: see [`crate::guard`]. Must run within a tokio runtime:
    /// the work is done on its blocking threads.
    pub async fn authenticate(&self, credentials: &Credentials, peer: IpAddr) -> Result<Login, Denied> {
        let name = self.guarded_as(&credentials.login, peer);
        let caller = self.guard.caller(peer, &name, &credentials.password);
        let ticket = self.guard.admit(caller, Instant::now()).ok_or(Denied::TooMany)?;
        if !ticket.delay.is_zero() {
            tokio::time::sleep(ticket.delay).await;
        }
        let turn = Turn { rank: ticket.rank, account: caller.account };
        let is_local = is_this_machine(peer);
        let checked = self.gate.authenticate(&self.entries(), credentials, is_local, turn).await;
        // The check took its time: what was taken away meanwhile is gone.
        let login = checked.and_then(|login| match self.entries().stands(&login) {
            true => Ok(login),
            false => Err(Denied::Wrong),
        });
        if let Ok(Login { user, device: Some(device), .. }) = &login {
            self.noticed.note(user, device, unix_now());
        }
        match &login {
            Ok(_) => ticket.conclude(Outcome::Right),
            Err(Denied::Wrong) => ticket.conclude(Outcome::Wrong),
            Err(_) => drop(ticket),
        }
        login
    }

    /// Keeps what must outlive a restart in files of this folder, and takes in what is there: the networks from which users
    /// log in, and the last use of each app password over this protocol. They are written by [`Directory::save`] alone.
    pub fn keep_in(&self, folder: &Path, protocol: &'static str) {
        self.guard.keep_in(&folder.join(KNOWN_NETWORKS));
        self.noticed.keep_in(folder, protocol);
    }

    /// Writes the files from time to time, for ever. A crash forgets no more than what one minute has noticed.
    pub async fn save_regularly(self: Arc<Self>) {
        loop {
            tokio::time::sleep(SAVE).await;
            let directory = self.clone();
            let _ = tokio::task::spawn_blocking(move || directory.save()).await;
        }
    }

    /// Writes the files that lack something. Blocks.
    pub fn save(&self) {
        self.guard.save();
        self.noticed.save();
    }

    /// The name under which the guard knows an account. The program's own mailbox has one of its own for this machine, so
    /// that strangers who guess at it do not delay the heartbeat.
    pub(crate) fn guarded_as(&self, login: &str, peer: IpAddr) -> String {
        let entries = self.entries();
        let name = entries.canonical(login);
        if is_this_machine(peer) && entries.is_hidden(login) {
            format!("{name} on this machine")
        } else {
            name
        }
    }

    /// Says which networks are never taken for one party, since anybody may be behind them: at first, this machine.
    pub fn take_for_anybody(&self, networks: &[IpNet]) {
        self.guard.take_for_anybody(networks);
    }
}

/// Seconds since 1970; a clock before that is at its beginning.
fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
