use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::layout::{BEING_MADE, BEING_REMOVED};

/// Age at which a file in `tmp` is abandoned (the Maildir specification's 36 hours).
const ABANDONED: Duration = Duration::from_secs(36 * 3600);

/// Removes the leftovers of crashed processes: folders half created or half removed, and old files in `tmp`.
pub(crate) fn sweep(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(BEING_REMOVED) || (name.starts_with(BEING_MADE) && is_abandoned(&entry.path())) {
            let _ = fs::remove_dir_all(entry.path());
        } else if name.starts_with('.') {
            sweep_tmp(&entry.path());
        }
    }
    sweep_tmp(root);
}

fn sweep_tmp(folder: &Path) {
    for entry in fs::read_dir(folder.join("tmp")).into_iter().flatten().flatten() {
        if is_abandoned(&entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_abandoned(path: &Path) -> bool {
    let changed = fs::metadata(path).and_then(|metadata| metadata.modified());
    changed.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > ABANDONED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crash_left_is_swept_and_what_is_being_written_is_not() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("tmp")).unwrap();
        fs::create_dir_all(root.path().join("..gone-1/cur")).unwrap();
        fs::create_dir_all(root.path().join("..new-1")).unwrap();
        for file in ["old", "young"] {
            fs::write(root.path().join("tmp").join(file), b"x").unwrap();
        }
        let old = SystemTime::now() - ABANDONED - Duration::from_secs(1);
        fs::File::open(root.path().join("tmp/old")).unwrap().set_modified(old).unwrap();
        sweep(root.path());
        assert!(!root.path().join("..gone-1").exists() && !root.path().join("tmp/old").exists());
        assert!(root.path().join("..new-1").exists() && root.path().join("tmp/young").exists());
    }
}
