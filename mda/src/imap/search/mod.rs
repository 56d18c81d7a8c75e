//! Which messages a SEARCH finds (RFC 3501 §6.4.4).
//!
//! ```text
//! keys ──► condition: strings decoded, cheapest first
//!            ├─ what the session's view tells: held against all messages at once
//!            └─ the rest: against what is left, batch by batch, off the runtime
//!                 candidate ── remembered: the index's envelope ── contents: the message itself
//! ```
//!
//! A text is found wherever it is a part of another, words or not, whatever the case; encoded words,
//! charsets and transfer encodings are undone first. A message that is gone from the disk, or cannot be
//! read, does not fit.

mod candidate;
mod charset;
mod condition;
mod remembered;

use std::collections::BTreeSet;
use std::sync::Arc;

use imap_proto::command::Search;

use self::candidate::Candidate;
use self::charset::Charset;
use self::condition::{Condition, Cost};
use super::contents::Recalled;
use super::selected::Selected;
use crate::mailbox::{Entry, Mailbox, Snapshot, StoreError};
use crate::maildir::Uid;

/// How many messages are held against the dear conditions at a time; then other sessions get their turn,
/// and a session that ended stops searching.
const BATCH: usize = 200;

/// Why a search could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SearchError {
    /// The charset is none that we know.
    #[error("the charset is not known")]
    BadCharset,
}

/// The charsets that are named to a client that asked for an unknown one (`[BADCHARSET (...)]`); there
/// are more.
pub(crate) const CHARSETS: &[&str] = &["US-ASCII", "UTF-8"];

/// A message that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its sequence number, as the client knows it.
    pub(crate) number: u32,
    /// Its UID.
    pub(crate) uid: Uid,
}

/// The messages of the selected mailbox that fit, in the order of their numbers.
pub(crate) async fn evaluate(selected: &Selected, search: &Search) -> Result<Vec<Found>, SearchError> {
    let charset = Charset::named(search.charset.as_deref())?;
    let view = View { known: Arc::clone(selected.snapshot()), newest: selected.mailbox().snapshot() };
    let (cheap, dear) = Condition::new(&search.key, charset, &view.known, view.newest.keywords()).divided();
    let left: Vec<Found> = (1..)
        .zip(view.known.entries())
        .filter(|(number, entry)| {
            let recent = selected.is_recent(entry.uid);
            let message = (*number, view.current(entry));
            Candidate::new(selected.mailbox(), message, recent, None).fits(&cheap).unwrap_or(false)
        })
        .map(|(number, entry)| Found { number, uid: entry.uid })
        .collect();
    let Some(condition) = dear else { return Ok(left) };
    let hunt = Arc::new(Hunt {
        mailbox: selected.mailbox().clone(),
        view,
        recent: left.iter().map(|found| found.uid).filter(|uid| selected.is_recent(*uid)).collect(),
        condition,
    });
    let mut found = Vec::new();
    for batch in left.chunks(BATCH) {
        let (hunt, batch) = (Arc::clone(&hunt), batch.to_vec());
        match tokio::task::spawn_blocking(move || hunt.among(&batch)).await {
            Ok(fitting) => found.extend(fitting),
            // A message that trips a parser costs this session, not an answer that is wrong.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is being shut down.
            Err(_) => break,
        }
    }
    Ok(found)
}

/// The messages that the client knows, with their flags as they are now: those may have changed without that the
/// session could move on to a newer snapshot.
#[derive(Debug)]
struct View {
    known: Arc<Snapshot>,
    newest: Arc<Snapshot>,
}

impl View {
    fn current<'a>(&'a self, entry: &'a Entry) -> &'a Entry {
        if Arc::ptr_eq(&self.known, &self.newest) {
            return entry;
        }
        self.newest.by_uid(entry.uid).map_or(entry, |(_, current)| current)
    }
}

/// A search for what only the index or the messages can tell. Blocks.
#[derive(Debug)]
struct Hunt {
    mailbox: Mailbox,
    view: View,
    recent: BTreeSet<Uid>,
    condition: Condition,
}

impl Hunt {
    /// Those of the batch that fit.
    fn among(&self, batch: &[Found]) -> Vec<Found> {
        let entry = |found: &Found| self.view.known.by_number(found.number);
        let entries: Vec<(Found, &Entry)> =
            batch.iter().filter_map(|found| Some((*found, self.view.current(entry(found)?)))).collect();
        let mut facts = self.recall(&entries);
        let mut fitting = Vec::new();
        let mut learned = Vec::new();
        for (found, entry) in entries {
            let recent = self.recent.contains(&found.uid);
            let mut candidate =
                Candidate::new(&self.mailbox, (found.number, entry), recent, facts.take(found.uid));
            match candidate.fits(&self.condition) {
                Ok(true) => fitting.push(found),
                Ok(false) | Err(StoreError::MessageGone) => {}
                Err(error) => tracing::warn!(uid = %found.uid, %error, "message not readable"),
            }
            learned.extend(candidate.learned());
        }
        if !learned.is_empty() {
            self.mailbox.remember(&learned);
        }
        fitting
    }

    /// What the index remembers, if it takes that to know.
    fn recall(&self, entries: &[(Found, &Entry)]) -> Recalled {
        let sizes = entries.iter().all(|(_, entry)| entry.size().is_some());
        if self.condition.cost() <= Cost::Size && sizes {
            return Recalled::default();
        }
        Recalled::of(&self.mailbox, entries.iter().map(|(_, entry)| *entry))
    }
}

#[cfg(test)]
mod tests;
