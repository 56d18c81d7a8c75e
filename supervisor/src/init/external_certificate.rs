//! Watches the files of an external certificate: a thread that checks them every few seconds and sends process 1 a
//! SIGHUP when they have changed.
//!
//! Polling instead of notifications, since the files are replaced in many ways: by writing, by renaming, by switching
//! links to other folders (certbot, Kubernetes), on file systems that send no notifications. A thread, since such a
//! file system may also block.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::settings::Certificates;
use crate::site::{Purpose, Site};

/// The interval between two checks. A new certificate can wait that long.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// The identity of a file and the time of its last change.
type FileIdentity = Option<(u64, u64, i64, i64, u64)>;

/// The state of the files before they were read.
pub(super) struct WatchedFiles {
    files: [PathBuf; 2],
    known: [FileIdentity; 2],
}

/// Checks the files, if the certificate is external.
pub(super) fn watched_files(site: &Site) -> Option<WatchedFiles> {
    let Certificates::External { certificate, key } = &site.settings.certificates else { return None };
    let files = [certificate.clone(), key.clone()];
    (site.purpose == Purpose::Appliance).then(|| WatchedFiles { known: identify(&files), files })
}

/// Starts watching.
pub(super) fn watch(watched: Option<WatchedFiles>) -> io::Result<()> {
    let Some(WatchedFiles { files, mut known }) = watched else { return Ok(()) };
    thread::Builder::new().name("certificate".into()).spawn(move || {
        let mut seen = identify(&files);
        loop {
            thread::sleep(CHECK_INTERVAL);
            let now = identify(&files);
            // Twice the same, and different from before: the writer has probably finished.
            if now == seen && now != known {
                known = now;
                // To the whole process: the loop reads it from its descriptor.
                let _ = kill(Pid::this(), Signal::SIGHUP);
            }
            seen = now;
        }
    })?;
    Ok(())
}

/// Checks the files themselves, through all links.
fn identify(files: &[PathBuf; 2]) -> [FileIdentity; 2] {
    files.each_ref().map(|path| {
        let file = std::fs::metadata(path).ok()?;
        Some((file.dev(), file.ino(), file.mtime(), file.mtime_nsec(), file.size()))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn written_renamed_and_relinked_files_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["one", "two"] {
            fs::create_dir(path(name)).unwrap();
            fs::write(path(name).join("cert"), name).unwrap();
            fs::write(path(name).join("key"), name).unwrap();
        }
        symlink("one", path("live")).unwrap();
        let files = [path("live/cert"), path("live/key")];
        let mut before = identify(&files);
        assert_eq!(before, identify(&files));
        let mut has_changed = |what: &str| {
            let now = identify(&files);
            assert_ne!(now, before, "{what}");
            before = now;
        };
        fs::write(path("one/cert"), "longer").unwrap();
        has_changed("written");
        fs::write(path("new"), "longer").unwrap();
        fs::rename(path("new"), path("one/key")).unwrap();
        has_changed("renamed");
        symlink("two", path("new-link")).unwrap();
        fs::rename(path("new-link"), path("live")).unwrap();
        has_changed("relinked");
        fs::remove_file(path("two/cert")).unwrap();
        has_changed("removed");
    }
}
