//! Turns declared users into accounts whose owners can change their own passwords.
//!
//! The environment declares users at every start; in between, owners change their passwords. So an account
//! stores the declared secret beside the one in force, both as hashes, and the declared one is applied when
//! it is first seen and whenever its value changes:
//!
//! | before | declared now | after |
//! |---|---|---|
//! | no account | a secret | account with it |
//! | account, same declared value | the same | enabled, secret in force kept |
//! | account, other declared value | a new one | enabled, new secret |
//! | account once declared | nothing | not enabled: mail kept, no login |
//! | account never declared | nothing | as it was |
//! | account that the operator disabled | a secret, the same or a new one | not enabled; a new secret is applied |
//! | the same, once declared | nothing | not enabled, and as if never declared |
//!
//! A user that the operator disabled stays disabled through every start: a declaration lists the mailboxes, and
//! disabling withdraws a login at once. Only the operator enables it again. A declared user cannot be deleted
//! permanently, since the next start would create it again; it is disabled, or removed from the declaration.
//!
//! First the declaration's passwords are [hashed](Declaration::hash_passwords), which is the only expensive step.
//! [`merge`] is then a pure function over both; `mailstead plan` prints its changes and the supervisor writes its
//! accounts.

mod hashing;
mod secret;
mod verification_cache;

use std::collections::{HashMap, HashSet};
use std::fmt;

use address::{Address, Domain};
pub use secret::{ChosenPassword, ChosenPasswordError, DeclaredSecret, DeclaredSecretError, MIN_PASSWORD};
pub use verification_cache::VerificationCache;

use crate::{Accounts, Alias, AliasKey, AliasName, Fault, Secret, User, UserAccount};

/// The domains, users and aliases that the environment declares. The caller that builds it ensures that each user
/// occurs once. Its secrets are as they were typed, and hashes alone after
/// [`Declaration::hash_passwords`].
#[derive(Debug, Clone)]
pub struct Declaration<S = DeclaredSecret> {
    /// The domains, the most important first.
    pub domains: Vec<Domain>,
    /// The users, the postmaster first.
    pub users: Vec<DeclaredUser<S>>,
    /// The aliases with their targets.
    pub aliases: Vec<DeclaredAlias>,
}

/// A declared alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredAlias {
    /// The address or domain that it matches.
    pub name: AliasName,
    /// The targets; at least one.
    pub targets: Vec<Address>,
}

/// A declared user and its secret.
#[derive(Debug, Clone)]
pub struct DeclaredUser<S = DeclaredSecret> {
    /// The user.
    pub user: User,
    /// The secret.
    pub secret: S,
}

/// The result of applying a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The accounts to write.
    pub accounts: Accounts,
    /// The differences from the accounts before, in the order of the file.
    pub changes: Vec<Change>,
    /// The faults of these accounts: with any, they cannot be loaded again.
    pub faults: Vec<Fault>,
}

/// One difference, in a form that can be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Mail for this domain is accepted from now on.
    DomainAdded(Domain),
    /// Mail for this domain is no longer accepted.
    DomainRemoved(Domain),
    /// A new user.
    UserAdded(User),
    /// A user who can log in again.
    UserEnabled(User),
    /// A user who cannot log in any more and receives no mail; the stored mail stays.
    UserDisabled(User),
    /// A user whose declared secret has changed and now replaces the one in force.
    SecretApplied(User),
    /// An alias that is new or has other targets than before.
    AliasSet(AliasName),
    /// An alias that was removed.
    AliasRemoved(AliasName),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DomainAdded(domain) => write!(f, "accept mail for {domain}"),
            Self::DomainRemoved(domain) => write!(f, "accept no more mail for {domain}"),
            Self::UserAdded(user) => write!(f, "add the user {user}"),
            Self::UserEnabled(user) => write!(f, "let {user} log in again"),
            Self::UserDisabled(user) => write!(f, "let {user} no longer log in, and keep the mail"),
            Self::SecretApplied(user) => write!(f, "set the declared password of {user}"),
            Self::AliasSet(alias) => write!(f, "set the alias {alias}"),
            Self::AliasRemoved(alias) => write!(f, "remove the alias {alias}"),
        }
    }
}

/// Applies a declaration to the existing accounts.
pub fn merge(before: &Accounts, declaration: &Declaration<Secret>) -> Merged {
    let mut changes = Vec::new();
    let added = declaration.domains.iter().filter(|domain| !before.domains.contains(domain));
    changes.extend(added.cloned().map(Change::DomainAdded));
    let removed = before.domains.iter().filter(|domain| !declaration.domains.contains(domain));
    changes.extend(removed.cloned().map(Change::DomainRemoved));

    let mut accounts = Accounts {
        domains: declaration.domains.clone(),
        users: merge_users(before, declaration, &mut changes),
        aliases: merge_aliases(before, declaration, &mut changes),
    };
    let faults = drop_stale_targets(&mut accounts, &mut changes);
    Merged { accounts, changes, faults }
}

