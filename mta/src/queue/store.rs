//! The queue's folders, and the stages in which a message gets into them.
//!
//! ```text
//!  Content ──stage──> Staged ──commit──> queued ──rewrite──> queued ──remove──> nothing
//!                       │                   │
//!                       └──drop──> nothing  └──set_aside──> dead/
//! ```
//!
//! | on disk                                    | meaning                                                          |
//! |--------------------------------------------|------------------------------------------------------------------|
//! | `tmp/…`                                    | being written; removed when the MTA starts                       |
//! | `messages/<id>.eml` without its envelope   | not acknowledged to the peer; removed when the MTA starts        |
//! | `messages/<id>.eml`, `envelopes/<id>.toml` | queued: the MTA is responsible for it                            |
//! | `dead/<id>.eml`, `dead/<id>.toml`          | undeliverable, and its sender gets no report; for the operator   |
//!
//! The message is written before its envelope and removed after it, so an envelope without its message exists only
//! where another program removed the message.
//!
//! All functions here block.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use durable::SharedSync;

use super::dead::{DeadFolder, remove_if_there};
use super::{Envelope, MailId};
use crate::content::{Content, SpoolError};

/// Only the MTA's user reads the queue.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// The reason why a message could not be queued, read or removed.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// No space left: a temporary failure that the sender did not cause.
    #[error("cannot write to the queue, the disk is full: {0}")]
    Full(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file of the queue that may be readable later: until then nothing in the queue is changed.
    #[error(
        "cannot read {}: {source}; the queue is left as it is: check that the MTA's user owns the file and that the disk \
         works, then start again",
        path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// Any other error of the file system.
    #[error("cannot access the queue on disk: {0}")]
    Disk(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<durable::Error> for QueueError {
    fn from(error: durable::Error) -> Self {
        if error.is_disk_full() { Self::Full(error.into()) } else { Self::Disk(error.into()) }
    }
}

impl From<io::Error> for QueueError {
    fn from(error: io::Error) -> Self {
        if durable::is_disk_full(&error) { Self::Full(error.into()) } else { Self::Disk(error.into()) }
    }
}

impl From<SpoolError> for QueueError {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::Full(error) => Self::Full(error.into()),
            error => Self::Disk(error.into()),
        }
    }
}

/// The queue's folders.
#[derive(Clone, Debug)]
pub(super) struct Store {
    folders: Arc<Folders>,
}

#[derive(Debug)]
struct Folders {
    tmp: PathBuf,
    messages: SharedSync,
    envelopes: SharedSync,
    dead: DeadFolder,
}

/// A message on disk that is not acknowledged yet. Removed when it is dropped.
#[derive(Debug)]
pub(super) struct StagedMessage {
    store: Store,
    id: MailId,
    /// True while dropping the value removes the file.
    removes_on_drop: bool,
}

impl Store {
    /// The store in `folder`; creates what is missing.
    pub(super) fn open(folder: &Path) -> Result<Self, QueueError> {
        let [tmp, messages, envelopes, dead] =
            ["tmp", "messages", "envelopes", "dead"].map(|name| folder.join(name));
        for folder in [&tmp, &messages, &envelopes, &dead] {
            durable::create_folder(folder, FOLDER_MODE)?;
        }
        let (messages, envelopes) = (SharedSync::new(messages), SharedSync::new(envelopes));
        let dead = DeadFolder::new(dead);
        Ok(Self { folders: Arc::new(Folders { tmp, messages, envelopes, dead }) })
    }

    /// The folder for messages that are being received.
    pub(super) fn spool_folder(&self) -> &Path {
        &self.folders.tmp
    }

    /// The undeliverable messages.
    pub(super) fn dead(&self) -> &DeadFolder {
        &self.folders.dead
    }

    fn message_path(&self, id: MailId) -> PathBuf {
        self.folders.messages.path().join(format!("{id}.eml"))
    }

    fn envelope_path(&self, id: MailId) -> PathBuf {
        self.folders.envelopes.path().join(format!("{id}.toml"))
    }

    /// Writes a message to disk.
    pub(super) fn stage(&self, id: MailId, content: &Content) -> Result<StagedMessage, QueueError> {
        let file = durable::Staged::create(self.folders.tmp.join(format!("{id}.eml")), FILE_MODE)?;
        {
            let mut writer = io::BufWriter::with_capacity(64 * 1024, file.file());
            content.copy_to(&mut writer)?;
            io::Write::flush(&mut writer)?;
        }
        // From here on a failure leaves a message without an envelope, which the guard removes.
        let guard = StagedMessage { store: self.clone(), id, removes_on_drop: true };
        match file.commit_shared(&self.message_path(id), &self.folders.messages) {
            Ok(_) => Ok(guard),
            Err(refused) => Err(refused.error.into()),
        }
    }

    /// The message's octets.
    pub(super) fn read_message(&self, id: MailId) -> io::Result<Content> {
        Content::open(&self.message_path(id))
    }

    /// Writes the envelope, replacing an existing one.
    pub(super) fn write_envelope(&self, envelope: &Envelope) -> Result<(), QueueError> {
        let temporary = self.folders.tmp.join(format!("{}.toml", envelope.id));
        let mut file = durable::Staged::create(temporary, FILE_MODE)?;
        file.write(envelope.to_toml().as_bytes())?;
        match file.commit_shared(&self.envelope_path(envelope.id), &self.folders.envelopes) {
            Ok(_) => Ok(()),
            Err(refused) => Err(refused.error.into()),
        }
    }

