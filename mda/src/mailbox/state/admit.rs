use std::path::Path;

use super::State;
use crate::mailbox::{Entry, StoreError};
use crate::maildir::{FileName, Folder, Uid, arrival};

impl State {
    /// Takes in files that stand in the folders and are not known yet. Those that nobody gave a UID get one, in the order
    /// in which they arrived.
    pub(super) fn admit_found(&mut self, mut files: Vec<FileName>) -> Result<(), StoreError> {
        if files.is_empty() {
            return Ok(());
        }
        files.sort_unstable_by(|a, b| arrival(a.base()).cmp(&arrival(b.base())));
        if files.iter().any(|file| !self.absent.contains_key(file.base())) {
            let lock = self.list.lock()?;
            // Somebody else may have found them first.
            let news = self.list.all_news(&lock)?;
            self.learn(news)?;
            let unknown: Vec<&str> =
                files.iter().map(FileName::base).filter(|base| !self.absent.contains_key(*base)).collect();
            let uids = self.list.append(&lock, &unknown)?;
            self.appended += 1;
            let given: Vec<(Box<str>, Uid)> = unknown.into_iter().map(Box::from).zip(uids).collect();
            self.absent.extend(given);
        }
        let known =
            files.into_iter().filter_map(|file| Some((self.absent.remove(file.base())?, file))).collect();
        self.enter(known, false);
        Ok(())
    }

    /// Takes in messages that were delivered into `new`, unless a look at the folder was faster.
    pub(crate) fn arrive(&mut self, files: Vec<FileName>) -> Result<(), StoreError> {
        let arrived = files
            .into_iter()
            .filter(|file| !self.in_new.contains_key(file.base()))
            // A file that is not there any more was seen by somebody, and moved.
            .filter(|file| self.folder.join(file.path()).exists())
            .collect();
        self.admit_found(arrived)
    }

    /// Puts messages into the folders and takes them in, in their order and with UIDs that follow each other: nobody else
    /// gives out UIDs meanwhile. `place` puts all of them there or none. They are new to every session.
    pub(crate) fn place(
        &mut self,
        place: impl FnOnce(&Path) -> Result<Vec<FileName>, StoreError>,
    ) -> Result<Vec<Uid>, StoreError> {
        let lock = self.list.lock()?;
        let news = self.list.all_news(&lock)?;
        self.learn(news)?;
        let Self { new, cur, folder, .. } = self;
        let files = new.change(folder, || cur.change(folder, || place(folder)))?;
        let bases: Vec<&str> = files.iter().map(FileName::base).collect();
        let uids = self.list.append(&lock, &bases).inspect_err(|_| {
            // Nobody was told of them, and nobody shall find them.
            for file in &files {
                let _ = std::fs::remove_file(self.folder.join(file.path()));
            }
        })?;
        self.appended += 1;
        drop(lock);
        self.enter(uids.iter().copied().zip(files).collect(), true);
        Ok(uids)
    }

    fn enter(&mut self, messages: Vec<(Uid, FileName)>, unclaimed: bool) {
        let mod_seq = self.snapshot.begin_change();
        for (uid, file) in &messages {
            if file.folder() == Folder::New {
                self.in_new.insert(file.base().into(), *uid);
            }
        }
        let entries = messages.into_iter().map(|(uid, file)| Entry {
            uid,
            flags: file.flags(),
            mod_seq,
            unclaimed: unclaimed || file.folder() == Folder::New,
            file,
        });
        self.snapshot.insert(entries.collect());
        self.snapshot.set_uid_next(self.list.next());
    }
}
