use std::path::Path;

use super::MailboxState;
use crate::mailbox::{MessageEntry, StoreError};
use crate::maildir::uid_list::{ListLock, ResetReason};
use crate::maildir::{FileName, Flags, Folder, MaildirError, Uid, arrival_key, validity};

impl MailboxState {
    /// Adds files that are in the folders and not known yet. Files without a UID get one, in the order in which they
    /// arrived.
    pub(super) fn add_files(&mut self, mut files: Vec<FileName>) -> Result<(), StoreError> {
        if files.is_empty() {
            return Ok(());
        }
        files.sort_unstable_by(|a, b| arrival_key(a.base()).cmp(&arrival_key(b.base())));
        if files.iter().any(|file| !self.without_file.contains_key(file.base())) {
            match self.list.lock_if_writable()? {
                Some(lock) => match self.assign_uids(&files, lock) {
                    // The messages that have a UID can still be read and deleted, which makes room.
                    Err(StoreError::DiskFull { .. }) => self.hide_without_uid(&mut files),
                    given => given?,
                },
                None => self.hide_without_uid(&mut files),
            }
        }
        let known = files
            .into_iter()
            .filter_map(|file| Some((self.without_file.remove(file.base())?, self.flags_of(&file), file)))
            .collect();
        self.add_to_snapshot(known, false);
        Ok(())
    }

    /// Assigns UIDs to the files that have none.
    fn assign_uids(&mut self, files: &[FileName], lock: ListLock) -> Result<(), StoreError> {
        self.hidden = 0;
        // Another process may have found them first.
        let news = self.list.read_all_changes(&lock)?;
        self.apply_list_changes(news)?;
        let unknown: Vec<&[u8]> =
            files.iter().map(FileName::base).filter(|base| !self.without_file.contains_key(*base)).collect();
        let uids = match self.list.append(&lock, &unknown) {
            Err(MaildirError::NoUidsLeft(_)) => {
                drop(lock);
                return Err(self.reset_exhausted());
            }
            given => given?,
        };
        self.appended += 1;
        let given: Vec<(Box<[u8]>, Uid)> = unknown.into_iter().map(Box::from).zip(uids).collect();
        self.without_file.extend(given);
        Ok(())
    }

    /// Leaves out the files that have no UID and cannot be assigned one, and has the folders read again the next time.
    /// The other messages can be shown.
    fn hide_without_uid(&mut self, files: &mut Vec<FileName>) {
        let all = files.len();
        files.retain(|file| self.without_file.contains_key(file.base()));
        let hidden = all - files.len();
        if hidden != self.hidden {
            tracing::warn!(mailbox = %self.folder.display(), hidden, "cannot write the uid list, new messages not shown");
        }
        self.hidden = hidden;
        self.new.forget();
        self.cur.forget();
    }

    /// Adds messages that were delivered into `new`, unless a scan of the folder was faster.
    pub(crate) fn add_delivered(&mut self, files: Vec<FileName>) -> Result<(), StoreError> {
        let arrived = files
            .into_iter()
            .filter(|file| !self.in_new.contains_key(file.base()))
            // A file that does not exist any more was moved by another session.
            .filter(|file| self.folder.join(file.path()).exists())
            .collect();
        self.add_files(arrived)
    }

    /// Puts messages into the folders and adds them, in order and with consecutive UIDs: the lock keeps other processes
    /// from assigning UIDs meanwhile. `place` puts all of them there or none. They are `\Recent` to every session.
    pub(crate) fn store_messages(
        &mut self,
        messages: Vec<(FileName, Flags)>,
        place: impl FnOnce(&Path) -> Result<(), StoreError>,
    ) -> Result<Vec<Uid>, StoreError> {
        let lock = self.list.lock()?;
        let news = self.list.read_all_changes(&lock)?;
        self.apply_list_changes(news)?;
        // Before the messages exist: a message has its keywords once it appears.
        let flags: Vec<_> = messages.iter().map(|(file, flags)| (file, *flags)).collect();
        self.write_extra_keywords(&flags)?;
        let Self { new, cur, folder, .. } = self;
        new.change(folder, || cur.change(folder, || place(folder)))?;
        let bases: Vec<&[u8]> = messages.iter().map(|(file, _)| file.base()).collect();
        let appended = self.list.append(&lock, &bases).inspect_err(|_| {
            // They were announced to no client, and must not be found.
            for (file, _) in &messages {
                let _ = std::fs::remove_file(self.folder.join(file.path()));
            }
        });
        drop(lock);
        let uids = match appended {
            Err(MaildirError::NoUidsLeft(_)) => return Err(self.reset_exhausted()),
            appended => appended?,
        };
        self.appended += 1;
        let messages = uids.iter().zip(messages).map(|(uid, (file, flags))| (*uid, flags, file));
        self.add_to_snapshot(messages.collect(), true);
        Ok(uids)
    }

    /// Resets the mailbox to another UIDVALIDITY, since all UIDs are used up.
    fn reset_exhausted(&self) -> StoreError {
        match self.list.reset(ResetReason::Exhausted, &|| validity::next(&self.root)) {
            Ok(()) => StoreError::MailboxGone(self.name.clone()),
            Err(error) => error.into(),
        }
    }

    fn add_to_snapshot(&mut self, messages: Vec<(Uid, Flags, FileName)>, unclaimed: bool) {
        let mod_seq = self.snapshot.begin_change();
        for (uid, _, file) in &messages {
            if file.folder() == Folder::New {
                self.in_new.insert(file.base().into(), *uid);
            }
        }
        let entries = messages.into_iter().map(|(uid, flags, file)| MessageEntry {
            uid,
            flags,
            mod_seq,
            is_unclaimed: unclaimed || file.folder() == Folder::New,
            file,
        });
        self.snapshot.insert(entries.collect());
        self.snapshot.set_uid_next(self.list.next());
    }
}
