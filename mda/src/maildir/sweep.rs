use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::layout::{CREATING_PREFIX, REMOVING_PREFIX};

/// Age from which a file in `tmp` is abandoned (the Maildir specification's 36 hours).
const ABANDONED_AFTER: Duration = Duration::from_secs(36 * 3600);

/// Removes the leftovers of crashed processes: folders half created or half removed, and old files in `tmp`.
pub(crate) fn sweep(root: &Path) {
    sweep_at(root, SystemTime::now());
}

fn sweep_at(root: &Path, now: SystemTime) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(REMOVING_PREFIX)
            || (name.starts_with(CREATING_PREFIX) && is_abandoned(&entry.path(), now))
        {
            let _ = fs::remove_dir_all(entry.path());
        } else if name.starts_with('.') {
            sweep_tmp(&entry.path(), now);
        }
    }
    sweep_tmp(root, now);
}

fn sweep_tmp(folder: &Path, now: SystemTime) {
    for entry in fs::read_dir(folder.join("tmp")).into_iter().flatten().flatten() {
        if is_abandoned(&entry.path(), now) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Returns true if the file is abandoned, by the time of the kernel (ctime) and not the one that is set on a file: an
/// appended message has the client's date, which may be years ago or in the future.
fn is_abandoned(path: &Path, now: SystemTime) -> bool {
    let Ok(found) = fs::symlink_metadata(path) else { return false };
    let changed = UNIX_EPOCH + Duration::from_secs(found.ctime().try_into().unwrap_or(0));
    now.duration_since(changed).is_ok_and(|age| age > ABANDONED_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_of_a_crash_are_swept_and_files_being_written_are_not() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("tmp")).unwrap();
        fs::create_dir_all(root.path().join("..gone-1/cur")).unwrap();
        fs::create_dir_all(root.path().join("..new-1")).unwrap();
        let dates = [Duration::ZERO, ABANDONED_AFTER * 2].map(|age| SystemTime::now() - age);
        let dates = dates.into_iter().chain([SystemTime::now() + ABANDONED_AFTER * 300]);
        for (number, date) in dates.enumerate() {
            let file = fs::File::create(root.path().join("tmp").join(number.to_string())).unwrap();
            file.set_modified(date).unwrap();
        }
        let left = || fs::read_dir(root.path().join("tmp")).unwrap().count();
        sweep(root.path());
        assert!(!root.path().join("..gone-1").exists());
        assert!(root.path().join("..new-1").exists() && left() == 3);
        sweep_at(root.path(), SystemTime::now() + ABANDONED_AFTER + Duration::from_secs(2));
        assert!(!root.path().join("..new-1").exists() && left() == 0);
    }
}
