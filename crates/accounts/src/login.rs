use std::fmt;
use std::future;
use std::sync::Arc;

use tokio::sync::watch;

use crate::directory::Entries;
use crate::{AppName, Secret, User};

/// Who has logged in, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Who.
    pub user: User,
    /// The name of the app password, if it was one.
    pub device: Option<AppName>,
    /// The hash that the password was right for. When the file has it no more, neither has the login a ground to
    /// stand on.
    pub(crate) key: Secret,
}

/// Watches whether a login still stands: the user is there and enabled, and what it logged in with is neither changed
/// nor revoked.
pub struct Vigil {
    entries: watch::Receiver<Arc<Entries>>,
    login: Login,
}

impl Vigil {
    pub(crate) fn new(entries: watch::Receiver<Arc<Entries>>, login: Login) -> Self {
        Self { entries, login }
    }

    /// Whether the login stands at this moment.
    pub fn stands(&self) -> bool {
        self.entries.borrow().stands(&self.login)
    }

    /// Completes when the login stands no more. May be dropped and called again, as `select!` does.
    pub async fn expelled(&mut self) {
        let fallen = self.entries.wait_for(|entries| !entries.stands(&self.login)).await.is_ok();
        if !fallen {
            // The daemon is at its end, which is told in another way.
            future::pending().await
        }
    }
}

impl fmt::Debug for Vigil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vigil({})", self.login.user)
    }
}
