//! A stretch of a message as it is sent to the client: CRLF at the end of each line, without NUL, exactly as many
//! octets as were announced, one piece at a time.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use imap_proto::{command::fetch::Partial, response::string::nul_free};
use memchr::memchr;
use message::{Span, crlf::ToCrlf};

/// The rest of a stretch that is being sent.
#[derive(Debug)]
pub(in crate::imap) struct Octets {
    file: Arc<File>,
    /// The next stored octet.
    at: u64,
    end: u64,
    /// Set for a stretch with lone line feeds.
    convert: Option<ToCrlf>,
    /// Octets in CRLF form before the requested range.
    skip: u64,
    /// Octets in CRLF form that were announced and not sent yet.
    left: u64,
}

impl Octets {
    pub(super) fn new(file: Arc<File>, span: Span) -> Self {
        let convert = span.has_lone_line_feeds().then(ToCrlf::default);
        Self { file, at: span.start, end: span.end, convert, skip: 0, left: span.octets }
    }

    /// Only the given range of the stretch, as far as it exists (RFC 3501 §6.4.5: a range beyond the end is empty).
    pub(in crate::imap) fn part(mut self, partial: Option<Partial>) -> Self {
        let Some(Partial { origin, count }) = partial else { return self };
        let origin = u64::from(origin).min(self.left);
        self.left = (self.left - origin).min(u64::from(count.get()));
        match self.convert {
            Some(_) => self.skip = origin,
            None => self.at += origin,
        }
        self
    }

    /// Number of octets still to be sent.
    pub(in crate::imap) fn left(&self) -> u64 {
        self.left
    }

    /// Appends the next octets to `out`, about `piece` of them. An error means that the announced number cannot be
    /// kept: the connection has to end, since the client could not parse anything sent after it.
    pub(in crate::imap) fn read(&mut self, piece: usize, out: &mut Vec<u8>) -> io::Result<()> {
        if self.left == 0 {
            return Ok(());
        }
        let stored = (self.end - self.at).min(piece as u64);
        let wanted = if self.convert.is_some() { stored } else { stored.min(self.left) };
        let wanted = usize::try_from(wanted).unwrap_or(piece);
        let start = out.len();
        if wanted == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        match &mut self.convert {
            None => {
                out.resize(start + wanted, 0);
                self.file.read_exact_at(&mut out[start..], self.at)?;
            }
            Some(convert) => {
                let mut stored = vec![0; wanted];
                self.file.read_exact_at(&mut stored, self.at)?;
                convert.convert(&stored, out);
                let skipped = self.skip.min((out.len() - start) as u64);
                self.skip -= skipped;
                out.drain(start..start + usize::try_from(skipped).unwrap_or_default());
            }
        }
        self.at += wanted as u64;
        let sent = ((out.len() - start) as u64).min(self.left);
        self.left -= sent;
        out.truncate(start + usize::try_from(sent).unwrap_or_default());
        replace_nul(&mut out[start..]);
        Ok(())
    }
}

fn replace_nul(octets: &mut [u8]) {
    let mut rest = octets;
    while let Some(at) = memchr(0, rest) {
        rest[at] = nul_free(&0);
        rest = &mut rest[at + 1..];
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use message::Outline;
    use message::crlf::to_crlf;

    use super::*;

    fn sent(stored: &[u8], partial: Option<Partial>, piece: usize) -> Vec<u8> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(stored).unwrap();
        let mut octets = Octets::new(Arc::new(file), Outline::parse(stored).whole()).part(partial);
        let announced = octets.left();
        let mut out = Vec::new();
        while octets.left() > 0 {
            octets.read(piece, &mut out).unwrap();
        }
        assert_eq!(out.len() as u64, announced);
        out
    }

    fn range(origin: u32, count: u32) -> Option<Partial> {
        Some(Partial { origin, count: count.try_into().unwrap() })
    }

    #[test]
    fn every_range_of_every_kind_of_line_end_is_a_range_of_the_crlf_form() {
        for stored in [&b"a: b\r\n\r\nx\r\ny\r\n"[..], b"a: b\n\nx\ny\n", b"a: b\r\n\nx\r\r\ny\nz", b""] {
            let whole = to_crlf(stored);
            for piece in [1, 2, 3, 100] {
                assert_eq!(sent(stored, None, piece), whole);
                for origin in 0..20u32 {
                    for count in 1..20u32 {
                        let start = whole.len().min(origin as usize);
                        let end = whole.len().min(start + count as usize);
                        assert_eq!(sent(stored, range(origin, count), piece), &whole[start..end]);
                    }
                }
            }
        }
    }

    /// RFC 3501 §9: CHAR8 has no NUL.
    #[test]
    fn nul_is_never_sent() {
        assert_eq!(sent(b"a\0\r\n\0", None, 100), b"a\x80\r\n\x80");
    }

    #[test]
    fn a_file_that_became_shorter_is_an_error_and_is_not_padded() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"short").unwrap();
        let mut octets = Octets::new(Arc::new(file), Span { start: 0, end: 10, octets: 10 });
        assert!(octets.read(100, &mut Vec::new()).is_err());
    }
}
