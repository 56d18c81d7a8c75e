//! Responses about mailboxes (RFC 3501 §7.2 and §7.3, and EXPUNGE of §7.4).

use super::string::{astring, formatted, mailbox, spaced, string};
use crate::command::status::StatusItem;
use crate::mailbox::SEPARATOR;
use crate::{Flag, MailboxName, SequenceNumber, SpecialUse};

/// An attribute of a name in LIST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// `\Noselect`: only a parent of other names, not a mailbox (RFC 3501 §7.2.2).
    Noselect,
    /// `\NonExistent`: not a mailbox, in a response to the extended LIST (RFC 5258 §3)
    NonExistent,
    /// `\Subscribed` (RFC 5258 §3.2)
    Subscribed,
    /// `\HasChildren` (RFC 3348 §4)
    HasChildren,
    /// `\HasNoChildren` (RFC 3348 §4)
    HasNoChildren,
    /// The special use of the mailbox (RFC 6154 §2).
    Use(SpecialUse),
}

impl Attribute {
    /// The attribute in its protocol form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Attribute::Noselect => "\\Noselect",
            Attribute::NonExistent => "\\NonExistent",
            Attribute::Subscribed => "\\Subscribed",
            Attribute::HasChildren => "\\HasChildren",
            Attribute::HasNoChildren => "\\HasNoChildren",
            Attribute::Use(special) => special.as_str(),
        }
    }
}

/// `"*" SP "LIST" SP mailbox-list` (RFC 3501 §7.2.2)
pub fn list(out: &mut Vec<u8>, attributes: &[Attribute], name: &MailboxName) {
    listed(out, "LIST", attributes, |out| mailbox(out, name));
}

/// The same with the extended data item CHILDINFO: the client's selection options that are met by names below this one
/// that are not listed themselves (RFC 5258 §3.5).
///
/// ```abnf
/// mailbox-list            =/ SP mbox-list-extended
/// mbox-list-extended      = "(" [mbox-list-extended-item *(SP mbox-list-extended-item)] ")"
/// childinfo-extended-item = "CHILDINFO" SP "(" list-select-base-opt-quoted *(SP list-select-base-opt-quoted) ")"
/// ```
pub fn list_with_childinfo(
    out: &mut Vec<u8>,
    attributes: &[Attribute],
    name: &MailboxName,
    fitting: &[&str],
) {
    listed(out, "LIST", attributes, |out| {
        mailbox(out, name);
        out.extend_from_slice(b" (\"CHILDINFO\" (");
        spaced(out, fitting, |out, option| string(out, option.as_bytes()));
        out.extend_from_slice(b"))");
    });
}

/// `"*" SP "LSUB" SP mailbox-list` (RFC 3501 §7.2.3)
pub fn lsub(out: &mut Vec<u8>, attributes: &[Attribute], name: &MailboxName) {
    listed(out, "LSUB", attributes, |out| mailbox(out, name));
}

/// The response to LIST with an empty pattern: the separator and the name of the root, which is empty here
/// (RFC 3501 §6.3.8).
pub fn list_separator(out: &mut Vec<u8>) {
    listed(out, "LIST", &[Attribute::Noselect], |out| astring(out, b""));
}

/// `mailbox-list = "(" [mbx-list-flags] ")" SP DQUOTE QUOTED-CHAR DQUOTE SP mailbox` (RFC 3501 §9)
fn listed(out: &mut Vec<u8>, verb: &str, attributes: &[Attribute], name: impl Fn(&mut Vec<u8>)) {
    formatted(out, format_args!("* {verb} ("));
    spaced(out, attributes, |out, attribute| out.extend_from_slice(attribute.as_str().as_bytes()));
    formatted(out, format_args!(") \"{SEPARATOR}\" "));
    name(out);
    out.extend_from_slice(b"\r\n");
}

/// `"*" SP "STATUS" SP mailbox SP "(" [status-att-list] ")"` (RFC 3501 §7.2.4)
pub fn status(out: &mut Vec<u8>, name: &MailboxName, values: &[(StatusItem, u64)]) {
    out.extend_from_slice(b"* STATUS ");
    mailbox(out, name);
    out.extend_from_slice(b" (");
    spaced(out, values, |out, (item, figure)| formatted(out, format_args!("{} {figure}", item.as_str())));
    out.extend_from_slice(b")\r\n");
}

/// `"*" SP "SEARCH" *(SP nz-number)` (RFC 3501 §7.2.5)
pub fn search(out: &mut Vec<u8>, numbers: impl IntoIterator<Item = u32>) {
    out.extend_from_slice(b"* SEARCH");
    for number in numbers {
        formatted(out, format_args!(" {number}"));
    }
    out.extend_from_slice(b"\r\n");
}

/// `"*" SP "FLAGS" SP flag-list` (RFC 3501 §7.2.6)
pub fn flags(out: &mut Vec<u8>, flags: &[Flag]) {
    out.extend_from_slice(b"* FLAGS (");
    spaced(out, flags, |out, flag| out.extend_from_slice(flag.as_str().as_bytes()));
    out.extend_from_slice(b")\r\n");
}

/// `"*" SP number SP "EXISTS"` (RFC 3501 §7.3.1)
pub fn exists(out: &mut Vec<u8>, count: u32) {
    formatted(out, format_args!("* {count} EXISTS\r\n"));
}

/// `"*" SP number SP "RECENT"` (RFC 3501 §7.3.2)
pub fn recent(out: &mut Vec<u8>, count: u32) {
    formatted(out, format_args!("* {count} RECENT\r\n"));
}

/// `"*" SP nz-number SP "EXPUNGE"` (RFC 3501 §7.4.1). All sequence numbers above this one decrease by one at once.
pub fn expunge(out: &mut Vec<u8>, number: SequenceNumber) {
    formatted(out, format_args!("* {number} EXPUNGE\r\n"));
}
