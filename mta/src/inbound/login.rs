//! AUTH: a name and a password against the accounts (RFC 4954).

use accounts::{Credentials, Denied, Directory, Login};
use smtp_proto::{Reply, replies};

/// Who that is, or what the client is told.
pub(super) async fn check(directory: &Directory, credentials: &Credentials) -> Result<Login, Reply> {
    directory.authenticate(credentials).await.map_err(|denied| match denied {
        Denied::Wrong => replies::BAD_CREDENTIALS,
        Denied::Unavailable => replies::LOGIN_UNAVAILABLE,
    })
}
