//! Finds a field in a header section whose end all readers find at the same line.
//!
//! A line that is not a field ends the header section for some programs and is skipped by others. Fields after such
//! a line are not read, and those before it do not count when the wanted field, or what a lenient program could read as
//! it, comes after it.

use super::AuthorError;
use crate::field::{Field, fields, header_length};

/// The only field called `name`.
pub(super) fn exactly_one<'a>(header: &'a [u8], name: &str) -> Result<Field<'a>, AuthorError> {
    match all(header, name)?.as_slice() {
        [field] => Ok(*field),
        _ => Err(AuthorError::Several),
    }
}

/// All fields called `name`; at least one.
pub(super) fn all<'a>(header: &'a [u8], name: &str) -> Result<Vec<Field<'a>>, AuthorError> {
    let mut found = Vec::new();
    let mut is_behind_text = false;
    let mut is_hidden = false;
    let mut end = 0;
    for field in fields(header) {
        let between = &header[end..field.start];
        is_behind_text |= !between.is_empty();
        is_hidden |= could_hold(between, name);
        end = field.end;
        if field.is(name) {
            is_hidden |= is_behind_text;
            found.push(field);
        }
    }
    is_hidden |= could_hold(&header[end..header_length(header).max(end)], name);
    let is_spaced = |field: &Field<'_>| header.get(field.start + field.name.len()) != Some(&b':');
    if is_hidden {
        Err(AuthorError::BehindText)
    } else if found.is_empty() {
        Err(AuthorError::Missing)
    } else if found.len() == 1 && found.iter().any(is_spaced) {
        Err(AuthorError::SpaceBeforeColon)
    } else {
        Ok(found)
    }
}

/// True if a lenient program could find the field in lines that are not fields. Its name may be on a line of its own,
/// and have spaces, control characters, a byte order mark or other octets beyond ASCII around or within it.
fn could_hold(lines: &[u8], name: &str) -> bool {
    lines.split(|octet| *octet == b'\n').any(|line| {
        let before_colon = line.split(|octet| *octet == b':').next().unwrap_or_default();
        let letters = before_colon.iter().filter(|octet| octet.is_ascii_graphic());
        letters.map(u8::to_ascii_lowercase).eq(name.bytes().map(|octet| octet.to_ascii_lowercase()))
    })
}
