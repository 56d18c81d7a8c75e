//! The users, as declared in the environment or in a file.
//!
//! ```text
//! users      = entry *( ( "," / line-break ) entry )      ; MAIL_USERS
//! users-file = *( entry / "#" comment line-break )        ; MAIL_USERS_FILE, one a line
//! entry      = name [ "@" domain ] ":" secret
//! ```
//!
//! A comma separates users, and also the parameters within a hash (`$argon2id$v=19$m=65536,t=3,p=1$…`). So in
//! `MAIL_USERS` a piece without a colon after a hash belongs to the hash, and after a password it is a fault: accepted
//! silently, a user whose secret was forgotten would become part of another one's password. No fault ever quotes a
//! secret.
//!
//! Compose treats `$` and a name after it as a variable in every value that is not between single quotes, and replaces
//! an undefined one by nothing: of `$6$salt$hash` it leaves `$6`. So a text that can be the rest of a hash is a fault,
//! which shows the line to write.

use std::collections::HashSet;

use accounts::declaration::{ChosenPasswordError, DeclaredSecret, DeclaredSecretError, DeclaredUser};
use accounts::{RESERVED_NAME, Secret, SecretError, User};
use address::{Address, Domain, LocalPart};

use super::names::unusable_domain_reason;
use crate::settings::fault::SettingFault;
use crate::settings::raw::{Raw, RawValue};
use crate::settings::variables;

/// An error of a user's entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum UserError {
    /// There is no colon in it.
    #[error("entry {0} has no colon between a name and a secret")]
    NoColon(usize),
    /// There is no colon in it, and the text before it may be the reason.
    #[error(
        "entry {0} has no colon between a name and a secret; a password with a comma in it needs MAIL_USERS_FILE"
    )]
    NoColonBehindComma(usize),
    /// The name is empty or has a character that no mailbox's folder can have.
    #[error("entry {0}: {1:?} is not a user's name; use letters, digits, dots, hyphens and underscores")]
    BadName(usize, String),
    /// The text after the `@` is not a domain.
    #[error("entry {0}: {1}")]
    BadDomain(usize, String),
    /// It has the name of the program's own mailbox.
    #[error("entry {0}: {1} is reserved for the server's own test messages; choose another name")]
    Reserved(usize, String),
    /// There is nothing after the colon.
    #[error("entry {0}: {1} has no secret after the colon")]
    NoSecret(usize, String),
    /// The secret is a hash that cannot be checked.
    #[error("entry {number}: the secret of {user} cannot be used: {error}")]
    BadHash {
        /// The entry's number.
        number: usize,
        /// The user.
        user: String,
        /// The beginning of such a hash when it is complete.
        shape: String,
        /// The fault of the hash.
        error: SecretError,
    },
    /// The secret is a password that cannot be set.
    #[error("entry {0}: the secret of {1} cannot be used: {2}")]
    BadPassword(usize, String, ChosenPasswordError),
    /// The file has no entry at all.
    #[error(
        "has no user in it, perhaps because it is still being written, and would disable every user who was declared \
         before; to declare no users, leave it unset"
    )]
    Empty,
    /// The same user again.
    #[error("entry {0}: {1} was declared before")]
    Twice(usize, String),
}

/// The declared users.
pub(super) fn users(raw: &mut Raw, home: &Domain, faults: &mut Vec<SettingFault>) -> Vec<DeclaredUser> {
    let Some(typed) = raw.take(&variables::USERS) else { return Vec::new() };
    let (users, errors) = match typed.file {
        Some(_) => read_lines(&typed.text, home),
        None => read_list(&typed.text, home),
    };
    faults.extend(errors.iter().map(|error| fault(&typed, error)));
    if typed.file.is_some() && users.is_empty() && errors.is_empty() {
        faults.push(typed.fault(UserError::Empty));
    }
    users
}

/// The fault, with the line that would be accepted: quoted if compose may have changed the value.
fn fault(typed: &RawValue, error: &UserError) -> SettingFault {
    let name = variables::USERS.name;
    match (error, &typed.file) {
        (UserError::BadHash { user, shape, .. }, None) => {
            let doubled = shape.replace('$', "$$");
            let line =
                format!("{name}='{user}:{shape}' in .env, or {name}: '{user}:{doubled}' in compose.yaml");
            typed.fault(format!("{error}; {REPLACED}; put the hash between single quotes")).with_line(line)
        }
        (UserError::BadHash { user, shape, .. }, Some(_)) => typed
            .fault(format!("{error}; write the whole hash there, without quotes"))
            .with_line(format!("{user}:{shape}")),
        (UserError::BadPassword(_, user, ChosenPasswordError::TooShort(_)), None) => {
            let line = format!(
                "{name}='{user}:a-long-password' in .env, or {name}: '{user}:a-long-password' in compose.yaml, with $$ for each $"
            );
            typed.fault(format!("{error}; {REPLACED}, and everything after a blank and #")).with_line(line)
        }
        _ => typed.fault(error),
    }
}

