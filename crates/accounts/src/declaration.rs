//! How declared users become accounts, and stay their owners'.
//!
//! The environment declares users at every start; in between, owners change their passwords. So an account
//! remembers the declared secret beside the one in force, both as hashes, and the declared one is applied when
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
//! What the operator disabled stays so through every start: a declaration says who has a mailbox here, and disabling
//! takes the key out of somebody's hand at once. Only the operator gives it back. A declared user cannot be deleted
//! for good, since the next start would make it anew; it is disabled, or taken out of the declaration.
//!
//! First the declaration is [settled](Declaration::settle), which makes hashes of its passwords and is all that costs
//! time. [`merge`] is then a pure function over both; `mailstead plan` prints its changes and the supervisor writes its
//! accounts.

mod proofs;
mod secret;
mod settle;

use std::fmt;

use address::{Address, Domain};
pub use proofs::Proofs;
pub use secret::{
    ChosenPassword, ChosenPasswordError, DeclaredSecret, DeclaredSecretError, SHORTEST_PASSWORD,
};

use crate::{Accounts, Alias, AliasName, Fault, Secret, User, UserAccount};

/// What the environment says. Whoever builds it has made sure that no user is in it twice. Its secrets are as they were
/// typed, and hashes alone once it is [settled](Declaration::settle).
#[derive(Debug, Clone)]
pub struct Declaration<S = DeclaredSecret> {
    /// The domains, the most important first.
    pub domains: Vec<Domain>,
    /// The users, the postmaster first.
    pub users: Vec<DeclaredUser<S>>,
    /// The aliases with their targets.
    pub aliases: Vec<DeclaredAlias>,
}

/// An alias as it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredAlias {
    /// What it stands for.
    pub name: AliasName,
    /// Whom it reaches; at least one.
    pub targets: Vec<Address>,
}

/// A user and the secret that is declared for it.
#[derive(Debug, Clone)]
pub struct DeclaredUser<S = DeclaredSecret> {
    /// Who.
    pub user: User,
    /// The secret.
    pub secret: S,
}

/// What comes of a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The accounts to write.
    pub accounts: Accounts,
    /// How they differ from those before, in the order of the file.
    pub changes: Vec<Change>,
}

/// One difference, in a form that can be told.
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
    /// A user who cannot log in any more and gets no mail; what is there stays.
    UserDisabled(User),
    /// A user whose declared secret has changed and now replaces the one in force.
    SecretApplied(User),
    /// An alias that is new or leads elsewhere than before.
    AliasSet(AliasName),
    /// An alias that is gone.
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

/// Applies a declaration to the accounts that are there.
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
    drop_stale_targets(&mut accounts, &mut changes);
    Merged { accounts, changes }
}

/// Aliases made by command may lead to declared ones that are gone now. Nobody declares anything wrong by that, so it
/// is no reason not to start: such a target is taken away, and an alias without any with it.
fn drop_stale_targets(accounts: &mut Accounts, changes: &mut Vec<Change>) {
    loop {
        let stale: Vec<(AliasName, Option<Address>)> = accounts
            .faults()
            .into_iter()
            .filter_map(|fault| match fault {
                Fault::TargetUnknown { alias, target } => Some((alias, Some(target))),
                Fault::LeadsNowhere(alias) => Some((alias, None)),
                _ => None,
            })
            .filter(|(name, _)| accounts.aliases.iter().any(|alias| !alias.declared && alias.name == *name))
            .collect();
        if stale.is_empty() {
            return;
        }
        for (name, target) in stale {
            let Some(alias) = accounts.aliases.iter_mut().find(|alias| alias.name == name) else { continue };
            alias.targets.retain(|other| target.as_ref().is_some_and(|target| target != other));
            let change = match alias.targets.is_empty() {
                true => Change::AliasRemoved(name.clone()),
                false => Change::AliasSet(name.clone()),
            };
            if !changes.contains(&change) {
                changes.push(change);
            }
            accounts.aliases.retain(|alias| alias.name != name || !alias.targets.is_empty());
        }
    }
}

fn merge_users(
    before: &Accounts,
    declaration: &Declaration<Secret>,
    changes: &mut Vec<Change>,
) -> Vec<UserAccount> {
    // Declared ones come first and in their order: the first of all is the postmaster.
    let mut users: Vec<_> = declaration
        .users
        .iter()
        .map(|declared| declare(before.user(&declared.user), declared, changes))
        .collect();
    for account in &before.users {
        if declaration.users.iter().any(|declared| declared.user == account.user) {
            continue;
        }
        let is_kept = account.declared.is_none() && declaration.domains.contains(account.user.domain());
        if account.enabled && !is_kept {
            changes.push(Change::UserDisabled(account.user.clone()));
        }
        // Of one that is locked, only the operator's word is left.
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

/// Declared aliases replace those of the same address; those declared before and no longer are gone, as are
/// those whose address a declared user has taken and those of domains that are not served any more.
fn merge_aliases(
    before: &Accounts,
    declaration: &Declaration<Secret>,
    changes: &mut Vec<Change>,
) -> Vec<Alias> {
    let mut aliases = Vec::new();
    for DeclaredAlias { name, targets } in &declaration.aliases {
        let is_same = |old: &Alias| old.name.is_same(name) && old.targets == *targets && old.declared;
        if !before.aliases.iter().any(is_same) {
            changes.push(Change::AliasSet(name.clone()));
        }
        aliases.push(Alias { name: name.clone(), targets: targets.clone(), declared: true });
    }
    for alias in &before.aliases {
        if declaration.aliases.iter().any(|declared| declared.name.is_same(&alias.name)) {
            continue;
        }
        let is_taken = declaration.users.iter().any(|user| alias.name.is_address(&user.user.address()));
        let is_served = alias.name.domain().is_some_and(|domain| declaration.domains.contains(domain));
        if alias.declared || is_taken || !is_served {
            changes.push(Change::AliasRemoved(alias.name.clone()));
        } else {
            aliases.push(alias.clone());
        }
    }
    aliases
}

#[cfg(test)]
mod tests;
