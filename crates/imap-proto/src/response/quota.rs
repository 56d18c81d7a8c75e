//! Responses about quotas (RFC 9208 §4.2).

use super::string::{astring, formatted, mailbox};
use crate::MailboxName;

/// The only quota root: all mail of the user counts for it (RFC 9208 §3.2 leaves the name to the server).
pub const ROOT: &[u8] = b"";

/// `quota-response = "QUOTA" SP quota-root-name SP quota-list` with the resource STORAGE, "in units of 1024 octets"
/// (RFC 9208 §5.1). The usage is rounded up and the limit down, so that a client never sees more room than there is.
pub fn quota(out: &mut Vec<u8>, usage: u64, limit: u64) {
    out.extend_from_slice(b"* QUOTA ");
    astring(out, ROOT);
    formatted(out, format_args!(" (STORAGE {} {})\r\n", usage.div_ceil(1024), limit / 1024));
}

/// `quotaroot-response = "QUOTAROOT" SP mailbox *(SP quota-root-name)` (RFC 9208 §6), with the one root or without a
/// root.
pub fn quota_root(out: &mut Vec<u8>, name: &MailboxName, is_bounded: bool) {
    out.extend_from_slice(b"* QUOTAROOT ");
    mailbox(out, name);
    if is_bounded {
        out.push(b' ');
        astring(out, ROOT);
    }
    out.extend_from_slice(b"\r\n");
}
