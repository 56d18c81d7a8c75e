//! Modification sequences between two uses of a mailbox.
//!
//! They are saved when the mailbox is unloaded, and taken out when it is loaded again: after a crash there are
//! none, so that an old one can never come back for a message that changed twice. A message without one gets one that
//! is greater than all before. They are valid only for the same, unchanged folder that they were saved for: neither a
//! restored index nor a restored mailbox brings old ones back.

use std::collections::HashMap;

use rusqlite::params;

use super::UserIndex;
use crate::maildir::{Flags, Uid, UidValidity};

impl UserIndex {
    /// Takes out the saved sequences, each with the flags that it is for.
    pub(crate) fn take_mod_seqs(
        &self,
        mailbox: &str,
        validity: UidValidity,
        folder: &str,
    ) -> HashMap<Uid, (Flags, u64)> {
        self.with_connection(|connection| {
            let transaction = connection.transaction()?;
            let mut query = transaction.prepare_cached(
                "SELECT uid, flags, mod_seq FROM mod_seqs WHERE mailbox = ?1 AND validity = ?2 AND folder = ?3",
            )?;
            let rows = query.query_map(params![mailbox, validity.value(), folder], |row| {
                let flags: String = row.get(1)?;
                let mod_seq: i64 = row.get(2)?;
                Ok((row.get::<_, u32>(0)?, Flags::from_letters(&flags), mod_seq as u64))
            })?;
            let mut saved = HashMap::new();
            for row in rows {
                let (uid, flags, mod_seq) = row?;
                if let Some(uid) = Uid::new(uid) {
                    saved.insert(uid, (flags, mod_seq));
                }
            }
            drop(query);
            transaction.execute("DELETE FROM mod_seqs WHERE mailbox = ?1", [mailbox])?;
            transaction.commit()?;
            Ok(saved)
        })
    }

    /// Saves the sequences of a mailbox that is not used any more.
    pub(crate) fn save_mod_seqs(
        &self,
        mailbox: &str,
        validity: UidValidity,
        folder: &str,
        messages: impl Iterator<Item = (Uid, Flags, u64)>,
    ) {
        self.with_connection(|connection| {
            let transaction = connection.transaction()?;
            transaction.execute("DELETE FROM mod_seqs WHERE mailbox = ?1", [mailbox])?;
            let mut insert =
                transaction.prepare_cached("INSERT INTO mod_seqs VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            // Keywords beyond the letters have other indexes in another process: those messages count as changed.
            for (uid, flags, mod_seq) in
                messages.filter(|(_, flags, _)| (*flags & Flags::EXTRA_KEYWORDS).is_empty())
            {
                let flags: String = flags.letters().collect();
                insert.execute(params![
                    mailbox,
                    validity.value(),
                    folder,
                    uid.value(),
                    flags,
                    mod_seq as i64
                ])?;
            }
            drop(insert);
            transaction.commit()
        });
    }
}
