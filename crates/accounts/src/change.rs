//! What the operator's commands do to the accounts: pure functions over the whole of them, each of which either does
//! what it says or says in words why not, and what to do instead.
//!
//! None of them contradicts what the environment declares: what is declared is changed where it is declared, or the
//! next start would change it back without a word.

use std::collections::HashSet;

use address::{Address, Domain};

use crate::{
    Accounts, Alias, AliasKey, AliasName, AppName, AppPassword, Fault, RESERVED, Secret, User, UserAccount,
};

/// Why a change cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The domain is not for here.
    #[error(
        "mail for {domain} is not for here; the domains are {}: name another one in MAIL_DOMAIN first",
        listed(domains)
    )]
    DomainElsewhere {
        /// What was asked for.
        domain: Domain,
        /// What there is.
        domains: Vec<Domain>,
    },
    /// The name is the program's own.
    #[error("{0} is where the server's own test messages go; take another name")]
    Reserved(User),
    /// There is such a user already.
    #[error("{0} is a user already; `mailstead user passwd` changes the password")]
    UserExists(User),
    /// There is such a user, who cannot log in.
    #[error("{0} is a user already, and disabled; `mailstead user enable` lets it log in again")]
    UserDisabled(User),
    /// The address is an alias.
    #[error("{0} is an alias; delete it first with `mailstead alias delete`")]
    IsAlias(AliasName),
    /// There is no such user.
    #[error("there is no user {0}; `mailstead user list` shows who there is")]
    NoUser(User),
    /// The environment would bring the user back.
    #[error(
        "{0} is declared in MAIL_USERS and would be back after the next start: take it out there and restart, or \
         disable it for good with `mailstead user disable`"
    )]
    UserDeclared(User),
    /// Aliases lead to the user.
    #[error("mail for {} goes to {user}: delete that alias first, or have it reach others", names(aliases))]
    Reached {
        /// Who.
        user: User,
        /// By which aliases.
        aliases: Vec<AliasName>,
    },
    /// The address is a user's.
    #[error("{0} is a user; an alias needs an address of its own")]
    IsUser(AliasName),
    /// There is such an alias already.
    #[error("{0} is an alias already; delete it first to have it lead elsewhere")]
    AliasExists(AliasName),
    /// There is no such alias.
    #[error("there is no alias {0}; `mailstead alias list` shows which there are")]
    NoAlias(AliasName),
    /// The environment would bring the alias back.
    #[error("{0} is declared in MAIL_ALIASES: change it there and restart")]
    AliasDeclared(AliasName),
    /// There is such an app password already.
    #[error("{user} has an app password {name} already; revoke it first, or give this one another name")]
    AppPasswordExists {
        /// Whose.
        user: User,
        /// Its name.
        name: AppName,
    },
    /// There is no such app password.
    #[error("{user} has no app password {name}; `mailstead app-password list` shows which there are")]
    NoAppPassword {
        /// Whose.
        user: User,
        /// Its name.
        name: AppName,
    },
    /// Other aliases lead to the alias.
    #[error("mail for {} goes to {alias}: delete that alias first, or have it reach others", names(aliases))]
    AliasReached {
        /// Which.
        alias: AliasName,
        /// By which other aliases.
        aliases: Vec<AliasName>,
    },
    /// A target is named twice.
    #[error("{0} is named twice; once is enough")]
    TargetTwice(Address),
    /// There are more app passwords than anybody has devices.
    #[error("{0} has {MOST_APP_PASSWORDS} app passwords already; revoke those that are not used any more")]
    TooManyAppPasswords(User),
    /// What would come of it contradicts itself.
    #[error("that cannot be: {0}")]
    Contradiction(Fault),
}

/// More than one person has devices, so that the file stays readable.
pub const MOST_APP_PASSWORDS: usize = 50;

impl ChangeError {
    /// Whether something that was named does not exist.
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

/// Addresses here have no case.
fn is_same(one: &Address, other: &Address) -> bool {
    AliasName::Address(one.clone()).is_address(other)
}

impl Accounts {
    /// A new user, who can log in.
    pub fn add_user(&mut self, user: &User, secret: Secret) -> Result<(), ChangeError> {
        self.may_add_user(user)?;
        self.users.push(UserAccount::new(user.clone(), secret));
        self.consistent().inspect_err(|_| drop(self.users.pop()))
    }

    /// Whether there may be such a user, and is none.
    pub fn may_add_user(&self, user: &User) -> Result<(), ChangeError> {
        self.serve(user.domain())?;
        if user.name() == RESERVED {
            return Err(ChangeError::Reserved(user.clone()));
        }
        match self.user(user) {
            Some(account) if account.enabled => return Err(ChangeError::UserExists(user.clone())),
            Some(_) => return Err(ChangeError::UserDisabled(user.clone())),
            None => {}
        }
        self.is_no_alias(user)
    }

