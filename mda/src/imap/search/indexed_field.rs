//! Header fields that the index has, since ENVELOPE shows them: most searches are for these, and read no message.

use message::address_list::AddressEntry;
use message::{AddressList, Envelope, Mailbox, encoded_word};

use super::strings::Needle;

/// The content of a field as far as the envelope has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IndexedField {
    /// The message has no such field.
    Absent,
    /// The field's content, decoded.
    Complete(String),
    /// Part of the field's content, decoded, as a client shows it; the rest is only in the field itself.
    Partial(String),
    /// The field itself must be read.
    Unknown,
}

/// Returns true if the field is one of the envelope's. The name is in upper case.
pub(super) fn is_indexed(name: &str) -> bool {
    matches!(
        name,
        "FROM"
            | "TO"
            | "CC"
            | "BCC"
            | "SENDER"
            | "REPLY-TO"
            | "SUBJECT"
            | "MESSAGE-ID"
            | "IN-REPLY-TO"
            | "DATE"
    )
}

/// The content of the field in the envelope, as far as it decides whether the field contains the text.
///
/// Addresses are indexed without their quotes and comments. So a text with the characters that quote or divide
/// addresses is also looked up in the field itself, as is any text where the envelope does not show the whole field.
pub(super) fn indexed_field(envelope: &Envelope, name: &str, needle: &Needle) -> IndexedField {
    let list = match name {
        "FROM" => &envelope.from,
        "TO" => &envelope.to,
        "CC" => &envelope.cc,
        "BCC" => &envelope.bcc,
        "SENDER" => &envelope.sender,
        "REPLY-TO" => &envelope.reply_to,
        "SUBJECT" => return unstructured(envelope.subject.as_deref(), envelope.has_repeated_field),
        "MESSAGE-ID" => return unstructured(envelope.message_id.as_deref(), envelope.has_repeated_field),
        "IN-REPLY-TO" => return unstructured(envelope.in_reply_to.as_deref(), envelope.has_repeated_field),
        "DATE" => return unstructured(envelope.date.as_deref(), envelope.has_repeated_field),
        _ => return IndexedField::Unknown,
    };
    match list {
        // The field may be there and be empty, or hold nothing that is an address.
        list if list.is_empty() && (list.is_lossy || needle.is_empty() || !needle.is_plain()) => {
            IndexedField::Unknown
        }
        list if list.is_empty() => IndexedField::Absent,
        list if list.is_lossy || !needle.is_plain() => IndexedField::Partial(addresses(list)),
        list => IndexedField::Complete(addresses(list)),
    }
}

/// A field that occurs more than once holds more than the envelope.
fn unstructured(value: Option<&[u8]>, repeated: bool) -> IndexedField {
    match value {
        None => IndexedField::Absent,
        Some(_) if repeated => IndexedField::Unknown,
        Some(value) => IndexedField::Complete(encoded_word::decode(value)),
    }
}

fn addresses(list: &AddressList) -> String {
    let mut text = String::new();
    for entry in &list.entries {
        match entry {
            AddressEntry::Mailbox(mailbox) => address(&mut text, mailbox),
            AddressEntry::Group { name, members } => {
                text.push_str(&encoded_word::decode(name));
                text.push(':');
                members.iter().for_each(|member| address(&mut text, member));
                text.push(';');
            }
        }
    }
    text
}

/// Writes `name <local@domain>, `, which no plain text can match across.
fn address(text: &mut String, mailbox: &Mailbox) {
    if let Some(name) = &mailbox.name {
        text.push_str(&encoded_word::decode(name));
        text.push(' ');
    }
    text.push('<');
    text.push_str(&String::from_utf8_lossy(&mailbox.local));
    text.push('@');
    text.push_str(&String::from_utf8_lossy(&mailbox.domain));
    text.push_str(">, ");
}

#[cfg(test)]
mod tests {
    use message::Charset;

    use super::*;

    fn found(header: &[u8], name: &str, text: &str) -> Option<bool> {
        let needle = Needle::new(Charset::UTF_8, text.as_bytes());
        match indexed_field(&Envelope::parse(header), name, &needle) {
            IndexedField::Absent => Some(false),
            IndexedField::Complete(held) => Some(needle.is_in(&message::text::folded(&held))),
            IndexedField::Partial(held) => needle.is_in(&message::text::folded(&held)).then_some(true),
            IndexedField::Unknown => None,
        }
    }

    #[test]
    fn the_envelope_answers_for_names_and_addresses() {
        let header = b"From: =?utf-8?Q?J=C3=BCrgen?= \"Jay\" <jay@x.example>\r\nTo: Team: a@x.example;\r\n\
            Subject: =?utf-8?Q?Gr=C3=BC?= =?utf-8?Q?=C3=9Fe?=\r\n\r\n";
        for (name, text, expected) in [
            ("FROM", "j\u{fc}rgen jay", true),
            ("FROM", "JAY@X", true),
            ("FROM", "Jay <jay@x.example>", true),
            ("FROM", "bob", false),
            ("TO", "team", true),
            ("TO", "x.example", true),
            ("CC", "a", false),
            ("SUBJECT", "GR\u{dc}SSE", true),
            ("SUBJECT", "", true),
            ("MESSAGE-ID", "", false),
        ] {
            assert_eq!(found(header, name, text), Some(expected), "{name} {text}");
        }
    }

    #[test]
    fn a_field_is_read_when_the_envelope_does_not_hold_all_of_it() {
        assert_eq!(found(b"From: Ann (at work) <a@x.example>\r\n", "FROM", "work"), None);
        assert_eq!(found(b"From: Ann <a@x.example>\r\n", "FROM", "\"Ann\""), None);
        assert_eq!(found(b"To:\r\n", "TO", ""), None);
        assert_eq!(found(b"Subject: one\r\nSubject: two\r\n", "SUBJECT", "two"), None);
        assert_eq!(found(b"X-Spam: yes\r\n", "X-SPAM", "yes"), None);
    }
}
