//! COPY and UID COPY: copy messages to another mailbox (RFC 3501 §6.4.7, RFC 4315 §3).

use std::num::NonZeroU32;

use imap_proto::command::Transfer;
use imap_proto::response::Code;
use imap_proto::{MailboxArgument, SequenceSet, UidValidity};

use crate::imap::names;
use crate::imap::reply::{Failure, Reply};
use crate::imap::selected::Selected;
use crate::imap::session::Outcome;
use crate::mailbox::{Account, Copied, Mailbox};
use crate::maildir::Uid;

/// Copies the messages: all of them or none.
pub(in crate::imap) async fn run(
    selected: &Selected,
    account: &Account,
    transfer: &Transfer,
) -> Result<Outcome, Failure> {
    let uids = selected.uids(&transfer.messages)?;
    let target = open_target(account, &transfer.mailbox).await?;
    let wanted = uids.len();
    let copied =
        selected.mailbox().copy_to(uids, &target).await.map_err(|error| Reply::target_error(&error))?;
    Ok(match copy_uid(&copied) {
        Some(code) => Reply::ok_with(code, "COPY completed"),
        None if wanted > 0 => Reply::expunge_issued(),
        None => Reply::ok("COPY completed"),
    }
    .into())
}

/// The target mailbox.
pub(super) async fn open_target(account: &Account, name: &MailboxArgument) -> Result<Mailbox, Reply> {
    account.open(&names::parse_new(name)?).await.map_err(|error| Reply::target_error(&error))
}

/// COPYUID, or `None` when nothing was copied.
pub(super) fn copy_uid(copied: &Copied) -> Option<Code> {
    let numbers = |uids: Vec<Uid>| {
        SequenceSet::from_numbers(uids.into_iter().filter_map(|uid| NonZeroU32::new(uid.value())))
    };
    let (from, to) = copied.uids.iter().copied().unzip();
    Some(Code::CopyUid(UidValidity::new(copied.uid_validity.value())?, numbers(from)?, numbers(to)?))
}
