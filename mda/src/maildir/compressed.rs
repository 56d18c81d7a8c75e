//! Reading of messages that Dovecot compressed (its zlib plugin).
//!
//! Dovecot recognises a compressed file by its first octets, whatever its name, and so do we. gzip, zstd and LZ4 are
//! decompressed into an unnamed file outside of the mail, which disappears with its last reader. A file that is
//! compressed in another way, damaged or too large is served as stored, with a line in the log. A disk failure is an
//! error instead: a client never fetches a message again.

mod lz4;

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use nix::fcntl::OFlag;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::FileName;

/// Maximum size of a decompressed message, above any size limit of the MTA. Anything larger was made to fill the disk.
const MAX_SIZE: u64 = 256 << 20;
/// Maximum window of a zstd frame, which may ask for gigabytes; Dovecot's levels ask for 8 MiB at most.
const MAX_WINDOW: u64 = 16 << 20;
/// The size of the pieces in which a message is decompressed.
const BUFFER: usize = 64 << 10;

/// The compression methods of Dovecot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Gzip,
    Zstd,
    Lz4,
    Bzip2,
    Xz,
}

impl Method {
    /// Octets to read: no mark is longer.
    const MARK: usize = 16;

    /// The compression method of a file that begins with these octets. A message begins with a field's name, which
    /// cannot be one of the marks.
    fn of(start: &[u8]) -> Option<Self> {
        let marks: [(&[u8], Self); 4] = [
            (b"\x1f\x8b", Self::Gzip),
            (b"\x28\xb5\x2f\xfd", Self::Zstd),
            (lz4::MARK, Self::Lz4),
            (b"\xfd7zXZ\0", Self::Xz),
        ];
        let is_bzip2 = start.starts_with(b"BZh") && start.get(4..10) == Some(b"1AY&SY");
        let known = marks.into_iter().find(|(mark, _)| start.starts_with(mark)).map(|(_, method)| method);
        known.or(is_bzip2.then_some(Self::Bzip2))
    }
}

/// The message in a file: the file itself, or an unnamed file in `scratch` with the decompressed message. Blocks while
/// a message is decompressed.
pub(crate) fn decompress_if_needed(
    mut file: File,
    length: u64,
    scratch: &Path,
    name: &FileName,
) -> io::Result<File> {
    let mut start = [0; Method::MARK];
    let read = if length < 4 { 0 } else { file.read_at(&mut start, 0)? };
    let Some(method) = Method::of(&start[..read]) else { return Ok(file) };
    match decompress_to_file(&file, method, scratch) {
        Ok(message) => Ok(message),
        Err(DecompressError::Disk(error)) => Err(error),
        Err(DecompressError::Content(error)) => {
            tracing::warn!(file = ?name, ?method, %error, "cannot decompress a message, served as stored");
            file.seek(SeekFrom::Start(0))?;
            Ok(file)
        }
    }
}

/// The reason why a message is not decompressed.
enum DecompressError {
    /// The stored octets are damaged, too many, or compressed in an unknown way.
    Content(io::Error),
    /// A file cannot be read, created or written. Transient.
    Disk(io::Error),
}

fn decompress_to_file(file: &File, method: Method, scratch: &Path) -> Result<File, DecompressError> {
    let message = unnamed_file(scratch).map_err(DecompressError::Disk)?;
    let mut message = LimitedFile { file: message, left: MAX_SIZE, is_failing: false };
    match decompress(file, method, &mut message).and_then(|()| message.file.rewind()) {
        Ok(()) => Ok(message.file),
        Err(error) if message.is_failing || error.raw_os_error().is_some() => {
            Err(DecompressError::Disk(error))
        }
        Err(error) => Err(DecompressError::Content(error)),
    }
}

fn decompress(file: &File, method: Method, message: &mut LimitedFile) -> io::Result<()> {
    let mut stored = BufReader::with_capacity(BUFFER, file);
    match method {
        Method::Gzip => copy(MultiGzDecoder::new(stored), message),
        Method::Zstd => {
            let mut decoder = FrameDecoder::new();
            decoder.set_max_window_size(MAX_WINDOW);
            let decoder =
                StreamingDecoder::new_with_decoder(&mut stored, decoder).map_err(io::Error::other)?;
            copy(decoder, message)
        }
        Method::Lz4 => lz4::decode(&mut stored, message),
        Method::Bzip2 | Method::Xz => Err(ErrorKind::Unsupported.into()),
    }
}

fn copy(mut from: impl Read, to: &mut LimitedFile) -> io::Result<()> {
    let mut piece = vec![0; BUFFER];
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => to.write_all(&piece[..read])?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A file with a bounded size.
struct LimitedFile {
    file: File,
    left: u64,
    /// True once a write to the disk has failed.
    is_failing: bool,
}

impl Write for LimitedFile {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(octets.len() as u64).ok_or(ErrorKind::FileTooLarge)?;
        self.file.write_all(octets).inspect_err(|_| self.is_failing = true)?;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file without a name.
fn unnamed_file(folder: &Path) -> io::Result<File> {
    std::fs::create_dir_all(folder)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    match options.clone().custom_flags(OFlag::O_TMPFILE.bits()).open(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::IsADirectory) => {
            // A file system without O_TMPFILE: the name is removed at once.
            let path = folder.join(format!(".{}", FileName::unique_base("scratch", 0, None)));
            let file = options.create_new(true).open(&path)?;
            std::fs::remove_file(&path)?;
            Ok(file)
        }
        opened => opened,
    }
}

#[cfg(test)]
mod tests;
