//! Files that a person names: no device can fill our memory, and no pipe makes us wait for whoever writes into it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// What editors and shells of Windows put in front of a text, and no editor shows: the first user's name, a password
/// or a line of PEM would begin with it.
pub(crate) fn quirk_byte_order_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// Reads a whole file, which is a regular one and has at most so many MiB. A byte order mark is no part of what it says.
pub(crate) fn read(path: &Path, mebibytes: u64) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let largest = mebibytes << 20;
    let mut content = Vec::new();
    File::open(path)?.take(largest + 1).read_to_end(&mut content)?;
    if content.len() as u64 > largest {
        return Err(io::Error::other(format!("it is larger than {mebibytes} MiB")));
    }
    if quirk_byte_order_mark(&content).len() != content.len() {
        content.drain(..3);
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
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
    fn what_is_too_large_or_no_file_is_not_read() {
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
