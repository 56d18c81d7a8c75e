//! AUTHENTICATE: a login by SASL (RFC 3501 §6.2.2, RFC 4959).

use std::sync::Arc;
use std::time::Duration;

use imap_proto::command::Authenticate;
use imap_proto::response::condition;
use sasl::{ExchangeStep as Sasl, Mechanism, SaslError};
use serve::Peer;

use super::login::log_in;
use crate::imap::Server;
use crate::imap::reply::{Failure, Reply};
use crate::imap::session::{NotAuthenticated, Outcome, Transition};
use crate::imap::wire::{Privacy, SessionEvent, Wire};

/// Runs the exchange, and logs in the user that it names.
pub(in crate::imap) async fn run(
    wire: &mut Wire,
    server: &Arc<Server>,
    peer: Peer,
    client: &mut NotAuthenticated,
    timeout: Duration,
    start: Authenticate,
) -> Result<Outcome, Failure> {
    let mechanism = Mechanism::parse(&start.mechanism).ok_or_else(Reply::unsupported_mechanism)?;
    if wire.privacy() == Privacy::Clear {
        return Err(Reply::privacy_required().into());
    }
    let mut step = mechanism.start(start.initial.as_deref());
    loop {
        match step {
            Sasl::Complete(credentials) => {
                return log_in(wire, server, peer, client, Some(credentials)).await;
            }
            // Counted as a failed login.
            Sasl::Failed(SaslError::AuthzidMismatch | SaslError::InvalidPassword | SaslError::Malformed) => {
                return log_in(wire, server, peer, client, None).await;
            }
            // The error text is for developers of mail programs.
            Sasl::Failed(error) => {
                return Err(Reply::bad(format!("Authentication aborted: {error}")).into());
            }
            Sasl::Challenge(challenge, exchange) => {
                condition::challenge(wire.out(), &challenge);
                wire.reader().expect_continuation_response();
                step = match wire.next(timeout).await? {
                    SessionEvent::ContinuationResponse(line) => exchange.respond(&line),
                    SessionEvent::Malformed(malformed) => {
                        return Err(Reply::syntax_error(&malformed.error).into());
                    }
                    _ => return Ok(no_response()),
                };
            }
        }
    }
}

/// The outcome when the client sends no response: it is silent or gone, or the daemon stops.
fn no_response() -> Outcome {
    let words = "Authentication aborted: no response";
    Outcome { reply: Reply::bad(words), transition: Transition::End(words) }
}
