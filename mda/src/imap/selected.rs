//! A selected mailbox as one session sees it.
//!
//! The session's view is a snapshot. Other sessions may change the mailbox at any time. At the moments that the
//! protocol allows, the client is sent the difference between its snapshot and the newest one, and only then does the
//! view move on. Until an expunge is sent, the client's sequence numbers are those of its old snapshot
//! (RFC 3501 §7.4.1).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use imap_proto::command::{Messages, Naming};
use imap_proto::response::code::{Code, NewKeywords};
use imap_proto::response::{Condition, condition, fetch, mailbox};
use imap_proto::{SequenceNumber, Uid as ProtocolUid};

use super::flags;
use super::reply::Reply;
use crate::mailbox::{Mailbox, MessageEntry, Snapshot, StoreError};
use crate::maildir::{Flags, Keywords, Uid};

/// The access to a selected mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// By SELECT.
    ReadWrite,
    /// By EXAMINE.
    ReadOnly,
}

/// Permission to send expunges to a client now (RFC 3501 §7.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expunges {
    /// Expunges may be sent.
    Send,
    /// Not while the client may have sent a command that names messages by number: FETCH, STORE and SEARCH.
    Hold,
}

/// A selected mailbox.
#[derive(Debug)]
pub(crate) struct Selected {
    mailbox: Mailbox,
    access: Access,
    /// The mailbox as the client knows it.
    snapshot: Arc<Snapshot>,
    /// Flags that the client was sent, or can compute from its own STORE, since that snapshot.
    client_flags: HashMap<Uid, Flags>,
    /// The keywords of the mailbox that the client knows.
    keywords: Keywords,
    /// The messages that are `\Recent` to this session.
    recent: BTreeSet<Uid>,
}

impl Selected {
    /// Opens the view on a mailbox. With SELECT, messages that no session has claimed become recent to this one.
    pub(super) async fn new(mailbox: Mailbox, access: Access) -> Result<Self, StoreError> {
        let snapshot = mailbox.refresh().await?;
        let keywords = snapshot.keywords().clone();
        // Where flags cannot be written, messages can still be read.
        let is_writable = access == Access::ReadOnly || mailbox.is_writable().await?;
        let access = if is_writable { access } else { Access::ReadOnly };
        let mut selected = Self {
            mailbox,
            access,
            snapshot,
            client_flags: HashMap::new(),
            keywords,
            recent: BTreeSet::new(),
        };
        selected.claim(&Arc::clone(&selected.snapshot)).await;
        Ok(selected)
    }

    /// The access that the session has.
    pub(super) fn access(&self) -> Access {
        self.access
    }

    /// The mailbox.
    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// Checks for changes by other processes. A failure is logged: the commands that only check always succeed
    /// (RFC 3501 §6.1.2 and §6.4.1), and a mailbox that is gone ends the session anyway.
    pub(super) async fn check_for_changes(&self) {
        if let Err(error) = self.mailbox.refresh().await
            && !self.mailbox.is_gone()
        {
            tracing::warn!(mailbox = %self.mailbox.name(), %error, "cannot check mailbox for changes");
        }
    }

    /// The mailbox as the client knows it. Its sequence numbers are the client's.
    pub(crate) fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Returns true if a message is `\Recent` to this session.
    pub(crate) fn is_recent(&self, uid: Uid) -> bool {
        self.recent.contains(&uid)
    }

    /// Fails with the reply to send if the mailbox is read-only.
    pub(super) fn require_writable(&self) -> Result<(), Reply> {
        match self.access {
            Access::ReadWrite => Ok(()),
            Access::ReadOnly => Err(Reply::read_only()),
        }
    }

    /// The messages that a command names, each with its number, in the order of the mailbox. An unknown UID is skipped;
    /// a sequence number beyond the end is refused (RFC 3501 §6.4.8, §9). In an empty mailbox `*` and
    /// ranges to it name nothing.
    pub(super) fn resolve(&self, messages: &Messages) -> Result<Vec<(u32, &MessageEntry)>, Reply> {
        match messages.naming {
            Naming::Number => {
                let count = self.snapshot.len();
                let ranges = messages.set.ranges(count);
                if ranges.last().is_some_and(|last| *last.end() > count) {
                    return Err(Reply::no_such_message());
                }
                Ok(ranges.into_iter().flat_map(|range| self.snapshot.numbers(range)).collect())
            }
            Naming::Uid => {
                let largest = self.snapshot.entries().next_back().map_or(0, |entry| entry.uid.value());
                let ranges = messages.set.ranges(largest).into_iter();
                let ranges =
                    ranges.filter_map(|range| Some(Uid::new(*range.start())?..=Uid::new(*range.end())?));
                Ok(ranges.flat_map(|range| self.snapshot.uids(range)).collect())
            }
        }
    }

    /// The UIDs of the messages that a command names.
    pub(super) fn uids(&self, messages: &Messages) -> Result<Vec<Uid>, Reply> {
        Ok(self.resolve(messages)?.into_iter().map(|(_, entry)| entry.uid).collect())
    }

    /// The flags of a message as the client knows them.
    pub(super) fn flags_known_to_client(&self, entry: &MessageEntry) -> Flags {
        self.client_flags.get(&entry.uid).copied().unwrap_or(entry.flags)
    }

    /// Records the flags that the client knows from now on.
    pub(super) fn note_client_flags(&mut self, uid: Uid, flags: Flags) {
        self.client_flags.insert(uid, flags);
    }

