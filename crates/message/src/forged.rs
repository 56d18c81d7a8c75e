//! Fields of an arriving message that a reader could take for ours (RFC 8601 §5).
//!
//! The readers of a message trust our own trace fields, and their parsers differ. So a field is kept only
//! when it is plainly another host's; in doubt it is removed. RFC 8601 §5 lets a border MTA remove every such field.

use std::ops::Range;

use address::Domain;

use crate::field::{Field, fields};

/// The field in which the MTA tells a person the verdict on a message and its reasons.
pub const POLICY_FIELD: &str = "Mailstead-Policy";

/// The ranges of the fields that must be removed before ours are put on top, in their order.
///
/// | field | removed |
/// |---|---|
/// | `Authentication-Results` | unless it begins with one plain authserv-id that is not our name |
/// | `ARC-Authentication-Results`, `Received-SPF` | if it contains our name: we write neither |
/// | `Mailstead-Policy` | always |
pub fn trace_fields(header: &[u8], hostname: &Domain) -> Vec<Range<usize>> {
    let is_forged = |field: &Field<'_>| {
        if field.is(POLICY_FIELD) {
            true
        } else if field.is("Authentication-Results") {
            !is_plainly_foreign(field, header, hostname)
        } else {
            (field.is("ARC-Authentication-Results") || field.is("Received-SPF"))
                && names(field.value, hostname)
        }
    };
    fields(header).filter(is_forged).map(|field| field.start..field.end).collect()
}

/// True if it is the result of another host, in a form that no reader takes for ours.
///
/// ```abnf
/// authres-payload = [FWS] authserv-id [FWS authres-version] [FWS] ";" …     ; authserv-id: a domain name, unquoted
/// ```
fn is_plainly_foreign(field: &Field<'_>, header: &[u8], hostname: &Domain) -> bool {
    if header.get(field.start + field.name.len()) != Some(&b':') {
        return false;
    }
    let Some(end) = memchr::memchr(b';', field.value) else { return false };
    let Ok(head) = std::str::from_utf8(&field.value[..end]) else { return false };
    let mut words = head.split_ascii_whitespace();
    let (Some(id), version, None) = (words.next(), words.next(), words.next()) else { return false };
    let is_version = version.is_none_or(|version| version.bytes().all(|octet| octet.is_ascii_digit()));
    is_version && Domain::parse(id).is_ok_and(|id| id != *hostname)
}

/// True if the value contains the name as a word, in any case, with a dot after it, or as U-labels.
fn names(value: &[u8], hostname: &Domain) -> bool {
    let value = String::from_utf8_lossy(value);
    let is_inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c) || !c.is_ascii();
    let mut words = value.split(|c| !is_inner(c));
    words.any(|word| {
        let word = word.trim_matches('.');
        word.eq_ignore_ascii_case(hostname.as_str())
            || (!word.is_ascii() && Domain::parse(word).is_ok_and(|word| word == *hostname))
    })
}

#[cfg(test)]
mod tests;
