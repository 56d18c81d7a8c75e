//! The changes that the operator's commands make to the accounts: pure functions over all of them, each of which either
//! makes the change or returns an error with the reason and the remedy.
//!
//! No change contradicts the environment: the next start would revert it silently. A declared user or alias has to be
//! changed where it is declared.

use std::collections::HashSet;

use address::{Address, Domain};

use crate::{
    Accounts, Alias, AliasKey, AliasName, AppName, AppPassword, Fault, RESERVED_NAME, Secret, User,
    UserAccount,
};

/// The reason why a change cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The domain is not local.
    #[error(
        "{domain} is not a local domain; the local domains are {}: add it to MAIL_DOMAIN first",
        listed(domains)
    )]
    DomainNotLocal {
        /// The requested domain.
        domain: Domain,
        /// The local domains.
        domains: Vec<Domain>,
    },
    /// The name is reserved for the internal mailbox.
    #[error("{0} is reserved for the server's test messages: choose another name")]
    Reserved(User),
    /// The user exists already.
    #[error("the user {0} already exists: `mailstead user passwd` changes the password")]
    UserExists(User),
    /// The user exists already, and is disabled.
    #[error("the user {0} already exists and is disabled: `mailstead user enable` lets it log in again")]
    UserDisabled(User),
    /// The address is an alias.
    #[error("{0} is an alias: delete it first with `mailstead alias delete`")]
    IsAlias(AliasName),
    /// The user does not exist.
    #[error("there is no user {0}: `mailstead user list` lists the users")]
    NoUser(User),
    /// The user is declared: the next start would create it again.
    #[error(
        "{0} is declared in MAIL_USERS and would be created again at the next start: remove it there and restart, \
         or disable it with `mailstead user disable`"
    )]
    UserDeclared(User),
    /// The user is a target of aliases.
    #[error("{user} is a target of {}: delete that alias first, or give it other targets", names(aliases))]
    UserIsTarget {
        /// The user.
        user: User,
        /// The aliases.
        aliases: Vec<AliasName>,
    },
    /// The address belongs to a user.
    #[error("{0} is a user: an alias needs an address of its own")]
    IsUser(AliasName),
    /// The alias exists already.
    #[error("the alias {0} already exists: delete it first to give it other targets")]
    AliasExists(AliasName),
    /// The alias does not exist.
    #[error("there is no alias {0}: `mailstead alias list` lists the aliases")]
    NoAlias(AliasName),
    /// The alias is declared: the next start would create it again.
    #[error("{0} is declared in MAIL_ALIASES: change it there and restart")]
    AliasDeclared(AliasName),
    /// The app password exists already.
    #[error("{user} already has an app password {name}: revoke it first, or choose another name")]
    AppPasswordExists {
        /// The user.
        user: User,
        /// Its name.
        name: AppName,
    },
    /// The app password does not exist.
    #[error("{user} has no app password {name}: `mailstead app-password list` lists them")]
    NoAppPassword {
        /// The user.
        user: User,
        /// Its name.
        name: AppName,
    },
    /// The alias is a target of other aliases.
    #[error("{alias} is a target of {}: delete that alias first, or give it other targets", names(aliases))]
    AliasIsTarget {
        /// The alias.
        alias: AliasName,
        /// The aliases that have it as a target.
        aliases: Vec<AliasName>,
    },
    /// A target is listed twice.
    #[error("the target {0} is listed twice: list it once")]
    DuplicateTarget(Address),
    /// The user has [`MAX_APP_PASSWORDS`] app passwords already.
    #[error("{0} already has {MAX_APP_PASSWORDS} app passwords: revoke those that are no longer used")]
    TooManyAppPasswords(User),
    /// The accounts would contradict themselves after the change.
    #[error("the accounts would not be valid: {0}")]
    Contradiction(Fault),
}

/// Maximum number of app passwords of one user: more than a person has devices, and few enough to keep the file
/// readable.
pub const MAX_APP_PASSWORDS: usize = 50;

impl ChangeError {
    /// True if the named user, alias or app password does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::NoUser(_) | Self::NoAlias(_) | Self::NoAppPassword { .. })
    }
}

fn listed(domains: &[Domain]) -> String {
    domains.iter().map(Domain::to_string).collect::<Vec<_>>().join(", ")
}

fn names(aliases: &[AliasName]) -> String {
    aliases.iter().map(AliasName::to_string).collect::<Vec<_>>().join(", ")
}

/// Compares addresses without regard to case, as local addresses are.
fn is_same(one: &Address, other: &Address) -> bool {
    AliasName::Address(one.clone()).is_address(other)
}

impl Accounts {
    /// Adds a user who can log in.
    pub fn add_user(&mut self, user: &User, secret: Secret) -> Result<(), ChangeError> {
        self.check_add_user(user)?;
        self.users.push(UserAccount::new(user.clone(), secret));
        self.require_consistent().inspect_err(|_| drop(self.users.pop()))
    }

    /// Checks that the user can be added.
    pub fn check_add_user(&self, user: &User) -> Result<(), ChangeError> {
        self.require_local(user.domain())?;
        if user.name() == RESERVED_NAME {
            return Err(ChangeError::Reserved(user.clone()));
        }
        match self.user(user) {
            Some(account) if account.enabled => return Err(ChangeError::UserExists(user.clone())),
            Some(_) => return Err(ChangeError::UserDisabled(user.clone())),
            None => {}
        }
        self.require_no_alias(user)
    }

    /// Replaces the secret of a user. The declared secret stays stored, so that the new password survives the next
    /// start.
    pub fn set_secret(&mut self, user: &User, secret: Secret) -> Result<(), ChangeError> {
        self.account(user)?.secret = secret;
        Ok(())
    }

