//! AUTH: a name and a password against the accounts (RFC 4954).

use accounts::{Denied, Directory, Password, User};
use smtp_proto::sasl::Credentials;
use smtp_proto::{Reply, replies};

/// Who that is, or what the client is told.
pub(super) async fn check(directory: &Directory, credentials: &Credentials) -> Result<User, Reply> {
    // Nobody acts for another here; naming oneself is fine (RFC 4616 §2).
    if credentials.acting_for.as_ref().is_some_and(|other| *other != credentials.name) {
        return Err(replies::BAD_CREDENTIALS);
    }
    let password = Password::new(credentials.password.reveal()).map_err(|_| replies::BAD_CREDENTIALS)?;
    let credentials = accounts::Credentials { login: credentials.name.clone(), password };
    directory.authenticate(&credentials).await.map_err(|denied| match denied {
        Denied::Wrong => replies::BAD_CREDENTIALS,
        Denied::Unavailable => replies::LOGIN_UNAVAILABLE,
    })
}
