//! The header of a part whose encoding changes, or with lines that are too long.

use super::MAX_LINE;
use crate::field;

/// The length at which a long line is folded where possible (RFC 5322 §2.1.1).
const FOLDED: usize = 78;

/// The header with a new transfer encoding, if one is given. The header ends with its empty line. A message's own
/// encoding counts only with MIME-Version (RFC 2045 §4).
pub(super) fn with_encoding(header: &[u8], encoding: &str, is_message: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(header.len() + 64);
    let mut at = 0;
    let mut has_version = false;
    for field in field::fields(header) {
        has_version |= field.is("MIME-Version");
        if field.is("Content-Transfer-Encoding") {
            out.extend_from_slice(&header[at..field.start]);
            at = field.end;
        }
    }
    let end = header.strip_suffix(b"\n").unwrap_or(header);
    let end = end.strip_suffix(b"\r").unwrap_or(end).len().max(at);
    out.extend_from_slice(&header[at..end]);
    if is_message && !has_version {
        out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }
    out.extend_from_slice(format!("Content-Transfer-Encoding: {encoding}\r\n").as_bytes());
    out.extend_from_slice(&header[end..]);
    out
}

/// Folds lines over [`MAX_LINE`] before white space (RFC 5322 §2.2.3). `None` if one has none at the right place.
pub(super) fn folded(header: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(header.len() + header.len() / 32);
    for line in header.split_inclusive(|octet| *octet == b'\n') {
        if line.len() <= MAX_LINE as usize {
            out.extend_from_slice(line);
        } else {
            fold_line(line, &mut out)?;
        }
    }
    Some(out)
}

fn fold_line(line: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let is_blank = |octet: u8| matches!(octet, b' ' | b'\t');
    let is_place = |at: usize| is_blank(line[at]) && !is_blank(line[at - 1]);
    let mut start = 0;
    let mut place = None;
    // No line may consist of white space alone: so neither the white space at the beginning nor that at the end counts.
    let text = line.iter().position(|octet| !is_blank(*octet))?;
    let end = line.trim_ascii_end().len();
    let name_end = memchr::memchr(b':', line).filter(|_| text == 0).map_or(text + 1, |colon| colon + 2);
    for at in name_end..end {
        if !is_place(at) {
            continue;
        }
        if let Some(before) = place
            && at - start > FOLDED
        {
            out.extend_from_slice(&line[start..before]);
            out.extend_from_slice(b"\r\n");
            start = before;
        }
        place = Some(at);
        if at - start > MAX_LINE as usize {
            return None;
        }
    }
    if let Some(before) = place
        && line.len() - start > FOLDED
    {
        out.extend_from_slice(&line[start..before]);
        out.extend_from_slice(b"\r\n");
        start = before;
    }
    out.extend_from_slice(&line[start..]);
    let last = line[start..].strip_suffix(b"\r\n").unwrap_or(&line[start..]);
    (last.len() <= MAX_LINE as usize).then_some(())
}