    /// Writes the changes since the last update, as far as they may be sent now.
    ///
    /// Messages that are gone but whose expunge may not be sent yet stay in the session's view, so that the numbers of
    /// all later messages stay too.
    pub(super) async fn update(&mut self, out: &mut Vec<u8>, expunges: Expunges) -> Result<(), StoreError> {
        let mut newer = self.mailbox.snapshot();
        if Arc::ptr_eq(&newer, &self.snapshot) {
            return Ok(());
        }
        let mut difference = self.snapshot.difference(&newer);
        if expunges == Expunges::Hold && !difference.expunged.is_empty() {
            newer = self.with_gone(&newer, &difference.expunged);
            difference = self.snapshot.difference(&newer);
        }
        if difference.arrived > 0 {
            self.claim(&newer).await;
        }
        // Nothing fails from here on: what is written is what the client knows, and the snapshot moves on with it.
        for number in difference.expunged.iter().rev() {
            mailbox::expunge(out, sequence_number(*number));
        }
        if difference.arrived > 0 {
            mailbox::exists(out, newer.len());
            self.write_recent(out, &newer);
        }
        self.write_new_keywords(out, &newer);
        let mut changed: BTreeSet<u32> = difference.changed.into_iter().collect();
        for (uid, flags) in self.client_flags.drain() {
            match newer.by_uid(uid) {
                Some((number, entry)) if same(flags, entry.flags) => changed.remove(&number),
                Some((number, _)) => changed.insert(number),
                None => false,
            };
        }
        for number in changed {
            if let Some(entry) = newer.by_number(number) {
                self.write_flags(out, number, entry, &newer, Naming::Uid);
            }
        }
        self.snapshot = newer;
        Ok(())
    }

    /// The newer snapshot with the gone messages, given by their numbers in the session's view, still in it.
    fn with_gone(&self, newer: &Snapshot, gone: &[u32]) -> Arc<Snapshot> {
        let mut kept = newer.clone();
        kept.insert(gone.iter().filter_map(|number| self.snapshot.by_number(*number)).cloned().collect());
        Arc::new(kept)
    }

    /// Writes the flags of a message as a FETCH response, with its UID if the command named it by UID.
    pub(super) fn write_flags(
        &self,
        out: &mut Vec<u8>,
        number: u32,
        entry: &MessageEntry,
        snapshot: &Snapshot,
        naming: Naming,
    ) {
        let recent = if self.is_recent(entry.uid) { fetch::Recent::Yes } else { fetch::Recent::No };
        let mut response = fetch::Response::open(out, sequence_number(number));
        if naming == Naming::Uid
            && let Some(uid) = ProtocolUid::new(entry.uid.value())
        {
            response.uid(out, uid);
        }
        response.flags(out, &flags::names(snapshot, entry.flags), recent);
        response.close(out);
    }

    /// Writes the list of flags if the mailbox has keywords that the client does not know (RFC 3501 §7.2.6).
    pub(super) fn write_new_keywords(&mut self, out: &mut Vec<u8>, snapshot: &Snapshot) {
        if *snapshot.keywords() != self.keywords {
            self.keywords = snapshot.keywords().clone();
            self.write_all_flags(out, snapshot);
        }
    }

    /// Writes FLAGS and PERMANENTFLAGS (RFC 3501 §6.3.1).
    pub(super) fn write_all_flags(&self, out: &mut Vec<u8>, snapshot: &Snapshot) {
        let flags = flags::all(snapshot.keywords());
        mailbox::flags(out, &flags);
        let code = match self.access {
            Access::ReadOnly => {
                Code::PermanentFlags { flags: Vec::new(), new_keywords: NewKeywords::Refused }
            }
            Access::ReadWrite => {
                let room = snapshot.has_room_for_keywords();
                let new_keywords = if room { NewKeywords::Allowed } else { NewKeywords::Refused };
                Code::PermanentFlags { flags, new_keywords }
            }
        };
        condition::untagged(out, Condition::Ok, Some(&code), "Flags permitted");
    }

    /// Writes RECENT.
    pub(super) fn write_recent(&mut self, out: &mut Vec<u8>, snapshot: &Snapshot) {
        self.recent.retain(|uid| snapshot.by_uid(*uid).is_some());
        mailbox::recent(out, u32::try_from(self.recent.len()).unwrap_or(u32::MAX));
    }

    /// Makes unclaimed messages recent to this session. A read-only session claims none: they stay recent to the next
    /// one (RFC 3501 §6.3.2). They also do when claiming fails; the command is not refused for it.
    async fn claim(&mut self, snapshot: &Snapshot) {
        let claimed = match self.access {
            Access::ReadWrite => self.mailbox.claim_recent().await,
            Access::ReadOnly => {
                Ok(snapshot.entries().filter(|entry| entry.is_unclaimed).map(|entry| entry.uid).collect())
            }
        };
        match claimed {
            Ok(claimed) => self.recent.extend(claimed),
            Err(error) => {
                tracing::warn!(mailbox = %self.mailbox.name(), %error, "cannot claim recent messages")
            }
        }
    }
}

/// The sequence number for a number from a snapshot, where numbers begin with one.
pub(super) fn sequence_number(number: u32) -> SequenceNumber {
    SequenceNumber::new(number).unwrap_or(SequenceNumber::FIRST)
}

/// Returns true if a client sees no difference between these flags.
fn same(one: Flags, other: Flags) -> bool {
    let shown = Flags::SYSTEM | Flags::KEYWORDS;
    one & shown == other & shown
}
