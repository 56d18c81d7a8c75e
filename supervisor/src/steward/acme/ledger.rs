//! Every order with its outcome, on the volume: what the limits of authorities are counted by, across crashes, restarts
//! and jumps of the clock.
//!
//! `acme/ledger.jsonl` has one JSON object a line, the newest last. An order is written down before it is made: one that
//! a crash cut off counts like one that failed. An order that cannot be written down is not made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::trouble::{Reason, Refusal};
use super::way::Way;

/// One order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// When it was made, in seconds since 1970.
    pub(super) at: i64,
    /// The authority's directory.
    pub(super) authority: String,
    /// The names that it was for.
    pub(super) names: Vec<String>,
    /// The way by which each of them is proved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ways: Vec<Way>,
    /// Its address at the authority, by which it is taken up again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) order: Option<String>,
    /// What became of it.
    #[serde(flatten)]
    pub(super) outcome: Outcome,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub(super) enum Outcome {
    /// Nothing is known: it was cut off.
    Begun,
    /// The authority works on it, or cannot be asked about it now: the same order is looked at again.
    Pending {
        /// How often it was looked at.
        tries: usize,
        /// When it is looked at again.
        next: i64,
        /// Whether the authority has named that time.
        is_told: bool,
        /// What it waits for.
        #[serde(flatten)]
        reason: Reason,
    },
    /// There is a certificate, and it is installed.
    Issued {
        /// For how many seconds it is valid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lifetime: Option<i64>,
    },
    /// The authority issued a certificate that cannot be installed.
    Unusable {
        /// What is wrong with it.
        #[serde(flatten)]
        reason: Reason,
    },
    /// Names were refused.
    Names {
        /// Which, and why.
        refused: Vec<Refusal>,
    },
    /// The authority said that we ask too often.
    RateLimited {
        /// Until when we are to wait, if it said so.
        until: Option<i64>,
        /// What it said.
        #[serde(flatten)]
        reason: Reason,
    },
    /// The authority was not reached, or did not work.
    Away {
        /// Until when we are to wait, if it said so.
        until: Option<i64>,
        /// What was wrong.
        #[serde(flatten)]
        reason: Reason,
    },
    /// It failed otherwise.
    Failed {
        /// What was wrong.
        #[serde(flatten)]
        reason: Reason,
    },
}

impl Outcome {
    /// Whether the authority counts a certificate.
    pub(super) fn is_certificate(&self) -> bool {
        matches!(self, Self::Issued { .. } | Self::Unusable { .. })
    }
}

impl Entry {
    /// An order that is about to be made.
    pub(super) fn begun(at: i64, authority: &str, names: &[(String, Way)]) -> Self {
        Self {
            at,
            authority: authority.to_owned(),
            names: names.iter().map(|(name, _)| name.clone()).collect(),
            ways: names.iter().map(|(_, way)| *way).collect(),
            order: None,
            outcome: Outcome::Begun,
        }
    }

    /// The names, each with its way.
    pub(super) fn proofs(&self) -> Vec<(String, Way)> {
        self.names.iter().cloned().zip(self.ways.iter().copied()).collect()
    }

    /// Whether it exists at the authority and has not ended, as far as we know.
    pub(super) fn is_open(&self) -> bool {
        self.order.is_some()
            && self.ways.len() == self.names.len()
            && matches!(self.outcome, Outcome::Begun | Outcome::Pending { .. })
    }
}

/// No limit of an authority that we know of counts further back than a week; the rest is for a person to read.
const KEPT: usize = 300;
/// A file of so many lines is far smaller.
const LARGEST: u64 = 4 << 20;

/// The entries, as they are on disk.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    entries: Vec<Entry>,
    /// Whether the file exists and was not read yet: nothing is known then, and nothing may be written.
    is_unread: bool,
}

impl Ledger {
    /// Reads the ledger. One that was read and is not whole is put aside, and what can be read of it counts; what cannot
    /// counts as an order that was cut off at `now`. One that cannot be read now is left for [`Self::unread`].
    pub(super) fn open(folder: &Path, now: i64) -> Self {
        let mut ledger = Self { path: folder.join("ledger.jsonl"), entries: Vec::new(), is_unread: true };
        if let Some(error) = ledger.unread(now) {
            tracing::error!(%error, ledger = %ledger.path.display(), "the ledger of orders cannot be read");
        }
        ledger
    }

