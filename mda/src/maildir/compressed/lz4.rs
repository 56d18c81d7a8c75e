//! LZ4 as Dovecot writes it: a mark, the size of the largest chunk, and independent chunks.
//!
//! ```text
//! file  = mark largest *( length block )     largest, length: 4 octets, big-endian
//! block = *( token literals offset match ) token literals
//! ```

use std::io::{self, ErrorKind, Read, Write};

/// The first octets of a file.
pub(super) const MARK: &[u8] = b"Dovecot-LZ4\x0d\x2a\x9b\xc5";
/// Maximum size of a chunk, as in Dovecot, whose own chunks hold 64 KiB.
const MAX_CHUNK: usize = 1 << 20;

/// Decodes a file.
pub(super) fn decode(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut start = [0; MARK.len() + 4];
    from.read_exact(&mut start)?;
    let mut chunk = Vec::new();
    loop {
        let Some(length) = length(from)? else { return Ok(()) };
        if length > MAX_CHUNK {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut block = vec![0; length];
        from.read_exact(&mut block)?;
        chunk.clear();
        decode_block(&block, &mut chunk).ok_or(ErrorKind::InvalidData)?;
        to.write_all(&chunk)?;
    }
}

/// The length of the next chunk, or `None` at the end.
fn length(from: &mut impl Read) -> io::Result<Option<usize>> {
    let mut octets = Vec::with_capacity(4);
    from.take(4).read_to_end(&mut octets)?;
    match <[u8; 4]>::try_from(octets) {
        Ok(octets) => Ok(Some(u32::from_be_bytes(octets) as usize)),
        Err(octets) if octets.is_empty() => Ok(None),
        Err(_) => Err(ErrorKind::UnexpectedEof.into()),
    }
}

/// Decodes a block; `None` if it is damaged or larger than a chunk may be.
fn decode_block(mut block: &[u8], chunk: &mut Vec<u8>) -> Option<()> {
    loop {
        let token = take(&mut block, 1)?[0];
        let literals = run(&mut block, token >> 4)?;
        chunk.extend_from_slice(take(&mut block, literals)?);
        if block.is_empty() {
            return (chunk.len() <= MAX_CHUNK).then_some(());
        }
        let offset = take(&mut block, 2)?;
        let offset = usize::from(u16::from_le_bytes([offset[0], offset[1]]));
        let length = run(&mut block, token & 15)? + 4;
        if offset == 0 || chunk.len() + length > MAX_CHUNK {
            return None;
        }
        let start = chunk.len().checked_sub(offset)?;
        // The match may overlap the octets that it adds.
        for at in start..start + length {
            chunk.push(chunk[at]);
        }
    }
}

/// Reads a length whose first part is in the token.
fn run(block: &mut &[u8], first: u8) -> Option<usize> {
    let mut length = usize::from(first);
    if first == 15 {
        loop {
            let more = take(block, 1)?[0];
            length += usize::from(more);
            if more != 255 {
                break;
            }
        }
    }
    Some(length)
}

fn take<'a>(block: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = block.split_at_checked(count)?;
    *block = rest;
    Some(taken)
}
