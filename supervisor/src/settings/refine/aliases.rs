//! Aliases: addresses whose mail goes to other addresses.
//!
//! ```text
//! aliases      = entry *( ( "," / line-break ) entry )    ; MAIL_ALIASES
//! aliases-file = *( entry / "#" comment line-break )      ; MAIL_ALIASES_FILE, one a line
//! entry        = ( name [ "@" domain ] / "@" domain ) ":" target *( 1*SP target )
//! target       = name [ "@" domain ]
//! ```

mod known_names;
mod loops;

use std::collections::HashSet;

use accounts::declaration::{DeclaredAlias, DeclaredUser};
use accounts::{Accounts, AliasKey, AliasName};
use address::{Address, Domain};

use super::ServedDomains;
use crate::settings::fault::SettingFault;
use crate::settings::raw::Raw;
use crate::settings::variables;
use known_names::KnownNames;

/// An error of an alias entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum AliasError {
    /// There is no colon in it.
    #[error(
        "entry {0} ({1:?}) has no colon between a name and its targets; several targets are separated by spaces"
    )]
    NoColon(usize, String),
    /// The text before the colon is not an address.
    #[error("entry {0}: {1:?} is not an address")]
    BadName(usize, String),
    /// There is nothing after the colon.
    #[error("entry {0}: {1} has no target after the colon")]
    NoTarget(usize, AliasName),
    /// A text after the colon is not an address.
    #[error(
        "entry {0}: {2:?}, the target of {1}, is not an address; several targets are separated by spaces, without commas"
    )]
    BadTarget(usize, AliasName, String),
    /// The same address again.
    #[error("entry {0}: {1} was declared before")]
    Twice(usize, AliasName),
    /// Mail for it does not arrive here.
    #[error("entry {0}: {1} is in none of our domains; add its domain to MAIL_DOMAIN")]
    Elsewhere(usize, AliasName),
    /// It would never be used.
    #[error("entry {0}: {1} is a user, whose mail goes to the mailbox; choose another name for the alias")]
    IsUser(usize, AliasName),
    /// It has the name of a user that was added by command.
    #[error(
        "entry {0}: {1} is a user who was added by command; choose another name for the alias, or delete the user"
    )]
    IsAdded(usize, AliasName),
    /// Its target does not exist.
    #[error("entry {0}: {1} leads to {2}, which is neither a user nor an alias")]
    Unknown(usize, AliasName, Address),
    /// It leads back to itself.
    #[error("entry {0}: {1} leads back to itself: {2}")]
    Loop(usize, AliasName, String),
}

/// The declared aliases. Only the accounts on the volume show whether an undeclared target exists here, such as a user
/// added by command; without them this is not checked.
pub(super) fn aliases(
    raw: &mut Raw,
    served: &ServedDomains,
    users: &[DeclaredUser],
    accounts: Option<&Accounts>,
    faults: &mut Vec<SettingFault>,
) -> Vec<DeclaredAlias> {
    let Some(typed) = raw.take(&variables::ALIASES) else { return Vec::new() };
    let mut aliases: Vec<DeclaredAlias> = Vec::new();
    let mut numbers: Vec<usize> = Vec::new();
    let mut errors = Vec::new();
    let mut seen = HashSet::new();
    let users_here: HashSet<AliasKey> = users.iter().map(|declared| AliasKey::from(&declared.user)).collect();
    for (number, entry) in (1..).zip(entries(&typed.text, typed.file.is_some())) {
        match read_entry(number, entry, served.home()) {
            Ok(alias) if !seen.insert(alias.name.key()) => {
                errors.push(AliasError::Twice(number, alias.name));
            }
            Ok(alias) => {
                if alias.name.domain().is_none_or(|domain| served.is_elsewhere(domain)) {
                    errors.push(AliasError::Elsewhere(number, alias.name.clone()));
                }
                if users_here.contains(&alias.name.key()) {
                    errors.push(AliasError::IsUser(number, alias.name.clone()));
                }
                aliases.push(alias);
                numbers.push(number);
            }
            Err(error) => errors.push(error),
        }
    }
    if let Some(accounts) = accounts {
        let known = KnownNames::new(users, &aliases, accounts);
        for (number, alias) in numbers.iter().zip(&aliases) {
            errors.extend(known.faults(*number, alias, served));
        }
    }
    for (index, path) in loops::loops(&aliases) {
        errors.push(AliasError::Loop(numbers[index], aliases[index].name.clone(), path));
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
        Some(domain) => Domain::parse(domain).ok().map(AliasName::CatchAll),
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
