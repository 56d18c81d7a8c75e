//! Responses about the server: CAPABILITY, ENABLED, ID, NAMESPACE.

use super::string::{formatted, nstring, spaced, string};
use crate::mailbox::SEPARATOR;

/// `"*" SP "CAPABILITY" *(SP capability)` (RFC 3501 §7.2.1)
pub fn capability(out: &mut Vec<u8>, names: &[&str]) {
    words(out, "* CAPABILITY", names);
}

/// `"*" SP "ENABLED" *(SP capability)` (RFC 5161 §3.2)
pub fn enabled(out: &mut Vec<u8>, names: &[&str]) {
    words(out, "* ENABLED", names);
}

fn words(out: &mut Vec<u8>, start: &str, names: &[&str]) {
    out.extend_from_slice(start.as_bytes());
    for name in names {
        formatted(out, format_args!(" {name}"));
    }
    out.extend_from_slice(b"\r\n");
}

/// `"*" SP "ID" SP id-params-list` (RFC 2971 §3.2)
pub fn id(out: &mut Vec<u8>, pairs: &[(&str, Option<&str>)]) {
    out.extend_from_slice(b"* ID (");
    spaced(out, pairs, |out, (field, value)| {
        string(out, field.as_bytes());
        out.push(b' ');
        nstring(out, value.map(str::as_bytes));
    });
    out.extend_from_slice(b")\r\n");
}

/// `"*" SP "NAMESPACE" SP namespace SP namespace SP namespace` (RFC 2342 §6): all names are the user's own, without a
/// prefix; there are no namespaces of other users and no shared ones.
pub fn one_personal_namespace(out: &mut Vec<u8>) {
    formatted(out, format_args!("* NAMESPACE ((\"\" \"{SEPARATOR}\")) NIL NIL\r\n"));
}
