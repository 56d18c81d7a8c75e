use std::collections::HashMap;
use std::path::{Path, PathBuf};

use address::{Address, Domain};
use serde::{Deserialize, Serialize};

use crate::directory::{self, Entries, Reachability};
use crate::fault::{self, Fault};
use crate::{AliasName, AppPassword, Fingerprint, Secret, User};

/// The largest file that is read, in octets: several times what 100,000 users and 100,000 aliases take.
pub const MAX_FILE_SIZE: u64 = 64 << 20;

/// The content of `accounts.toml`, complete and validated, so that the daemons can use it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    /// The local domains. A login without a domain belongs to the first.
    pub domains: Vec<Domain>,
    /// The users, in the order of the file. The first enabled one is the postmaster, unless another is declared.
    pub users: Vec<UserAccount>,
    /// The aliases.
    pub aliases: Vec<Alias>,
}

/// One user's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAccount {
    /// The user's name and domain.
    pub user: User,
    /// The hash that the login's password is checked against.
    pub secret: Secret,
    /// The declared secret as it was last applied, hashed; `None` when the user was never declared. It differs from
    /// `secret` when the owner has changed the password since.
    pub declared: Option<Secret>,
    /// True if the user can log in and receives mail. A disabled user keeps the stored mail.
    pub enabled: bool,
    /// True if the operator disabled the user: then no declaration enables it again, only the operator does.
    pub locked: bool,
    /// The app passwords, one for each device, each with its own name.
    pub app_passwords: Vec<AppPassword>,
}

/// One address, or all other addresses of a domain, that forwards to other addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The address or domain that the alias matches; its domain is local.
    pub name: AliasName,
    /// The targets: users, other aliases, addresses elsewhere.
    pub targets: Vec<Address>,
    /// True if the environment declared it, so that it is removed once it is no longer declared.
    pub declared: bool,
}

/// An error while reading `accounts.toml`.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The file could not be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is not TOML of the expected shape. Its text is not shown, since a line may contain a hash.
    #[error("{}, line {line}: {wrong}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line number.
        line: usize,
        /// The parser's message, without values.
        wrong: String,
    },
    /// The file contradicts itself or contains invalid values; reports all faults at once.
    #[error("{}:{}", path.display(), fault::list_faults(faults))]
    Faults {
        /// The file.
        path: PathBuf,
        /// Every fault.
        faults: Vec<Fault>,
    },
}

impl AccountsError {
    fn of_syntax(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        Self::Syntax { path: path.to_owned(), line, wrong: without_values(error.message()) }
    }
}

/// Removes the text between quotation marks, which is a value from the file, from a parser's message.
fn without_values(message: &str) -> String {
    match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            format!("{}…{}", &message[..=first], &message[last..])
        }
        _ => message.to_owned(),
    }
}

/// The file as it is parsed, before its values are checked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawAccounts {
    #[serde(default)]
    pub(crate) domains: Vec<String>,
    #[serde(default)]
    pub(crate) users: Vec<RawUser>,
    #[serde(default)]
    pub(crate) aliases: Vec<RawAlias>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawUser {
    pub(crate) address: String,
    pub(crate) secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) declared: Option<String>,
    #[serde(default = "yes")]
    pub(crate) enabled: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) locked: bool,
    // Must be the last field: in TOML, no key of the user can follow a table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) app_passwords: Vec<RawAppPassword>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawAppPassword {
    pub(crate) name: String,
    pub(crate) selector: String,
    pub(crate) secret: String,
    pub(crate) created: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawAlias {
    pub(crate) address: String,
    pub(crate) targets: Vec<String>,
    #[serde(default)]
    pub(crate) declared: bool,
}

fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes what is to be skipped by reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Accounts {
    /// Reads the file and reports all of its faults at once.
    pub fn load(path: &Path) -> Result<Self, AccountsError> {
        Self::load_with_fingerprint(path).map(|(accounts, _)| accounts)
    }

    /// Reads the file and returns the fingerprint of its content as well.
    pub fn load_with_fingerprint(path: &Path) -> Result<(Self, Fingerprint), AccountsError> {
        let text = durable::read_text_limited(path, MAX_FILE_SIZE)
            .map_err(|source| AccountsError::Read { path: path.to_owned(), source })?;
        let raw: RawAccounts =
            toml::from_str(&text).map_err(|error| AccountsError::of_syntax(path, &text, &error))?;
        let accounts =
            fault::refine(raw).map_err(|faults| AccountsError::Faults { path: path.to_owned(), faults })?;
        Ok((accounts, Fingerprint::of(text.as_bytes())))
    }

    /// Writes the accounts as the file's text, which loads again.
    pub fn to_toml(&self) -> String {
        let raw = RawAccounts {
            domains: self.domains.iter().map(Domain::to_string).collect(),
            users: self.users.iter().map(RawUser::from).collect(),
            aliases: self.aliases.iter().map(RawAlias::from).collect(),
        };
        toml::to_string(&raw).expect("strings, lists and truth values can always be written as TOML")
    }

    /// The faults that a file with these accounts would have. Accounts that were changed in memory are checked before
    /// they are written.
    pub fn faults(&self) -> Vec<Fault> {
        fault::contradictions(self)
    }

    /// The aliases that reach disabled users only: mail for them is refused.
    pub fn aliases_of_disabled(&self) -> Vec<&AliasName> {
        let reachabilities = directory::reachability(&Entries::new(self), &self.aliases);
        let of_disabled = self
            .aliases
            .iter()
            .zip(reachabilities)
            .filter(|(_, reached)| *reached == Reachability::DisabledOnly);
        of_disabled.map(|(alias, _)| &alias.name).collect()
    }

    /// A map from users to their accounts, for a caller with many lookups.
    pub(crate) fn users_by_name(&self) -> HashMap<&User, &UserAccount> {
        self.users.iter().map(|account| (&account.user, account)).collect()
    }

    /// The account of a user, enabled or disabled.
    pub fn user(&self, user: &User) -> Option<&UserAccount> {
        self.users.iter().find(|account| account.user == *user)
    }
}

impl UserAccount {
    /// An enabled account that is not declared.
    pub fn new(user: User, secret: Secret) -> Self {
        Self { user, secret, declared: None, enabled: true, locked: false, app_passwords: Vec::new() }
    }

    /// True if the environment declared the user when it was last read.
    pub fn is_declared(&self) -> bool {
        self.declared.is_some() && (self.enabled || self.locked)
    }
}

impl From<&UserAccount> for RawUser {
    fn from(account: &UserAccount) -> Self {
        Self {
            address: account.user.to_string(),
            secret: account.secret.as_str().to_owned(),
            declared: account.declared.as_ref().map(|secret| secret.as_str().to_owned()),
            enabled: account.enabled,
            locked: account.locked,
            app_passwords: account.app_passwords.iter().map(RawAppPassword::from).collect(),
        }
    }
}

impl From<&AppPassword> for RawAppPassword {
    fn from(app: &AppPassword) -> Self {
        Self {
            name: app.name.as_str().to_owned(),
            selector: app.selector.as_str().to_owned(),
            secret: app.secret.as_str().to_owned(),
            created: app.created.clone(),
        }
    }
}

impl From<&Alias> for RawAlias {
    fn from(alias: &Alias) -> Self {
        Self {
            address: alias.name.to_string(),
            targets: alias.targets.iter().map(Address::to_string).collect(),
            declared: alias.declared,
        }
    }
}
