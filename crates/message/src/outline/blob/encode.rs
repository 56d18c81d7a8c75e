//! Encoding of the blob, which cannot fail.

use crate::{
    AddressList, Envelope, Mailbox, Outline, Part, Span, address_list::AddressEntry, mime::Parameters,
    outline::Content,
};

pub(super) fn outline(outline: &Outline, out: &mut Vec<u8>) {
    envelope(&outline.envelope, out);
    part(&outline.root, outline.root.header.start, out);
}

fn envelope(envelope: &Envelope, out: &mut Vec<u8>) {
    optional(envelope.date.as_deref(), out);
    optional(envelope.subject.as_deref(), out);
    for list in
        [&envelope.from, &envelope.sender, &envelope.reply_to, &envelope.to, &envelope.cc, &envelope.bcc]
    {
        address_list(list, out);
    }
    optional(envelope.in_reply_to.as_deref(), out);
    optional(envelope.message_id.as_deref(), out);
    out.push(u8::from(envelope.has_repeated_field));
}

/// Twice the count of entries, and one more when the list is lossy; each entry begins with 0 for a mailbox or
/// 1 for a group.
fn address_list(list: &AddressList, out: &mut Vec<u8>) {
    number(list.entries.len() as u64 * 2 + u64::from(list.is_lossy), out);
    for entry in &list.entries {
        match entry {
            AddressEntry::Mailbox(one) => {
                out.push(0);
                mailbox(one, out);
            }
            AddressEntry::Group { name, members } => {
                out.push(1);
                octets(name, out);
                number(members.len() as u64, out);
                members.iter().for_each(|member| mailbox(member, out));
            }
        }
    }
}

fn mailbox(mailbox: &Mailbox, out: &mut Vec<u8>) {
    optional(mailbox.name.as_deref(), out);
    optional(mailbox.route.as_deref(), out);
    octets(&mailbox.local, out);
    octets(&mailbox.domain, out);
}

/// Writes a part; `base` is the position of the part around it.
fn part(part: &Part, base: u64, out: &mut Vec<u8>) {
    span(part.header, base, out);
    span(part.body, part.header.end, out);
    number(part.lines, out);
    octets(&part.content_type.kind, out);
    octets(&part.content_type.subtype, out);
    parameters(&part.content_type.parameters, out);
    match &part.disposition {
        None => out.push(0),
        Some(disposition) => {
            out.push(1);
            octets(&disposition.kind, out);
            parameters(&disposition.parameters, out);
        }
    }
    for value in [&part.id, &part.description, &part.encoding, &part.md5, &part.location] {
        optional(value.as_deref(), out);
    }
    number(part.language.len() as u64, out);
    part.language.iter().for_each(|tag| octets(tag, out));
    content(part, out);
}

/// Writes 0 for a single part, 1 for a multipart, 2 for a message.
fn content(whole: &Part, out: &mut Vec<u8>) {
    match &whole.content {
        Content::Single => out.push(0),
        Content::Multipart(parts) => {
            out.push(1);
            number(parts.len() as u64, out);
            parts.iter().for_each(|inner| part(inner, whole.body.start, out));
        }
        Content::Message(message) => {
            out.push(2);
            outline(message, out);
        }
    }
}

/// Writes the start relative to `base`, the stored length, and the number of lone line feeds.
fn span(span: Span, base: u64, out: &mut Vec<u8>) {
    number(span.start - base, out);
    number(span.stored(), out);
    number(span.octets - span.stored(), out);
}

fn parameters(parameters: &Parameters, out: &mut Vec<u8>) {
    number(parameters.0.len() as u64, out);
    for parameter in &parameters.0 {
        octets(&parameter.name, out);
        octets(&parameter.value, out);
    }
}

fn octets(value: &[u8], out: &mut Vec<u8>) {
    number(value.len() as u64, out);
    out.extend_from_slice(value);
}

fn optional(value: Option<&[u8]>, out: &mut Vec<u8>) {
    match value {
        None => number(0, out),
        Some(value) => {
            number(value.len() as u64 + 1, out);
            out.extend_from_slice(value);
        }
    }
}

fn number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
