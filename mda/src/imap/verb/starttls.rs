//! STARTTLS: encryption on the port that begins in clear text (RFC 3501 §6.2.1).

use crate::imap::reply::{Failure, Reply};
use crate::imap::session::{Outcome, Transition};
use crate::imap::wire::{Privacy, Wire};

/// The text of the BAD and of the BYE when octets follow the command in clear text.
const TRAILING_DATA: &str = "Data received after STARTTLS and before TLS";

/// Accepts the command. The session then starts TLS, and discards everything it knew before.
///
/// Octets in clear text after the command may come from an attacker on the path who wants them read as the client's
/// own. They belong to no session, so the connection ends (RFC 9051 §6.2.1).
pub(in crate::imap) fn run(wire: &mut Wire) -> Result<Outcome, Failure> {
    if wire.privacy() == Privacy::Encrypted {
        return Err(Reply::tls_already_active().into());
    }
    if !wire.reader().unread().is_empty() {
        let reply = Reply::bad(TRAILING_DATA);
        return Ok(Outcome { reply, transition: Transition::End(TRAILING_DATA) });
    }
    Ok(Outcome { reply: Reply::ok("Begin TLS negotiation now"), transition: Transition::StartTls })
}
