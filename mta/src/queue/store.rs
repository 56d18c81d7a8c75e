//! The queue's folders, and the stages in which a message gets into them.
//!
//! ```text
//!  Content ──stage──> Staged ──commit──> Stored ──rewrite──> Stored ──remove──> nothing
//!                       │                   │
//!                       └──drop──> nothing  └──set_aside──> dead/
//! ```
//!
//! | on disk                                  | what it means                                        |
//! |------------------------------------------|------------------------------------------------------|
//! | `tmp/…`                                  | being written; removed when the MTA starts           |
//! | `messages/<id>.eml` without its envelope | nobody was told that we have it; removed at the start |
//! | `messages/<id>.eml`, `envelopes/<id>.toml` | we answer for it                                    |
//! | `dead/<id>.eml`, `dead/<id>.toml`        | given up where nobody may be told; for a person to see |
//!
//! The message comes to disk before its envelope and goes after it, so that an envelope never stands alone but
//! where somebody else took the message away.
//!
//! Everything here blocks.

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

/// Why a message is not in the queue, or not out of it.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// No space left: a matter of time, and nothing that the sender did.
    #[error("the queue's disk is full: {0}")]
    Full(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file of the queue that may be readable later: nothing in the queue is touched until it is.
    #[error(
        "cannot read {}: {source}; the queue is left as it is: see that the file belongs to the MTA's user and that the \
         disk is well, and start again",
        path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The answer of the file system.
        source: io::Error,
    },
    /// Anything else that the file system said.
    #[error("the queue's disk fails: {0}")]
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

/// A message on disk for which we do not answer yet. Dropped, it is removed.
#[derive(Debug)]
pub(super) struct StagedMessage {
    store: Store,
    id: MailId,
    /// Whether the file is still ours to remove.
    owned: bool,
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

    /// Where messages may be kept while they arrive.
    pub(super) fn tmp(&self) -> &Path {
        &self.folders.tmp
    }

    /// The messages that were given up.
    pub(super) fn dead(&self) -> &DeadFolder {
        &self.folders.dead
    }

    fn message_path(&self, id: MailId) -> PathBuf {
        self.folders.messages.path().join(format!("{id}.eml"))
    }

    fn envelope_path(&self, id: MailId) -> PathBuf {
        self.folders.envelopes.path().join(format!("{id}.toml"))
    }

    /// Brings a message to disk.
    pub(super) fn stage(&self, id: MailId, content: &Content) -> Result<StagedMessage, QueueError> {
        let file = durable::Staged::create(self.folders.tmp.join(format!("{id}.eml")), FILE_MODE)?;
        {
            let mut writer = io::BufWriter::with_capacity(64 * 1024, file.file());
            content.copy_to(&mut writer)?;
            io::Write::flush(&mut writer)?;
        }
        // From here on a failure leaves a message without an envelope, which the guard removes.
        let guard = StagedMessage { store: self.clone(), id, owned: true };
        match file.commit_shared(&self.message_path(id), &self.folders.messages) {
            Ok(_) => Ok(guard),
            Err(refused) => Err(refused.error.into()),
        }
    }

    /// The message's octets.
    pub(super) fn read_message(&self, id: MailId) -> io::Result<Content> {
        Content::open(&self.message_path(id))
    }

    /// Writes the envelope, replacing the one there is.
    pub(super) fn write_envelope(&self, envelope: &Envelope) -> Result<(), QueueError> {
        let temporary = self.folders.tmp.join(format!("{}.toml", envelope.id));
        let mut file = durable::Staged::create(temporary, FILE_MODE)?;
        file.write(envelope.to_toml().as_bytes())?;
        match file.commit_shared(&self.envelope_path(envelope.id), &self.folders.envelopes) {
            Ok(_) => Ok(()),
            Err(refused) => Err(refused.error.into()),
        }
    }

