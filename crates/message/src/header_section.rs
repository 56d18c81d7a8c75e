//! Finds the end of the header section of a message that is being received, even of a malformed one.
//!
//! Scripts and devices send text without a header section, or without the empty line after it. A reader that skips
//! such lines shows a message without its text; one that does not shows other fields than were checked. So an empty
//! line is inserted where the fields end, as Postfix and Sendmail do, and every reader sees the same header section.
//!
//! | line                                        | becomes                                        |
//! |---------------------------------------------|------------------------------------------------|
//! | `Name: value`, white space before the colon | a field                                        |
//! | begins with white space, after a field      | the field's continuation (RFC 5322 §2.2.3)     |
//! | empty                                       | the end of the header section                  |
//! | `From ann@example.org Mon Jan  5 …`         | removed: the separator of an mbox (RFC 4155)   |
//! | any other                                   | the first line of the body, after an empty one |
//!
//! A first line of the body such as `Note: the disk is full` cannot be distinguished from a field, and is read as one.

use memchr::memchr;

/// A line of this length is classified before its end is read. "Each line of characters MUST be no more than 998
/// characters" (RFC 5322 §2.1.1).
const MAX_LEN: usize = 998;

/// Reads a message up to the end of its header section, in chunks of any size. Holds one line at most.
#[derive(Debug, Default)]
pub struct HeaderSection {
    /// A line that is not classified yet.
    line: Vec<u8>,
    /// True within the rest of a classified line of the header section.
    is_passing: bool,
    /// True after a field: then a line that begins with white space continues it.
    is_after_field: bool,
}

/// The beginning of the body.
#[derive(Debug, PartialEq, Eq)]
pub struct BodyStart<'a> {
    /// The beginning of the body's first line, which was held until it was classified.
    pub held: Vec<u8>,
    /// The rest of the octets that were read.
    pub rest: &'a [u8],
}

#[derive(Debug, PartialEq, Eq)]
enum LineKind {
    Field,
    Continuation,
    End,
    MboxSeparator,
    Body,
}

impl HeaderSection {
    /// Reads the next octets, and appends those of the header section to `header`, with the empty line at its end.
    /// Returns the beginning of the body once it is reached: then `read` must not be called again.
    pub fn read<'a>(&mut self, octets: &'a [u8], header: &mut Vec<u8>) -> Option<BodyStart<'a>> {
        let mut rest = octets;
        while !rest.is_empty() {
            let line_end = memchr(b'\n', rest).map(|at| at + 1);
            let end = line_end.unwrap_or(rest.len());
            if self.is_passing {
                header.extend_from_slice(&rest[..end]);
                self.is_passing = line_end.is_none();
                rest = &rest[end..];
                continue;
            }
            let (piece, after) = rest.split_at(end.min(MAX_LEN - self.line.len()));
            self.line.extend_from_slice(piece);
            rest = after;
            let is_whole = self.line.ends_with(b"\n");
            if !is_whole && self.line.len() < MAX_LEN {
                break;
            }
            if self.take_line(header) {
                return Some(BodyStart { held: std::mem::take(&mut self.line), rest });
            }
            self.is_passing = !is_whole;
        }
        None
    }

    /// Ends a message that ended within the header section. An unfinished last line may still belong to the body.
    pub fn finish(mut self, header: &mut Vec<u8>) -> Vec<u8> {
        if self.line.is_empty() || !self.take_line(header) { Vec::new() } else { self.line }
    }

    /// Moves the line to the header if it belongs there. True if the body begins, with the rest of the line, if any.
    fn take_line(&mut self, header: &mut Vec<u8>) -> bool {
        let kind = self.kind();
        match kind {
            LineKind::Field | LineKind::Continuation | LineKind::End => header.append(&mut self.line),
            LineKind::MboxSeparator => self.line.clear(),
            LineKind::Body => header.extend_from_slice(b"\r\n"),
        }
        self.is_after_field = matches!(kind, LineKind::Field | LineKind::Continuation);
        matches!(kind, LineKind::End | LineKind::Body)
    }

    fn kind(&self) -> LineKind {
        let line = self.line.as_slice();
        match line {
            b"\r\n" | b"\n" => LineKind::End,
            [b' ' | b'\t', ..] if self.is_after_field => LineKind::Continuation,
            // It would continue a field that is put on top later.
            [b' ' | b'\t', ..] => LineKind::Body,
            _ if is_field(line) => LineKind::Field,
            _ if line.ends_with(b"\n") && is_mbox_separator(line) => LineKind::MboxSeparator,
            _ => LineKind::Body,
        }
    }
}

/// `field-name ":"`, also with white space before the colon (RFC 5322 §3.6.8, §4.5.8).
fn is_field(line: &[u8]) -> bool {
    memchr(b':', line).is_some_and(|colon| {
        let name = line[..colon].trim_ascii_end();
        !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
    })
}

/// True for `From ` with a sender and a date as C's asctime writes it (RFC 4155, appendix A), possibly quoted by `>`.
/// Without the date it may be a sentence, which must not be removed.
fn is_mbox_separator(line: &[u8]) -> bool {
    let unquoted = &line[line.iter().take_while(|octet| **octet == b'>').count()..];
    let Some(rest) = unquoted.strip_prefix(b"From ") else { return false };
    let words = || rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).skip(1);
    let one_of = |names: &[&str]| {
        words().any(|word| names.iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes())))
    };
    let is_number = |digits: &[u8]| (1..=2).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    let is_time = |word: &[u8]| {
        let parts = word.split(|octet| *octet == b':');
        (2..=3).contains(&parts.clone().count()) && parts.clone().all(is_number)
    };
    let is_year = |word: &[u8]| word.len() == 4 && word.iter().all(u8::is_ascii_digit);
    one_of(&["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
        && one_of(&["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"])
        && words().any(is_time)
        && words().any(is_year)
}

#[cfg(test)]
mod tests;
