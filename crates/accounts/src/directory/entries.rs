use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::collections::{HashMap, HashSet};

use address::{Address, Domain, LocalPart};

use super::expansion::expand;
use super::{Expansion, Resolution};
use crate::{Accounts, Alias, AliasName, AppPassword, InternalMailbox, Login, Secret, User};

/// The accounts, indexed.
pub(crate) struct Entries {
    pub(super) domains: HashSet<Domain>,
    /// The domain of a login or a postmaster without a domain.
    first_domain: Option<Domain>,
    /// The user who receives mail for the roles without a recipient.
    pub(super) first_user: Option<User>,
    names: HashMap<Name, AddressEntry>,
    /// The catch-all entries, by domain.
    catch_alls: HashMap<Domain, AddressEntry>,
    /// The internal mailbox, which is not a public address.
    internal_mailbox: Option<(Name, User, Keys)>,
    /// The host's name, when it is not a domain of the accounts.
    hostname: Option<Domain>,
    /// The secrets of all users, against which the password for an unknown login is checked.
    secrets: Vec<Secret>,
}

/// An address with its case folded.
pub(super) type Name = (Domain, String);

/// The entry of an address.
pub(super) enum AddressEntry {
    User {
        user: User,
        keys: Keys,
        enabled: bool,
    },
    Alias {
        /// The index in the file.
        index: usize,
        targets: Vec<Address>,
    },
}

/// The hashes that a user's password is checked against.
pub(crate) struct Keys {
    /// The hash of the user's own password.
    pub(crate) secret: Secret,
    /// The app passwords.
    pub(crate) apps: Vec<AppPassword>,
}

const POSTMASTER: &str = "postmaster";
/// The address for complaints about mail sent from here (RFC 2142 §4): a host that cannot be reached gets listed.
const ABUSE: &str = "abuse";

impl Entries {
    pub(crate) fn new(accounts: &Accounts) -> Self {
        let mut rest = HashMap::new();
        let mut names = HashMap::new();
        for (index, Alias { name, targets, .. }) in accounts.aliases.iter().enumerate() {
            let alias = AddressEntry::Alias { index, targets: targets.clone() };
            match name {
                AliasName::Address(address) => drop(name_of(address).map(|name| names.insert(name, alias))),
                AliasName::CatchAll(domain) => drop(rest.insert(domain.clone(), alias)),
            }
        }
        // Users after the aliases: if a file has both, the mailbox is the safer choice.
        let users = accounts.users.iter().map(|account| {
            let user = account.user.clone();
            let name = (user.domain().clone(), user.name().to_owned());
            let keys = Keys { secret: account.secret.clone(), apps: account.app_passwords.clone() };
            (name, AddressEntry::User { user, keys, enabled: account.enabled })
        });
        for (name, user) in users {
            match names.entry(name) {
                // A disabled user whose address was given to an alias keeps only the stored mail.
                Occupied(_) if !matches!(user, AddressEntry::User { enabled: true, .. }) => {}
                Occupied(mut entry) => drop(entry.insert(user)),
                Vacant(entry) => drop(entry.insert(user)),
            }
        }
        let enabled = accounts.users.iter().filter(|account| account.enabled);
        Self {
            domains: accounts.domains.iter().cloned().collect(),
            first_domain: accounts.domains.first().cloned(),
            first_user: enabled.clone().map(|account| account.user.clone()).next(),
            names,
            catch_alls: rest,
            internal_mailbox: None,
            hostname: None,
            secrets: enabled.map(|account| account.secret.clone()).collect(),
        }
    }

    /// Adds the internal mailbox. A user of the same name has precedence.
    pub(crate) fn with_internal_mailbox(self, internal_mailbox: Option<InternalMailbox>) -> Self {
        let internal_mailbox = internal_mailbox.map(|InternalMailbox { user, secret }| {
            let name = (user.domain().clone(), user.name().to_owned());
            (name, user, Keys { secret, apps: Vec::new() })
        });
        Self { internal_mailbox, ..self }
    }

    /// Sets the host's name. A domain of the accounts keeps its own addresses.
    pub(crate) fn at_host(self, host: Option<Domain>) -> Self {
        let host = host.filter(|host| !self.domains.contains(host));
        Self { hostname: host, ..self }
    }

    /// The first domain's address for the role of an address under the host's name, if the address is a role.
    pub(super) fn role_at_host(&self, address: &Address) -> Option<Address> {
        let host = self.hostname.as_ref()?;
        let is_role = address.domain() == Some(host) && is_role(address);
        let first = self.first_domain.clone().filter(|_| is_role)?;
        Some(Address::new(address.local.clone(), first))
    }

    /// The user of the internal mailbox, if the address is its address and does not belong to a user of the accounts.
    pub(super) fn internal_mailbox_at(&self, address: &Address) -> Option<&User> {
        let (name, user, _) = self.internal_mailbox.as_ref()?;
        (name_of(address)? == *name && !self.names.contains_key(name)).then_some(user)
    }

    /// The user that a login names and the hashes to check, if the user may log in. The internal mailbox is found only
    /// for a peer on this machine.
    ///
    /// `ann@example.org`, or `ann` alone for the first domain. A `+detail` is no part of a login.
    pub(crate) fn login(&self, login: &str, is_on_this_machine: bool) -> Option<(&User, &Keys)> {
        let name = self.name_of_login(login)?;
        let is_internal = self.internal_mailbox.as_ref().is_some_and(|(internal, ..)| *internal == name);
        self.keys(&name).filter(|_| is_on_this_machine || !is_internal || self.names.contains_key(&name))
    }

