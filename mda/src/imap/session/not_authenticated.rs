use std::sync::Arc;
use std::time::Duration;

use imap_proto::command::Request;
use serve::Peer;

use super::Outcome;
use crate::imap::Server;
use crate::imap::reply::{Failure, Reply};
use crate::imap::verb::{authenticate, login, starttls};
use crate::imap::wire::Wire;

/// A client that has not logged in.
#[derive(Debug, Default)]
pub(in crate::imap) struct NotAuthenticated {
    /// Number of failed logins.
    pub(in crate::imap) failed_logins: u32,
}

/// The commands of the not authenticated state (RFC 3501 §6.2).
pub(super) async fn run(
    wire: &mut Wire,
    server: &Arc<Server>,
    peer: Peer,
    client: &mut NotAuthenticated,
    timeout: Duration,
    request: Request,
) -> Result<Outcome, Failure> {
    match request {
        Request::StartTls => starttls::run(wire),
        Request::Login(login) => login::run(wire, server, peer, client, login).await,
        Request::Authenticate(start) => authenticate::run(wire, server, peer, client, timeout, start).await,
        _ => Ok(Reply::not_authenticated().into()),
    }
}
