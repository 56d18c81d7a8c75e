use std::collections::{HashMap, HashSet};

use address::{Address, Domain, LocalPart};

use super::walk::Walk;
use super::{Expansion, Resolution};
use crate::{Accounts, Secret, User};

/// The accounts, indexed.
pub(crate) struct Entries {
    pub(super) domains: HashSet<Domain>,
    /// What a login without a domain, and a postmaster without one, belong to.
    first_domain: Option<Domain>,
    /// Who reads what nobody else is named for.
    pub(super) first_user: Option<User>,
    names: HashMap<Name, Entry>,
    /// The secrets of all users, to have something to check a stranger's password against.
    secrets: Vec<Secret>,
}

/// An address, folded.
pub(super) type Name = (Domain, String);

/// What an address is.
pub(super) enum Entry {
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
        let walk = Walk::from(self, alias);
        walk.reached == Expansion::default() && !walk.met_the_disabled
    }

    pub(super) fn resolve(&self, address: &Address) -> Resolution {
        let Some(name) = name_of(address).filter(|name| self.domains.contains(&name.0)) else {
            return Resolution::NotLocal;
        };
        let reached = match self.entry(&name, address) {
            Some(Entry::User { user, enabled: true, .. }) => return Resolution::User(user.clone()),
            Some(Entry::Alias { .. }) => Walk::from(self, address).reached,
            Some(Entry::User { enabled: false, .. }) | None => Expansion::default(),
        };
        if reached != Expansion::default() {
            return Resolution::Alias(reached);
        }
        if is_postmaster(address) { self.first_user_as_alias() } else { Resolution::Unknown }
    }

    pub(super) fn postmaster(&self) -> Resolution {
        match &self.first_domain {
            Some(domain) => {
                let local = LocalPart::parse(POSTMASTER).expect("a word is a local part");
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
    pub(super) fn entry(&self, name: &Name, address: &Address) -> Option<&Entry> {
        self.names.get(name).or_else(|| {
            let (user, detail) = address.local.split_detail('+');
            detail.and_then(|_| self.names.get(&(name.0.clone(), user.to_lowercase())))
        })
    }
}

pub(super) fn name_of(address: &Address) -> Option<Name> {
    Some((address.domain()?.clone(), address.local.folded()))
}

/// Case never matters for the postmaster, not even elsewhere (RFC 5321 §4.5.1).
pub(super) fn is_postmaster(address: &Address) -> bool {
    address.local.split_detail('+').0.eq_ignore_ascii_case(POSTMASTER)
}
