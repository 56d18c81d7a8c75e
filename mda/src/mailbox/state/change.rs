use std::io;

use nix::fcntl::renameat;
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::{MailboxState, none_if_missing};
use crate::mailbox::StoreError;
use crate::maildir::{FileName, Flags, Folder, Uid, maildirsize};

/// A message's file with its new name.
struct FileRename {
    uid: Uid,
    from: FileName,
    to: FileName,
    flags: Flags,
}

impl MailboxState {
    /// Changes flags of messages; missing ones are skipped.
    pub(crate) fn store_flags(
        &mut self,
        uids: &[Uid],
        change: &dyn Fn(Flags) -> Flags,
    ) -> Result<(), StoreError> {
        let missing = self.rename_each(uids, change)?;
        if !missing.is_empty() {
            self.rescan()?;
            self.rename_each(&missing, change)?;
        }
        Ok(())
    }

    /// Renames the messages' files; returns the messages whose files were not where they were last seen.
    fn rename_each(&mut self, uids: &[Uid], change: &dyn Fn(Flags) -> Flags) -> Result<Vec<Uid>, StoreError> {
        let wanted: Vec<FileRename> = uids
            .iter()
            .filter_map(|uid| {
                let (_, entry) = self.snapshot.by_uid(*uid)?;
                let flags = change(entry.flags);
                let to = entry.file.with_flags(flags);
                (flags != entry.flags).then(|| FileRename { uid: *uid, from: entry.file.clone(), to, flags })
            })
            .collect();
        let (fitting, too_long) = wanted.into_iter().partition(|rename| rename.to.fits());
        let (renamed, missing, outcome) = self.rename_files(fitting);
        if !renamed.is_empty() {
            let mod_seq = self.snapshot.begin_change();
            for FileRename { uid, to, flags, .. } in &renamed {
                self.in_new.remove(to.base());
                self.snapshot.set_file(*uid, to.clone(), *flags, mod_seq);
            }
            let flags: Vec<_> = renamed.iter().map(|rename| (&rename.to, rename.flags)).collect();
            self.write_extra_keywords(&flags)?;
        }
        // The renames before a failure are known; the failure is returned.
        outcome.map_err(StoreError::disk("rename a message in", &self.folder))?;
        for rename in too_long {
            self.shorten_name(rename)?;
        }
        Ok(missing)
    }

    /// Assigns another base, under the same UID, to a message whose name has no room for flags.
    fn shorten_name(&mut self, rename: FileRename) -> Result<(), StoreError> {
        let FileRename { uid, from, flags, .. } = rename;
        let lock = self.list.lock()?;
        let news = self.list.read_all_changes(&lock)?;
        self.apply_list_changes(news)?;
        let Some(size) = maildirsize::octets_of(&self.folder, &from) else { return Ok(()) };
        let base = from.with_date_of_this(FileName::unique_base(&self.host, size, None));
        let to = FileName::in_cur(&base, flags);
        // Recorded first: a crash in between costs the message its UID, not the file.
        self.list.rewrite(
            &lock,
            &|record| record.uid != uid || record.base != from.base(),
            Some((uid, base.as_bytes())),
        )?;
        let rename = FileRename { uid, from, to: to.clone(), flags };
        let (renamed, _, outcome) = self.rename_files(vec![rename]);
        outcome.map_err(StoreError::disk("rename a message in", &self.folder))?;
        for FileRename { from, .. } in &renamed {
            self.in_new.remove(from.base());
            let mod_seq = self.snapshot.begin_change();
            self.snapshot.set_file(uid, to.clone(), flags, mod_seq);
            self.write_extra_keywords(&[(&to, flags)])?;
        }
        Ok(())
    }

    /// Renames files until one fails for another reason than that it is missing.
    fn rename_files(&mut self, wanted: Vec<FileRename>) -> (Vec<FileRename>, Vec<Uid>, io::Result<()>) {
        let (mut renamed, mut missing) = (Vec::with_capacity(wanted.len()), Vec::new());
        let Self { new, cur, folder, handle, .. } = self;
        let work = || {
            for rename in wanted {
                let done = renameat(&*handle, &rename.from.path(), &*handle, &rename.to.path());
                match none_if_missing(done.map_err(io::Error::from))? {
                    Some(()) => renamed.push(rename),
                    None => missing.push(rename.uid),
                }
            }
            Ok(())
        };
        let outcome = new.change(folder, || cur.change(folder, work));
        (renamed, missing, outcome)
    }

