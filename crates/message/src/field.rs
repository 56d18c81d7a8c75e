//! Header fields as they are stored (RFC 5322 §2.2), without a copy.
//!
//! The header ends at the first empty line, or with the octets. A line that is not a field (no colon) is
//! skipped, as mail programs do: it is still part of the header's octets.

use std::borrow::Cow;

use memchr::memchr;

/// The most fields of one header that are read. Real messages have fewer than two hundred.
pub const MAX_FIELDS: usize = 10_000;

/// One header field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name without the colon, in the sender's spelling.
    pub name: &'a [u8],
    /// Everything after the colon, with its folding, without the last line end.
    pub value: &'a [u8],
    /// The position of the field in the octets given to [`fields`].
    pub start: usize,
    /// The position of the next field: after this one's last line end.
    pub end: usize,
}

impl<'a> Field<'a> {
    /// True if this is the field called `name`. Names are compared without regard to case (RFC 5322 §1.2.2).
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value on one line, without the white space around it.
    pub fn unfolded(&self) -> Cow<'a, [u8]> {
        match unfold(self.value) {
            Cow::Borrowed(value) => Cow::Borrowed(value.trim_ascii()),
            Cow::Owned(value) => Cow::Owned(value.trim_ascii().to_vec()),
        }
    }
}

/// The fields of the header at the beginning of `octets`. A body may follow: the iterator ends at the empty line.
pub fn fields(octets: &[u8]) -> Fields<'_> {
    Fields { octets, at: 0, left: MAX_FIELDS }
}

/// The first field called `name`.
pub fn find<'a>(octets: &'a [u8], name: &str) -> Option<Field<'a>> {
    fields(octets).find(|field| field.is(name))
}

/// The position of the body: after the empty line, or at the end without one.
pub fn header_length(octets: &[u8]) -> usize {
    let mut at = 0;
    while at < octets.len() {
        let line = line_at(octets, at);
        at += line.len();
        if is_empty_line(line) {
            break;
        }
    }
    at
}

/// The header with its empty line, and the body.
pub fn split(octets: &[u8]) -> (&[u8], &[u8]) {
    octets.split_at(header_length(octets))
}

/// Removes the line ends of folding (RFC 5322 §2.2.3), and NUL octets, which IMAP strings cannot contain.
pub fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    let kept = |octet: &u8| !matches!(octet, b'\r' | b'\n' | 0);
    if !value.iter().all(kept) {
        Cow::Owned(value.iter().copied().filter(kept).collect())
    } else {
        Cow::Borrowed(value)
    }
}

/// Iterates over the fields of one header.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    octets: &'a [u8],
    at: usize,
    left: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    /// Reads the next field.
    ///
    /// ```abnf
    /// fields         = *field
    /// optional-field = field-name ":" unstructured CRLF
    /// field-name     = 1*ftext      ; white space before the colon is obsolete syntax, still read
    /// ```
    fn next(&mut self) -> Option<Field<'a>> {
        while self.left > 0 && self.at < self.octets.len() {
            self.left -= 1;
            let start = self.at;
            let first = line_at(self.octets, start);
            if is_empty_line(first) {
                break;
            }
            let mut end = start + first.len();
            while matches!(self.octets.get(end), Some(b' ' | b'\t')) {
                end += line_at(self.octets, end).len();
            }
            self.at = end;
            let Some(colon) = memchr(b':', first) else { continue };
            let name = first[..colon].trim_ascii_end();
            if name.is_empty() || !name.iter().all(|octet| octet.is_ascii_graphic()) {
                continue;
            }
            let value = without_line_end(&self.octets[start + colon + 1..end]);
            return Some(Field { name, value, start, end });
        }
        self.left = 0;
        None
    }
}

/// The line that begins at `at`, with its line end.
fn line_at(octets: &[u8], at: usize) -> &[u8] {
    let rest = &octets[at..];
    memchr(b'\n', rest).map_or(rest, |end| &rest[..=end])
}

fn is_empty_line(line: &[u8]) -> bool {
    line == b"\r\n" || line == b"\n"
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests;
