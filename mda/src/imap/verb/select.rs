//! SELECT and EXAMINE: open a mailbox (RFC 3501 §6.3.1 and §6.3.2).

use imap_proto::response::{Code, Condition, condition, mailbox};
use imap_proto::{MailboxArgument, Uid, UidValidity};

use crate::imap::names;
use crate::imap::reply::{Failure, Reply};
use crate::imap::selected::{Access, Selected, sequence_number};
use crate::imap::session::{Outcome, Transition};
use crate::imap::wire::Wire;
use crate::mailbox::Account;

/// Opens the mailbox, and sends the responses that SELECT requires.
pub(in crate::imap) async fn run(
    wire: &mut Wire,
    account: &Account,
    name: &MailboxArgument,
    access: Access,
) -> Result<Outcome, Failure> {
    let opened = account.open(&names::parse(name)?).await?;
    let mut selected = Selected::new(opened, access).await?;
    write_responses(wire.out(), &mut selected);
    let reply = match selected.access() {
        Access::ReadWrite => Reply::ok_with(Code::ReadWrite, "SELECT completed"),
        Access::ReadOnly if access == Access::ReadWrite => Reply::ok_with(Code::ReadOnly, "SELECT completed"),
        Access::ReadOnly => Reply::ok_with(Code::ReadOnly, "EXAMINE completed"),
    };
    Ok(Outcome { reply, transition: Transition::Select(Box::new(selected)) })
}

/// Writes `FLAGS`, `EXISTS`, `RECENT`, `UNSEEN`, `PERMANENTFLAGS`, `UIDNEXT`, `UIDVALIDITY` (RFC 3501 §6.3.1).
fn write_responses(out: &mut Vec<u8>, selected: &mut Selected) {
    let snapshot = selected.snapshot().clone();
    selected.write_all_flags(out, &snapshot);
    mailbox::exists(out, snapshot.len());
    selected.write_recent(out, &snapshot);
    if let Some(number) = snapshot.first_unseen() {
        let code = Code::Unseen(sequence_number(number));
        condition::untagged(out, Condition::Ok, Some(&code), "First unseen message");
    }
    if let Some(validity) = UidValidity::new(snapshot.uid_validity().value()) {
        condition::untagged(out, Condition::Ok, Some(&Code::UidValidity(validity)), "UIDs valid");
    }
    if let Some(next) = Uid::new(snapshot.uid_next()) {
        condition::untagged(out, Condition::Ok, Some(&Code::UidNext(next)), "Predicted next UID");
    }
}