    /// Removes a message. The envelope is removed first and durably: a crash in between leaves a message without one.
    pub(super) fn remove(&self, id: MailId) -> Result<(), QueueError> {
        remove_if_there(&self.envelope_path(id))?;
        self.folders.envelopes.sync()?;
        remove_if_there(&self.message_path(id))?;
        Ok(())
    }

    /// Moves a message whose sender gets no report to the folder of undeliverable messages.
    pub(super) fn set_aside(&self, id: MailId) -> Result<(), QueueError> {
        // The message first: an envelope without its message would look like a lost one.
        match durable::rename(&self.message_path(id), &self.folders.dead.path().join(format!("{id}.eml"))) {
            Err(error) if error.source.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        durable::rename(&self.envelope_path(id), &self.folders.dead.path().join(format!("{id}.toml")))?;
        Ok(())
    }

    /// Reads the queue as a crash may have left it. Done once, before anything is staged.
    pub(super) fn scan(&self) -> Result<Vec<Envelope>, QueueError> {
        for file in names(&self.folders.tmp)? {
            remove_if_there(&self.folders.tmp.join(file))?;
        }
        let mut envelopes = Vec::new();
        for name in names(self.folders.envelopes.path())? {
            match self.scan_envelope(&name)? {
                Ok(envelope) => envelopes.push(envelope),
                Err(fault) => self.set_aside_damaged(&name, &fault)?,
            }
        }
        for name in names(self.folders.messages.path())? {
            let id = name.strip_suffix(".eml").and_then(MailId::parse);
            // A file with another name is not the queue's to remove.
            if let Some(id) = id
                && !exists(&self.envelope_path(id))?
            {
                tracing::info!(%id, "removed an unacknowledged message");
                remove_if_there(&self.message_path(id))?;
            }
        }
        envelopes.sort_by_key(|envelope| envelope.id);
        Ok(envelopes)
    }

    /// An envelope, or the fault in it, which is permanent. A file that cannot be read at the moment is an error, since
    /// a message must not be set aside for it.
    fn scan_envelope(&self, name: &str) -> Result<Result<Envelope, String>, QueueError> {
        /// Far more than the recipients of one message take.
        const MAX_ENVELOPE: u64 = 4 * 1024 * 1024;
        let Some(id) = name.strip_suffix(".toml").and_then(MailId::parse) else {
            return Ok(Err("unexpected file name".to_owned()));
        };
        let path = self.envelope_path(id);
        let read = |_: ()| {
            let length = fs::metadata(&path)?.len();
            if length > MAX_ENVELOPE { Ok(Err(length)) } else { Ok(Ok(fs::read(&path)?)) }
        };
        let octets = match read(()) {
            Ok(Ok(octets)) => octets,
            Ok(Err(length)) => return Ok(Err(format!("too large: {length} octets"))),
            Err(source) => return Err(QueueError::Unreadable { path, source }),
        };
        let Ok(text) = String::from_utf8(octets) else { return Ok(Err("not UTF-8".to_owned())) };
        let envelope = match Envelope::from_toml(&text) {
            Ok(envelope) => envelope,
            Err(error) => return Ok(Err(error.to_string())),
        };
        if envelope.id != id {
            return Ok(Err(format!("it has the id of another message: {}", envelope.id)));
        }
        if !exists(&self.message_path(id))? {
            return Ok(Err("its message is missing".to_owned()));
        }
        Ok(Ok(envelope))
    }

    /// Moves a damaged envelope and its message to `dead/`, for the operator to repair. Moved back by hand, they are
    /// queued again.
    fn set_aside_damaged(&self, name: &str, fault: &str) -> Result<(), QueueError> {
        let id = name.strip_suffix(".toml").and_then(MailId::parse);
        tracing::error!(id = id.map(display), file = name, fault, "damaged envelope set aside");
        // Two files of one name, years apart, must both survive.
        let number =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        if let Some(id) = id
            && exists(&self.message_path(id))?
        {
            durable::rename(
                &self.message_path(id),
                &self.folders.dead.path().join(format!("{id}.{number}.eml")),
            )?;
        }
        let from = self.folders.envelopes.path().join(name);
        durable::rename(&from, &self.folders.dead.path().join(format!("{name}.{number}")))?;
        Ok(())
    }
}

impl StagedMessage {
    /// Writes the envelope: from now on the MTA is responsible for the message. On failure neither file remains.
    pub(super) fn commit(mut self, envelope: &Envelope) -> Result<(), QueueError> {
        debug_assert_eq!(envelope.id, self.id);
        match self.store.write_envelope(envelope) {
            Ok(()) => {
                self.removes_on_drop = false;
                Ok(())
            }
            Err(error) => {
                // A disk that refused to sync the folder may also have refused to remove the name. The peer will send
                // the message again, so it must be removed.
                if let Err(again) = remove_if_there(&self.store.envelope_path(self.id)) {
                    tracing::error!(id = %self.id, error = %again, "cannot remove a refused message, it may be delivered twice");
                    self.removes_on_drop = false;
                }
                Err(error)
            }
        }
    }
}

impl Drop for StagedMessage {
    fn drop(&mut self) {
        if self.removes_on_drop {
            // If that fails, it is found without an envelope at the next start, and removed then.
            let _ = fs::remove_file(self.store.message_path(self.id));
        }
    }
}

/// Returns true if a file exists. A failure to find out is an error.
fn exists(path: &Path) -> Result<bool, QueueError> {
    path.try_exists().map_err(|source| QueueError::Unreadable { path: path.to_owned(), source })
}

/// The names of the files in a folder.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Links are included: their target is read, or its fault is reported.
        if !entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
