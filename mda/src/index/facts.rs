use std::fs::Metadata;
use std::ops::RangeInclusive;
use std::os::unix::fs::MetadataExt;

use rusqlite::params;

use super::UserIndex;
use crate::maildir::Uid;

/// Facts of a message that never change and that only reading it can give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The size with CRLF at the end of each line (RFC822.SIZE).
    pub size: u64,
    /// INTERNALDATE, in seconds since 1970.
    pub received: i64,
    /// Structure and envelope, in the caller's encoding.
    pub structure: Vec<u8>,
    /// The file that was read.
    pub file: FileStamp,
}

/// One state of one file. Facts are valid only for it.
///
/// A backup or a copied folder brings UIDs and mailbox identifiers back, and names can be chosen by hand. A file with
/// the same inode number, size and modification time is the same file, unless it was forged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileStamp {
    inode: u64,
    size: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl FileStamp {
    /// The current state of the file.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            size: metadata.size(),
            seconds: metadata.mtime(),
            nanoseconds: metadata.mtime_nsec(),
        }
    }

    /// The file's state with its name: the form in which it is stored and compared.
    fn cache_key(&self, base: &[u8]) -> Vec<u8> {
        let Self { inode, size, seconds, nanoseconds } = self;
        let mut key = format!("{inode} {size} {seconds} {nanoseconds} ").into_bytes();
        key.extend_from_slice(base);
        key
    }
}

/// Looks up a message: the base of its file and the file's current state, if it exists.
pub(crate) type FileLookup<'a> = &'a dyn Fn(Uid) -> Option<(Vec<u8>, FileStamp)>;

impl UserIndex {
    /// The facts of a mailbox's messages in the range, ascending. Facts of a file other than the present one are left
    /// out.
    pub(crate) fn facts(
        &self,
        mailbox: &str,
        uids: RangeInclusive<Uid>,
        present: FileLookup<'_>,
    ) -> Vec<(Uid, Facts)> {
        let rows = self.rows(mailbox, uids);
        let checked = rows.into_iter().filter_map(|(uid, key, facts)| {
            let (base, file) = present(uid)?;
            (file.cache_key(&base) == key).then_some((uid, Facts { file, ..facts }))
        });
        checked.collect()
    }

    fn rows(&self, mailbox: &str, uids: RangeInclusive<Uid>) -> Vec<(Uid, Vec<u8>, Facts)> {
        self.with_connection(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT uid, size, received, structure, file FROM facts
                 WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid",
            )?;
            let rows =
                query.query_map(params![mailbox, uids.start().value(), uids.end().value()], |row| {
                    let size: i64 = row.get(1)?;
                    let facts = Facts {
                        size: size as u64,
                        received: row.get(2)?,
                        structure: row.get(3)?,
                        file: FileStamp::default(),
                    };
                    Ok((row.get::<_, u32>(0)?, row.get(4)?, facts))
                })?;
            rows.map(|row| row.map(|(uid, key, facts)| Some((Uid::new(uid)?, key, facts))))
                .filter_map(Result::transpose)
                .collect()
        })
    }

    /// Stores facts, each with the base of its message's file.
    pub(crate) fn store_facts(&self, mailbox: &str, facts: &[(Uid, &[u8], &Facts)]) {
        if mailbox.is_empty() || facts.is_empty() {
            return;
        }
        self.with_connection(|connection| {
            let transaction = connection.transaction()?;
            let mut insert =
                transaction.prepare_cached("INSERT OR REPLACE INTO facts VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for (uid, base, facts) in facts {
                insert.execute(params![
                    mailbox,
                    uid.value(),
                    facts.file.cache_key(base),
                    facts.size as i64,
                    facts.received,
                    facts.structure
                ])?;
            }
            drop(insert);
            transaction.commit()
        });
    }

    /// Forgets messages that are gone.
    pub(crate) fn forget(&self, mailbox: &str, uids: &[Uid]) {
        if mailbox.is_empty() || uids.is_empty() {
            return;
        }
        self.with_connection(|connection| {
            let transaction = connection.transaction()?;
            let mut delete =
                transaction.prepare_cached("DELETE FROM facts WHERE mailbox = ?1 AND uid = ?2")?;
            for uid in uids {
                delete.execute(params![mailbox, uid.value()])?;
            }
            drop(delete);
            transaction.commit()
        });
    }

    /// Forgets a mailbox.
    pub(crate) fn forget_mailbox(&self, mailbox: &str) {
        self.with_connection(|connection| {
            connection.execute("DELETE FROM facts WHERE mailbox = ?1", [mailbox])?;
            connection.execute("DELETE FROM mod_seqs WHERE mailbox = ?1", [mailbox])
        });
    }
}
