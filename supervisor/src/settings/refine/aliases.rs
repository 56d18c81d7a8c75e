//! Addresses that stand for others.
//!
//! ```text
//! aliases      = entry *( ( "," / line-break ) entry )    ; MAIL_ALIASES
//! aliases-file = *( entry / "#" comment line-break )      ; MAIL_ALIASES_FILE, one a line
//! entry        = ( name [ "@" domain ] / "@" domain ) ":" target *( 1*SP target )
//! target       = name [ "@" domain ]
//! ```

use std::collections::HashSet;

use accounts::declaration::{DeclaredAlias, DeclaredUser};
use accounts::{Accounts, AliasName, UserAccount};
use address::{Address, Domain};

use super::Served;
use crate::settings::fault::Fault;
use crate::settings::raw::Raw;
use crate::settings::variables;

/// Why an entry is not an alias.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum AliasError {
    /// There is no colon in it.
    #[error(
        "entry {0} ({1:?}) has no colon between a name and its targets; several targets are separated by spaces"
    )]
    NoColon(usize, String),
    /// What stands before the colon is no address.
    #[error("entry {0}: {1:?} is not an address")]
    BadName(usize, String),
    /// There is nothing behind the colon.
    #[error("entry {0}: {1} has no target behind the colon")]
    NoTarget(usize, AliasName),
    /// What stands behind the colon is no address.
    #[error("entry {0}: {2:?}, where {1} shall lead to, is not an address")]
    BadTarget(usize, AliasName, String),
    /// The same address again.
    #[error("entry {0}: {1} was declared before")]
    Twice(usize, AliasName),
    /// Mail for it does not come here.
    #[error("entry {0}: {1} is in none of our domains; add its domain to MAIL_DOMAIN")]
    Elsewhere(usize, AliasName),
    /// It would never be asked.
    #[error("entry {0}: {1} is a user, whose mail goes to the mailbox; name the alias otherwise")]
    IsUser(usize, AliasName),
    /// It has somebody's name who was added by command.
    #[error(
        "entry {0}: {1} is a user who was added by command; name the alias otherwise, or delete the user"
    )]
    IsAdded(usize, AliasName),
    /// It leads to nobody.
    #[error("entry {0}: {1} leads to {2}, who is neither a user nor an alias")]
    Unknown(usize, AliasName, Address),
    /// It comes back to itself.
    #[error("entry {0}: {1} leads back to itself: {2}")]
    Loop(usize, AliasName, String),
}

/// The declared aliases. Whether a target that is not declared is somebody here all the same, such as a user added by
/// command, only the accounts on the volume can tell; without them it is not asked.
pub(super) fn aliases(
    raw: &mut Raw,
    served: &Served,
    users: &[DeclaredUser],
    accounts: Option<&Accounts>,
    faults: &mut Vec<Fault>,
) -> Vec<DeclaredAlias> {
    let Some(typed) = raw.take(&variables::ALIASES) else { return Vec::new() };
    let mut aliases: Vec<DeclaredAlias> = Vec::new();
    let mut errors = Vec::new();
    for (number, entry) in (1..).zip(entries(&typed.text, typed.file.is_some())) {
        match read_entry(number, entry, served.home()) {
            Ok(alias) if aliases.iter().any(|other| other.name.is_same(&alias.name)) => {
                errors.push(AliasError::Twice(number, alias.name));
            }
            Ok(alias) => {
                if alias.name.domain().is_none_or(|domain| served.lacks(domain)) {
                    errors.push(AliasError::Elsewhere(number, alias.name.clone()));
                }
                if users.iter().any(|declared| alias.name.is_address(&declared.user.address())) {
                    errors.push(AliasError::IsUser(number, alias.name.clone()));
                }
                aliases.push(alias);
            }
            Err(error) => errors.push(error),
        }
    }
    let known = accounts.map(|accounts| Known::new(users, &aliases, accounts));
    for (number, alias) in (1..).zip(&aliases) {
        if let Some(known) = &known {
            errors.extend(known.faults(number, alias, served));
        }
        if let Some(way) = way_back(alias, &aliases) {
            errors.push(AliasError::Loop(number, alias.name.clone(), way));
        }
    }
    faults.extend(errors.iter().map(|error| typed.fault(error)));
    aliases
}

fn entries(text: &str, is_file: bool) -> impl Iterator<Item = &str> {
    let separators: &[char] = if is_file { &['\n'] } else { &['\n', ','] };
    let is_comment = move |entry: &str| is_file && entry.starts_with('#');
    text.split(separators).map(str::trim).filter(move |entry| !entry.is_empty() && !is_comment(entry))
}

