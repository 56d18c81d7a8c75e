//! ENVELOPE as IMAP writes it (RFC 3501 §7.4.2 and §9).

use imap_proto::response::string::{nstring, string};
use message::{AddressList, Envelope, Mailbox, address_list::AddressEntry};

/// ```abnf
/// envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP
///            env-bcc SP env-in-reply-to SP env-message-id ")"
/// ```
pub(super) fn write(out: &mut Vec<u8>, envelope: &Envelope) {
    out.push(b'(');
    nstring(out, envelope.date.as_deref());
    out.push(b' ');
    nstring(out, envelope.subject.as_deref());
    for list in [
        &envelope.from,
        envelope.sender_or_from(),
        envelope.reply_to_or_from(),
        &envelope.to,
        &envelope.cc,
        &envelope.bcc,
    ] {
        out.push(b' ');
        addresses(out, list);
    }
    out.push(b' ');
    nstring(out, envelope.in_reply_to.as_deref());
    out.push(b' ');
    nstring(out, envelope.message_id.as_deref());
    out.push(b')');
}

/// `"(" 1*address ")" / nil`. A group begins with an address that has only the group's name, as its mailbox, and ends
/// with an address without any part.
fn addresses(out: &mut Vec<u8>, list: &AddressList) {
    if list.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for entry in &list.entries {
        match entry {
            AddressEntry::Mailbox(mailbox) => address(out, mailbox),
            AddressEntry::Group { name, members } => {
                out.extend_from_slice(b"(NIL NIL ");
                string(out, name);
                out.extend_from_slice(b" NIL)");
                members.iter().for_each(|member| address(out, member));
                out.extend_from_slice(b"(NIL NIL NIL NIL)");
            }
        }
    }
    out.push(b')');
}

/// ```abnf
/// address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
/// ```
/// An address without a domain gets an empty one, since NIL would make it a group.
fn address(out: &mut Vec<u8>, mailbox: &Mailbox) {
    out.push(b'(');
    nstring(out, mailbox.name.as_deref());
    out.push(b' ');
    nstring(out, mailbox.route.as_deref());
    out.push(b' ');
    string(out, &mailbox.local);
    out.push(b' ');
    string(out, &mailbox.domain);
    out.push(b')');
}
