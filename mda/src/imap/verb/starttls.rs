//! STARTTLS: encryption on the port that begins in clear (RFC 3501 §6.2.1).

use crate::imap::reply::{Failure, Reply};
use crate::imap::session::{Step, Turn};
use crate::imap::wire::{Privacy, Wire};

/// Says yes; the session then encrypts, and lets nothing of what it knows through.
///
/// What came behind the command in clear may be from somebody in between, who would have it taken for the client's own
/// words. It is no part of any session: the connection ends (RFC 9051 §6.2.1).
pub(in crate::imap) fn run(wire: &mut Wire) -> Result<Turn, Failure> {
    if wire.privacy() == Privacy::Encrypted {
        return Err(Reply::encrypted_already().into());
    }
    if !wire.reader().unread().is_empty() {
        let reply = Reply::bad("The mail program sent something before the encryption had begun.");
        return Ok(Turn { reply, step: Step::Leave("The connection is not safe.") });
    }
    Ok(Turn { reply: Reply::done("Begin TLS negotiation now"), step: Step::Encrypt })
}
