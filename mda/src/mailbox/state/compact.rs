use super::MailboxState;
use crate::mailbox::StoreError;

/// The list is rewritten when records of removed messages exceed this number and the number of the others.
const COMPACT_ABOVE: usize = 1000;

impl MailboxState {
    /// Rewrites the UID list if it is damaged, or if most of its records are of removed messages.
    pub(super) fn compact_if_needed(&mut self) -> Result<(), StoreError> {
        let obsolete = self.obsolete + self.without_file.len();
        if !self.list.is_writable() {
            return Ok(());
        }
        if self.list.is_damaged() || (obsolete > COMPACT_ABOVE && obsolete > self.snapshot.len() as usize) {
            self.compact()?;
        }
        Ok(())
    }

    /// Rewrites the UID list. Under the lock, every record's file is in its folder or gone: files are placed before
    /// they are recorded.
    fn compact(&mut self) -> Result<(), StoreError> {
        let lock = self.list.lock()?;
        let news = self.list.read_all_changes(&lock)?;
        self.apply_list_changes(news)?;
        let bases = self.bases_on_disk()?;
        let (snapshot, absent) = (&self.snapshot, &self.without_file);
        self.list.rewrite(
            &lock,
            &|record| {
                let counts =
                    snapshot.by_uid(record.uid).is_some() || absent.get(record.base) == Some(&record.uid);
                counts && bases.contains(record.base)
            },
            None,
        )?;
        self.without_file.retain(|base, _| bases.contains(base));
        self.obsolete = 0;
        Ok(())
    }
}
