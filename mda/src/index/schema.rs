use std::time::Duration;

use rusqlite::Connection;

/// Version of the tables; a file of another version is created again.
const VERSION: i64 = 2;
/// Another process may have the same file open briefly, as during a handover.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Sets a database up as a cache: a crash of the machine may cost the last changes, but never consistency.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // The page cache stays small: the system caches the file already.
    connection.pragma_update(None, "cache_size", -512)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == VERSION {
        return Ok(());
    }
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;
         DROP TABLE IF EXISTS facts;
         DROP TABLE IF EXISTS mod_seqs;
         CREATE TABLE facts (
             mailbox TEXT NOT NULL, uid INTEGER NOT NULL, file BLOB NOT NULL,
             size INTEGER NOT NULL, received INTEGER NOT NULL, structure BLOB NOT NULL,
             PRIMARY KEY (mailbox, uid)
         ) WITHOUT ROWID;
         CREATE TABLE mod_seqs (
             mailbox TEXT NOT NULL, validity INTEGER NOT NULL, folder TEXT NOT NULL, uid INTEGER NOT NULL,
             flags TEXT NOT NULL, mod_seq INTEGER NOT NULL,
             PRIMARY KEY (mailbox, uid)
         ) WITHOUT ROWID;
         PRAGMA user_version = {VERSION};
         COMMIT;"
    ))
}
