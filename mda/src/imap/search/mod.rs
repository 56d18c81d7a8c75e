//! SEARCH: the messages that match (RFC 3501 §6.4.4).
//!
//! ```text
//! keys ──► conditions: strings decoded, cheapest first
//!            ├─ known from the session's view: matched against all messages at once
//!            └─ the rest: matched against the messages left, slice by slice, off the runtime
//!                 candidate ── indexed: the envelope ── contents: the message itself, by a window (scan)
//! ```
//!
//! A text is found anywhere in another, also within words, as a reader sees it: encoded words, charsets, transfer
//! encodings, folds, case and the different encodings of one character are undone first (`message::text::TextFolder`).
//! HTML is searched as it is written and as it is shown. A message that is gone from the disk, or cannot be read, does
//! not match.
//!
//! Memory and threads are bounded over all sessions: few searches read at the same time ([`Mailbox::search_permit`]),
//! each holds a window and a header, and gives up its turn after each slice. A search ends with its session.

mod candidate;
mod condition;
mod indexed_field;
mod scan;
mod strings;

use std::collections::BTreeSet;
use std::sync::Arc;

use imap_proto::command::Search;

use self::candidate::Candidate;
use self::condition::{Conditions, Cost};
use self::strings::charset;
use super::cancellation::{CancelOnDrop, CancellationToken};
use super::contents::CachedFacts;
use super::selected::Selected;
use crate::mailbox::{Mailbox, MessageEntry, Snapshot, StoreError};
use crate::maildir::Uid;

/// Number of messages matched against the expensive conditions at a time, and of octets read after which a slice ends,
/// so that other searches get their turn.
const SLICE: usize = 200;
const SLICE_OCTETS: u64 = 8 * 1024 * 1024;

/// The reason why a search is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SearchError {
    /// The charset is unknown.
    #[error("charset not supported")]
    BadCharset,
}

/// The charsets listed for a client that asked for an unknown one (`[BADCHARSET (...)]`). More are supported.
pub(crate) const CHARSETS: &[&str] = &["US-ASCII", "UTF-8"];

/// A message that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// The sequence number, as the client knows it.
    pub(crate) number: u32,
    /// The UID.
    pub(crate) uid: Uid,
}

/// The result of a search.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SearchResult {
    /// The matching messages, in the order of their numbers.
    pub(crate) found: Vec<Found>,
    /// True if messages are gone that the client still counts: they match no condition that needs them (RFC 5530 §3,
    /// EXPUNGEISSUED).
    pub(crate) has_expunged: bool,
}

/// Searches the selected mailbox. Stops reading when dropped.
pub(crate) async fn evaluate(selected: &Selected, search: &Search) -> Result<SearchResult, SearchError> {
    let charset = charset(search.charset.as_deref())?;
    let view = View { known: Arc::clone(selected.snapshot()), newest: selected.mailbox().snapshot() };
    let conditions = Conditions::new(&search.keys, charset, &view.known, view.newest.keywords());
    let waiting = CancelOnDrop::default();
    let left: Vec<Found> = (1..)
        .zip(view.known.entries())
        .filter(|(number, entry)| {
            let recent = selected.is_recent(entry.uid);
            let message = (*number, view.current(entry));
            Candidate::new(selected.mailbox(), message, recent, None, &waiting.token())
                .meets_all(&conditions, &conditions.cheap)
                .unwrap_or(false)
        })
        .map(|(number, entry)| Found { number, uid: entry.uid })
        .collect();
    let has_expunged = view.has_expunged();
    if conditions.expensive.is_empty() {
        return Ok(SearchResult { found: left, has_expunged });
    }
    let recent = left.iter().map(|found| found.uid).filter(|uid| selected.is_recent(*uid)).collect();
    let mailbox = selected.mailbox().clone();
    let blocking = Arc::new(BlockingSearch {
        mailbox,
        view,
        recent,
        conditions,
        candidates: left,
        cancellation: waiting.token(),
    });
    let mut outcome = SearchResult { found: Vec::new(), has_expunged };
    let mut next = 0;
    while next < blocking.candidates.len() {
        let permit = blocking.mailbox.search_permit().await;
        let blocking = Arc::clone(&blocking);
        let slice = tokio::task::spawn_blocking(move || {
            let slice = blocking.slice(next);
            drop(permit);
            slice
        });
        match slice.await {
            Ok(slice) => {
                outcome.found.extend(slice.outcome.found);
                outcome.has_expunged |= slice.outcome.has_expunged;
                next = slice.next;
            }
            // A message that makes a parser panic ends this session; without that message the result would be wrong.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is being shut down.
            Err(_) => break,
        }
    }
    Ok(outcome)
}

