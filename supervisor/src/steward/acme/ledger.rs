//! Every order with its outcome, on the volume: what the limits of authorities are counted by, across crashes, restarts
//! and jumps of the clock.
//!
//! `acme/ledger.jsonl` has one JSON object a line, the newest last. An order is written down before it is made: one that
//! a crash cut off counts like one that failed. An order that cannot be written down is not made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::trouble::Refusal;

/// One order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// When it was made, in seconds since 1970.
    pub(super) at: i64,
    /// The authority's directory.
    pub(super) authority: String,
    /// The names that it was for.
    pub(super) names: Vec<String>,
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
    /// There is a certificate.
    Issued,
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
        why: String,
    },
    /// The authority was not reached, or did not work.
    Away {
        /// Until when we are to wait, if it said so.
        until: Option<i64>,
        /// What was wrong.
        why: String,
    },
    /// It failed otherwise.
    Failed {
        /// What was wrong.
        why: String,
    },
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
}

impl Ledger {
    /// Reads the ledger. One that cannot be read whole is put aside, and what can be read of it counts; what cannot
    /// counts as an order that was cut off at `now`.
    pub(super) fn open(folder: &Path, now: i64) -> Self {
        let path = folder.join("ledger.jsonl");
        let (entries, is_whole) = match durable::read_text_limited(&path, LARGEST) {
            Ok(text) => parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (Vec::new(), true),
            Err(error) => {
                tracing::error!(%error, ledger = %path.display(), "the ledger of orders cannot be read");
                (Vec::new(), false)
            }
        };
        let mut ledger = Self { path, entries };
        if !is_whole {
            tracing::error!(ledger = %ledger.path.display(), "the ledger of orders is damaged; going on carefully");
            let _ = fs::rename(&ledger.path, ledger.path.with_extension("damaged"));
            let authority = String::new();
            ledger.entries.push(Entry { at: now, authority, names: Vec::new(), outcome: Outcome::Begun });
        }
        ledger
    }

    /// The orders made at an authority, oldest first. Those of a damaged ledger may have been made anywhere.
    pub(super) fn at(&self, authority: &str) -> Vec<Entry> {
        let ours = |entry: &&Entry| entry.authority == authority || entry.authority.is_empty();
        self.entries.iter().filter(ours).cloned().collect()
    }

    /// The authority that issued the last certificate.
    pub(super) fn last_issuer(&self) -> Option<&str> {
        let issued = self.entries.iter().rev().find(|entry| entry.outcome == Outcome::Issued);
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
