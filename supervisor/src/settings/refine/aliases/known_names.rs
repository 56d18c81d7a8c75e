//! The users and aliases that exist here, declared or not. Each is looked up by its key, so that tens of thousands cost
//! no more than reading them.

use std::collections::HashSet;

use accounts::declaration::{DeclaredAlias, DeclaredUser};
use accounts::{Accounts, AliasKey, AliasName};
use address::{Address, LocalPart};

use super::AliasError;
use crate::settings::refine::ServedDomains;

/// The users and aliases that exist here.
pub(super) struct KnownNames {
    names: HashSet<AliasKey>,
    /// Users who were added by command. Once declared, a user is released by removing the declaration.
    added: HashSet<AliasKey>,
}

impl KnownNames {
    pub(super) fn new(users: &[DeclaredUser], aliases: &[DeclaredAlias], accounts: &Accounts) -> Self {
        let declared = aliases.iter().map(|alias| &alias.name);
        let added = accounts.aliases.iter().filter(|alias| !alias.declared).map(|alias| &alias.name);
        let aliases = declared.chain(added).map(AliasName::key);
        let there = accounts.users.iter().map(|account| &account.user);
        let users = users.iter().map(|declared| &declared.user).chain(there).map(AliasKey::from);
        let added = accounts.users.iter().filter(|account| account.enabled && account.declared.is_none());
        Self {
            names: users.chain(aliases).collect(),
            added: added.map(|account| AliasKey::from(&account.user)).collect(),
        }
    }

    /// The faults of an alias that depend on the existing users and aliases.
    pub(super) fn faults(
        &self,
        number: usize,
        alias: &DeclaredAlias,
        served: &ServedDomains,
    ) -> Vec<AliasError> {
        let strangers = alias.targets.iter().filter(|target| !self.has(target, served));
        let mut errors: Vec<AliasError> =
            strangers.map(|target| AliasError::Unknown(number, alias.name.clone(), target.clone())).collect();
        if self.added.contains(&alias.name.key()) {
            errors.push(AliasError::IsAdded(number, alias.name.clone()));
        }
        errors
    }

    /// True for a target elsewhere, an existing user or alias here, and the roles that always exist (RFC 5321 §4.5.1,
    /// RFC 2142 §4).
    fn has(&self, target: &Address, served: &ServedDomains) -> bool {
        if target.domain().is_none_or(|domain| !served.has(domain)) {
            return true;
        }
        let name = target.local.split_detail('+').0;
        let without_detail = LocalPart::parse(name).map(|local| Address { local, host: target.host.clone() });
        ["postmaster", "abuse"].iter().any(|role| name.eq_ignore_ascii_case(role))
            || self.names.contains(&AliasKey::from(target))
            || without_detail.is_ok_and(|target| self.names.contains(&AliasKey::from(&target)))
    }
}
