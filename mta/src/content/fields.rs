//! The header section as raw fields: where it ends, and taking fields out of it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memchr::memmem;

/// The length of the header section with the empty line that ends it; all of `octets` when no line is empty.
pub(super) fn header_length(octets: &[u8]) -> usize {
    if octets.starts_with(b"\r\n") {
        return 2;
    }
    memmem::find(octets, b"\r\n\r\n").map_or(octets.len(), |at| at + 4)
}

/// Reads the header section at the beginning of a file, at most `limit` octets of it.
pub(super) fn read_header(file: &File, limit: usize) -> io::Result<Vec<u8>> {
    const STEP: usize = 16 * 1024;
    let mut octets = Vec::with_capacity(STEP);
    loop {
        let filled = octets.len();
        octets.resize(filled + STEP, 0);
        let read = file.read_at(&mut octets[filled..], filled as u64)?;
        octets.truncate(filled + read);
        let length = header_length(&octets);
        if length < octets.len() || read == 0 || octets.len() >= limit {
            octets.truncate(length);
            return Ok(octets);
        }
    }
}

/// Takes out the fields that are unwanted, with their continuation lines.
pub(super) fn remove(header: &mut Vec<u8>, mut unwanted: impl FnMut(&[u8], &[u8]) -> bool) {
    let mut kept = Vec::with_capacity(header.len());
    let mut rest = header.as_slice();
    while !rest.is_empty() {
        let (field, after) = rest.split_at(field_length(rest));
        let drop = match memchr::memchr(b':', field) {
            Some(colon) => unwanted(field[..colon].trim_ascii_end(), &field[colon + 1..]),
            None => false,
        };
        if !drop {
            kept.extend_from_slice(field);
        }
        rest = after;
    }
    *header = kept;
}

/// The length of the first field: its line and all that begin with a space or a tab (RFC 5322 §2.2.3).
fn field_length(octets: &[u8]) -> usize {
    let mut at = 0;
    while let Some(end) = memmem::find(&octets[at..], b"\r\n") {
        at += end + 2;
        if !matches!(octets.get(at), Some(b' ' | b'\t')) {
            return at;
        }
    }
    octets.len()
}
