//! EXPUNGE and UID EXPUNGE: remove the `\Deleted` messages (RFC 3501 §6.4.3, RFC 4315 §2.1).

use imap_proto::SequenceSet;
use imap_proto::command::{Messages, Naming};

use crate::imap::reply::{Failure, Reply};
use crate::imap::selected::Selected;
use crate::imap::session::Outcome;

/// Removes the messages. The EXPUNGE responses follow with the next update, before the reply.
pub(in crate::imap) async fn run(selected: &Selected, set: Option<SequenceSet>) -> Result<Outcome, Failure> {
    selected.require_writable()?;
    let uids = match set {
        Some(set) => Some(selected.uids(&Messages { naming: Naming::Uid, set })?),
        None => None,
    };
    selected.mailbox().expunge(uids).await?;
    Ok(Reply::ok("EXPUNGE completed").into())
}