/// The change that compose makes to an unquoted secret.
const REPLACED: &str = "in a value without quotes, compose removes each $ with the name after it";

/// Reads `MAIL_USERS`.
fn read_list(text: &str, home: &Domain) -> (Vec<DeclaredUser>, Vec<UserError>) {
    let mut entries: Vec<String> = Vec::new();
    for line in text.lines() {
        let mut hash_is_open = false;
        for piece in line.split(',') {
            match entries.last_mut() {
                Some(entry) if hash_is_open && !piece.contains(':') => {
                    entry.push(',');
                    entry.push_str(piece);
                }
                _ if piece.trim().is_empty() => {}
                _ => {
                    entries.push(piece.to_owned());
                    hash_is_open =
                        piece.split_once(':').is_some_and(|(_, secret)| Secret::looks_like(secret));
                }
            }
        }
    }
    let (users, errors) = read(entries.iter().map(String::as_str), home);
    let explained = errors.into_iter().map(|error| match error {
        UserError::NoColon(number) if number > 1 => UserError::NoColonBehindComma(number),
        other => other,
    });
    (users, explained.collect())
}

/// Reads the content of `MAIL_USERS_FILE`.
fn read_lines(text: &str, home: &Domain) -> (Vec<DeclaredUser>, Vec<UserError>) {
    let is_entry = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    read(text.lines().filter(is_entry), home)
}

fn read<'t>(entries: impl Iterator<Item = &'t str>, home: &Domain) -> (Vec<DeclaredUser>, Vec<UserError>) {
    let mut users: Vec<DeclaredUser> = Vec::new();
    let mut errors = Vec::new();
    let mut seen = HashSet::new();
    for (number, entry) in (1..).zip(entries) {
        let (user, secret) = match read_entry(number, entry, home) {
            Ok(read) => read,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        // A name counts even if its secret is faulty: one report has every fault.
        let is_first = seen.insert(user.clone());
        if !is_first {
            errors.push(UserError::Twice(number, user.to_string()));
        }
        match read_secret(number, user, secret) {
            Ok(user) if is_first => users.push(user),
            Ok(_) => {}
            Err(error) => errors.push(error),
        }
    }
    (users, errors)
}

/// `entry = name [ "@" domain ] ":" secret`. Spaces around the name are dropped; within the secret they count.
fn read_entry<'t>(number: usize, entry: &'t str, home: &Domain) -> Result<(User, &'t str), UserError> {
    let (name, secret) = entry.split_once(':').ok_or(UserError::NoColon(number))?;
    let (name, domain) = match name.trim().rsplit_once('@') {
        Some((name, domain)) => {
            let domain =
                Domain::parse(domain).map_err(|error| UserError::BadDomain(number, error.to_string()))?;
            if let Some(wrong) = unusable_domain_reason(&domain) {
                return Err(UserError::BadDomain(number, format!("{domain:?} is a domain {wrong}")));
            }
            (name, domain)
        }
        None => (name.trim(), home.clone()),
    };
    let user = user(name, domain).ok_or_else(|| UserError::BadName(number, name.to_owned()))?;
    if user.name() == RESERVED_NAME {
        return Err(UserError::Reserved(number, user.to_string()));
    }
    Ok((user, secret))
}

fn read_secret(number: usize, user: User, secret: &str) -> Result<DeclaredUser, UserError> {
    if secret.is_empty() {
        return Err(UserError::NoSecret(number, user.to_string()));
    }
    DeclaredSecret::parse(secret).map(|secret| DeclaredUser { user: user.clone(), secret }).map_err(|error| {
        let user = user.to_string();
        match error {
            DeclaredSecretError::Hash(error) => {
                UserError::BadHash { number, user, shape: Secret::shape(secret), error }
            }
            DeclaredSecretError::Password(error) => UserError::BadPassword(number, user, error),
        }
    })
}

/// A name that is easy to type and that plus addressing does not change: `ann+lists` is mail for `ann`.
fn user(name: &str, domain: Domain) -> Option<User> {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let user = User::new(&Address::new(LocalPart::parse(name).ok()?, domain)).ok()?;
    user.name().chars().all(is_plain).then_some(user)
}
