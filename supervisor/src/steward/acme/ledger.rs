//! The ledger: every order with its outcome, on the volume. The limits of authorities are counted by it, across
//! crashes, restarts and jumps of the clock.
//!
//! `acme/ledger.jsonl` has one JSON object per line, newest last. An order is recorded before it is placed, so one that
//! a crash interrupted counts as failed. An order that cannot be recorded is not placed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::challenge_type::ChallengeKind;
use super::error::{Reason, Refusal};

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The time at which it was placed, in seconds since 1970.
    pub(super) at: i64,
    /// The authority's directory.
    pub(super) authority: String,
    /// The names of the order.
    pub(super) names: Vec<String>,
    /// The challenge type of each name.
    #[serde(rename = "ways", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) challenges: Vec<ChallengeKind>,
    /// The order's address at the authority, by which it is continued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) order: Option<String>,
    /// The outcome.
    #[serde(flatten)]
    pub(super) outcome: Outcome,
}

/// The outcome of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub(super) enum Outcome {
    /// The outcome is unknown: the order was interrupted.
    #[serde(rename = "begun")]
    Started,
    /// The authority is processing the order, or cannot be reached now. The same order is polled again.
    Pending {
        /// The number of polls so far.
        tries: usize,
        /// The time of the next poll.
        next: i64,
        /// Set if the authority has named that time.
        #[serde(rename = "is_told")]
        is_from_authority: bool,
        /// The reason for waiting.
        #[serde(flatten)]
        reason: Reason,
    },
    /// A certificate was issued and installed.
    Issued {
        /// Its lifetime in seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lifetime: Option<i64>,
    },
    /// The authority issued a certificate that cannot be installed.
    Unusable {
        /// The fault of the certificate.
        #[serde(flatten)]
        reason: Reason,
    },
    /// The authority refused names.
    Names {
        /// The refused names, with reasons.
        refused: Vec<Refusal>,
    },
    /// The authority applied a rate limit.
    RateLimited {
        /// The end of the wait, if the authority named one.
        until: Option<i64>,
        /// The authority's explanation.
        #[serde(flatten)]
        reason: Reason,
    },
    /// The authority was unreachable, or not working.
    #[serde(rename = "away")]
    Unavailable {
        /// The end of the wait, if the authority named one.
        until: Option<i64>,
        /// The error.
        #[serde(flatten)]
        reason: Reason,
    },
    /// The order failed for another reason.
    Failed {
        /// The error.
        #[serde(flatten)]
        reason: Reason,
    },
}

impl Outcome {
    /// Returns true if the authority counts a certificate.
    pub(super) fn is_certificate(&self) -> bool {
        matches!(self, Self::Issued { .. } | Self::Unusable { .. })
    }
}

impl Entry {
    /// An entry for an order that is about to be placed.
    pub(super) fn started(at: i64, authority: &str, names: &[(String, ChallengeKind)]) -> Self {
        Self {
            at,
            authority: authority.to_owned(),
            names: names.iter().map(|(name, _)| name.clone()).collect(),
            challenges: names.iter().map(|(_, kind)| *kind).collect(),
            order: None,
            outcome: Outcome::Started,
        }
    }

    /// The names, each with its challenge type.
    pub(super) fn challenge_kinds(&self) -> Vec<(String, ChallengeKind)> {
        self.names.iter().cloned().zip(self.challenges.iter().copied()).collect()
    }

    /// Returns true if the order exists at the authority and, as far as we know, has not ended.
    pub(super) fn is_open(&self) -> bool {
        self.order.is_some()
            && self.challenges.len() == self.names.len()
            && matches!(self.outcome, Outcome::Started | Outcome::Pending { .. })
    }
}

/// Entries kept. No known limit of an authority counts further back than a week; the rest is for a person to read.
const KEPT: usize = 300;
/// Limit of the file. This many lines are far smaller.
const MAX_SIZE: u64 = 4 << 20;

/// The entries, as on disk.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    entries: Vec<Entry>,
    /// Set if the file exists and could not be read yet: then nothing is known, and nothing may be written.
    is_unread: bool,
}

impl Ledger {
    /// Reads the ledger. A damaged file is set aside: its readable entries count, and each unreadable one counts as an
    /// order interrupted at `now`. A file that cannot be read now is left for [`Self::read_if_needed`].
    pub(super) fn open(folder: &Path, now: i64) -> Self {
        let mut ledger = Self { path: folder.join("ledger.jsonl"), entries: Vec::new(), is_unread: true };
        if let Some(error) = ledger.read_if_needed(now) {
            tracing::error!(%error, ledger = %ledger.path.display(), "cannot read the ledger of orders");
        }
        ledger
    }

