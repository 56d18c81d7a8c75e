//! Files in a Maildir, opened so that nothing else under their names can block, mislead or leave the mailbox: a FIFO
//! would block the reader, a link may lead outside, a folder cannot be read.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::fcntl::OFlag;

/// Opens a regular file; `None` if it is not one.
pub(crate) fn open(options: &OpenOptions, path: &Path) -> io::Result<Option<File>> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW | OFlag::O_NOCTTY;
    match options.clone().custom_flags(flags.bits()).open(path) {
        Ok(file) => Ok(file.metadata()?.is_file().then_some(file)),
        Err(error) if is_irregular(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens a regular file for reading; `None` if it is not one.
pub(crate) fn open_to_read(path: &Path) -> io::Result<Option<File>> {
    open(OpenOptions::new().read(true), path)
}

/// The content of one of a mailbox's own small files. One that is missing, is not a regular file or is longer than
/// `limit` has no content, the last two with a line in the log.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = match open_to_read(path) {
        Ok(Some(file)) => file,
        Ok(None) => {
            tracing::warn!(path = %path.display(), "not a regular file, ignored");
            return Ok(Vec::new());
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut octets = Vec::new();
    file.take(limit + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > limit {
        tracing::warn!(path = %path.display(), limit, "file too long, ignored");
        octets.clear();
    }
    Ok(octets)
}

/// Clears the name of one of a mailbox's own files if a file of another kind has it: writers of the file could not
/// replace a folder. A FIFO is removed: it holds no data, and the daemon may not create one, which the kernel requires
/// for renaming it. Everything else gets another name.
pub(crate) fn move_aside(path: &Path) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let kind = match std::fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if kind.is_file() {
        return Ok(());
    }
    if kind.is_fifo() {
        std::fs::remove_file(path)?;
        tracing::warn!(path = %path.display(), "fifo removed");
        return Ok(());
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".aside-{now}-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    std::fs::rename(path, &aside)?;
    tracing::warn!(path = %path.display(), aside = %Path::new(&aside).display(), "not a regular file, moved aside");
    Ok(())
}

/// The identity of the file or folder at a path, through links, if it exists. A replacement under the same path has
/// another.
pub(crate) fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// A link, a folder opened for writing, a FIFO without a reader, a socket or a device without a driver.
fn is_irregular(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(errno, Some(Errno::ELOOP | Errno::EISDIR | Errno::ENXIO | Errno::ENODEV))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;

    #[test]
    fn only_regular_files_are_opened_and_others_never_block() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("file"), "text").unwrap();
        std::fs::create_dir(path("folder")).unwrap();
        symlink(path("file"), path("link")).unwrap();
        mkfifo(&path("fifo"), Mode::S_IRWXU).unwrap();
        for options in [OpenOptions::new().read(true), OpenOptions::new().append(true)] {
            for name in ["folder", "link", "fifo"] {
                assert!(open(options, &path(name)).unwrap().is_none(), "{name}");
                assert!(read(&path(name), 10).unwrap().is_empty(), "{name}");
            }
            assert!(open(options, &path("file")).unwrap().is_some());
        }
        assert_eq!(open_to_read(&path("none")).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(read(&path("file"), 4).unwrap(), b"text");
        assert!(read(&path("file"), 3).unwrap().is_empty());
    }

    #[test]
    fn only_other_kinds_of_files_are_moved_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        move_aside(&path).unwrap();
        std::fs::write(&path, "text").unwrap();
        move_aside(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "text");
        std::fs::remove_file(&path).unwrap();
        mkfifo(&path, Mode::S_IRWXU).unwrap();
        move_aside(&path).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a FIFO is removed");
        std::fs::create_dir_all(path.join("kept")).unwrap();
        move_aside(&path).unwrap();
        let aside = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        assert!(!path.exists() && aside.join("kept").is_dir());
    }
}
