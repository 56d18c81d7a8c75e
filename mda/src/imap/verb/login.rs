//! LOGIN: a login with name and password (RFC 3501 §6.2.3).

use std::sync::Arc;

use accounts::{Credentials, Denied, Password};
use imap_proto::command::Login;
use imap_proto::response::Code;
use serve::{Peer, metrics};

use super::capability::{self, ClientState};
use crate::imap::Server;
use crate::imap::reply::{Failure, Reply};
use crate::imap::session::{Authenticated, NotAuthenticated, Outcome, Transition};
use crate::imap::wire::{Privacy, Wire};

/// Maximum number of failed logins per connection. Each costs the server a password hash.
const MAX_FAILED_LOGINS: u32 = 5;

/// Logs a user in. Refused without TLS: the password has already leaked; refusing it keeps the client from doing so
/// again.
pub(in crate::imap) async fn run(
    wire: &Wire,
    server: &Arc<Server>,
    peer: Peer,
    client: &mut NotAuthenticated,
    login: Login,
) -> Result<Outcome, Failure> {
    if wire.privacy() == Privacy::Clear {
        return Err(Reply::privacy_required().into());
    }
    // A name or password that is invalid for every user counts as any other wrong login.
    let credentials = match (String::from_utf8(login.user), Password::new(login.password)) {
        (Ok(login), Ok(password)) => Some(Credentials { login, password }),
        _ => None,
    };
    log_in(wire, server, peer, client, credentials).await
}

/// Checks the credentials, and opens the user's mail.
pub(super) async fn log_in(
    wire: &Wire,
    server: &Arc<Server>,
    peer: Peer,
    client: &mut NotAuthenticated,
    credentials: Option<Credentials>,
) -> Result<Outcome, Failure> {
    let checked = match &credentials {
        Some(credentials) => server.directory.authenticate(credentials, peer.address()).await,
        None => Err(Denied::Wrong),
    };
    let login = match checked {
        Ok(login) => login,
        Err(denied) => {
            denied.log(peer.address(), "imap", credentials.as_ref().map_or("", |named| &named.login));
            return Ok(refuse(wire, client, denied));
        }
    };
    wire.metrics().login(metrics::LoginOutcome::Accepted);
    let account = server.store.account(&login.user.address()).await?;
    let code = Code::Capability(capability::names(Privacy::Encrypted, ClientState::Authenticated));
    let reply = Reply::ok_with(code, "Logged in");
    Ok(Outcome { reply, transition: Transition::Authenticate(Authenticated { login, account }) })
}

/// Refuses a login, and ends the session after too many refusals.
fn refuse(wire: &Wire, client: &mut NotAuthenticated, denied: Denied) -> Outcome {
    let (reply, metered) = match denied {
        Denied::Wrong => (Reply::authentication_failed(), metrics::LoginOutcome::Refused),
        Denied::Unavailable => (Reply::authentication_unavailable(), metrics::LoginOutcome::Deferred),
        Denied::TooMany => (Reply::too_many_failed_logins(), metrics::LoginOutcome::Deferred),
    };
    wire.metrics().login(metered);
    client.failed_logins += u32::from(denied != Denied::Unavailable);
    let transition = match client.failed_logins {
        MAX_FAILED_LOGINS.. => Transition::End("Too many failed logins"),
        _ => Transition::Stay,
    };
    Outcome { reply, transition }
}
