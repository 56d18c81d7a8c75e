//! Watches the files of a certificate that somebody else brings: a thread that looks at them every few seconds and sends
//! us a SIGHUP when they have changed.
//!
//! Looking, and not being told, since whoever replaces them does it in many ways: by writing, by renaming, by turning
//! links to other folders (certbot, Kubernetes), on file systems that tell nobody. A thread, since such a file system may
//! also make one wait.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::settings::Certificates;
use crate::site::{Purpose, Site};

/// Between two looks. Nobody brings a certificate and cannot wait for as long.
const PAUSE: Duration = Duration::from_secs(2);

/// What is seen of a file: which one it is, and when it was written.
type Look = Option<(u64, u64, i64, i64, u64)>;

/// The files, as they were before they were read.
pub(super) struct Watched {
    files: [PathBuf; 2],
    known: [Look; 2],
}

/// Looks at the files, where a certificate is brought at all.
pub(super) fn watched(site: &Site) -> Option<Watched> {
    let Certificates::Brought { certificate, key } = &site.settings.certificates else { return None };
    let files = [certificate.clone(), key.clone()];
    (site.purpose == Purpose::Appliance).then(|| Watched { known: look(&files), files })
}

/// Watches from now on.
pub(super) fn watch(watched: Option<Watched>) -> io::Result<()> {
    let Some(Watched { files, mut known }) = watched else { return Ok(()) };
    thread::Builder::new().name("certificate".into()).spawn(move || {
        let mut seen = look(&files);
        loop {
            thread::sleep(PAUSE);
            let now = look(&files);
            // Twice the same, and another than before: whoever wrote has finished, as far as one can tell.
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

/// Looks through all links, at the files that are meant.
fn look(files: &[PathBuf; 2]) -> [Look; 2] {
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
    fn writing_renaming_and_turning_links_are_all_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["one", "two"] {
            fs::create_dir(path(name)).unwrap();
            fs::write(path(name).join("cert"), name).unwrap();
            fs::write(path(name).join("key"), name).unwrap();
        }
        symlink("one", path("live")).unwrap();
        let files = [path("live/cert"), path("live/key")];
        let mut before = look(&files);
        assert_eq!(before, look(&files));
        let mut has_changed = |what: &str| {
            let now = look(&files);
            assert_ne!(now, before, "{what}");
            before = now;
        };
        fs::write(path("one/cert"), "longer").unwrap();
        has_changed("written");
        fs::write(path("new"), "longer").unwrap();
        fs::rename(path("new"), path("one/key")).unwrap();
        has_changed("renamed");
        symlink("two", path("turned")).unwrap();
        fs::rename(path("turned"), path("live")).unwrap();
        has_changed("turned");
        fs::remove_file(path("two/cert")).unwrap();
        has_changed("removed");
    }
}