    /// Claims the messages that no session has claimed yet: moves them from `new` to `cur`.
    pub(crate) fn claim(&mut self) -> Result<Vec<Uid>, StoreError> {
        let unclaimed = self.snapshot.unclaimed_entries();
        let waiting = unclaimed.iter().filter(|entry| entry.file.folder() == Folder::New);
        let wanted: Vec<_> = waiting
            .map(|entry| FileRename {
                uid: entry.uid,
                from: entry.file.clone(),
                to: entry.file.with_flags(entry.flags),
                flags: entry.flags,
            })
            // A name without room for the mark of `cur` stays in `new`.
            .filter(|rename| rename.to.fits())
            .collect();
        let unmovable = unclaimed.iter().filter(|entry| !entry.file.with_flags(entry.flags).fits());
        let (renamed, missing, outcome) = self.rename_files(wanted);
        if unclaimed.is_empty() {
            return Ok(Vec::new());
        }
        let mod_seq = self.snapshot.begin_change();
        let mut claimed: Vec<Uid> = unclaimed
            .iter()
            .filter(|entry| entry.file.folder() == Folder::Cur)
            .chain(unmovable)
            .map(|entry| entry.uid)
            .chain(renamed.iter().map(|rename| rename.uid))
            .collect();
        claimed.sort_unstable();
        claimed.dedup();
        for FileRename { uid, to, flags, .. } in renamed {
            self.in_new.remove(to.base());
            self.snapshot.set_file(uid, to, flags, mod_seq);
        }
        for uid in &claimed {
            self.snapshot.set_claimed(*uid);
        }
        outcome.map_err(StoreError::disk("rename a message in", &self.folder))?;
        if !missing.is_empty() {
            // Another process moved them, and so claimed them.
            self.rescan()?;
        }
        Ok(claimed)
    }

    /// Removes messages; missing ones count as removed.
    pub(crate) fn remove(&mut self, uids: &[Uid]) -> Result<(), StoreError> {
        self.remove_if(uids, &|_| true)
    }

    /// Removes the messages that are `\Deleted` at the moment of their removal.
    ///
    /// A file is removed under the very name that has the mark. If another program has removed the mark, the name does
    /// not exist any more: the message is looked for, and stays if it is found without the mark.
    pub(crate) fn expunge(&mut self, uids: &[Uid]) -> Result<(), StoreError> {
        self.remove_if(uids, &|file| file.flags().contains(Flags::DELETED))
    }

    fn remove_if(&mut self, uids: &[Uid], may_remove: &dyn Fn(&FileName) -> bool) -> Result<(), StoreError> {
        let missing = self.remove_each(uids, may_remove)?;
        if !missing.is_empty() {
            self.rescan()?;
            self.remove_each(&missing, may_remove)?;
        }
        self.compact_if_needed()
    }

    fn remove_each(
        &mut self,
        uids: &[Uid],
        may_remove: &dyn Fn(&FileName) -> bool,
    ) -> Result<Vec<Uid>, StoreError> {
        let (mut removed, mut missing) = (Vec::with_capacity(uids.len()), Vec::new());
        let Self { new, cur, folder, handle, snapshot, .. } = self;
        let work = || -> io::Result<()> {
            for uid in uids {
                let Some((_, entry)) = snapshot.by_uid(*uid).filter(|(_, entry)| may_remove(&entry.file))
                else {
                    continue;
                };
                let done = unlinkat(&*handle, &entry.file.path(), UnlinkatFlags::NoRemoveDir);
                match none_if_missing(done.map_err(io::Error::from))? {
                    Some(()) => removed.push(*uid),
                    None => missing.push(*uid),
                }
            }
            Ok(())
        };
        let outcome = new.change(folder, || cur.change(folder, work));
        self.record_removed(removed);
        outcome.map_err(StoreError::disk("remove a message in", &self.folder))?;
        Ok(missing)
    }

    /// The present file of a message that is not where it was last seen.
    pub(crate) fn locate(&mut self, uid: Uid) -> Result<FileName, StoreError> {
        self.rescan()?;
        let entry = self.snapshot.by_uid(uid).map(|(_, entry)| entry.file.clone());
        entry.ok_or(StoreError::MessageGone)
    }
}
