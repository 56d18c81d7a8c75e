//! The envelope that IMAP shows (RFC 3501 §2.3.5 and §7.4.2), read from a header.

use crate::{
    address_list::AddressList,
    author::Author,
    field::{Field, fields},
};

/// A header's main fields. Values are raw: unfolded, encoded words as they are, no NUL. `None` is a field
/// that is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Date, as it is written.
    pub date: Option<Vec<u8>>,
    /// Subject.
    pub subject: Option<Vec<u8>>,
    /// From: its [`Author`] when the field has one, and otherwise what can be shown of it.
    pub from: AddressList,
    /// Sender, empty when there is none: see [`Envelope::sender_or_from`].
    pub sender: AddressList,
    /// Reply-To, empty when there is none: see [`Envelope::reply_to_or_from`].
    pub reply_to: AddressList,
    /// To.
    pub to: AddressList,
    /// Cc.
    pub cc: AddressList,
    /// Bcc.
    pub bcc: AddressList,
    /// In-Reply-To, as it is written.
    pub in_reply_to: Option<Vec<u8>>,
    /// Message-ID, as it is written.
    pub message_id: Option<Vec<u8>>,
    /// A field that is told here once, such as Subject, is in the header again: whoever looks for all that
    /// it holds must read the header.
    pub repeated: bool,
}

impl Envelope {
    /// Reads a header. Of a field that must be there once the first one counts; addresses of fields that
    /// come several times are read as one list (RFC 5322 §4.5.3).
    pub fn parse(header: &[u8]) -> Self {
        let mut envelope = Self::default();
        for field in fields(header) {
            envelope.take(&field);
        }
        if let Ok(author) = Author::of(header) {
            envelope.from.entries = author.entries();
        }
        envelope
    }

    fn take(&mut self, field: &Field<'_>) {
        let mut name = [0u8; 11];
        let Some(name) = name.get_mut(..field.name.len()) else { return };
        name.copy_from_slice(field.name);
        name.make_ascii_lowercase();
        let mut repeated = false;
        let mut once = |slot: &mut Option<Vec<u8>>| match slot {
            None => *slot = Some(field.unfolded().into_owned()),
            Some(_) => repeated = true,
        };
        match &*name {
            b"date" => once(&mut self.date),
            b"subject" => once(&mut self.subject),
            b"from" => self.from.append(field.value),
            b"sender" => self.sender.append(field.value),
            b"reply-to" => self.reply_to.append(field.value),
            b"to" => self.to.append(field.value),
            b"cc" => self.cc.append(field.value),
            b"bcc" => self.bcc.append(field.value),
            b"in-reply-to" => once(&mut self.in_reply_to),
            b"message-id" => once(&mut self.message_id),
            _ => {}
        }
        self.repeated |= repeated;
    }

    /// Sender, or From when there is none (RFC 3501 §7.4.2 asks the server to do this).
    pub fn sender_or_from(&self) -> &AddressList {
        if self.sender.is_empty() { &self.from } else { &self.sender }
    }

    /// Reply-To, or From when there is none.
    pub fn reply_to_or_from(&self) -> &AddressList {
        if self.reply_to.is_empty() { &self.from } else { &self.reply_to }
    }
}

#[cfg(test)]
mod tests;
