//! AUTH: a name and a password against the accounts (RFC 4954).

use std::net::IpAddr;

use accounts::{Credentials, Denied, Directory, Login};
use smtp_proto::{Reply, replies};

/// Checks the credentials. Returns the login, or the reply for the client.
pub(super) async fn check(
    directory: &Directory,
    credentials: &Credentials,
    peer: IpAddr,
) -> Result<Login, Reply> {
    directory.authenticate(credentials, peer).await.map_err(|denied| {
        denied.log(peer, "smtp", &credentials.login);
        match denied {
            Denied::Wrong => replies::BAD_CREDENTIALS,
            Denied::Unavailable => replies::LOGIN_UNAVAILABLE,
            Denied::TooMany => replies::LOGIN_THROTTLED,
        }
    })
}
