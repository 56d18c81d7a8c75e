//! The disk operations of a durable write, so that tests can fail each of them.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The disk operations of a durable write.
pub(crate) trait Disk {
    fn create(&self, path: &Path, mode: u32) -> io::Result<File>;
    fn write(&self, file: &mut File, octets: &[u8]) -> io::Result<()>;
    fn sync_file(&self, file: &File) -> io::Result<()>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// The disk itself.
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path, mode: u32) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(path)
    }

    fn write(&self, file: &mut File, octets: &[u8]) -> io::Result<()> {
        io::Write::write_all(file, octets)
    }

    fn sync_file(&self, file: &File) -> io::Result<()> {
        // A reader needs the data and the length; times may be lost.
        file.sync_data()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}
