//! Undeliverable messages about which neither the sender nor a user here can get a report, kept for the operator.
//!
//! | in `dead/`                                | meaning                         | limit                         |
//! |-------------------------------------------|---------------------------------|-------------------------------|
//! | `<id>.eml`, `<id>.toml`                   | not delivered before it expired | 1,000 messages, 256 MiB       |
//! | `<id>.<number>.eml`, `<id>.toml.<number>` | its envelope is damaged         | none: needs a damaged disk    |
//!
//! Above the limits the oldest messages are removed, by the order of their names and not by a clock, which may be
//! wrong.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use handover::Concern;
use serve::MailId;

/// Messages that are kept at most.
const MAX_MESSAGES: usize = 1_000;

/// Octets of these messages.
const MAX_OCTETS: u64 = 256 * 1024 * 1024;

/// The folder of undeliverable messages.
#[derive(Debug)]
pub(super) struct DeadFolder(PathBuf);

/// The content of the folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeadMessages {
    /// Messages that could not be delivered before they expired.
    pub messages: usize,
    /// Damaged envelopes.
    pub damaged: usize,
}

impl DeadFolder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Removes the oldest messages above the limits, and counts the rest.
    pub(super) fn tidy(&self) -> io::Result<DeadMessages> {
        self.tidy_to(MAX_MESSAGES, MAX_OCTETS)
    }

    fn tidy_to(&self, max_messages: usize, max_octets: u64) -> io::Result<DeadMessages> {
        let mut messages: BTreeMap<MailId, u64> = BTreeMap::new();
        let mut damaged = 0;
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let stem = name.strip_suffix(".eml").or_else(|| name.strip_suffix(".toml"));
            if let Some(id) = stem.and_then(MailId::parse) {
                let size = entry.metadata().map_or(0, |metadata| metadata.len());
                *messages.entry(id).or_default() += size;
            } else if name.contains(".toml.") {
                damaged += 1;
            }
        }
        let mut octets: u64 = messages.values().sum();
        let mut count = messages.len();
        for (id, size) in messages {
            if count <= max_messages && octets <= max_octets {
                break;
            }
            for extension in ["eml", "toml"] {
                remove_if_there(&self.0.join(format!("{id}.{extension}")))?;
            }
            tracing::warn!(%id, "removed the oldest message in queue/dead: the folder is full");
            (count, octets) = (count - 1, octets - size);
        }
        Ok(DeadMessages { messages: count, damaged })
    }
}

impl DeadMessages {
    /// The report to the operator, if the folder has any messages.
    pub fn concern(self) -> Option<Concern> {
        let mut problems = Vec::new();
        if self.messages > 0 {
            problems.push(format!(
                "undeliverable messages about which no user can get a report: {}",
                self.messages
            ));
        }
        if self.damaged > 0 {
            problems.push(format!("messages whose envelope is damaged: {}", self.damaged));
        }
        let problem = problems.join("; ");
        let fix = "read them in queue/dead on the volume; to retry one, move its .eml back to queue/messages and its .toml \
                   to queue/envelopes and restart; otherwise delete its files";
        (!problem.is_empty()).then(|| Concern::new(problem, fix))
    }
}

/// Removes a file. A missing file is not an error.
pub(super) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(messages: usize) -> (tempfile::TempDir, DeadFolder, Vec<MailId>) {
        let path = tempfile::tempdir().unwrap();
        let ids: Vec<_> = (0..messages).map(|_| MailId::new()).collect();
        for id in &ids {
            fs::write(path.path().join(format!("{id}.eml")), [0; 90]).unwrap();
            fs::write(path.path().join(format!("{id}.toml")), [0; 10]).unwrap();
        }
        let folder = DeadFolder::new(path.path().to_owned());
        (path, folder, ids)
    }

    #[test]
    fn the_oldest_messages_beyond_either_bound_are_removed() {
        for (messages, octets) in [(2, u64::MAX), (usize::MAX, 299), (usize::MAX, 200)] {
            let (path, folder, ids) = folder(5);
            assert_eq!(folder.tidy_to(messages, octets).unwrap(), DeadMessages { messages: 2, damaged: 0 });
            assert_eq!(fs::read_dir(path.path()).unwrap().count(), 4);
            assert!(path.path().join(format!("{}.eml", ids[4])).exists());
            assert!(!path.path().join(format!("{}.toml", ids[2])).exists());
        }
    }

    #[test]
    fn damaged_envelopes_and_foreign_files_are_kept() {
        let (path, folder, ids) = folder(1);
        for name in [format!("{}.toml.17", ids[0]), format!("{}.17.eml", ids[0]), "README".to_owned()] {
            fs::write(path.path().join(name), "kept").unwrap();
        }
        let dead = folder.tidy_to(0, 0).unwrap();
        assert_eq!(dead, DeadMessages { messages: 0, damaged: 1 });
        assert_eq!(fs::read_dir(path.path()).unwrap().count(), 3);
        assert!(dead.concern().unwrap().problem.contains("damaged: 1"));
        assert_eq!(DeadMessages::default().concern(), None);
    }
}
