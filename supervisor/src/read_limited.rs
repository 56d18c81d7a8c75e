//! Reads of all files of process 1, the steward and the operator's commands: none can fill the memory, and a FIFO
//! without a writer does not block.

use std::io;
use std::path::Path;

use durable::{read_limited, read_limited_through_links, read_text_limited};

/// The largest of our own files that is read, in octets: no possible settings exceed it.
const MAX_SIZE: u64 = 16 << 20;

/// Removes the byte order mark that editors and shells on Windows put in front of a text, and that no editor shows: the
/// first user's name, a password or a line of PEM would begin with it.
pub(crate) fn quirk_byte_order_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// Reads a file that the operator names, also through a link: a regular one of at most `mebibytes`. A byte order mark
/// is removed.
pub(crate) fn read(path: &Path, mebibytes: u64) -> io::Result<Vec<u8>> {
    let mut content = read_limited_through_links(path, mebibytes << 20)?;
    if quirk_byte_order_mark(&content).len() != content.len() {
        content.drain(..3);
    }
    Ok(content)
}

/// Reads one of our own files in a folder that a daemon may write. A link there is not followed.
pub(crate) fn read_own(path: &Path) -> io::Result<Vec<u8>> {
    read_limited(path, MAX_SIZE)
}

/// Reads a text as [`read_own`] does.
pub(crate) fn read_own_text(path: &Path) -> io::Result<String> {
    read_text_limited(path, MAX_SIZE)
}

/// Reads a text of the system, which may be a link.
pub(crate) fn read_system_text(path: &Path) -> io::Result<String> {
    let content = read_limited_through_links(path, MAX_SIZE)?;
    String::from_utf8(content).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_byte_order_mark_is_dropped_once_and_in_front_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (written, read_as) in [
            ("\u{feff}a", "a"),
            ("\u{feff}", ""),
            ("a\u{feff}", "a\u{feff}"),
            ("\u{feff}\u{feff}a", "\u{feff}a"),
        ] {
            fs::write(&path, written).unwrap();
            assert_eq!(read(&path, 1).unwrap(), read_as.as_bytes(), "{written:?}");
        }
    }

    #[test]
    fn a_large_or_irregular_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, vec![b'x'; 1 << 20]).unwrap();
        assert_eq!(read(&path, 1).unwrap().len(), 1 << 20);
        fs::write(&path, vec![b'x'; (1 << 20) + 1]).unwrap();
        assert_eq!(read(&path, 1).unwrap_err().to_string(), "it is larger than 1 MiB");
        for none in [folder.path(), Path::new("/dev/zero")] {
            assert_eq!(read(none, 1).unwrap_err().to_string(), "it is not a regular file");
        }
    }
}
