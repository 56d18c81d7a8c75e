use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use address::{Address, Domain};
use arc_swap::ArcSwap;

use crate::authentication::{Credentials, Denied, Gate};
use crate::{Accounts, AccountsError, Secret, User};

/// The accounts at work: asked by every session, swapped as a whole on reload.
///
/// One per process, shared as an `Arc`. A question is answered from the accounts of that moment; a session
/// that asks twice may see two different files.
pub struct Directory {
    entries: ArcSwap<Entries>,
    gate: Gate,
}

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

    /// A directory of these accounts.
    pub fn new(accounts: &Accounts) -> Self {
        Self { entries: ArcSwap::from_pointee(Entries::new(accounts)), gate: Gate::new() }
    }

    /// Reads the file again, and lets the old accounts go only when the new ones have no fault.
    pub fn reload(&self, path: &Path) -> Result<(), AccountsError> {
        self.replace(&Accounts::load(path)?);
        Ok(())
    }

    /// Swaps the accounts.
    pub fn replace(&self, accounts: &Accounts) {
        self.entries.store(Arc::new(Entries::new(accounts)));
    }

    /// Whether mail for this domain is for here.
    pub fn is_local(&self, domain: &Domain) -> bool {
        self.entries.load().domains.contains(domain)
    }

    /// Whom an address reaches. Case does not matter; `ann+anything` is `ann` unless it has an entry of its
    /// own; `postmaster` of every local domain reaches the first user unless it is declared otherwise.
    pub fn resolve(&self, address: &Address) -> Resolution {
        self.entries.load().resolve(address)
    }

    /// Whom the bare `<Postmaster>` reaches, which has no domain (RFC 5321 §4.5.1): the first domain's.
    pub fn postmaster(&self) -> Resolution {
        self.entries.load().postmaster()
    }

    /// Whether a user may send mail as this address: the user's own, or an alias that reaches the user.
    pub fn may_send_as(&self, user: &User, address: &Address) -> bool {
        match self.resolve(address) {
            Resolution::User(owner) => owner == *user,
            Resolution::Alias(reached) => reached.local.contains(user),
            Resolution::Unknown | Resolution::NotLocal => false,
        }
    }

    /// Checks a login's password; see [`Denied`] for what else may come of it.
    ///
    /// Must run within a tokio runtime: the work is done on its blocking threads.
    pub async fn authenticate(&self, credentials: &Credentials) -> Result<User, Denied> {
        let entries = self.entries.load_full();
        self.gate.authenticate(&entries, credentials).await
    }
}

/// The accounts, indexed.
pub(crate) struct Entries {
    domains: HashSet<Domain>,
    /// What a login without a domain, and a postmaster without one, belong to.
    first_domain: Option<Domain>,
    /// Who reads what nobody else is named for.
    first_user: Option<User>,
    names: HashMap<Name, Entry>,
    /// The secrets of all users, to have something to check a stranger's password against.
    secrets: Vec<Secret>,
}

/// A local address, folded.
type Name = (Domain, String);

enum Entry {
    User { user: User, secret: Secret, enabled: bool },
    Alias { targets: Vec<Address> },
}

const POSTMASTER: &str = "postmaster";

impl Entries {
    pub(crate) fn new(accounts: &Accounts) -> Self {
        let aliases = accounts.aliases.iter().filter_map(|alias| {
            Some((name_of(&alias.address)?, Entry::Alias { targets: alias.targets.clone() }))
        });
        // A user after the aliases: where a file has both, the mailbox is the safer reading.
        let users = accounts.users.iter().map(|account| {
            let user = account.user.clone();
            let name = (user.domain().clone(), user.name().to_owned());
            (name, Entry::User { user, secret: account.secret.clone(), enabled: account.enabled })
        });
        let enabled = accounts.users.iter().filter(|account| account.enabled);
        Self {
            domains: accounts.domains.iter().cloned().collect(),
            first_domain: accounts.domains.first().cloned(),
            first_user: enabled.clone().map(|account| account.user.clone()).next(),
            names: aliases.chain(users).collect(),
            secrets: enabled.map(|account| account.secret.clone()).collect(),
        }
    }

    /// The user that a login names and the secret to check, if the user may log in.
    ///
    /// `ann@example.org`, or `ann` alone for the first domain. A `+detail` is no part of a login.
    pub(crate) fn login(&self, login: &str) -> Option<(&User, &Secret)> {
        let name = match Address::parse(login) {
            Ok(address) => name_of(&address)?,
            Err(_) => (self.first_domain.clone()?, login.to_lowercase()),
        };
        match self.names.get(&name)? {
            Entry::User { user, secret, enabled: true } => Some((user, secret)),
            _ => None,
        }
    }