/// The messages that the client knows, with their current flags: these may be newer than the session's snapshot.
#[derive(Debug)]
struct View {
    known: Arc<Snapshot>,
    newest: Arc<Snapshot>,
}

impl View {
    fn current<'a>(&'a self, entry: &'a MessageEntry) -> &'a MessageEntry {
        if Arc::ptr_eq(&self.known, &self.newest) {
            return entry;
        }
        self.newest.by_uid(entry.uid).map_or(entry, |(_, current)| current)
    }

    /// Returns true if messages that the client knows are gone.
    fn has_expunged(&self) -> bool {
        !Arc::ptr_eq(&self.known, &self.newest)
            && self.known.entries().any(|entry| self.newest.by_uid(entry.uid).is_none())
    }
}

/// A search by conditions that need the index or the messages. Blocks.
#[derive(Debug)]
struct BlockingSearch {
    mailbox: Mailbox,
    view: View,
    recent: BTreeSet<Uid>,
    conditions: Conditions,
    /// The messages that may match.
    candidates: Vec<Found>,
    cancellation: CancellationToken,
}

/// The result for some of the messages.
struct Slice {
    outcome: SearchResult,
    /// Index of the first message that was not examined.
    next: usize,
}

impl BlockingSearch {
    /// Examines the next messages.
    fn slice(&self, first: usize) -> Slice {
        let entry = |found: &Found| self.view.known.by_number(found.number);
        let batch = self.candidates[first..].iter().take(SLICE);
        let entries: Vec<(Found, &MessageEntry)> =
            batch.filter_map(|found| Some((*found, self.view.current(entry(found)?)))).collect();
        let mut facts = self.cached_facts(&entries);
        let mut slice = Slice {
            outcome: SearchResult::default(),
            next: first + self.candidates[first..].len().min(SLICE),
        };
        let mut new_facts = Vec::new();
        let mut octets = 0;
        for (index, (found, entry)) in entries.into_iter().enumerate() {
            if octets >= SLICE_OCTETS {
                slice.next = first + index;
                break;
            }
            if self.cancellation.check().is_err() {
                slice.next = self.candidates.len();
                break;
            }
            let recent = self.recent.contains(&found.uid);
            let message = (found.number, entry);
            let facts = facts.take(found.uid);
            let mut candidate = Candidate::new(&self.mailbox, message, recent, facts, &self.cancellation);
            match candidate.meets_all(&self.conditions, &self.conditions.expensive) {
                Ok(true) => slice.outcome.found.push(found),
                Ok(false) => {}
                Err(StoreError::MessageGone) => slice.outcome.has_expunged = true,
                Err(_) if self.cancellation.check().is_err() => {}
                Err(error) => tracing::warn!(uid = %found.uid, %error, "cannot read message"),
            }
            octets += candidate.octets_read();
            new_facts.extend(candidate.new_facts());
        }
        if !new_facts.is_empty() {
            self.mailbox.store_facts(&new_facts);
        }
        slice
    }

    /// The facts that the index has, if any condition needs them.
    fn cached_facts(&self, entries: &[(Found, &MessageEntry)]) -> CachedFacts {
        let sizes = entries.iter().all(|(_, entry)| entry.size().is_some());
        if self.conditions.highest_cost() <= Cost::Size && sizes {
            return CachedFacts::default();
        }
        CachedFacts::read(&self.mailbox, entries.iter().map(|(_, entry)| *entry))
    }
}

#[cfg(test)]
mod tests;
