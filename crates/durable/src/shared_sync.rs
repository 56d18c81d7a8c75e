use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::disk::{Disk, RealDisk};

/// The fsync of one folder, or of one file that many append to, shared by all callers that wait for it.
///
/// A caller of [`SharedSync::sync`] wants the names on disk that are in the folder at that moment. A sync that begins
/// later covers them, one that is already running may not. So a caller either leads a sync, or waits for the running
/// one to end and then leads the next or is covered by it: under load, two syncs serve any number of callers.
#[derive(Debug, Clone)]
pub struct SharedSync {
    target: Arc<SyncTarget>,
}

#[derive(Debug)]
struct SyncTarget {
    path: PathBuf,
    /// The open file, if a file's content is synced.
    file: Option<Arc<File>>,
    rounds: Mutex<Rounds>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Rounds {
    /// The number of syncs that have begun.
    begun: u64,
    /// The number of syncs that have ended.
    done: u64,
    /// The errors of the last rounds that failed, by the number of the round. Callers that wait for a round look it up.
    failed: Vec<(u64, io::ErrorKind)>,
}

/// The number of failed rounds that are remembered; waiting callers look within two.
const REMEMBERED_FAILURES: usize = 16;

impl SharedSync {
    /// A shared sync of the folder at `path`.
    pub fn new(path: PathBuf) -> Self {
        Self {
            target: Arc::new(SyncTarget {
                path,
                file: None,
                rounds: Mutex::default(),
                ended: Condvar::new(),
            }),
        }
    }

    /// A shared sync of what is written to an open file. The path is for messages only: the file may be renamed, or
    /// another may replace it, and this file is still the one that is synced.
    pub fn of_file(file: Arc<File>, path: PathBuf) -> Self {
        let folder = SyncTarget { path, file: Some(file), rounds: Mutex::default(), ended: Condvar::new() };
        Self { target: Arc::new(folder) }
    }

    /// The folder, or the file.
    pub fn path(&self) -> &Path {
        &self.target.path
    }

    /// Returns when all names that were in the folder, or all octets that were in the file, at the time of the call are
    /// on disk.
    pub fn sync(&self) -> io::Result<()> {
        self.sync_by(|path| match &self.target.file {
            Some(file) => RealDisk.sync_file(file),
            None => RealDisk.sync_folder(path),
        })
    }

    pub(crate) fn sync_by(&self, sync: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
        let folder = &*self.target;
        let mut rounds = folder.rounds.lock().unwrap_or_else(PoisonError::into_inner);
        // The first round that begins from now on covers this call.
        let wanted = rounds.begun + 1;
        loop {
            if rounds.done >= wanted {
                return rounds.outcome(wanted);
            }
            if rounds.begun == rounds.done {
                break;
            }
            rounds = folder.ended.wait(rounds).unwrap_or_else(PoisonError::into_inner);
        }
        rounds.begun += 1;
        let round = rounds.begun;
        drop(rounds);
        let outcome = sync(&folder.path);
        let mut rounds = folder.rounds.lock().unwrap_or_else(PoisonError::into_inner);
        rounds.done = round;
        if let Err(error) = &outcome {
            if rounds.failed.len() == REMEMBERED_FAILURES {
                rounds.failed.remove(0);
            }
            rounds.failed.push((round, error.kind()));
        }
        folder.ended.notify_all();
        outcome
    }
}

impl Rounds {
    /// The result of the round, or of a later one that covers it.
    fn outcome(&self, round: u64) -> io::Result<()> {
        match self.failed.iter().find(|(failed, _)| *failed == round) {
            Some((_, kind)) => Err(io::Error::from(*kind)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn callers_during_a_sync_share_the_next_one() {
        let shared = SharedSync::new("/nowhere".into());
        let syncs = Arc::new(AtomicUsize::new(0));
        let (begun_tx, begun) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let first = thread::spawn({
            let (shared, syncs) = (shared.clone(), syncs.clone());
            move || {
                shared.sync_by(|_| {
                    syncs.fetch_add(1, Ordering::SeqCst);
                    begun_tx.send(()).unwrap();
                    released.recv().map_err(io::Error::other)
                })
            }
        });
        begun.recv().unwrap();
        // The first round is running: it must serve none of these.
        let later: Vec<_> = (0..8)
            .map(|_| {
                let (shared, syncs) = (shared.clone(), syncs.clone());
                let (waits_tx, waits) = mpsc::channel();
                let handle = thread::spawn(move || {
                    waits_tx.send(()).unwrap();
                    shared.sync_by(|_| {
                        syncs.fetch_add(1, Ordering::SeqCst);
                        Ok(())
                    })
                });
                waits.recv().unwrap();
                handle
            })
            .collect();
        assert_eq!(syncs.load(Ordering::SeqCst), 1);
        release.send(()).unwrap();
        first.join().unwrap().unwrap();
        for handle in later {
            handle.join().unwrap().unwrap();
        }
        // At least one more round covered them; a late thread may have led a round of its own.
        assert!((2..=9).contains(&syncs.load(Ordering::SeqCst)));
    }

    #[test]
    fn a_failed_sync_fails_for_its_leader_and_the_next_one_may_succeed() {
        let shared = SharedSync::new("/nowhere".into());
        assert!(shared.sync_by(|_| Err(io::Error::from(io::ErrorKind::StorageFull))).is_err());
        assert!(shared.sync_by(|_| Ok(())).is_ok());
        assert!(shared.sync().is_err(), "a folder that is not there cannot be synced");
    }

    #[test]
    fn a_file_is_synced_though_its_name_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        let shared = SharedSync::of_file(Arc::new(File::create(&path).unwrap()), path.clone());
        std::fs::remove_file(&path).unwrap();
        assert!(shared.sync().is_ok());
    }
}
