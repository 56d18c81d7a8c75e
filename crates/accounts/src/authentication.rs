//! Checking passwords without letting them eat the machine.
//!
//! A check may want 64 MiB and a quarter of a second, and whoever can connect can ask for one. So checks run
//! on blocking threads, never on the runtime's own; the memory of all that run at once is bounded and given out
//! in an order that no crowd of guessers can block ([`Turns`]); and a login that was right a moment ago is right without another check, for mail clients open
//! a dozen connections together. Who does not exist costs as much time as who does.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::field::Empty;

use crate::app_password::{self, AppName};
use crate::directory::{Entries, Keys};
use crate::recent::Recent;
use crate::turns::{Rank, Turns};
use crate::{Credentials, Login, Password, Secret, User};

/// Why a login was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The name or the password is wrong; which one is not said (535 5.7.8, `NO [AUTHENTICATIONFAILED]`).
    #[error("the name or the password is wrong")]
    Wrong,
    /// It could not be checked now (454 4.7.0, `NO [UNAVAILABLE]`).
    #[error("the password could not be checked now")]
    Unavailable,
    /// It was not looked at, since too many have failed or are being checked (the same: RFC 4954 §6, RFC 5530 §3).
    #[error("too many logins from this network have failed or are being checked")]
    TooMany,
}

impl Denied {
    /// Logs a refused login in a form that programs such as fail2ban read: the peer's address comes before all that the
    /// peer itself has chosen. The field `suppressed` has the log count such lines after the first few of a network.
    pub fn log(self, peer: IpAddr, protocol: &str, login: &str) {
        let peer = peer.to_canonical();
        let user = &*login.chars().take(LONGEST_LOGGED).collect::<String>();
        match self {
            Self::Wrong => {
                tracing::warn!(target: "login", %peer, protocol, user, why = %self, suppressed = Empty, "failed");
            }
            Self::TooMany => {
                tracing::warn!(target: "login", %peer, protocol, user, why = %self, suppressed = Empty, "refused");
            }
            Self::Unavailable => {
                tracing::error!(target: "login", %peer, protocol, user, why = %self, suppressed = Empty, "refused");
            }
        }
    }
}

/// Of a name that a stranger gives.
const LONGEST_LOGGED: usize = 80;

/// The memory of all checks that run at once, in MiB: three of our own hashes, or one of doveadm's. What
/// wants more runs alone.
pub(crate) const MEMORY: u32 = 64;

/// The wait for memory after which a client is asked to come back. Clients themselves wait for about a minute.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A hash of nothing that anybody knows, for a server that has no users yet.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGF0IGFsbCE$\
                      s2mL4Xp5n1pJr3cTqgU0Zt0o8p0yCkqSx1W3Q9v7uH8";

/// Where passwords are checked, one at a time as far as memory demands.
pub(crate) struct Gate {
    memory: Arc<Turns>,
    recent: Recent,
    nobody: Secret,
}

/// The order of an attempt's checks among others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) rank: Rank,
    /// A keyed hash of the account's name.
    pub(crate) account: u64,
}

/// One hash that a password may be right for.
struct Attempt<'a> {
    key: &'a Secret,
    device: Option<&'a AppName>,
    password: Password,
}

impl<'a> Attempt<'a> {
    /// What looks like one of the user's app passwords is checked as that one first; everything is checked as the
    /// user's own password.
    fn all(keys: &'a Keys, password: &Password) -> impl Iterator<Item = Self> {
        let app = app_password::recognise(password).and_then(|(selector, password)| {
            let app = keys.apps.iter().find(|app| app.selector == selector)?;
            Some(Self { key: &app.secret, device: Some(&app.name), password })
        });
        app.into_iter().chain([Self { key: &keys.secret, device: None, password: password.clone() }])
    }
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            memory: Turns::new(MEMORY),
            recent: Recent::new(),
            nobody: Secret::parse(NOBODY).expect("the constant is a hash"),
        }
    }

    pub(crate) async fn authenticate(
        &self,
        entries: &Entries,
        credentials: &Credentials,
        is_on_this_machine: bool,
        turn: Turn,
    ) -> Result<Login, Denied> {
        let Some((user, keys)) = entries.login(&credentials.login, is_on_this_machine) else {
            let stand_in = self.stand_in(entries, &credentials.login).clone();
            self.check(stand_in, credentials.password.clone(), turn).await?;
            return Err(Denied::Wrong);
        };
        for attempt in Attempt::all(keys, &credentials.password) {
            if self.is_right(user, &attempt, turn).await? {
                let Attempt { key, device, .. } = attempt;
                return Ok(Login { user: user.clone(), device: device.cloned(), key: key.clone() });
            }
        }
        Err(Denied::Wrong)
    }

    async fn is_right(&self, user: &User, attempt: &Attempt<'_>, turn: Turn) -> Result<bool, Denied> {
        let Attempt { key, device, password } = attempt;
        if self.recent.accepts((user, *device), key, password, Instant::now()) {
            return Ok(true);
        }
        let is_right = self.check((*key).clone(), password.clone(), turn).await?;
        if is_right {
            self.recent.remember((user, *device), key, password, Instant::now());
        }
        Ok(is_right)
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

    async fn check(&self, secret: Secret, password: Password, turn: Turn) -> Result<bool, Denied> {
        let memory = self.memory.take(turn.rank, turn.account, secret.memory().min(MEMORY));
        let permit = tokio::time::timeout(LONGEST_WAIT, memory).await.ok().flatten();
        let permit = permit.ok_or(Denied::Unavailable)?;
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