    /// The secrets of those who can log in.
    pub(crate) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// Whether a target is elsewhere, or is somebody here.
    pub(crate) fn is_known(&self, target: &Address) -> bool {
        match name_of(target) {
            Some(name) if self.domains.contains(&name.0) => {
                self.entry(&name, target).is_some() || is_postmaster(target)
            }
            _ => true,
        }
    }

    /// Whether an alias reaches nobody, not even somebody who is not enabled at present.
    pub(crate) fn leads_nowhere(&self, alias: &Address) -> bool {
        let mut walk =
            Walk { entries: self, visited: HashSet::new(), reached: Expansion::default(), dead: 0 };
        walk.follow(alias);
        walk.reached == Expansion::default() && walk.dead == 0
    }

    fn resolve(&self, address: &Address) -> Resolution {
        let Some(name) = name_of(address).filter(|name| self.domains.contains(&name.0)) else {
            return Resolution::NotLocal;
        };
        match self.entry(&name, address) {
            Some(Entry::User { user, enabled: true, .. }) => Resolution::User(user.clone()),
            Some(Entry::User { enabled: false, .. }) => Resolution::Unknown,
            Some(Entry::Alias { .. }) => {
                let mut walk =
                    Walk { entries: self, visited: HashSet::new(), reached: Expansion::default(), dead: 0 };
                walk.follow(address);
                if walk.reached == Expansion::default() {
                    Resolution::Unknown
                } else {
                    Resolution::Alias(walk.reached)
                }
            }
            None if is_postmaster(address) => self.first_user_as_alias(),
            None => Resolution::Unknown,
        }
    }

    fn postmaster(&self) -> Resolution {
        match &self.first_domain {
            Some(domain) => {
                let local = address::LocalPart::parse(POSTMASTER).expect("a word is a local part");
                self.resolve(&Address::new(local, domain.clone()))
            }
            None => self.first_user_as_alias(),
        }
    }

    fn first_user_as_alias(&self) -> Resolution {
        match &self.first_user {
            Some(user) => Resolution::Alias(Expansion { local: vec![user.clone()], remote: Vec::new() }),
            None => Resolution::Unknown,
        }
    }

    /// The entry of an address as it is, else of the address without its `+detail`.
    fn entry(&self, name: &Name, address: &Address) -> Option<&Entry> {
        self.names.get(name).or_else(|| {
            let (user, detail) = address.local.split_detail('+');
            detail.and_then(|_| self.names.get(&(name.0.clone(), user.to_lowercase())))
        })
    }
}

fn name_of(address: &Address) -> Option<Name> {
    Some((address.domain()?.clone(), address.local.folded()))
}

/// Case never matters for the postmaster, not even elsewhere (RFC 5321 §4.5.1).
fn is_postmaster(address: &Address) -> bool {
    address.local.split_detail('+').0.eq_ignore_ascii_case(POSTMASTER)
}

/// One walk along aliases. No address is followed twice, so a circle ends where it began, and a walk takes no
/// more steps than the file has aliases.
struct Walk<'a> {
    entries: &'a Entries,
    visited: HashSet<Name>,
    reached: Expansion,
    /// Users who were reached but are not enabled.
    dead: usize,
}

impl Walk<'_> {
    fn follow(&mut self, start: &Address) {
        // A list instead of recursion: a long chain costs no stack.
        let mut ahead = vec![start.clone()];
        while let Some(address) = ahead.pop() {
            let Some(name) = name_of(&address).filter(|name| self.entries.domains.contains(&name.0)) else {
                if !self.reached.remote.contains(&address) {
                    self.reached.remote.push(address);
                }
                continue;
            };
            match self.entries.entry(&name, &address) {
                Some(Entry::User { user, enabled: true, .. }) => self.reach(user),
                Some(Entry::User { enabled: false, .. }) => self.dead += 1,
                Some(Entry::Alias { targets }) => {
                    if self.visited.insert(name) {
                        ahead.extend(targets.iter().rev().cloned());
                    }
                }
                None if is_postmaster(&address) => {
                    if let Some(user) = &self.entries.first_user {
                        self.reach(user);
                    } else {
                        self.dead += 1;
                    }
                }
                None => {}
            }
        }
    }

    fn reach(&mut self, user: &User) {
        if !self.reached.local.contains(user) {
            self.reached.local.push(user.clone());
        }
    }
}

#[cfg(test)]
mod tests;
