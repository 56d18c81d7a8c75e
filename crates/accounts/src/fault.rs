//! Converts the parsed file to accounts that can be served, and reports every fault at once.

use std::collections::HashSet;

use address::{Address, AddressError, Domain, DomainError};

use crate::accounts::{RawAccounts, RawAlias, RawAppPassword, RawUser};
use crate::app_password::{AppName, AppNameError, AppPassword, Selector};
use crate::directory::{Entries, MAX_REACHED, Reachability, reachability};
use crate::{
    Accounts, Alias, AliasKey, AliasName, AliasNameError, RESERVED_NAME, SecretError, User, UserAccount,
    UserError,
};

/// One fault in `accounts.toml`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A domain is not valid.
    #[error("domains: {0}")]
    Domain(DomainError),
    /// A domain is listed twice.
    #[error("domains: {0} is listed twice")]
    DuplicateDomain(Domain),
    /// A user's address is not valid.
    #[error("users: {0}")]
    UserAddress(AddressError),
    /// An address that cannot be a user's.
    #[error("users: {0}")]
    User(UserError),
    /// A user's secret cannot be used. The secret itself is not shown.
    #[error("users: {field} of {user}: {error}")]
    Secret {
        /// The user.
        user: String,
        /// The field: `secret` or `declared`.
        field: &'static str,
        /// The error.
        error: SecretError,
    },
    /// An app password's name is not valid.
    #[error("users: an app password of {user}: {error}")]
    AppPasswordName {
        /// The user.
        user: String,
        /// The error.
        error: AppNameError,
    },
    /// An app password's selector is damaged.
    #[error(
        "users: the selector of the app password {name} of {user} is damaged: remove the app password and create it again"
    )]
    AppPasswordSelector {
        /// The user.
        user: String,
        /// The app password's name.
        name: AppName,
    },
    /// Two app passwords of one user have the same name or selector.
    #[error("users: {user} has two app passwords with the name or the selector of {name}")]
    DuplicateAppPassword {
        /// The user.
        user: User,
        /// The name of the second.
        name: AppName,
    },
    /// A user or an alias has the name that is reserved for the internal mailbox.
    #[error("{0}: this name is reserved for the server's test messages: choose another one")]
    Reserved(String),
    /// A user is listed twice; case does not count.
    #[error("users: {0} is listed twice")]
    DuplicateUser(User),
    /// An enabled user belongs to a domain that is not served.
    #[error("users: {0} is enabled, but its domain is not listed in domains")]
    UserNotLocal(User),
    /// An alias is neither an address nor a domain.
    #[error("aliases: {0}")]
    AliasName(AliasNameError),
    /// One of an alias's targets is not an address.
    #[error("aliases: {alias}: {error}")]
    TargetAddress {
        /// The alias as it is written.
        alias: String,
        /// The error.
        error: AddressError,
    },
    /// An alias for an address that is not local.
    #[error("aliases: the domain of {0} is not listed in domains")]
    AliasNotLocal(AliasName),
    /// An alias that is listed twice.
    #[error("aliases: {0} is listed twice; list all targets in one place")]
    DuplicateAlias(AliasName),
    /// An address is both an alias and an enabled user.
    #[error("aliases: {0} is also a user: an alias needs an address of its own")]
    AliasIsUser(AliasName),
    /// A target at a local domain that is neither a user nor an alias.
    #[error("aliases: {alias} leads to {target}, which is neither a user nor an alias")]
    TargetUnknown {
        /// The alias.
        alias: AliasName,
        /// The target.
        target: Address,
    },
    /// An alias without a target, or one that leads only back to itself.
    #[error("aliases: {0} reaches no recipient: it has no targets, or leads only back to itself")]
    NoRecipient(AliasName),
    /// An alias that reaches too many addresses, to each of which a message would be copied.
    #[error("aliases: {0} reaches more than {MAX_REACHED} addresses, the limit of an alias")]
    TooManyRecipients(AliasName),
}

/// The most faults shown for one file, one per line. An alias file for the wrong domain has one per entry.
const MAX_SHOWN: usize = 20;

/// The faults as lines of an error message, each preceded by a line break.
pub fn list_faults(faults: &[Fault]) -> String {
    let mut lines: String = faults.iter().take(MAX_SHOWN).map(|fault| format!("\n  {fault}")).collect();
    if faults.len() > MAX_SHOWN {
        lines.push_str(&format!("\n  and {} more", faults.len() - MAX_SHOWN));
    }
    lines
}

/// Parses every value and checks them against each other.
pub(crate) fn refine(raw: RawAccounts) -> Result<Accounts, Vec<Fault>> {
    let mut faults = Vec::new();
    let accounts = Accounts {
        domains: raw
            .domains
            .iter()
            .filter_map(|text| Domain::parse(text).map_err(|error| faults.push(Fault::Domain(error))).ok())
            .collect(),
        users: raw.users.into_iter().filter_map(|user| refine_user(user, &mut faults)).collect(),
        aliases: raw.aliases.into_iter().filter_map(|alias| refine_alias(alias, &mut faults)).collect(),
    };
    // Values that could not be parsed are missing from `accounts`: checks against them would report correct entries.
    if faults.is_empty() {
        faults = contradictions(&accounts);
    }
    if faults.is_empty() { Ok(accounts) } else { Err(faults) }
}

