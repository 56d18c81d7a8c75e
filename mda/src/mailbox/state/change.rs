use std::io;

use nix::fcntl::renameat;
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::{State, unless_missing};
use crate::mailbox::StoreError;
use crate::maildir::{FileName, Flags, Folder, Uid};

impl State {
    /// Changes flags of messages; those that are gone are passed over.
    pub(crate) fn store_flags(
        &mut self,
        uids: &[Uid],
        change: &dyn Fn(Flags) -> Flags,
    ) -> Result<(), StoreError> {
        let missing = self.rename_each(uids, change)?;
        if !missing.is_empty() {
            self.look_again()?;
            self.rename_each(&missing, change)?;
        }
        Ok(())
    }

    /// Gives the messages whose files were not where they were last seen.
    fn rename_each(&mut self, uids: &[Uid], change: &dyn Fn(Flags) -> Flags) -> Result<Vec<Uid>, StoreError> {
        let wanted: Vec<(Uid, FileName, FileName)> = uids
            .iter()
            .filter_map(|uid| {
                let (_, entry) = self.snapshot.by_uid(*uid)?;
                let flags = change(entry.flags);
                (flags != entry.flags).then(|| (*uid, entry.file.clone(), entry.file.with_flags(flags)))
            })
            .collect();
        let (renamed, missing, outcome) = self.rename_files(wanted);
        if !renamed.is_empty() {
            let mod_seq = self.snapshot.begin_change();
            for (uid, file) in renamed {
                self.in_new.remove(file.base());
                self.snapshot.set_file(uid, file, mod_seq);
            }
        }
        // What was renamed before it failed is known; the rest is told.
        outcome.map_err(StoreError::disk("rename a message in", &self.folder))?;
        Ok(missing)
    }

    /// Renames files until one fails for another reason than that it is missing.
    fn rename_files(
        &mut self,
        wanted: Vec<(Uid, FileName, FileName)>,
    ) -> (Vec<(Uid, FileName)>, Vec<Uid>, io::Result<()>) {
        let (mut renamed, mut missing) = (Vec::with_capacity(wanted.len()), Vec::new());
        let Self { new, cur, folder, handle, .. } = self;
        let work = || {
            for (uid, from, to) in wanted {
                let done = renameat(&*handle, from.path().as_str(), &*handle, to.path().as_str());
                match unless_missing(done.map_err(io::Error::from))? {
                    Some(()) => renamed.push((uid, to)),
                    None => missing.push(uid),
                }
            }
            Ok(())
        };
        let outcome = new.change(folder, || cur.change(folder, work));
        (renamed, missing, outcome)
    }

    /// Claims what no session has claimed yet: moves it from `new` to `cur`.
    pub(crate) fn claim(&mut self) -> Result<Vec<Uid>, StoreError> {
        let unclaimed = self.snapshot.unclaimed_entries();
        let waiting = unclaimed.iter().filter(|entry| entry.file.folder() == Folder::New);
        let wanted: Vec<_> = waiting
            .map(|entry| (entry.uid, entry.file.clone(), FileName::of_base(entry.file.base(), entry.flags)))
            .collect();
        let (renamed, missing, outcome) = self.rename_files(wanted);
        if unclaimed.is_empty() {
            return Ok(Vec::new());
        }
        let mod_seq = self.snapshot.begin_change();
        let mut claimed: Vec<Uid> = unclaimed
            .iter()
            .filter(|entry| entry.file.folder() == Folder::Cur)
            .map(|entry| entry.uid)
            .chain(renamed.iter().map(|(uid, _)| *uid))
            .collect();
        claimed.sort_unstable();
        for (uid, file) in renamed {
            self.in_new.remove(file.base());
            self.snapshot.set_file(uid, file, mod_seq);
        }
        for uid in &claimed {
            self.snapshot.set_claimed(*uid);
        }
        outcome.map_err(StoreError::disk("rename a message in", &self.folder))?;
        if !missing.is_empty() {
            // Somebody else moved them, and with that claimed them.
            self.look_again()?;
        }
        Ok(claimed)
    }

    /// Removes messages; those that are gone already are as good as removed.
    pub(crate) fn remove(&mut self, uids: &[Uid]) -> Result<(), StoreError> {
        let missing = self.remove_each(uids)?;
        if !missing.is_empty() {
            self.look_again()?;
            self.remove_each(&missing)?;
        }
        self.compact_if_worthwhile()
    }

    fn remove_each(&mut self, uids: &[Uid]) -> Result<Vec<Uid>, StoreError> {
        let (mut removed, mut missing) = (Vec::with_capacity(uids.len()), Vec::new());
        let Self { new, cur, folder, handle, snapshot, .. } = self;
        let work = || -> io::Result<()> {
            for uid in uids {
                let Some((_, entry)) = snapshot.by_uid(*uid) else { continue };
                let done = unlinkat(&*handle, entry.file.path().as_str(), UnlinkatFlags::NoRemoveDir);
                match unless_missing(done.map_err(io::Error::from))? {
                    Some(()) => removed.push(*uid),
                    None => missing.push(*uid),
                }
            }
            Ok(())
        };
        let outcome = new.change(folder, || cur.change(folder, work));
        self.lose(removed);
        outcome.map_err(StoreError::disk("remove a message in", &self.folder))?;
        Ok(missing)
    }

    /// Where a message's file stands, if it is not where it was last seen.
    pub(crate) fn locate(&mut self, uid: Uid) -> Result<FileName, StoreError> {
        self.look_again()?;
        let entry = self.snapshot.by_uid(uid).map(|(_, entry)| entry.file.clone());
        entry.ok_or(StoreError::MessageGone)
    }
}
