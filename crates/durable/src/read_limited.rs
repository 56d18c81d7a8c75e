//! Reads of files that another program writes: bounded in memory, and never blocked by a missing writer.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;

/// The reason for refusing a path that is not a regular file.
const IRREGULAR: &str = "it is not a regular file";

/// Reads a regular file of at most `limit` octets. A link in the place of the file is refused, and so are a FIFO, a
/// device, a socket and a folder (`InvalidInput`); none of them blocks. A larger file is `FileTooLarge`.
pub fn read_limited(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read(path, limit, OFlag::O_NOFOLLOW)
}

/// Reads a regular file as [`read_limited`] does, also through a link: for a file that the operator names, since
/// certbot and Kubernetes provide files by links.
pub fn read_limited_through_links(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read(path, limit, OFlag::empty())
}

/// Reads a text as [`read_limited`] does.
pub fn read_text_limited(path: &Path, limit: u64) -> io::Result<String> {
    String::from_utf8(read_limited(path, limit)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

fn read(path: &Path, limit: u64, links: OFlag) -> io::Result<Vec<u8>> {
    let file = open(path, links)?;
    let mut content = Vec::new();
    // One octet more than allowed: the file may grow while it is read.
    file.take(limit.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        let wrong = format!("it is larger than {}", size(limit));
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, wrong));
    }
    Ok(content)
}

fn open(path: &Path, links: OFlag) -> io::Result<File> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY | links;
    let file = match OpenOptions::new().read(true).custom_flags(flags.bits()).open(path) {
        Ok(file) => file,
        Err(error) if is_irregular(&error, links) => return Err(irregular()),
        Err(error) => return Err(error),
    };
    if file.metadata()?.is_file() { Ok(file) } else { Err(irregular()) }
}

fn irregular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, IRREGULAR)
}

/// True for a link that may not be followed, a socket, or a device without a driver. A loop of links is an error like
/// any other.
fn is_irregular(error: &io::Error, links: OFlag) -> bool {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ELOOP) => links.contains(OFlag::O_NOFOLLOW),
        Some(Errno::ENXIO | Errno::ENODEV) => true,
        _ => false,
    }
}

fn size(octets: u64) -> String {
    match octets {
        _ if octets >= 1 << 20 => format!("{} MiB", octets >> 20),
        _ => format!("{octets} octets"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit_and_no_further() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, vec![b'x'; 1 << 20]).unwrap();
        assert_eq!(read_limited(&path, 1 << 20).unwrap().len(), 1 << 20);
        assert_eq!(read_limited(&path, 100).unwrap_err().to_string(), "it is larger than 100 octets");
        // A sparse file of three gigabytes needs no space.
        File::options().write(true).open(&path).unwrap().set_len(3 << 30).unwrap();
        assert_eq!(read_limited(&path, 1 << 20).unwrap_err().to_string(), "it is larger than 1 MiB");
        assert_eq!(read_limited(&folder.path().join("none"), 1).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn nothing_but_a_regular_file_is_read_or_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("file"), "text").unwrap();
        std::fs::create_dir(path("folder")).unwrap();
        mkfifo(&path("fifo"), Mode::S_IRWXU).unwrap();
        let _listener = UnixListener::bind(path("socket")).unwrap();
        symlink("/dev/zero", path("device")).unwrap();
        for name in ["folder", "fifo", "socket", "device"] {
            for read in [read_limited, read_limited_through_links] {
                assert_eq!(read(&path(name), 10).unwrap_err().to_string(), IRREGULAR, "{name}");
            }
        }
        symlink("file", path("link")).unwrap();
        assert_eq!(read_limited(&path("link"), 10).unwrap_err().to_string(), IRREGULAR);
        assert_eq!(read_limited_through_links(&path("link"), 10).unwrap(), b"text");
    }

    #[test]
    fn a_text_is_utf_8() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "für").unwrap();
        assert_eq!(read_text_limited(&path, 10).unwrap(), "für");
        std::fs::write(&path, b"f\xfcr").unwrap();
        assert_eq!(read_text_limited(&path, 10).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
