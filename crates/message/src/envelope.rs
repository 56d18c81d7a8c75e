//! The envelope in IMAP's sense (RFC 3501 §2.3.5 and §7.4.2), read from a header.

use crate::{
    address_list::AddressList,
    author::Author,
    field::{Field, fields},
};

/// A header's main fields. Values are raw: unfolded, encoded words not decoded, no NUL. `None` is a missing field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Date, as it is written.
    pub date: Option<Vec<u8>>,
    /// Subject.
    pub subject: Option<Vec<u8>>,
    /// From: its [`Author`] if the field has one, and otherwise as much of it as can be shown.
    pub from: AddressList,
    /// Sender, empty if missing: see [`Envelope::sender_or_from`].
    pub sender: AddressList,
    /// Reply-To, empty if missing: see [`Envelope::reply_to_or_from`].
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
    /// True if the header repeats a field that occurs once here, such as Subject: a search of all its values must read
    /// the header.
    pub has_repeated_field: bool,
}

impl Envelope {
    /// Reads a header. Of a repeated field that may occur once, the first counts; repeated fields of addresses
    /// are read as one list (RFC 5322 §4.5.3).
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
        self.has_repeated_field |= repeated;
    }

    /// Sender, or From if it is missing (RFC 3501 §7.4.2 requires the server to do this).
    pub fn sender_or_from(&self) -> &AddressList {
        if self.sender.is_empty() { &self.from } else { &self.sender }
    }

    /// Reply-To, or From if it is missing.
    pub fn reply_to_or_from(&self) -> &AddressList {
        if self.reply_to.is_empty() { &self.from } else { &self.reply_to }
    }
}

#[cfg(test)]
mod tests;
