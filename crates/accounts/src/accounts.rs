use std::collections::HashMap;
use std::path::{Path, PathBuf};

use address::{Address, Domain};
use serde::{Deserialize, Serialize};

use crate::fault::{self, Fault};
use crate::{AliasName, AppPassword, Fingerprint, Secret, User};

/// `accounts.toml`, whole and without a fault: what is here can be served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    /// The domains whose mail is for here. The first is the one that a login without a domain means.
    pub domains: Vec<Domain>,
    /// The users, in the order of the file. The first that is enabled is the postmaster, unless one is named.
    pub users: Vec<UserAccount>,
    /// The aliases.
    pub aliases: Vec<Alias>,
}

/// One user's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAccount {
    /// Who it is.
    pub user: User,
    /// What the login's password is checked against.
    pub secret: Secret,
    /// The secret as it was declared when it was last applied, hashed; none when the user was never declared.
    /// It differs from `secret` when the owner has changed the password since.
    pub declared: Option<Secret>,
    /// Whether the user can log in and gets mail. Who is not enabled keeps the mail that is there.
    pub enabled: bool,
    /// Whether the operator disabled it: then no declaration enables it again, only the operator does.
    pub locked: bool,
    /// The passwords of its devices, each with a name of its own.
    pub app_passwords: Vec<AppPassword>,
}

/// One address, or the rest of a domain, that stands for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// What it is asked for by; its domain is local.
    pub name: AliasName,
    /// Whom it reaches: users, other aliases, addresses elsewhere.
    pub targets: Vec<Address>,
    /// Whether the environment declared it, so that it goes when it is declared no longer.
    pub declared: bool,
}

/// Why there are no accounts.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The file could not be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML of this shape. Its text is not shown: what stands in a line may be somebody's hash.
    #[error("{}, line {line}: {wrong}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where.
        line: usize,
        /// What was expected.
        wrong: String,
    },
    /// The file contradicts itself, or names what cannot be; all faults at once.
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

/// What is wrong, without the text between quotation marks, which is a value out of the file.
fn without_values(message: &str) -> String {
    match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            format!("{}…{}", &message[..=first], &message[last..])
        }
        _ => message.to_owned(),
    }
}

/// The file as it is written, before anything in it is believed.
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
    // Last: in TOML a table ends what belongs to the user itself.
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

    /// Reads the file, and tells by which fingerprint its content is known.
    pub fn load_with_fingerprint(path: &Path) -> Result<(Self, Fingerprint), AccountsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| AccountsError::Read { path: path.to_owned(), source })?;
        let raw: RawAccounts =
            toml::from_str(&text).map_err(|error| AccountsError::of_syntax(path, &text, &error))?;
        let accounts =
            fault::refine(raw).map_err(|faults| AccountsError::Faults { path: path.to_owned(), faults })?;
        Ok((accounts, Fingerprint::of(text.as_bytes())))
    }

    /// The file's text. What is written so loads again.
    pub fn to_toml(&self) -> String {
        let raw = RawAccounts {
            domains: self.domains.iter().map(Domain::to_string).collect(),
            users: self.users.iter().map(RawUser::from).collect(),
            aliases: self.aliases.iter().map(RawAlias::from).collect(),
        };
        toml::to_string(&raw).expect("strings, lists and truth values can always be written as TOML")
    }

    /// What would be wrong with these accounts as a file. Whoever composes accounts asks before writing them.
    pub fn faults(&self) -> Vec<Fault> {
        fault::contradictions(self)
    }

    /// All accounts by their users, for a caller that looks up many.
    pub(crate) fn users_by_name(&self) -> HashMap<&User, &UserAccount> {
        self.users.iter().map(|account| (&account.user, account)).collect()
    }

    /// The account of a user, enabled or not.
    pub fn user(&self, user: &User) -> Option<&UserAccount> {
        self.users.iter().find(|account| account.user == *user)
    }
}

impl UserAccount {
    /// An account that nobody declared, enabled.
    pub fn new(user: User, secret: Secret) -> Self {
        Self { user, secret, declared: None, enabled: true, locked: false, app_passwords: Vec::new() }
    }

    /// Whether the environment declares the user, as far as is known since it was last read.
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