fn read_entry(number: usize, entry: &str, home: &Domain) -> Result<DeclaredAlias, AliasError> {
    let (name, targets) =
        entry.split_once(':').ok_or_else(|| AliasError::NoColon(number, entry.to_owned()))?;
    let name = match name.trim().strip_prefix('@') {
        Some(domain) => Domain::parse(domain).ok().map(AliasName::Rest),
        None => address(name.trim(), home).map(AliasName::Address),
    }
    .ok_or_else(|| AliasError::BadName(number, name.trim().to_owned()))?;
    let mut addresses = Vec::new();
    for target in targets.split_whitespace() {
        let target = address(target, home)
            .ok_or_else(|| AliasError::BadTarget(number, name.clone(), target.to_owned()))?;
        addresses.push(target);
    }
    if addresses.is_empty() {
        return Err(AliasError::NoTarget(number, name));
    }
    Ok(DeclaredAlias { name, targets: addresses })
}

/// `name [ "@" domain ]`.
fn address(text: &str, home: &Domain) -> Option<Address> {
    let address = match text.contains('@') {
        true => Address::parse(text),
        false => Address::parse(&format!("{text}@{home}")),
    };
    address.ok().filter(|address| address.domain().is_some())
}

/// How an alias that is an address comes back to itself, if it does. What is for nobody else cannot: whoever it leads
/// to is somebody.
fn way_back(start: &DeclaredAlias, aliases: &[DeclaredAlias]) -> Option<String> {
    let AliasName::Address(own) = &start.name else { return None };
    // Each alias is visited once, with the way by which it was found.
    let mut found: Vec<(&DeclaredAlias, String)> = vec![(start, own.to_string())];
    let mut next = 0;
    while let Some((alias, way)) = found.get(next).cloned() {
        next += 1;
        for target in &alias.targets {
            if start.name.is_address(target) {
                return Some(format!("{way} to {target}"));
            }
            let further = aliases.iter().find(|other| other.name.is_address(target));
            if let Some(further) =
                further.filter(|further| !found.iter().any(|(seen, _)| seen.name == further.name))
            {
                found.push((further, format!("{way} to {target}")));
            }
        }
    }
    None
}

/// Who is somebody here, declared or not.
struct Known<'a> {
    accounts: &'a Accounts,
    names: HashSet<(Domain, String)>,
}

impl<'a> Known<'a> {
    fn new(users: &[DeclaredUser], aliases: &[DeclaredAlias], accounts: &'a Accounts) -> Self {
        let declared = aliases.iter().map(|alias| &alias.name);
        let added = accounts.aliases.iter().filter(|alias| !alias.declared).map(|alias| &alias.name);
        let aliases = declared.chain(added).filter_map(|name| match name {
            AliasName::Address(address) => Some((address.domain()?.clone(), address.local.folded())),
            AliasName::Rest(_) => None,
        });
        let there = accounts.users.iter().map(|account| &account.user);
        let users = users.iter().map(|declared| &declared.user).chain(there);
        let users = users.map(|user| (user.domain().clone(), user.name().to_owned()));
        Self { accounts, names: users.chain(aliases).collect() }
    }

    fn faults(&self, number: usize, alias: &DeclaredAlias, served: &Served) -> Vec<AliasError> {
        let strangers = alias.targets.iter().filter(|target| !self.has(target, served));
        let mut errors: Vec<AliasError> =
            strangers.map(|target| AliasError::Unknown(number, alias.name.clone(), target.clone())).collect();
        // One that was declared once is let go of by not being declared any more.
        let is_added = |account: &UserAccount| {
            account.enabled && account.declared.is_none() && alias.name.is_address(&account.user.address())
        };
        if self.accounts.users.iter().any(is_added) {
            errors.push(AliasError::IsAdded(number, alias.name.clone()));
        }
        errors
    }

    /// Whether a target is elsewhere, or somebody here, or one of those who always are (RFC 5321 §4.5.1, RFC 2142 §4).
    fn has(&self, target: &Address, served: &Served) -> bool {
        let Some(domain) = target.domain().filter(|domain| served.has(domain)) else { return true };
        let (name, _) = target.local.split_detail('+');
        let name = name.to_lowercase();
        self.names.contains(&(domain.clone(), target.local.folded()))
            || ["postmaster", "abuse"].contains(&name.as_str())
            || self.names.contains(&(domain.clone(), name))
    }
}