    /// Reads the ledger if that did not succeed before, and returns why it still does not.
    pub(super) fn unread(&mut self, now: i64) -> Option<io::Error> {
        if !self.is_unread {
            return None;
        }
        match read(&self.path) {
            Ok((entries, is_whole)) => self.take(entries, is_whole, now),
            Err(error) => return Some(error),
        }
        None
    }

    fn take(&mut self, entries: Vec<Entry>, is_whole: bool, now: i64) {
        let ledger = self;
        (ledger.entries, ledger.is_unread) = (entries, false);
        if !is_whole {
            tracing::error!(ledger = %ledger.path.display(), "the ledger of orders is damaged; going on carefully");
            let _ = fs::rename(&ledger.path, ledger.path.with_extension("damaged"));
            let authority = String::new();
            ledger.entries.push(Entry::begun(now, &authority, &[]));
        }
    }

    /// The orders made at an authority, oldest first. Those of a damaged ledger may have been made anywhere.
    pub(super) fn at(&self, authority: &str) -> Vec<Entry> {
        let ours = |entry: &&Entry| entry.authority == authority || entry.authority.is_empty();
        self.entries.iter().filter(ours).cloned().collect()
    }

    /// The authority that issued the last certificate.
    pub(super) fn last_issuer(&self) -> Option<&str> {
        let issued = self.entries.iter().rev().find(|entry| matches!(entry.outcome, Outcome::Issued { .. }));
        issued.map(|entry| entry.authority.as_str())
    }

    /// Writes down that an order is about to be made.
    pub(super) fn begin(&mut self, entry: Entry) -> Result<(), durable::Error> {
        self.entries.push(entry);
        let surplus = self.entries.len().saturating_sub(KEPT);
        self.entries.drain(..surplus);
        self.write().inspect_err(|_| {
            self.entries.pop();
        })
    }

    /// The last order at an authority, while it has not ended.
    pub(super) fn open_order(&self, authority: &str) -> Option<&Entry> {
        let last = self.entries.last()?;
        (last.authority == authority && last.is_open()).then_some(last)
    }

    /// Writes down where the order that was begun last is at the authority.
    pub(super) fn placed(&mut self, order: &str) -> Result<(), durable::Error> {
        if let Some(entry) = self.entries.last_mut() {
            entry.order = Some(order.to_owned());
        }
        self.write()
    }

    /// Writes down what became of the order that was begun last.
    pub(super) fn finish(&mut self, outcome: Outcome) -> Result<(), durable::Error> {
        if let Some(entry) = self.entries.last_mut() {
            entry.outcome = outcome;
        }
        self.write()
    }

    /// Dates back to `now` what was written while the clock was ahead: left as it is, it would hold us up until then.
    /// To be called only when the clock is known to be right.
    pub(super) fn correct(&mut self, now: i64) {
        let ahead = self.entries.iter_mut().filter(|entry| entry.at > now + SLACK);
        let mut count = 0;
        for entry in ahead {
            entry.at = now;
            count += 1;
        }
        if count > 0 {
            tracing::warn!(count, "the ledger had orders of a time to come; they count as made now");
            if let Err(error) = self.write() {
                tracing::error!(%error, "the ledger cannot be written");
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

/// Clocks are set by seconds all the time.
const SLACK: i64 = 60;

/// The entries of the file, and whether it was whole. An error says nothing of what it has.
fn read(path: &Path) -> io::Result<(Vec<Entry>, bool)> {
    use io::ErrorKind::{FileTooLarge, InvalidData, InvalidInput, NotFound};
    match durable::read_text_limited(path, LARGEST) {
        Ok(text) => Ok(parse(&text)),
        Err(error) if error.kind() == NotFound => Ok((Vec::new(), true)),
        // It was read, and is too large, not UTF-8, or no file.
        Err(error) if matches!(error.kind(), FileTooLarge | InvalidInput | InvalidData) => {
            Ok((Vec::new(), false))
        }
        Err(error) => Err(error),
    }
}

/// The entries, and whether every line was one.
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
