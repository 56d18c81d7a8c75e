//! A message while it arrives.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use message::{BodyStart, HeaderSection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::{Body, Content, MAX_HEADER};

/// A body up to this size stays in memory, if the budget has room: nearly all mail without attachments.
const MAX_BODY_IN_MEMORY: usize = 128 * 1024;

/// Memory for all small bodies and all long header sections together. On a machine with 512 MB this leaves room for
/// everything else.
const MEMORY_BUDGET: usize = 32 * 1024 * 1024;

/// The unit of the budget, so that it fits a semaphore.
const BUDGET_UNIT: usize = 4 * 1024;

/// Octets per write to the file. This buffer is outside of the budget, as is the one for the header section, since
/// every session needs that much to proceed.
const BATCH: usize = 16 * 1024;

/// A header section up to this size stays in memory: nearly all of them. A longer one is in the file while it arrives,
/// so that a slow peer costs no memory meanwhile.
const MAX_HEADER_IN_MEMORY: usize = 16 * 1024;

/// A long header section is in memory while the message is checked and delivered, once as it is and once more for the
/// checks. Reading it waits for that much of the budget.
const HEADER_COPIES: usize = 2;

/// The time limit for that wait: the messages before it are checked and delivered meanwhile, and the peer waits for 10
/// minutes (RFC 5321 §4.5.3.2.6).
const BUDGET_TIMEOUT: Duration = Duration::from_secs(30);

/// The place of messages while they arrive.
#[derive(Clone, Debug)]
pub struct Spool {
    pub(super) folder: Arc<Path>,
    pub(super) budget: Arc<Semaphore>,
}

/// The reason why a message could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// No space left: a temporary condition.
    #[error("cannot store an incoming message, the disk is full: {0}")]
    Full(#[source] io::Error),
    /// Any other error of the file system.
    #[error("cannot store an incoming message: {0}")]
    Io(#[source] io::Error),
    /// Too many long header sections at one time: a temporary condition as well.
    #[error("no room in the memory budget for a long header section")]
    NoMemory,
    /// The header section is longer than any honest one.
    #[error("the header section is longer than {MAX_HEADER} octets")]
    HeaderTooLong,
}

impl From<io::Error> for SpoolError {
    fn from(error: io::Error) -> Self {
        if durable::is_disk_full(&error) { Self::Full(error) } else { Self::Io(error) }
    }
}

impl Spool {
    /// Keeps large bodies in `folder`, which exists.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder: folder.into(), budget: Arc::new(Semaphore::new(MEMORY_BUDGET / BUDGET_UNIT)) }
    }

    /// Starts a new message.
    pub fn begin(&self) -> Incoming {
        // A whole small body is reserved at once: a message that waits halfway for memory would hold up others.
        let budget =
            self.budget.clone().try_acquire_many_owned((MAX_BODY_IN_MEMORY / BUDGET_UNIT) as u32).ok();
        Incoming {
            spool: self.clone(),
            header: Vec::new(),
            section: Some(HeaderSection::default()),
            spilled: 0,
            body: Vec::new(),
            file: None,
            budget,
            size: 0,
        }
    }
}

/// A message that is not complete yet.
#[derive(Debug)]
pub struct Incoming {
    spool: Spool,
    /// The header section, without the part that is in the file already.
    header: Vec<u8>,
    /// The reader of the header section, until that has ended.
    section: Option<HeaderSection>,
    /// Octets of the header section that are in the file.
    spilled: u64,
    /// All of the body that is not in the file.
    body: Vec<u8>,
    file: Option<(File, u64)>,
    budget: Option<OwnedSemaphorePermit>,
    size: u64,
}

impl Incoming {
    /// The octets received so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds octets: lines ended by CRLF and without dot-stuffing. An empty line is put where the fields end. After an
    /// error the message is lost.
    pub async fn write(&mut self, octets: &[u8]) -> Result<(), SpoolError> {
        self.size += octets.len() as u64;
        match &mut self.section {
            None => self.body.extend_from_slice(octets),
            Some(section) => {
                if let Some(BodyStart { held, rest }) = section.read(octets, &mut self.header) {
                    self.section = None;
                    self.body = held;
                    self.body.extend_from_slice(rest);
                }
            }
        }
        if self.header_length() > MAX_HEADER as u64 {
            return Err(SpoolError::HeaderTooLong);
        }
        // The rest of a spilled header section is written to the file before the body.
        let is_rest = self.spilled > 0 && self.section.is_none() && !self.header.is_empty();
        if is_rest || self.header.len() > MAX_HEADER_IN_MEMORY {
            self.spill_header().await?;
        }
        let limit = match (&self.file, &self.budget) {
            (None, Some(_)) => MAX_BODY_IN_MEMORY,
            _ => BATCH,
        };
        if self.body.len() > limit { self.flush().await } else { Ok(()) }
    }