    /// Another password for a user. What is declared stays remembered, so that this one survives the next start.
    pub fn set_secret(&mut self, user: &User, secret: Secret) -> Result<(), ChangeError> {
        self.account(user)?.secret = secret;
        Ok(())
    }

    /// Takes the login and the address away, whatever is declared; the mail stays. Says whether that was news.
    pub fn disable(&mut self, user: &User) -> Result<bool, ChangeError> {
        let account = self.account(user)?;
        let is_news = account.enabled || !account.locked;
        // One that was declared once, and is not any more, is the operator's from now on.
        if !account.is_declared() {
            account.declared = None;
        }
        (account.enabled, account.locked) = (false, true);
        Ok(is_news)
    }

    /// Gives them back. Says whether that was news.
    pub fn enable(&mut self, user: &User) -> Result<bool, ChangeError> {
        self.account(user)?;
        self.serve(user.domain())?;
        self.is_no_alias(user)?;
        let account = self.account(user)?;
        let is_news = !account.enabled;
        if !account.is_declared() {
            account.declared = None;
        }
        (account.enabled, account.locked) = (true, false);
        Ok(is_news)
    }

    /// Forgets a user. The mail is not ours to touch here.
    pub fn delete_user(&mut self, user: &User) -> Result<(), ChangeError> {
        if self.account(user)?.is_declared() {
            return Err(ChangeError::UserDeclared(user.clone()));
        }
        let aliases = self.leading_to(&user.address());
        if !aliases.is_empty() {
            return Err(ChangeError::Reached { user: user.clone(), aliases });
        }
        self.users.retain(|account| account.user != *user);
        Ok(())
    }

    /// A new alias.
    pub fn add_alias(&mut self, name: &AliasName, targets: Vec<Address>) -> Result<(), ChangeError> {
        if let Some(domain) = name.domain() {
            self.serve(domain)?;
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
            return Err(ChangeError::TargetTwice(twice.clone()));
        }
        self.aliases.push(Alias { name: name.clone(), targets, declared: false });
        self.consistent().inspect_err(|_| drop(self.aliases.pop()))
    }

    /// Forgets an alias.
    pub fn delete_alias(&mut self, name: &AliasName) -> Result<(), ChangeError> {
        let found = self.aliases.iter().position(|alias| alias.name.is_same(name));
        let index = found.ok_or_else(|| ChangeError::NoAlias(name.clone()))?;
        if self.aliases[index].declared {
            return Err(ChangeError::AliasDeclared(name.clone()));
        }
        let alias = self.aliases.remove(index);
        let Err(error) = self.consistent() else { return Ok(()) };
        let aliases = match &alias.name {
            AliasName::Address(address) => self.leading_to(address),
            AliasName::Rest(_) => Vec::new(),
        };
        self.aliases.insert(index, alias);
        if aliases.is_empty() {
            Err(error)
        } else {
            Err(ChangeError::AliasReached { alias: name.clone(), aliases })
        }
    }

    /// The aliases that have an address among their targets.
    fn leading_to(&self, address: &Address) -> Vec<AliasName> {
        let leads_there = |alias: &&Alias| alias.targets.iter().any(|target| is_same(target, address));
        self.aliases.iter().filter(leads_there).map(|alias| alias.name.clone()).collect()
    }

    /// A password for one more device.
    pub fn add_app_password(&mut self, user: &User, app: AppPassword) -> Result<(), ChangeError> {
        let apps = &mut self.account(user)?.app_passwords;
        if apps.len() >= MOST_APP_PASSWORDS {
            return Err(ChangeError::TooManyAppPasswords(user.clone()));
        }
        if apps.iter().any(|other| other.collides_with(&app)) {
            return Err(ChangeError::AppPasswordExists { user: user.clone(), name: app.name });
        }
        apps.push(app);
        Ok(())
    }

    /// Takes a device's password away.
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

    fn serve(&self, domain: &Domain) -> Result<(), ChangeError> {
        if self.domains.contains(domain) {
            return Ok(());
        }
        Err(ChangeError::DomainElsewhere { domain: domain.clone(), domains: self.domains.clone() })
    }

    fn is_no_alias(&self, user: &User) -> Result<(), ChangeError> {
        match self.aliases.iter().find(|alias| alias.name.is_address(&user.address())) {
            Some(alias) => Err(ChangeError::IsAlias(alias.name.clone())),
            None => Ok(()),
        }
    }

    fn consistent(&self) -> Result<(), ChangeError> {
        match self.faults().into_iter().next() {
            Some(fault) => Err(ChangeError::Contradiction(fault)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