    /// Forgets a message. The envelope goes first and durably: a crash in between leaves a message without one.
    pub(super) fn remove(&self, id: MailId) -> Result<(), QueueError> {
        remove_if_there(&self.envelope_path(id))?;
        self.folders.envelopes.sync()?;
        remove_if_there(&self.message_path(id))?;
        Ok(())
    }

    /// Moves a message to the folder of those that are given up without telling anybody.
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
                && !is_there(&self.envelope_path(id))?
            {
                tracing::info!(%id, "removed a message that was not acknowledged");
                remove_if_there(&self.message_path(id))?;
            }
        }
        envelopes.sort_by_key(|envelope| envelope.id);
        Ok(envelopes)
    }

    /// An envelope, or its fault: one that will be there at every start. A file that cannot be read at the moment is an
    /// error, since a message must not be given up for it.
    fn scan_envelope(&self, name: &str) -> Result<Result<Envelope, String>, QueueError> {
        /// Far more than the recipients of one message take.
        const MAX_ENVELOPE: u64 = 4 * 1024 * 1024;
        let Some(id) = name.strip_suffix(".toml").and_then(MailId::parse) else {
            return Ok(Err("its name is not one of ours".to_owned()));
        };
        let path = self.envelope_path(id);
        let read = |_: ()| {
            let length = fs::metadata(&path)?.len();
            if length > MAX_ENVELOPE { Ok(Err(length)) } else { Ok(Ok(fs::read(&path)?)) }
        };
        let octets = match read(()) {
            Ok(Ok(octets)) => octets,
            Ok(Err(length)) => return Ok(Err(format!("it has {length} octets"))),
            Err(source) => return Err(QueueError::Unreadable { path, source }),
        };
        let Ok(text) = String::from_utf8(octets) else { return Ok(Err("it is not text".to_owned())) };
        let envelope = match Envelope::from_toml(&text) {
            Ok(envelope) => envelope,
            Err(error) => return Ok(Err(error.to_string())),
        };
        if envelope.id != id {
            return Ok(Err(format!("it names the message {}", envelope.id)));
        }
        if !is_there(&self.message_path(id))? {
            return Ok(Err("its message is not there".to_owned()));
        }
        Ok(Ok(envelope))
    }

    /// Moves an envelope that is damaged, and its message, out of the way, for a person to repair: put back
    /// by hand, it is taken up again.
    fn set_aside_damaged(&self, name: &str, fault: &str) -> Result<(), QueueError> {
        let id = name.strip_suffix(".toml").and_then(MailId::parse);
        tracing::error!(
            id = id.map(display),
            file = name,
            fault,
            "set aside an envelope that cannot be used"
        );
        // Two files of one name, years apart, must both survive.
        let number =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        if let Some(id) = id
            && is_there(&self.message_path(id))?
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
    /// Writes the envelope: from now on we answer for the message. On failure neither is left.
    pub(super) fn commit(mut self, envelope: &Envelope) -> Result<(), QueueError> {
        debug_assert_eq!(envelope.id, self.id);
        match self.store.write_envelope(envelope) {
            Ok(()) => {
                self.owned = false;
                Ok(())
            }
            Err(error) => {
                // A disk that refused to sync the folder may also have refused to take the name back. The peer will send the
                // message again, so it must go.
                if let Err(again) = remove_if_there(&self.store.envelope_path(self.id)) {
                    tracing::error!(id = %self.id, error = %again, "a message that was refused may be sent twice");
                    self.owned = false;
                }
                Err(error)
            }
        }
    }
}

impl Drop for StagedMessage {
    fn drop(&mut self) {
        if self.owned {
            // Left over, it is found without an envelope at the next start and removed then.
            let _ = fs::remove_file(self.store.message_path(self.id));
        }
    }
}

/// Whether a file is there. A file system that does not answer is an error.
fn is_there(path: &Path) -> Result<bool, QueueError> {
    path.try_exists().map_err(|source| QueueError::Unreadable { path: path.to_owned(), source })
}

/// The names of the files in a folder.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A link counts as well: what it leads to is read, or its fault is reported.
        if !entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