    /// Disables a user's login and address, even if the user is declared; the mail stays. Returns false if the operator
    /// had disabled the user already.
    pub fn disable(&mut self, user: &User) -> Result<bool, ChangeError> {
        let account = self.account(user)?;
        let is_news = account.enabled || !account.locked;
        // A user who was declared once, and no longer is, belongs to the operator from now on.
        if !account.is_declared() {
            account.declared = None;
        }
        (account.enabled, account.locked) = (false, true);
        Ok(is_news)
    }

    /// Enables a user again. Returns false if the user was enabled already.
    pub fn enable(&mut self, user: &User) -> Result<bool, ChangeError> {
        self.account(user)?;
        self.require_local(user.domain())?;
        self.require_no_alias(user)?;
        let account = self.account(user)?;
        let is_news = !account.enabled;
        if !account.is_declared() {
            account.declared = None;
        }
        (account.enabled, account.locked) = (true, false);
        Ok(is_news)
    }

    /// Removes a user. The mail is not removed here.
    pub fn delete_user(&mut self, user: &User) -> Result<(), ChangeError> {
        if self.account(user)?.is_declared() {
            return Err(ChangeError::UserDeclared(user.clone()));
        }
        let aliases = self.aliases_with_target(&user.address());
        if !aliases.is_empty() {
            return Err(ChangeError::UserIsTarget { user: user.clone(), aliases });
        }
        self.users.retain(|account| account.user != *user);
        Ok(())
    }

    /// Adds an alias.
    pub fn add_alias(&mut self, name: &AliasName, targets: Vec<Address>) -> Result<(), ChangeError> {
        if let Some(domain) = name.domain() {
            self.require_local(domain)?;
        }
        if self.users.iter().any(|account| account.enabled && name.is_address(&account.user.address())) {
            return Err(ChangeError::IsUser(name.clone()));
        }
        match self.aliases.iter().find(|alias| alias.name.is_same(name)) {
            Some(alias) if alias.declared => return Err(ChangeError::AliasDeclared(name.clone())),
            Some(_) => return Err(ChangeError::AliasExists(name.clone())),
            None => {}
        }
        let mut seen = HashSet::new();
        if let Some(twice) = targets.iter().find(|target| !seen.insert(AliasKey::from(*target))) {
            return Err(ChangeError::DuplicateTarget(twice.clone()));
        }
        self.aliases.push(Alias { name: name.clone(), targets, declared: false });
        self.require_consistent().inspect_err(|_| drop(self.aliases.pop()))
    }

    /// Removes an alias.
    pub fn delete_alias(&mut self, name: &AliasName) -> Result<(), ChangeError> {
        let found = self.aliases.iter().position(|alias| alias.name.is_same(name));
        let index = found.ok_or_else(|| ChangeError::NoAlias(name.clone()))?;
        if self.aliases[index].declared {
            return Err(ChangeError::AliasDeclared(name.clone()));
        }
        let alias = self.aliases.remove(index);
        let Err(error) = self.require_consistent() else { return Ok(()) };
        let aliases = match &alias.name {
            AliasName::Address(address) => self.aliases_with_target(address),
            AliasName::CatchAll(_) => Vec::new(),
        };
        self.aliases.insert(index, alias);
        if aliases.is_empty() {
            Err(error)
        } else {
            Err(ChangeError::AliasIsTarget { alias: name.clone(), aliases })
        }
    }

    /// The aliases that have an address among their targets.
    fn aliases_with_target(&self, address: &Address) -> Vec<AliasName> {
        let leads_there = |alias: &&Alias| alias.targets.iter().any(|target| is_same(target, address));
        self.aliases.iter().filter(leads_there).map(|alias| alias.name.clone()).collect()
    }

    /// Adds an app password.
    pub fn add_app_password(&mut self, user: &User, app: AppPassword) -> Result<(), ChangeError> {
        let apps = &mut self.account(user)?.app_passwords;
        if apps.len() >= MAX_APP_PASSWORDS {
            return Err(ChangeError::TooManyAppPasswords(user.clone()));
        }
        if apps.iter().any(|other| other.collides_with(&app)) {
            return Err(ChangeError::AppPasswordExists { user: user.clone(), name: app.name });
        }
        apps.push(app);
        Ok(())
    }

    /// Revokes an app password.
    pub fn revoke_app_password(&mut self, user: &User, name: &AppName) -> Result<(), ChangeError> {
        let apps = &mut self.account(user)?.app_passwords;
        let found = apps.iter().position(|app| app.name.is_same_as(name));
        let missing = || ChangeError::NoAppPassword { user: user.clone(), name: name.clone() };
        apps.remove(found.ok_or_else(missing)?);
        Ok(())
    }

    fn account(&mut self, user: &User) -> Result<&mut UserAccount, ChangeError> {
        let found = self.users.iter_mut().find(|account| account.user == *user);
        found.ok_or_else(|| ChangeError::NoUser(user.clone()))
    }

    fn require_local(&self, domain: &Domain) -> Result<(), ChangeError> {
        if self.domains.contains(domain) {
            return Ok(());
        }
        Err(ChangeError::DomainNotLocal { domain: domain.clone(), domains: self.domains.clone() })
    }

    fn require_no_alias(&self, user: &User) -> Result<(), ChangeError> {
        match self.aliases.iter().find(|alias| alias.name.is_address(&user.address())) {
            Some(alias) => Err(ChangeError::IsAlias(alias.name.clone())),
            None => Ok(()),
        }
    }

    fn require_consistent(&self) -> Result<(), ChangeError> {
        match self.faults().into_iter().next() {
            Some(fault) => Err(ChangeError::Contradiction(fault)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
