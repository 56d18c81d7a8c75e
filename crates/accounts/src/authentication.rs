//! Checks passwords within bounds on memory and time.
//!
//! A check may need 64 MiB and a quarter of a second, and any client that can connect can request one. So checks run
//! on blocking threads, never on the runtime's own; the memory of all concurrent checks is bounded and granted
//! in an order that many guessers cannot block ([`CheckQueue`]); and a login that was correct a moment ago is accepted
//! without another check, since mail clients open a dozen connections together. A login of a user who does not exist
//! takes as long as one of a user who does.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::field::Empty;

use crate::app_password::{self, AppName};
use crate::check_queue::{CheckQueue, Rank};
use crate::directory::{Entries, Keys};
use crate::recent_logins::RecentLogins;
use crate::{Credentials, Login, Password, Secret, User};

/// The reason for a refused login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The name or the password is wrong; the reply does not say which (535 5.7.8, `NO [AUTHENTICATIONFAILED]`).
    #[error("the name or the password is wrong")]
    Wrong,
    /// The password could not be checked now (454 4.7.0, `NO [UNAVAILABLE]`).
    #[error("the password could not be checked now")]
    Unavailable,
    /// The password was not checked, since too many have failed or are being checked (same reply: RFC 4954 §6, RFC 5530
    /// §3).
    #[error("too many logins from this network have failed or are being checked")]
    TooMany,
}

impl Denied {
    /// Logs a refused login in a form that programs such as fail2ban read: the peer's address comes before everything
    /// that the peer itself has chosen. The field `suppressed` makes the log count such lines after the first few of a
    /// network.
    pub fn log(self, peer: IpAddr, protocol: &str, login: &str) {
        let peer = peer.to_canonical();
        let user = &*login.chars().take(MAX_LOGGED).collect::<String>();
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

/// The number of characters logged of a name that an unauthenticated client sent.
const MAX_LOGGED: usize = 80;

/// The memory of all concurrent checks, in MiB: three of our own hashes, or one of doveadm's. A check that needs more
/// runs alone.
pub(crate) const CHECK_MEMORY: u32 = 64;

/// The wait for memory after which the client is asked to retry later. Clients themselves wait for about a minute.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// A hash without a known password, for a server that has no users yet.
const STAND_IN_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGF0IGFsbCE$\
                      s2mL4Xp5n1pJr3cTqgU0Zt0o8p0yCkqSx1W3Q9v7uH8";

/// Runs password checks, as many at one time as memory allows.
pub(crate) struct PasswordChecker {
    memory: Arc<CheckQueue>,
    recent: RecentLogins,
    default_stand_in: Secret,
}

/// The position of an attempt's checks among others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CheckPriority {
    pub(crate) rank: Rank,
    /// A keyed hash of the account's name.
    pub(crate) account: u64,
}

/// One hash that a password is compared with.
struct Candidate<'a> {
    key: &'a Secret,
    device: Option<&'a AppName>,
    password: Password,
}

impl<'a> Candidate<'a> {
    /// A password that has the form of one of the user's app passwords is checked as that one first; every password is
    /// checked as the user's own.
    fn all(keys: &'a Keys, password: &Password) -> impl Iterator<Item = Self> {
        let app = app_password::parse_app_password(password).and_then(|(selector, password)| {
            let app = keys.apps.iter().find(|app| app.selector == selector)?;
            Some(Self { key: &app.secret, device: Some(&app.name), password })
        });
        app.into_iter().chain([Self { key: &keys.secret, device: None, password: password.clone() }])
    }
}

impl PasswordChecker {
    pub(crate) fn new() -> Self {
        Self {
            memory: CheckQueue::new(CHECK_MEMORY),
            recent: RecentLogins::new(),
            default_stand_in: Secret::parse(STAND_IN_HASH).expect("the constant is a hash"),
        }
    }

    pub(crate) async fn authenticate(
        &self,
        entries: &Entries,
        credentials: &Credentials,
        is_on_this_machine: bool,
        priority: CheckPriority,
    ) -> Result<Login, Denied> {
        let Some((user, keys)) = entries.login(&credentials.login, is_on_this_machine) else {
            let stand_in = self.stand_in(entries, &credentials.login).clone();
            self.check(stand_in, credentials.password.clone(), priority).await?;
            return Err(Denied::Wrong);
        };
        for attempt in Candidate::all(keys, &credentials.password) {
            if self.is_right(user, &attempt, priority).await? {
                let Candidate { key, device, .. } = attempt;
                return Ok(Login { user: user.clone(), device: device.cloned(), key: key.clone() });
            }
        }
        Err(Denied::Wrong)
    }

    async fn is_right(
        &self,
        user: &User,
        attempt: &Candidate<'_>,
        priority: CheckPriority,
    ) -> Result<bool, Denied> {
        let Candidate { key, device, password } = attempt;
        if self.recent.accepts((user, *device), key, password, Instant::now()) {
            return Ok(true);
        }
        let is_right = self.check((*key).clone(), password.clone(), priority).await?;
        if is_right {
            self.recent.remember((user, *device), key, password, Instant::now());
        }
        Ok(is_right)
    }

    /// The secret that the password for an unknown login is checked against, without success: some user's, and always
    /// the same one for the same name. So unknown logins take as long as users' do, whatever schemes these have.
    fn stand_in<'a>(&'a self, entries: &'a Entries, login: &str) -> &'a Secret {
        let secrets = entries.secrets();
        match self.recent.index_of_name(login, secrets.len()) {
            Some(index) => &secrets[index],
            None => &self.default_stand_in,
        }
    }

    async fn check(
        &self,
        secret: Secret,
        password: Password,
        priority: CheckPriority,
    ) -> Result<bool, Denied> {
        let memory = self.memory.acquire(priority.rank, priority.account, secret.memory().min(CHECK_MEMORY));
        let permit = tokio::time::timeout(MAX_WAIT, memory).await.ok().flatten();
        let permit = permit.ok_or(Denied::Unavailable)?;
        tokio::task::spawn_blocking(move || {
            // Held by the thread: a session that ends early does not free memory that is still in use.
            let _permit = permit;
            secret.verifies(&password)
        })
        .await
        .map_err(|error| {
            tracing::error!(%error, "password check failed");
            Denied::Unavailable
        })
    }
}

#[cfg(test)]
mod tests;
