use std::fmt;
use std::future;
use std::sync::Arc;

use tokio::sync::watch;

use crate::directory::Entries;
use crate::{AppName, Secret, User};

/// An authenticated user, and the password that was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The user.
    pub user: User,
    /// The name of the app password, if one was used.
    pub device: Option<AppName>,
    /// The hash that the password matched. When it is no longer in the file, the login is revoked.
    pub(crate) key: Secret,
}

/// Watches a login for revocation: it is valid while the user exists and is enabled, and the password that it used is
/// neither changed nor revoked.
pub struct LoginWatch {
    entries: watch::Receiver<Arc<Entries>>,
    login: Login,
}

impl LoginWatch {
    pub(crate) fn new(entries: watch::Receiver<Arc<Entries>>, login: Login) -> Self {
        Self { entries, login }
    }

    /// True if the login is valid now.
    pub fn is_valid(&self) -> bool {
        self.entries.borrow().is_valid(&self.login)
    }

    /// Completes when the login is revoked. May be dropped and called again, as `select!` does.
    pub async fn revoked(&mut self) {
        let is_revoked = self.entries.wait_for(|entries| !entries.is_valid(&self.login)).await.is_ok();
        if !is_revoked {
            // The daemon is stopping, which is signalled in another way.
            future::pending().await
        }
    }
}

impl fmt::Debug for LoginWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoginWatch({})", self.login.user)
    }
}
