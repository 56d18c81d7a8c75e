//! STORE and UID STORE: change flags of messages (RFC 3501 §6.4.6).

use imap_proto::command::Store;
use imap_proto::command::store::{StoreAction, StoreResponse};

use crate::imap::flags;
use crate::imap::reply::{Failure, Reply};
use crate::imap::selected::Selected;
use crate::imap::session::Outcome;
use crate::imap::wire::Wire;
use crate::mailbox::{FlagChange, FlagOperation, Snapshot};
use crate::maildir::{Flags, Uid};

/// Changes the flags, and sends the result. With `.SILENT` the client gets the flags only where it cannot know them:
/// where another session has changed them too, or where the mailbox has no room for a keyword.
pub(in crate::imap) async fn run(
    wire: &mut Wire,
    selected: &mut Selected,
    store: &Store,
) -> Result<Outcome, Failure> {
    selected.require_writable()?;
    let named: Vec<(u32, Uid, Flags)> = selected
        .resolve(&store.messages)?
        .into_iter()
        .map(|(number, entry)| (number, entry.uid, selected.flags_known_to_client(entry)))
        .collect();
    let (bits, keywords) = flags::split(&store.flags);
    let operation = match store.action {
        StoreAction::Replace => FlagOperation::Replace,
        StoreAction::Add => FlagOperation::Add,
        StoreAction::Remove => FlagOperation::Remove,
    };
    let uids = named.iter().map(|(_, uid, _)| *uid).collect();
    let change = FlagChange { operation, flags: bits, keywords: keywords.clone() };
    let newer = selected.mailbox().store_flags(uids, change).await?;
    selected.write_new_keywords(wire.out(), &newer);

    let stored = bits | keyword_bits(&newer, &keywords);
    let has_kept_all = keywords.iter().all(|name| newer.keywords().flag(name).is_some());
    let mut gone = false;
    for (number, uid, known) in named {
        let Some((_, entry)) = newer.by_uid(uid) else {
            gone = true;
            continue;
        };
        match store.response {
            StoreResponse::Silent if has_kept_all => {
                selected.note_client_flags(uid, expected(known, store.action, stored))
            }
            StoreResponse::Silent | StoreResponse::Flags => {
                selected.write_flags(wire.out(), number, entry, &newer, store.messages.naming);
                selected.note_client_flags(uid, entry.flags);
                wire.flush_if_large().await?;
            }
        }
    }
    if gone { Err(Reply::expunge_issued().into()) } else { Ok(Reply::ok("STORE completed").into()) }
}

fn keyword_bits(snapshot: &Snapshot, names: &[String]) -> Flags {
    let bits = names.iter().filter_map(|name| snapshot.keywords().flag(name));
    bits.fold(Flags::NONE, |all, bit| all | bit)
}

/// The flags that a client expects after its change.
fn expected(known: Flags, action: StoreAction, stored: Flags) -> Flags {
    match action {
        StoreAction::Replace => stored,
        StoreAction::Add => known | stored,
        StoreAction::Remove => known.without(stored),
    }
}