    /// The octets held in memory.
    #[cfg(test)]
    pub(super) fn in_memory(&self) -> usize {
        self.header.len() + self.body.len()
    }

    /// The length of the header section so far.
    fn header_length(&self) -> u64 {
        self.spilled + self.header.len() as u64
    }

    /// Moves the header section to the file.
    async fn spill_header(&mut self) -> Result<(), SpoolError> {
        let batch = std::mem::take(&mut self.header);
        self.spilled += batch.len() as u64;
        self.append(batch).await
    }

    /// Moves the body that is in memory to the file.
    async fn flush(&mut self) -> Result<(), SpoolError> {
        let batch = std::mem::take(&mut self.body);
        self.append(batch).await
    }

    async fn append(&mut self, batch: Vec<u8>) -> Result<(), SpoolError> {
        self.budget = None;
        let file = self.file.take();
        let folder = self.spool.folder.clone();
        let written = tokio::task::spawn_blocking(move || {
            let (mut file, length) = match file {
                Some(file) => file,
                None => (unlinked_file(&folder)?, 0),
            };
            file.write_all(&batch)?;
            Ok::<_, io::Error>((file, length + batch.len() as u64))
        });
        self.file = Some(written.await.map_err(io::Error::other)??);
        Ok(())
    }

    /// Completes the message.
    pub async fn finish(mut self) -> Result<Content, SpoolError> {
        if let Some(section) = self.section.take() {
            self.body = section.finish(&mut self.header);
        }
        if self.spilled > 0 {
            return self.finish_with_long_header().await;
        }
        if self.file.is_some() || (self.budget.is_none() && self.body.len() > BUDGET_UNIT) {
            self.flush().await?;
        }
        let body = match self.file {
            Some((file, length)) => Body::File { file, start: 0, length },
            None => {
                let budget = self.budget.map(|mut budget| {
                    // The unused part of the reservation is returned.
                    let needed = self.body.len().div_ceil(BUDGET_UNIT).max(1);
                    drop(budget.split(budget.num_permits().saturating_sub(needed)));
                    budget
                });
                self.body.shrink_to_fit();
                Body::Memory { octets: self.body.into(), _budget: budget }
            }
        };
        self.header.shrink_to_fit();
        Ok(Content { header: Arc::new(self.header), body: Arc::new(body), _budget: None })
    }

    /// Completes a message whose header section is in the file. Reads it once the budget has room for it.
    async fn finish_with_long_header(mut self) -> Result<Content, SpoolError> {
        self.spill_header().await?;
        self.flush().await?;
        let Some((file, length)) = self.file else {
            return Err(io::Error::from(io::ErrorKind::NotFound).into());
        };
        let start = self.spilled;
        let header_length = usize::try_from(start).map_err(io::Error::other)?;
        let pages =
            u32::try_from((HEADER_COPIES * header_length).div_ceil(BUDGET_UNIT)).map_err(io::Error::other)?;
        let budget = timeout(BUDGET_TIMEOUT, self.spool.budget.clone().acquire_many_owned(pages)).await;
        let budget = budget.ok().and_then(Result::ok).ok_or(SpoolError::NoMemory)?;
        let read = tokio::task::spawn_blocking(move || {
            let mut header = vec![0; header_length];
            file.read_exact_at(&mut header, 0)?;
            Ok::<_, io::Error>((header, file))
        });
        let (header, file) = read.await.map_err(io::Error::other)??;
        let body = Body::File { file, start, length: length.saturating_sub(start) };
        Ok(Content { header: Arc::new(header), body: Arc::new(body), _budget: Some(Arc::new(budget)) })
    }
}

/// Creates a file and unlinks it: it is gone when it is closed, however the process ends.
fn unlinked_file(folder: &Path) -> io::Result<File> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = format!("arriving.{}.{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let path = folder.join(name);
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
