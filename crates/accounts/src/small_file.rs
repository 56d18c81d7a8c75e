//! Small files in which a daemon keeps what it has noticed: read at its start, written whole now and then.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Octets that are read: several times what a whole file has.
const LONGEST: u64 = 1 << 20;

/// The text of a file; nothing where there is none.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    let mut octets = Vec::new();
    file.take(LONGEST).read_to_end(&mut octets)?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// Replaces a file; makes its folder, which may have been deleted as a cache.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), durable::Error> {
    durable::create_folder(path.parent().unwrap_or(Path::new(".")), 0o700)?;
    durable::write_whole(path, text.as_bytes(), 0o600)
}