    /// True if a login names the internal mailbox.
    pub(crate) fn is_internal_mailbox(&self, login: &str) -> bool {
        let name = self.name_of_login(login);
        self.internal_mailbox.as_ref().zip(name).is_some_and(|((internal, ..), name)| *internal == name)
    }

    fn name_of_login(&self, login: &str) -> Option<Name> {
        match Address::parse(login) {
            Ok(address) => name_of(&address),
            Err(_) => Some((self.first_domain.clone()?, LocalPart::fold(login))),
        }
    }

    /// One text for all spellings of a login's name, whether the user exists or not.
    pub(crate) fn canonical(&self, login: &str) -> String {
        self.name_of_login(login)
            .map_or_else(|| LocalPart::fold(login), |(domain, local)| format!("{local}@{domain}"))
    }

    /// True if an authenticated user could still log in with the same password.
    pub(crate) fn is_valid(&self, login: &Login) -> bool {
        let name = (login.user.domain().clone(), login.user.name().to_owned());
        self.keys(&name).is_some_and(|(_, keys)| {
            let mut secrets = keys.apps.iter().map(|app| &app.secret).chain([&keys.secret]);
            secrets.any(|secret| *secret == login.key)
        })
    }

    fn keys(&self, name: &Name) -> Option<(&User, &Keys)> {
        match (self.names.get(name), &self.internal_mailbox) {
            (Some(AddressEntry::User { user, keys, enabled: true }), _) => Some((user, keys)),
            (None, Some((internal, user, keys))) if internal == name => Some((user, keys)),
            _ => None,
        }
    }

    /// The secrets of the users who can log in.
    pub(crate) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// True if a target is remote, or exists here. An address that only a catch-all would match counts as unknown,
    /// since it is most likely a typing error.
    pub(crate) fn is_known(&self, target: &Address) -> bool {
        match name_of(target) {
            Some(name) if self.domains.contains(&name.0) => {
                self.named(&name, target).is_some() || is_role(target)
            }
            _ => true,
        }
    }

    /// The destination of one target of an alias.
    pub(super) fn destination(&self, target: &Address) -> Destination<'_> {
        let at_host = self.role_at_host(target);
        let target = at_host.as_ref().unwrap_or(target);
        let Some(name) = name_of(target).filter(|name| self.domains.contains(&name.0)) else {
            return Destination::Remote;
        };
        match self.entry(&name, target) {
            Some(AddressEntry::User { user, enabled: true, .. }) => Destination::User(user),
            Some(AddressEntry::User { enabled: false, .. }) => Destination::Disabled,
            Some(AddressEntry::Alias { index, targets }) => Destination::Alias { index: *index, targets },
            None if is_role(target) => {
                self.first_user.as_ref().map_or(Destination::Disabled, Destination::User)
            }
            None => Destination::Unknown,
        }
    }

    pub(super) fn resolve(&self, address: &Address) -> Resolution {
        if let Some(address) = self.role_at_host(address) {
            return match self.resolve(&address) {
                // Never the user's own address, which would name a mailbox: nothing is delivered to an address of the
                // host's name.
                Resolution::User(user) => {
                    Resolution::Alias(Expansion { local: vec![user], remote: Vec::new() })
                }
                resolution => resolution,
            };
        }
        let Some(name) = name_of(address).filter(|name| self.domains.contains(&name.0)) else {
            // The host's own name is not a remote domain: a message for it would only come back here.
            let is_own = self.hostname.is_some() && address.domain() == self.hostname.as_ref();
            return if is_own { Resolution::Unknown } else { Resolution::NotLocal };
        };
        let reached = match self.entry(&name, address) {
            Some(AddressEntry::User { user, enabled: true, .. }) => return Resolution::User(user.clone()),
            Some(AddressEntry::Alias { targets, .. }) => expand(self, targets),
            Some(AddressEntry::User { enabled: false, .. }) | None => Expansion::default(),
        };
        if reached != Expansion::default() {
            return Resolution::Alias(reached);
        }
        if is_role(address) { self.first_user_as_alias() } else { Resolution::Unknown }
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

    /// The entry that receives mail for an address: the one with its name, else the domain's catch-all. A disabled user
    /// keeps the name: that mail does not go to the catch-all.
    pub(super) fn entry(&self, name: &Name, address: &Address) -> Option<&AddressEntry> {
        self.named(name, address).or_else(|| self.catch_alls.get(&name.0))
    }

    /// The entry of the exact address, else of the address without its `+detail`.
    fn named(&self, name: &Name, address: &Address) -> Option<&AddressEntry> {
        self.names.get(name).or_else(|| {
            let (user, detail) = address.local.split_detail('+');
            detail.and_then(|_| self.names.get(&(name.0.clone(), LocalPart::fold(user))))
        })
    }
}

/// The destination of one target of an alias.
pub(super) enum Destination<'a> {
    /// An address elsewhere.
    Remote,
    /// A user who receives mail.
    User(&'a User),
    /// A disabled user, or a role that no user can receive.
    Disabled,
    /// Another alias.
    Alias {
        /// The index in the file.
        index: usize,
        /// Its own targets.
        targets: &'a [Address],
    },
    /// A local address that does not exist.
    Unknown,
}

pub(super) fn name_of(address: &Address) -> Option<Name> {
    Some((address.domain()?.clone(), address.local.to_lower_case()))
}

/// True for the addresses that must be read even if they are not declared. Case never matters for the postmaster, not
/// even in other domains (RFC 5321 §4.5.1).
pub(super) fn is_role(address: &Address) -> bool {
    let name = address.local.split_detail('+').0;
    [POSTMASTER, ABUSE].iter().any(|role| name.eq_ignore_ascii_case(role))
}
