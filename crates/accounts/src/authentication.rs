//! Checking passwords without letting them eat the machine.
//!
//! A check may want 64 MiB and a quarter of a second, and whoever can connect can ask for one. So checks run
//! on blocking threads, never on the runtime's own; a semaphore counted in MiB bounds the memory of all that
//! run at once; and a login that was right a moment ago is right without another check, for mail clients open
//! a dozen connections together. Who does not exist costs as much time as who does.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;

use crate::directory::Entries;
use crate::recent::Recent;
use crate::{Credentials, Password, Secret, User};

/// Why a login was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The name or the password is wrong; which one is not said (535 5.7.8, `NO [AUTHENTICATIONFAILED]`).
    #[error("the name or the password is wrong")]
    Wrong,
    /// It could not be checked now (454 4.7.0, `NO [UNAVAILABLE]`).
    #[error("the password could not be checked now")]
    Unavailable,
}

/// The memory of all checks that run at once, in MiB: three of our own hashes, or one of doveadm's. What
/// wants more runs alone.
const MEMORY: u32 = 64;

/// A hash of nothing that anybody knows, for a server that has no users yet.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGF0IGFsbCE$\
                      s2mL4Xp5n1pJr3cTqgU0Zt0o8p0yCkqSx1W3Q9v7uH8";

/// Where passwords are checked, one at a time as far as memory demands.
pub(crate) struct Gate {
    memory: Arc<Semaphore>,
    recent: Recent,
    nobody: Secret,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            memory: Arc::new(Semaphore::new(MEMORY as usize)),
            recent: Recent::new(),
            nobody: Secret::parse(NOBODY).expect("the constant is a hash"),
        }
    }

    pub(crate) async fn authenticate(
        &self,
        entries: &Entries,
        credentials: &Credentials,
    ) -> Result<User, Denied> {
        let Credentials { login, password } = credentials;
        let known = entries.login(login);
        if let Some((user, secret)) = known
            && self.recent.accepts(user, secret, password, Instant::now())
        {
            return Ok(user.clone());
        }
        let secret = match known {
            Some((_, secret)) => secret,
            None => self.stand_in(entries, login),
        };
        let right = self.check(secret.clone(), password.clone()).await?;
        match known {
            Some((user, secret)) if right => {
                self.recent.remember(user, secret, password, Instant::now());
                Ok(user.clone())
            }
            _ => Err(Denied::Wrong),
        }
    }

    /// The secret that a stranger's password is checked against, in vain: some user's, and for the same name
    /// always the same one. So strangers take as long as users do, whatever schemes these have.
    fn stand_in<'a>(&'a self, entries: &'a Entries, login: &str) -> &'a Secret {
        let secrets = entries.secrets();
        match self.recent.pick(login, secrets.len()) {
            Some(index) => &secrets[index],
            None => &self.nobody,
        }
    }

    async fn check(&self, secret: Secret, password: Password) -> Result<bool, Denied> {
        let memory = secret.memory().min(MEMORY);
        let permit = self.memory.clone().acquire_many_owned(memory).await.map_err(|_| Denied::Unavailable)?;
        tokio::task::spawn_blocking(move || {
            // Held by the thread: a session that goes away frees no memory that is still in use.
            let _permit = permit;
            secret.verifies(&password)
        })
        .await
        .map_err(|error| {
            tracing::error!(%error, "checking a password failed");
            Denied::Unavailable
        })
    }
}

#[cfg(test)]
mod tests;
