//! Limits for one connection.

/// An ordinary command line, without CRLF. RFC 5321 §4.5.3.1.4 asks for 512 and extensions add to it; paths of
/// twice 255 octets fit.
pub(super) const COMMAND_LINE: usize = 2_048;

/// A line of AUTH, without CRLF (RFC 4954 §4: 12,288 octets with it).
pub(super) const AUTH_LINE: usize = 12_286;

/// Octets of replies that wait to be sent: beyond this no further command is read.
pub(super) const OUTPUT: usize = 8 * 1024;

/// A chunk that is refused is read and dropped up to this multiple of the largest message, which leaves room for a
/// client that has missed the announced size. After a larger one, the session is closed.
pub(super) const REFUSED_CHUNK: u64 = 4;

/// Commands that were malformed or out of order. A human at a terminal stays below.
const ERRORS: usize = 20;

/// Refused recipients: enough for an old mailing list, too few to harvest a directory.
const REFUSED_RECIPIENTS: usize = 200;

/// Failed logins.
const FAILED_LOGINS: usize = 5;

/// The counts of a connection so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    errors: usize,
    refused_recipients: usize,
    failed_logins: usize,
}

impl Counts {
    /// Counts an error. Returns true if that is too many.
    pub(super) fn count_error(&mut self) -> bool {
        self.errors += 1;
        self.errors > ERRORS
    }

    /// Counts a refused recipient. Returns true if that is too many.
    pub(super) fn count_refused_recipient(&mut self) -> bool {
        self.refused_recipients += 1;
        self.refused_recipients > REFUSED_RECIPIENTS
    }

    /// Counts a failed login. Returns true if that is too many.
    pub(super) fn count_failed_login(&mut self) -> bool {
        self.failed_logins += 1;
        self.failed_logins > FAILED_LOGINS
    }
}
