use std::cell::Cell;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::disk::{Disk, RealDisk};
use crate::whole::{rename_on, write_whole_on};
use crate::{Staged, Step, create_folder, is_disk_full, remove_file, rename, write_whole};

/// A disk on which one step fails, as if it were full.
struct FailingDisk {
    fails: Step,
    renamed: Cell<bool>,
}

impl FailingDisk {
    fn at(fails: Step) -> Self {
        Self { fails, renamed: Cell::new(false) }
    }

    fn check(&self, step: Step) -> io::Result<()> {
        if self.fails == step { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Disk for FailingDisk {
    fn create(&self, path: &Path, mode: u32) -> io::Result<File> {
        self.check(Step::Create)?;
        RealDisk.create(path, mode)
    }

    fn write(&self, file: &mut File, octets: &[u8]) -> io::Result<()> {
        // Half of it is written, as on a disk that fills up.
        RealDisk.write(file, &octets[..octets.len() / 2])?;
        self.check(Step::Write)?;
        RealDisk.write(file, &octets[octets.len() / 2..])
    }

    fn sync_file(&self, file: &File) -> io::Result<()> {
        self.check(Step::SyncFile)?;
        RealDisk.sync_file(file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check(Step::Rename)?;
        self.renamed.set(true);
        RealDisk.rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.check(Step::SyncFolder)?;
        RealDisk.sync_folder(folder)
    }
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_write_that_fails_at_any_step_leaves_the_old_content_and_no_litter() {
    for step in [Step::Create, Step::Write, Step::SyncFile, Step::Rename] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_whole(&path, b"old", 0o600).unwrap();
        let error = write_whole_on(&FailingDisk::at(step), &path, b"new", 0o600).unwrap_err();
        assert_eq!(error.step, step);
        assert!(error.is_disk_full());
        assert_eq!(fs::read(&path).unwrap(), b"old", "after a failed {step}");
        assert_eq!(names(folder.path()), ["file"], "after a failed {step}");
    }
}

#[test]
fn a_new_name_is_gone_again_when_its_folder_cannot_be_synced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let disk = FailingDisk::at(Step::SyncFolder);
    assert_eq!(write_whole_on(&disk, &path, b"new", 0o600).unwrap_err().step, Step::SyncFolder);
    assert!(disk.renamed.get());
    assert!(names(folder.path()).is_empty());

    let mut staged = Staged::create(folder.path().join("tmp"), 0o600).unwrap();
    staged.write(b"new").unwrap();
    let refused = staged.commit_on(&disk, &path, &|folder| disk.sync_folder(folder)).unwrap_err();
    assert_eq!(names(folder.path()), ["tmp"], "to be tried again");
    refused.staged.commit(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

#[test]
fn a_replaced_file_is_put_back_when_its_folder_cannot_be_synced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for old in [&b"old"[..], b""] {
        write_whole(&path, old, 0o640).unwrap();
        let disk = FailingDisk::at(Step::SyncFolder);
        assert_eq!(write_whole_on(&disk, &path, b"new", 0o600).unwrap_err().step, Step::SyncFolder);
        assert!(disk.renamed.get());
        assert_eq!(fs::read(&path).unwrap(), old);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(names(folder.path()), ["file"]);
    }
}

#[test]
fn a_file_that_another_writer_put_there_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let mut staged = Staged::create(folder.path().join("tmp"), 0o600).unwrap();
    staged.write(b"first").unwrap();
    let other_wins = |_: &Path| {
        fs::write(folder.path().join("other"), b"second")?;
        fs::rename(folder.path().join("other"), &path)?;
        Err(io::ErrorKind::StorageFull.into())
    };
    assert!(staged.commit_on(&RealDisk, &path, &other_wins).is_err());
    assert_eq!(fs::read(&path).unwrap(), b"second");
}

#[test]
fn a_renamed_file_has_its_old_name_again_when_the_folder_cannot_be_synced() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    fs::write(&a, b"one").unwrap();
    let disk = FailingDisk::at(Step::SyncFolder);
    assert_eq!(rename_on(&disk, &a, &b).unwrap_err().step, Step::SyncFolder);
    assert_eq!(names(folder.path()), ["a"]);
    fs::write(&b, b"two").unwrap();
    assert!(rename_on(&disk, &a, &b).is_err());
    assert_eq!(
        (names(folder.path()).as_slice(), fs::read(&b).unwrap()),
        (&["b".to_owned()][..], b"one".to_vec())
    );
}

#[test]
fn the_mode_is_as_requested_whatever_the_umask() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [0o600, 0o640, 0o644, 0o666] {
        let path = folder.path().join(format!("{mode:o}"));
        write_whole(&path, b"", mode).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
    }
}

#[test]
fn a_dropped_staged_file_is_removed_and_a_failed_commit_can_be_retried() {
    let folder = tempfile::tempdir().unwrap();
    let temporary = folder.path().join("tmp");
    drop(Staged::create(temporary.clone(), 0o600).unwrap());
    assert!(names(folder.path()).is_empty());

    let mut staged = Staged::create(temporary.clone(), 0o600).unwrap();
    assert_eq!(
        Staged::create(temporary, 0o600).unwrap_err().step,
        Step::Create,
        "an existing name is refused"
    );
    staged.write(b"message").unwrap();
    let refused = staged.commit(&folder.path().join("missing/file")).unwrap_err();
    assert_eq!(refused.error.step, Step::Rename);
    refused.staged.commit(&folder.path().join("file")).unwrap();
    assert_eq!(fs::read(folder.path().join("file")).unwrap(), b"message");
}

#[test]
fn a_synced_file_is_placed_with_later_writes() {
    let folder = tempfile::tempdir().unwrap();
    let mut staged = Staged::create(folder.path().join("tmp"), 0o600).unwrap();
    staged.write(b"one").unwrap();
    staged.sync().unwrap();
    staged.write(b"two").unwrap();
    staged.commit_unsynced(&folder.path().join("file")).unwrap();
    assert_eq!(fs::read(folder.path().join("file")).unwrap(), b"onetwo");
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn folders_are_created_with_their_parents() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b/c");
    create_folder(&deep, 0o700).unwrap();
    create_folder(&deep, 0o700).unwrap();
    assert_eq!(fs::metadata(&deep).unwrap().permissions().mode() & 0o777, 0o700);
    fs::write(folder.path().join("file"), b"").unwrap();
    assert!(create_folder(&folder.path().join("file/below"), 0o700).is_err());
}

#[test]
fn rename_and_remove_are_done_on_return() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    write_whole(&a, b"one\ntwo\n", 0o600).unwrap();
    rename(&a, &b).unwrap();
    assert_eq!(fs::read(&b).unwrap(), b"one\ntwo\n");
    remove_file(&b).unwrap();
    remove_file(&b).unwrap();
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_full_disk_is_distinguished_from_other_errors() {
    assert!(is_disk_full(&io::ErrorKind::StorageFull.into()));
    assert!(!is_disk_full(&io::ErrorKind::PermissionDenied.into()));
}
