//! Files that a person names: no device can fill our memory, and no pipe makes us wait for whoever writes into it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Reads a whole file, which is a regular one and has at most so many MiB.
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
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

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