/// Removes targets that no longer exist: aliases made by command may have declared ones as targets that were removed.
/// That is not an error of the declaration, so the start continues without the target, and without an alias that has no
/// target left. Returns the faults that remain.
fn drop_stale_targets(accounts: &mut Accounts, changes: &mut Vec<Change>) -> Vec<Fault> {
    let mut reported = HashSet::new();
    loop {
        let made_by_command = accounts.aliases.iter().enumerate().filter(|(_, alias)| !alias.declared);
        let places: HashMap<AliasKey, usize> =
            made_by_command.map(|(place, alias)| (alias.name.key(), place)).collect();
        let faults = accounts.faults();
        let stale: Vec<(usize, Option<&Address>)> = faults
            .iter()
            .filter_map(|fault| match fault {
                Fault::TargetUnknown { alias, target } => Some((*places.get(&alias.key())?, Some(target))),
                Fault::NoRecipient(alias) => Some((*places.get(&alias.key())?, None)),
                _ => None,
            })
            .collect();
        if stale.is_empty() {
            return faults;
        }
        for (place, target) in stale {
            let alias = &mut accounts.aliases[place];
            alias.targets.retain(|other| target.is_some_and(|target| target != other));
            let is_removed = alias.targets.is_empty();
            if reported.insert((place, is_removed)) {
                let change = if is_removed { Change::AliasRemoved } else { Change::AliasSet };
                changes.push(change(alias.name.clone()));
            }
        }
        accounts.aliases.retain(|alias| !alias.targets.is_empty());
    }
}

fn merge_users(
    before: &Accounts,
    declaration: &Declaration<Secret>,
    changes: &mut Vec<Change>,
) -> Vec<UserAccount> {
    let accounts = before.users_by_name();
    // Declared users come first and in their order: the first of all is the postmaster.
    let mut users: Vec<_> = declaration
        .users
        .iter()
        .map(|declared| declare(accounts.get(&declared.user).copied(), declared, changes))
        .collect();
    let declared: HashSet<&User> = declaration.users.iter().map(|declared| &declared.user).collect();
    let domains: HashSet<&Domain> = declaration.domains.iter().collect();
    for account in before.users.iter().filter(|account| !declared.contains(&account.user)) {
        let is_kept = account.declared.is_none() && domains.contains(account.user.domain());
        if account.enabled && !is_kept {
            changes.push(Change::UserDisabled(account.user.clone()));
        }
        // For a locked account, only the operator's decision is left.
        let declared = account.declared.clone().filter(|_| !account.locked);
        users.push(UserAccount { enabled: account.enabled && is_kept, declared, ..account.clone() });
    }
    users
}

fn declare(
    before: Option<&UserAccount>,
    declared: &DeclaredUser<Secret>,
    changes: &mut Vec<Change>,
) -> UserAccount {
    let DeclaredUser { user, secret } = declared.clone();
    if let Some(account) = before
        && account.declared.as_ref() == Some(&secret)
    {
        if !account.enabled && !account.locked {
            changes.push(Change::UserEnabled(user));
        }
        return UserAccount { enabled: !account.locked, ..account.clone() };
    }
    match before {
        None => changes.push(Change::UserAdded(user.clone())),
        Some(account) => {
            if !account.enabled && !account.locked {
                changes.push(Change::UserEnabled(user.clone()));
            }
            changes.push(Change::SecretApplied(user.clone()));
        }
    }
    let fresh = || UserAccount::new(user, secret.clone());
    let account = before.cloned().unwrap_or_else(fresh);
    UserAccount { declared: Some(secret.clone()), secret, enabled: !account.locked, ..account }
}

/// Declared aliases replace those of the same address; those declared before and no longer are removed, as are
/// those whose address a declared user has now and those of domains that are not served any more.
fn merge_aliases(
    before: &Accounts,
    declaration: &Declaration<Secret>,
    changes: &mut Vec<Change>,
) -> Vec<Alias> {
    let mut aliases = Vec::new();
    let known: HashMap<AliasKey, &Alias> =
        before.aliases.iter().map(|alias| (alias.name.key(), alias)).collect();
    let mut declared = HashSet::new();
    for DeclaredAlias { name, targets } in &declaration.aliases {
        let key = name.key();
        if !known.get(&key).is_some_and(|old| old.targets == *targets && old.declared) {
            changes.push(Change::AliasSet(name.clone()));
        }
        declared.insert(key);
        aliases.push(Alias { name: name.clone(), targets: targets.clone(), declared: true });
    }
    let users: HashSet<AliasKey> =
        declaration.users.iter().map(|declared| AliasKey::from(&declared.user)).collect();
    let domains: HashSet<&Domain> = declaration.domains.iter().collect();
    for alias in &before.aliases {
        let key = alias.name.key();
        if declared.contains(&key) {
            continue;
        }
        let is_served = alias.name.domain().is_some_and(|domain| domains.contains(domain));
        if alias.declared || users.contains(&key) || !is_served {
            changes.push(Change::AliasRemoved(alias.name.clone()));
        } else {
            aliases.push(alias.clone());
        }
    }
    aliases
}

#[cfg(test)]
mod tests;
