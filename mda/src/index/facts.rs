use std::fs::Metadata;
use std::ops::RangeInclusive;
use std::os::unix::fs::MetadataExt;

use rusqlite::params;

use super::UserIndex;
use crate::maildir::Uid;

/// What never changes about a message and takes reading it to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The size with CRLF at the end of each line (RFC822.SIZE).
    pub size: u64,
    /// INTERNALDATE, in seconds since 1970.
    pub received: i64,
    /// Structure and envelope, in the form in which the caller writes them.
    pub structure: Vec<u8>,
    /// The file that was read.
    pub file: FileStamp,
}

/// One state of one file: facts count for it alone.
///
/// UIDs and the identifiers of mailboxes return with a backup or a copied folder, and names can be chosen by hand. A file
/// with the same number, size and time of modification is the same file, unless it was forged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileStamp {
    number: u64,
    size: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl FileStamp {
    /// The file as it is now.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            number: metadata.ino(),
            size: metadata.size(),
            seconds: metadata.mtime(),
            nanoseconds: metadata.mtime_nsec(),
        }
    }

    /// The file with its name: the form in which it is stored and compared.
    fn key(&self, base: &[u8]) -> Vec<u8> {
        let Self { number, size, seconds, nanoseconds } = self;
        let mut key = format!("{number} {size} {seconds} {nanoseconds} ").into_bytes();
        key.extend_from_slice(base);
        key
    }
}

/// A message as a lookup needs it: its file's base, and its file as it is now, if it is there.
pub(crate) type Present<'a> = &'a dyn Fn(Uid) -> Option<(Vec<u8>, FileStamp)>;

impl UserIndex {
    /// The facts of a mailbox's messages in the range, ascending. Facts of another file than the one that is
    /// present are not remembered any more.
    pub(crate) fn facts(
        &self,
        mailbox: &str,
        uids: RangeInclusive<Uid>,
        present: Present<'_>,
    ) -> Vec<(Uid, Facts)> {
        let remembered = self.rows(mailbox, uids);
        let checked = remembered.into_iter().filter_map(|(uid, key, facts)| {
            let (base, file) = present(uid)?;
            (file.key(&base) == key).then_some((uid, Facts { file, ..facts }))
        });
        checked.collect()
    }

    fn rows(&self, mailbox: &str, uids: RangeInclusive<Uid>) -> Vec<(Uid, Vec<u8>, Facts)> {
        self.with(|connection| {
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

    /// Remembers facts, each with the base of its message's file.
    pub(crate) fn remember(&self, mailbox: &str, facts: &[(Uid, &[u8], &Facts)]) {
        if mailbox.is_empty() || facts.is_empty() {
            return;
        }
        self.with(|connection| {
            let transaction = connection.transaction()?;
            let mut insert =
                transaction.prepare_cached("INSERT OR REPLACE INTO facts VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for (uid, base, facts) in facts {
                insert.execute(params![
                    mailbox,
                    uid.value(),
                    facts.file.key(base),
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
        self.with(|connection| {
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
        self.with(|connection| {
            connection.execute("DELETE FROM facts WHERE mailbox = ?1", [mailbox])?;
            connection.execute("DELETE FROM mod_seqs WHERE mailbox = ?1", [mailbox])
        });
    }
}
