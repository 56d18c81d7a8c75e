use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt;

use super::MailboxState;
use crate::mailbox::StoreError;
use crate::maildir::{FileName, Folder, Uid, scan};

/// The files that were found, by their bases.
type FoundFiles = HashMap<Box<[u8]>, FileName>;

impl MailboxState {
    /// Reads the folders that may have changed, and applies what is new, renamed or gone.
    pub(super) fn scan(&mut self) -> Result<(), StoreError> {
        if !self.cur.is_due(&self.folder)? {
            let found = self.read_new()?;
            if self.in_new.keys().all(|base| found.contains_key(base)) {
                return self.apply_new(found);
            }
            // Files that left `new` are in `cur`, or gone.
        }
        self.scan_all()
    }

    fn read_new(&mut self) -> Result<FoundFiles, StoreError> {
        let files = self.new.read(&self.folder)?;
        let mut found = FoundFiles::with_capacity(files.len());
        self.collect(&mut found, files);
        Ok(found)
    }

    /// Adds the files found in `new`, if none is known to have left it.
    fn apply_new(&mut self, mut found: FoundFiles) -> Result<(), StoreError> {
        let renamed = self.renamed(self.in_new.clone(), &mut found);
        self.rename_in_snapshot(renamed);
        if found.is_empty() {
            return Ok(());
        }
        if found.keys().any(|base| !self.without_file.contains_key(base))
            && self.snapshot.entries().any(|entry| found.contains_key(entry.file.base()))
        {
            // The same base in both folders: both must be read.
            return self.scan_all();
        }
        self.add_files(found.into_values().collect())
    }

    /// Reads both folders.
    fn scan_all(&mut self) -> Result<(), StoreError> {
        let mut found = self.read_all()?;
        let known: HashMap<Box<[u8]>, Uid> =
            self.snapshot.entries().map(|entry| (entry.file.base().into(), entry.uid)).collect();
        let mut missing: HashMap<Box<[u8]>, Uid> = known
            .iter()
            .filter(|(base, _)| !found.contains_key(*base))
            .map(|(base, uid)| (base.clone(), *uid))
            .collect();
        if !missing.is_empty() {
            // A file that is renamed while its folder is read may be missed. A message counts as removed only after
            // it was missed twice.
            found.extend(self.read_all()?.into_iter().filter(|(base, _)| missing.contains_key(base)));
            missing.retain(|base, _| !found.contains_key(base));
        }
        let renamed = self.renamed(known, &mut found);
        self.rename_in_snapshot(renamed);
        self.record_removed(missing.into_values().collect());
        self.add_files(found.into_values().collect())
    }

    /// `new` first: a file that moves from there to `cur` meanwhile is seen twice, not never.
    fn read_all(&mut self) -> Result<FoundFiles, StoreError> {
        let mut found = self.read_new()?;
        let files = self.cur.read(&self.folder)?;
        found.reserve(files.len());
        self.collect(&mut found, files);
        Ok(found)
    }

    fn collect(&self, found: &mut FoundFiles, files: Vec<FileName>) {
        for file in files {
            match found.get(file.base()) {
                None => {
                    found.insert(file.base().into(), file);
                }
                Some(other) => {
                    if let Some(kept) = self.resolve_duplicates(other.clone(), file) {
                        found.insert(kept.base().into(), kept);
                    }
                }
            }
        }
    }

    /// Resolves two names with one base, as a concurrent rename, a crash or a careless restore leaves them: returns the
    /// second, if that is the right one.
    fn resolve_duplicates(&self, first: FileName, second: FileName) -> Option<FileName> {
        let identity = |file: &FileName| {
            let metadata = std::fs::symlink_metadata(self.folder.join(file.path())).ok()?;
            Some((metadata.dev(), metadata.ino()))
        };
        match (identity(&first), identity(&second)) {
            (None, _) => Some(second),
            (Some(_), None) => None,
            (Some(one), Some(other)) if one == other => {
                // Two links to one message. The second was read later, from `cur` if they differ.
                let _ = std::fs::remove_file(self.folder.join(first.path()));
                Some(second)
            }
            (Some(_), Some(_)) => {
                // Two messages: the second gets a base of its own, and is found under that at the next scan.
                let size =
                    std::fs::metadata(self.folder.join(second.path())).map_or(0, |metadata| metadata.len());
                let base = second.with_date_of_this(FileName::unique_base(
                    &self.host,
                    size,
                    second.virtual_size(size),
                ));
                let own = FileName::in_cur(&base, second.flags());
                let _ = std::fs::rename(self.folder.join(second.path()), self.folder.join(own.path()));
                tracing::warn!(mailbox = %self.folder.display(), file = ?second, "two messages with one name, the second renamed");
                None
            }
        }
    }

    /// Removes the known files from those found, and returns those whose names changed.
    fn renamed(&self, known: HashMap<Box<[u8]>, Uid>, found: &mut FoundFiles) -> Vec<(Uid, FileName)> {
        known
            .into_iter()
            .filter_map(|(base, uid)| Some((uid, found.remove(&base)?)))
            .filter(|(uid, file)| self.snapshot.by_uid(*uid).is_some_and(|(_, entry)| entry.file != *file))
            .collect()
    }

    fn rename_in_snapshot(&mut self, renamed: Vec<(Uid, FileName)>) {
        if renamed.is_empty() {
            return;
        }
        let mod_seq = self.snapshot.begin_change();
        for (uid, file) in renamed {
            if file.folder() == Folder::Cur {
                // The process that moved it there has claimed it.
                if self.in_new.remove(file.base()).is_some() {
                    self.snapshot.set_claimed(uid);
                }
            } else {
                self.in_new.insert(file.base().into(), uid);
            }
            let flags = self.flags_of(&file);
            self.snapshot.set_file(uid, file, flags, mod_seq);
        }
    }

    /// Records that messages were removed.
    pub(super) fn record_removed(&mut self, mut gone: Vec<Uid>) {
        if gone.is_empty() {
            return;
        }
        gone.sort_unstable();
        let lost: HashSet<Uid> = gone.iter().copied().collect();
        self.in_new.retain(|_, uid| !lost.contains(uid));
        self.obsolete += gone.len();
        self.snapshot.begin_change();
        self.snapshot.remove(&gone);
    }

    /// Looks in the folders for a message that is not where it was.
    pub(super) fn rescan(&mut self) -> Result<(), StoreError> {
        self.new.forget();
        self.cur.forget();
        self.scan()
    }

    /// All files, known or not.
    pub(super) fn files_on_disk(&self) -> Result<Vec<FileName>, StoreError> {
        let mut files = Vec::new();
        for folder in [Folder::New, Folder::Cur] {
            files.extend(scan::list(&self.folder, folder)?.files);
        }
        Ok(files)
    }

    /// The bases of all files.
    pub(super) fn bases_on_disk(&self) -> Result<HashSet<Box<[u8]>>, StoreError> {
        Ok(self.files_on_disk()?.iter().map(|file| Box::from(file.base())).collect())
    }
}