    /// Reads the ledger if that failed before, and returns the error if it fails again.
    pub(super) fn read_if_needed(&mut self, now: i64) -> Option<io::Error> {
        if !self.is_unread {
            return None;
        }
        match read(&self.path) {
            Ok((entries, is_whole)) => self.load(entries, is_whole, now),
            Err(error) => return Some(error),
        }
        None
    }

    fn load(&mut self, entries: Vec<Entry>, is_whole: bool, now: i64) {
        let ledger = self;
        (ledger.entries, ledger.is_unread) = (entries, false);
        if !is_whole {
            tracing::error!(ledger = %ledger.path.display(), "ledger of orders damaged");
            let _ = fs::rename(&ledger.path, ledger.path.with_extension("damaged"));
            let authority = String::new();
            ledger.entries.push(Entry::started(now, &authority, &[]));
        }
    }

    /// The orders placed at an authority, oldest first. Those of a damaged ledger may have been placed at any
    /// authority.
    pub(super) fn at(&self, authority: &str) -> Vec<Entry> {
        let ours = |entry: &&Entry| entry.authority == authority || entry.authority.is_empty();
        self.entries.iter().filter(ours).cloned().collect()
    }

    /// The authority that issued the last certificate.
    pub(super) fn last_issuer(&self) -> Option<&str> {
        let issued = self.entries.iter().rev().find(|entry| matches!(entry.outcome, Outcome::Issued { .. }));
        issued.map(|entry| entry.authority.as_str())
    }

    /// Records that an order is about to be placed.
    pub(super) fn begin(&mut self, entry: Entry) -> Result<(), durable::Error> {
        self.entries.push(entry);
        let surplus = self.entries.len().saturating_sub(KEPT);
        self.entries.drain(..surplus);
        self.write().inspect_err(|_| {
            self.entries.pop();
        })
    }

    /// The last order at an authority, if it has not ended.
    pub(super) fn open_order(&self, authority: &str) -> Option<&Entry> {
        let last = self.entries.last()?;
        (last.authority == authority && last.is_open()).then_some(last)
    }

    /// Records the address of the last order at the authority.
    pub(super) fn placed(&mut self, order: &str) -> Result<(), durable::Error> {
        if let Some(entry) = self.entries.last_mut() {
            entry.order = Some(order.to_owned());
        }
        self.write()
    }

    /// Records the outcome of the last order.
    pub(super) fn finish(&mut self, outcome: Outcome) -> Result<(), durable::Error> {
        if let Some(entry) = self.entries.last_mut() {
            entry.outcome = outcome;
        }
        self.write()
    }

    /// Sets entries written while the clock was ahead back to `now`; unchanged they would block orders until then. To
    /// be called only when the clock is known to be right.
    pub(super) fn correct(&mut self, now: i64) {
        let ahead = self.entries.iter_mut().filter(|entry| entry.at > now + SLACK);
        let mut count = 0;
        for entry in ahead {
            entry.at = now;
            count += 1;
        }
        if count > 0 {
            tracing::warn!(count, "corrected ledger entries dated in the future");
            if let Err(error) = self.write() {
                tracing::error!(%error, "cannot write the ledger");
            }
        }
    }

    fn write(&self) -> Result<(), durable::Error> {
        let mut text = String::new();
        for entry in &self.entries {
            text.push_str(&serde_json::to_string(entry).expect("an entry has string keys only"));
            text.push('\n');
        }
        durable::write_whole(&self.path, text.as_bytes(), 0o600)
    }
}

/// Tolerated difference: clocks are adjusted by seconds all the time.
const SLACK: i64 = 60;

/// Reads the entries, and returns whether the file was intact. An error says nothing about the content.
fn read(path: &Path) -> io::Result<(Vec<Entry>, bool)> {
    use io::ErrorKind::{FileTooLarge, InvalidData, InvalidInput, NotFound};
    match durable::read_text_limited(path, MAX_SIZE) {
        Ok(text) => Ok(parse(&text)),
        Err(error) if error.kind() == NotFound => Ok((Vec::new(), true)),
        // The file was read, but is too large, not UTF-8, or not a regular file.
        Err(error) if matches!(error.kind(), FileTooLarge | InvalidInput | InvalidData) => {
            Ok((Vec::new(), false))
        }
        Err(error) => Err(error),
    }
}

/// Parses the entries, and returns whether every line was valid.
fn parse(text: &str) -> (Vec<Entry>, bool) {
    let lines: Vec<Option<Entry>> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).ok())
        .collect();
    let is_whole = lines.iter().all(Option::is_some);
    (lines.into_iter().flatten().collect(), is_whole)
}

#[cfg(test)]
mod tests;
