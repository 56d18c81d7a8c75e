use std::ops::RangeInclusive;

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
    /// Structure and envelope, in the form in which whoever remembers them writes them.
    pub structure: Vec<u8>,
}

impl UserIndex {
    /// What is remembered of a mailbox's messages in the range, ascending.
    pub(crate) fn facts(&self, mailbox: &str, uids: RangeInclusive<Uid>) -> Vec<(Uid, Facts)> {
        self.with(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT uid, size, received, structure FROM facts
                 WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid",
            )?;
            let rows =
                query.query_map(params![mailbox, uids.start().value(), uids.end().value()], |row| {
                    let size: i64 = row.get(1)?;
                    let facts = Facts { size: size as u64, received: row.get(2)?, structure: row.get(3)? };
                    Ok((row.get::<_, u32>(0)?, facts))
                })?;
            rows.map(|row| row.map(|(uid, facts)| Some((Uid::new(uid)?, facts))))
                .filter_map(Result::transpose)
                .collect()
        })
    }

    /// Remembers facts.
    pub(crate) fn remember(&self, mailbox: &str, facts: &[(Uid, Facts)]) {
        if mailbox.is_empty() || facts.is_empty() {
            return;
        }
        self.with(|connection| {
            let transaction = connection.transaction()?;
            let mut insert =
                transaction.prepare_cached("INSERT OR REPLACE INTO facts VALUES (?1, ?2, ?3, ?4, ?5)")?;
            for (uid, facts) in facts {
                insert.execute(params![
                    mailbox,
                    uid.value(),
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