fn refine_user(raw: RawUser, faults: &mut Vec<Fault>) -> Option<UserAccount> {
    let user = Address::parse(&raw.address)
        .map_err(Fault::UserAddress)
        .and_then(|address| User::new(&address).map_err(Fault::User))
        .map_err(|fault| faults.push(fault))
        .ok();
    let mut read = |field, text: &str| {
        crate::Secret::parse(text)
            .map_err(|error| faults.push(Fault::Secret { user: raw.address.clone(), field, error }))
            .ok()
    };
    let secret = read("secret", &raw.secret);
    let declared = raw.declared.as_deref().map(|text| read("declared", text));
    let apps: Vec<_> =
        raw.app_passwords.into_iter().map(|app| refine_app_password(&raw.address, app, faults)).collect();
    Some(UserAccount {
        user: user?,
        secret: secret?,
        declared: match declared {
            Some(read) => Some(read?),
            None => None,
        },
        enabled: raw.enabled,
        locked: raw.locked,
        app_passwords: apps.into_iter().collect::<Option<_>>()?,
    })
}

fn refine_app_password(user: &str, raw: RawAppPassword, faults: &mut Vec<Fault>) -> Option<AppPassword> {
    let user = user.to_owned();
    let name = match AppName::parse(&raw.name) {
        Ok(name) => name,
        Err(error) => {
            faults.push(Fault::AppPasswordName { user, error });
            return None;
        }
    };
    let Some(selector) = Selector::parse(&raw.selector) else {
        faults.push(Fault::AppPasswordSelector { user, name });
        return None;
    };
    match crate::Secret::parse(&raw.secret) {
        Ok(secret) => Some(AppPassword { name, selector, secret, created: raw.created }),
        Err(error) => {
            faults.push(Fault::Secret { user, field: "an app password", error });
            None
        }
    }
}

fn refine_alias(raw: RawAlias, faults: &mut Vec<Fault>) -> Option<Alias> {
    let name = AliasName::parse(&raw.address).map_err(|error| faults.push(Fault::AliasName(error))).ok();
    let read = |text: &String| {
        Address::parse(text)
            .map_err(|error| faults.push(Fault::TargetAddress { alias: raw.address.clone(), error }))
            .ok()
    };
    let targets: Vec<_> = raw.targets.iter().map(read).collect();
    Some(Alias { name: name?, targets: targets.into_iter().collect::<Option<_>>()?, declared: raw.declared })
}

/// The contradictions between the accounts.
pub(crate) fn contradictions(accounts: &Accounts) -> Vec<Fault> {
    let mut faults = Vec::new();

    let mut domains = HashSet::new();
    for domain in &accounts.domains {
        if !domains.insert(domain) {
            faults.push(Fault::DuplicateDomain(domain.clone()));
        }
    }

    let mut users = HashSet::new();
    for UserAccount { user, enabled, app_passwords, .. } in &accounts.users {
        if !users.insert(user) {
            faults.push(Fault::DuplicateUser(user.clone()));
        }
        if user.name() == RESERVED_NAME {
            faults.push(Fault::Reserved(format!("users: {user}")));
        }
        if *enabled && !domains.contains(user.domain()) {
            faults.push(Fault::UserNotLocal(user.clone()));
        }
        for (index, app) in app_passwords.iter().enumerate() {
            if app_passwords[..index].iter().any(|other| other.collides_with(app)) {
                faults.push(Fault::DuplicateAppPassword { user: user.clone(), name: app.name.clone() });
            }
        }
    }

    faults.extend(alias_contradictions(accounts, &domains));
    faults
}

/// The contradictions between the aliases. Each is looked up by its key, and their recipients are found together, so
/// that the work grows with the file and not with its square.
fn alias_contradictions(accounts: &Accounts, domains: &HashSet<&Domain>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let enabled = accounts.users.iter().filter(|account| account.enabled);
    let users: HashSet<AliasKey> = enabled.map(|account| AliasKey::from(&account.user)).collect();
    let entries = Entries::new(accounts);
    let mut seen = HashSet::new();
    for (Alias { name, targets, .. }, end) in
        accounts.aliases.iter().zip(reachability(&entries, &accounts.aliases))
    {
        if name.domain().is_none_or(|domain| !domains.contains(domain)) {
            faults.push(Fault::AliasNotLocal(name.clone()));
            continue;
        }
        if let AliasName::Address(address) = name
            && address.local.to_lower_case() == RESERVED_NAME
        {
            faults.push(Fault::Reserved(format!("aliases: {name}")));
        }
        let key = name.key();
        if users.contains(&key) {
            faults.push(Fault::AliasIsUser(name.clone()));
        }
        if !seen.insert(key) {
            faults.push(Fault::DuplicateAlias(name.clone()));
        }
        let before = faults.len();
        let unknown = targets.iter().filter(|target| !entries.is_known(target));
        faults.extend(
            unknown.map(|target| Fault::TargetUnknown { alias: name.clone(), target: target.clone() }),
        );
        match end {
            _ if faults.len() > before => {}
            Reachability::Recipients | Reachability::DisabledOnly => {}
            Reachability::NoRecipient => faults.push(Fault::NoRecipient(name.clone())),
            Reachability::TooMany => faults.push(Fault::TooManyRecipients(name.clone())),
        }
    }
    faults
}

#[cfg(test)]
mod tests;
