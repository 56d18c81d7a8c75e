//! Who is somebody here, declared or not. Each is looked up by name, so that tens of thousands cost no more than
//! reading them.

use std::collections::HashSet;

use accounts::declaration::{DeclaredAlias, DeclaredUser};
use accounts::{Accounts, AliasName, User};
use address::{Address, Domain};

use super::AliasError;
use crate::settings::refine::Served;

/// A name as it is looked up, whatever the case in which it was typed.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Folded {
    domain: Domain,
    /// None is whatever is for nobody else in the domain.
    local: Option<String>,
}

impl Folded {
    /// Nothing for an address without a domain, whose mail does not come here.
    pub(super) fn address(address: &Address) -> Option<Self> {
        Some(Self { domain: address.domain()?.clone(), local: Some(address.local.folded()) })
    }

    pub(super) fn alias(name: &AliasName) -> Option<Self> {
        match name {
            AliasName::Address(address) => Self::address(address),
            AliasName::Rest(domain) => Some(Self { domain: domain.clone(), local: None }),
        }
    }

    pub(super) fn user(user: &User) -> Self {
        Self { domain: user.domain().clone(), local: Some(user.name().to_owned()) }
    }
}

/// Who is somebody here.
pub(super) struct Known {
    names: HashSet<Folded>,
    /// Users who were added by command. One that was declared once is let go of by not being declared any more.
    added: HashSet<Folded>,
}

impl Known {
    pub(super) fn new(users: &[DeclaredUser], aliases: &[DeclaredAlias], accounts: &Accounts) -> Self {
        let declared = aliases.iter().map(|alias| &alias.name);
        let added = accounts.aliases.iter().filter(|alias| !alias.declared).map(|alias| &alias.name);
        let aliases = declared.chain(added).filter_map(Folded::alias);
        let there = accounts.users.iter().map(|account| &account.user);
        let users = users.iter().map(|declared| &declared.user).chain(there).map(Folded::user);
        let added = accounts.users.iter().filter(|account| account.enabled && account.declared.is_none());
        Self {
            names: users.chain(aliases).collect(),
            added: added.map(|account| Folded::user(&account.user)).collect(),
        }
    }

    /// What is wrong with an alias by who there is.
    pub(super) fn faults(&self, number: usize, alias: &DeclaredAlias, served: &Served) -> Vec<AliasError> {
        let strangers = alias.targets.iter().filter(|target| !self.has(target, served));
        let mut errors: Vec<AliasError> =
            strangers.map(|target| AliasError::Unknown(number, alias.name.clone(), target.clone())).collect();
        if Folded::alias(&alias.name).is_some_and(|name| self.added.contains(&name)) {
            errors.push(AliasError::IsAdded(number, alias.name.clone()));
        }
        errors
    }

    /// Whether a target is elsewhere, or somebody here, or one of those who always are (RFC 5321 §4.5.1, RFC 2142 §4).
    fn has(&self, target: &Address, served: &Served) -> bool {
        let Some(domain) = target.domain().filter(|domain| served.has(domain)) else { return true };
        let is_known =
            |local: String| self.names.contains(&Folded { domain: domain.clone(), local: Some(local) });
        let name = target.local.split_detail('+').0.to_lowercase();
        ["postmaster", "abuse"].contains(&name.as_str()) || is_known(target.local.folded()) || is_known(name)
    }
}
