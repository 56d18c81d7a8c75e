//! The format of `dovecot-uidlist`, as Dovecot 1.1 to 2.4 write it.

use crate::maildir::{Uid, UidValidity};

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// `V`
    pub uid_validity: UidValidity,
    /// `N`: the UID that the next message gets, unless a record below has a greater one. `None` if all are used up.
    pub next: Option<Uid>,
    /// `G`: the mailbox's GUID, 32 hexadecimal digits.
    pub guid: Option<String>,
    /// The other fields, kept as they are.
    pub others: Vec<String>,
}

/// One message's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its UID.
    pub uid: Uid,
    /// Notes of other programs, with the spaces between them; kept as they are.
    pub extensions: &'a [u8],
    /// The base of its file, in any charset.
    pub base: &'a [u8],
}

/// The parsed content of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedRecords<'a> {
    /// The records, ascending by UID.
    pub records: Vec<Record<'a>>,
    /// Number of octets parsed or skipped: all but a last line without its end.
    pub length: usize,
    /// True if there were malformed lines, or lines out of order: they are skipped, and the list should be rewritten.
    pub needs_rewrite: bool,
}

/// Longer lines were not written by a mail server.
const MAX_LINE: usize = 2048;

/// Parses the first line, and returns it with its length.
///
/// ```text
/// header    = "3" *( SP field ) LF  /  "1" SP validity SP next LF
/// field     = "V" validity / "N" next / "G" 32HEXDIG / ALPHA *VCHAR
/// ```
///
/// `None` if there is no usable header: the mailbox then gets a new UIDVALIDITY.
pub fn parse_header(octets: &[u8]) -> Option<(Header, usize)> {
    let end = memchr::memchr(b'\n', &octets[..octets.len().min(MAX_LINE)])?;
    let line = std::str::from_utf8(&octets[..end]).ok()?;
    // An editor, or a transfer as text, leaves CRLF.
    let mut fields = line.trim_end_matches('\r').split(' ').filter(|field| !field.is_empty());
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

/// Parses a number that may be one more than the last UID.
fn next_uid(text: &str) -> Option<Option<Uid>> {
    let next = Uid::new(text.parse().ok()?)?;
    Some((next <= Uid::LAST).then_some(next))
}

/// Parses the records after a header, or those after the record with UID `after`.
///
/// ```text
/// record    = uid *( SP extension ) SP ":" base LF  /  uid SP base LF
/// extension = ALPHA *VCHAR
/// ```
pub fn parse_records(octets: &[u8], after: Option<Uid>) -> ParsedRecords<'_> {
    let mut parsed = ParsedRecords { records: Vec::new(), length: 0, needs_rewrite: false };
    let mut last = after;
    for end in memchr::memchr_iter(b'\n', octets) {
        let line = &octets[parsed.length..end];
        parsed.length = end + 1;
        let record = parse_record(line.strip_suffix(b"\r").unwrap_or(line));
        parsed.needs_rewrite |= line.ends_with(b"\r");
        match record {
            // UIDs ascend within one list; other lines were not written by a holder of the lock.
            Some(record) if last < Some(record.uid) => {
                last = Some(record.uid);
                parsed.records.push(record);
            }
            _ => parsed.needs_rewrite = true,
        }
    }
    parsed
}

fn parse_record(line: &[u8]) -> Option<Record<'_>> {
    if line.len() > MAX_LINE {
        return None;
    }
    let end = memchr::memchr(b' ', line)?;
    let (uid, rest) = (&line[..end], &line[end + 1..]);
    let uid = Uid::new(std::str::from_utf8(uid).ok()?.parse().ok()?)?;
    let (extensions, base) = match rest.strip_prefix(b":") {
        Some(base) => (&b""[..], base),
        None => match memchr::memmem::find(rest, b" :") {
            Some(gap) => (&rest[..gap], &rest[gap + 2..]),
            None => (&b""[..], rest),
        },
    };
    // Old versions also wrote the flags.
    let base = &base[..memchr::memchr(b':', base).unwrap_or(base.len())];
    let is_base = !base.is_empty() && !base.starts_with(b".") && memchr::memchr2(b'/', 0, base).is_none();
    is_base.then_some(Record { uid, extensions, base })
}

/// The line of a header, in the third version.
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

/// Writes the line of a record.
pub(super) fn write_record(text: &mut Vec<u8>, record: &Record<'_>) {
    text.extend_from_slice(record.uid.to_string().as_bytes());
    if !record.extensions.is_empty() {
        text.push(b' ');
        text.extend_from_slice(record.extensions);
    }
    text.extend_from_slice(b" :");
    text.extend_from_slice(record.base);
    text.push(b'\n');
}
