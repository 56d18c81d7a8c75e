//! The format of `dovecot-uidlist`, as Dovecot 1.1 to 2.4 write it.

use crate::maildir::{Uid, UidValidity};

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// `V`
    pub uid_validity: UidValidity,
    /// `N`: the UID that the next message gets, if no record below says otherwise. `None` when all are given out.
    pub next: Option<Uid>,
    /// `G`: the mailbox's own identifier, 32 hexadecimal digits.
    pub guid: Option<String>,
    /// The other fields, kept as they are.
    pub others: Vec<String>,
}

/// One message's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its UID.
    pub uid: Uid,
    /// What other programs note about it, with the spaces between; kept as it is.
    pub extensions: &'a str,
    /// Its file's base.
    pub base: &'a str,
}

/// What a list's octets say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// The records, ascending by UID.
    pub records: Vec<Record<'a>>,
    /// How many octets were understood or passed over: all but a last line without its end.
    pub length: usize,
    /// Whether there were lines that are no records, or out of order: they are passed over, and the list should be
    /// written anew.
    pub damaged: bool,
}

/// A line that is longer was not written by a mail server.
const LONGEST_LINE: usize = 2048;

/// Reads the first line, and says how long it is.
///
/// ```text
/// header    = "3" *( SP field ) LF  /  "1" SP validity SP next LF
/// field     = "V" validity / "N" next / "G" 32HEXDIG / ALPHA *VCHAR
/// ```
///
/// `None` when there is no header to rely on: the mailbox then begins a new life.
pub fn header(octets: &[u8]) -> Option<(Header, usize)> {
    let end = memchr::memchr(b'\n', &octets[..octets.len().min(LONGEST_LINE)])?;
    let line = std::str::from_utf8(&octets[..end]).ok()?;
    let mut fields = line.split(' ').filter(|field| !field.is_empty());
    let (mut validity, mut next, mut guid, mut others) = (None, Some(Uid::FIRST), None, Vec::new());
    match fields.next()? {
        "1" => {
            validity = fields.next()?.parse().ok().and_then(UidValidity::new);
            next = next_uid(fields.next()?)?;
        }
        "3" => {
            for field in fields {
                let (key, value) = field.split_at_checked(1)?;
                match key {
                    "V" => validity = value.parse().ok().and_then(UidValidity::new),
                    "N" => next = next_uid(value)?,
                    "G" if value.len() == 32 && value.bytes().all(|o| o.is_ascii_hexdigit()) => {
                        guid = Some(value.to_owned());
                    }
                    _ => others.push(field.to_owned()),
                }
            }
        }
        _ => return None,
    }
    Some((Header { uid_validity: validity?, next, guid, others }, end + 1))
}

/// A number that may be one more than the last UID.
fn next_uid(text: &str) -> Option<Option<Uid>> {
    let next = Uid::new(text.parse().ok()?)?;
    Some((next <= Uid::LAST).then_some(next))
}

/// Reads records that follow a header, or records with UIDs up to `after`.
///
/// ```text
/// record    = uid *( SP extension ) SP ":" base LF  /  uid SP base LF
/// extension = ALPHA *VCHAR
/// ```
pub fn records(octets: &[u8], after: Option<Uid>) -> Parsed<'_> {
    let mut parsed = Parsed { records: Vec::new(), length: 0, damaged: false };
    let mut last = after;
    for end in memchr::memchr_iter(b'\n', octets) {
        let line = &octets[parsed.length..end];
        parsed.length = end + 1;
        match std::str::from_utf8(line).ok().and_then(record) {
            // Within one list UIDs ascend; what does not was not written by those who hold the lock.
            Some(record) if last < Some(record.uid) => {
                last = Some(record.uid);
                parsed.records.push(record);
            }
            _ => parsed.damaged = true,
        }
    }
    parsed
}

fn record(line: &str) -> Option<Record<'_>> {
    if line.len() > LONGEST_LINE {
        return None;
    }
    let (uid, rest) = line.split_once(' ')?;
    let uid = Uid::new(uid.parse().ok()?).filter(|uid| *uid <= Uid::LAST)?;
    let (extensions, base) = match rest.strip_prefix(':') {
        Some(base) => ("", base),
        None => rest.split_once(" :").unwrap_or(("", rest)),
    };
    // Old versions wrote the flags too.
    let base = base.split_once(':').map_or(base, |(base, _)| base);
    let is_base = !base.is_empty() && !base.starts_with('.') && !base.contains(['/', '\0']);
    is_base.then_some(Record { uid, extensions, base })
}

/// The header's line, in the third version.
pub(super) fn header_line(header: &Header) -> String {
    let next = header.next.map_or(u32::MAX, Uid::value);
    let mut line = format!("3 V{} N{next}", header.uid_validity);
    for field in header.guid.iter().map(|guid| format!("G{guid}")).chain(header.others.iter().cloned()) {
        line.push(' ');
        line.push_str(&field);
    }
    line.push('\n');
    line
}

/// A record's line.
pub(super) fn write_record(line: &mut String, record: &Record<'_>) {
    use std::fmt::Write;
    let gap = if record.extensions.is_empty() { "" } else { " " };
    // Writing to a string does not fail.
    let _ = writeln!(line, "{}{gap}{} :{}", record.uid, record.extensions, record.base);
}
