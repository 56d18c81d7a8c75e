//! APPEND: stores a message from the client in a mailbox (RFC 3501 §6.3.11, RFC 4315 §3).
//!
//! A message is accepted or refused before it is sent, and then goes to the store piece by piece.

use std::time::{Duration, SystemTime};

use imap_proto::command::{Append, CommandError};
use imap_proto::response::Code;
use imap_proto::{DateTime, MailboxName, Uid, UidValidity};
use serve::{MailId, ReceiveOutcome};

use crate::imap::reply::{Failure, Reply};
use crate::imap::session::{Authenticated, Outcome, Transition};
use crate::imap::wire::{MessagePiece, Wire};
use crate::imap::{flags, names};
use crate::mailbox::{Incoming, StoreError};

/// The text of the BAD and of the BYE when the client stops sending a message.
const INCOMPLETE: &str = "Message incomplete";

/// Stores the message, or refuses it before its octets are sent.
pub(in crate::imap) async fn run(
    wire: &mut Wire,
    authenticated: &Authenticated,
    append: Append,
    limit: u64,
    timeout: Duration,
) -> Result<Outcome, Failure> {
    let message = Message { id: MailId::new(), authenticated, append };
    let incoming = match message.prepare(limit).await {
        Ok(incoming) => incoming,
        Err(reply) => {
            wire.reader().refuse_message();
            return Ok(reply.into());
        }
    };
    wire.reader().accept_message();
    match message.receive(wire, incoming, timeout).await? {
        Received::Whole(incoming) => message.store(incoming).await,
        Received::Refused(reply) => {
            wire.reader().refuse_message();
            Ok(reply.into())
        }
        Received::Malformed(fault) => Err(Reply::syntax_error(&fault).into()),
        Received::Incomplete => {
            Ok(Outcome { reply: Reply::bad(INCOMPLETE), transition: Transition::End(INCOMPLETE) })
        }
    }
}

/// The end of a message's transfer.
enum Received {
    Whole(Incoming),
    Refused(Reply),
    Malformed(CommandError),
    Incomplete,
}

/// A message to be stored in a mailbox.
struct Message<'a> {
    /// Its identifier in the log.
    id: MailId,
    authenticated: &'a Authenticated,
    append: Append,
}

impl Message<'_> {
    async fn prepare(&self, limit: u64) -> Result<Incoming, Reply> {
        let Append { mailbox, message, .. } = &self.append;
        let name = names::parse_new(mailbox)?;
        if message.size > limit {
            return Err(Reply::too_big());
        }
        // RFC 3502 §6.3.11 gives an empty message a meaning of its own, which is not to store it.
        if message.size == 0 {
            return Err(Reply::cannot("The message is empty."));
        }
        let account = &self.authenticated.account;
        let mut incoming = account.incoming(&name).await.map_err(|error| self.refused(&error))?;
        // Reserved before its octets are sent, and kept until they are stored.
        let room = account.reserve(message.size).await.map_err(|error| self.refused(&error))?;
        incoming.reserve(Some(room)).await.map_err(|error| self.refused(&error))?;
        Ok(incoming)
    }

    async fn receive(
        &self,
        wire: &mut Wire,
        mut incoming: Incoming,
        timeout: Duration,
    ) -> Result<Received, Failure> {
        loop {
            match wire.piece() {
                // RFC 3501 §9: a literal holds no NUL. Stored, it could never be fetched unchanged.
                MessagePiece::Octets(octets) if octets.contains(&0) => {
                    return Ok(Received::Refused(Reply::cannot(
                        "The message contains a NUL character, which mail cannot contain.",
                    )));
                }
                MessagePiece::Octets(octets) => {
                    if let Err(error) = incoming.write(octets).await {
                        return Ok(Received::Refused(self.refused(&error)));
                    }
                }
                MessagePiece::End(Ok(())) => return Ok(Received::Whole(incoming)),
                MessagePiece::End(Err(fault)) => return Ok(Received::Malformed(fault)),
                MessagePiece::Pending => {
                    if !matches!(wire.receive(timeout).await?, ReceiveOutcome::Octets(_)) {
                        return Ok(Received::Incomplete);
                    }
                }
            }
        }
    }

    /// Stores the message. When the reply is sent, the message is on disk under the UID in it.
    async fn store(&self, incoming: Incoming) -> Result<Outcome, Failure> {
        let (flags, keywords) = flags::split(&self.append.flags);
        let date = self.append.date.map(system_time);
        let size = incoming.size();
        let appended = incoming.append(flags, &keywords, date).await.map_err(|error| self.refused(&error))?;
        let (id, user, uid) = (self.id, &self.authenticated.login.user, appended.uid.value());
        tracing::info!(%id, %user, mailbox = self.mailbox(), uid, size, "appended");
        let validity = UidValidity::new(appended.uid_validity.value());
        Ok(match validity.zip(Uid::new(uid)) {
            Some((validity, uid)) => {
                Reply::ok_with(Code::AppendUid(validity, uid), "APPEND completed").into()
            }
            None => Reply::ok("APPEND completed").into(),
        })
    }

    /// The mailbox's name, for the log.
    fn mailbox(&self) -> Option<&str> {
        self.append.mailbox.name().map(MailboxName::as_str)
    }

    fn refused(&self, error: &StoreError) -> Reply {
        let (id, user) = (self.id, &self.authenticated.login.user);
        tracing::warn!(%id, %user, mailbox = self.mailbox(), %error, "append failed");
        Reply::target_error(error)
    }
}

fn system_time(date: DateTime) -> SystemTime {
    let distance = Duration::from_secs(date.seconds.unsigned_abs());
    let moment = match date.seconds {
        0.. => SystemTime::UNIX_EPOCH.checked_add(distance),
        _ => SystemTime::UNIX_EPOCH.checked_sub(distance),
    };
    moment.unwrap_or(SystemTime::UNIX_EPOCH)
}
