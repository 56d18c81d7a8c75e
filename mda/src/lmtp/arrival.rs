//! A message on its way in: written once, into the first recipient's mailbox, with what final delivery adds on top.

use message::{BodyStart, HeaderSection, compose};
use smtp_proto::Reply;

use super::recipient::Recipient;
use super::reply;
use super::visit::Envelope;
use crate::mailbox::{Incoming, Store, StoreError};
use crate::maildir::MailboxName;

/// A message that is being received.
pub(super) struct Arrival {
    /// For whom it is being written: a place in the envelope.
    pub(super) first: usize,
    /// What was written, or why it could not be. The peer sends to the end whatever happens.
    pub(super) written: Result<Incoming, StoreError>,
    /// How long the fields on top are.
    pub(super) fields: u64,
    /// Reads the header section, until that has ended: what a sender put where no field can stand must not continue ours.
    section: Option<HeaderSection>,
}

impl Arrival {
    /// Makes room for the message with the first recipient for whom that is possible. When it is for none, there is no
    /// need to take the message.
    pub(super) async fn begin(store: &Store, envelope: &Envelope) -> Result<Self, Reply> {
        let mut failure = None;
        for (first, recipient) in envelope.recipients.iter().enumerate() {
            match begin(store, envelope, recipient).await {
                Ok((incoming, fields)) => {
                    return Ok(Self {
                        first,
                        written: Ok(incoming),
                        fields,
                        section: Some(HeaderSection::default()),
                    });
                }
                Err(error) => {
                    tracing::error!(id = %envelope.id, user = %recipient.user, %error, "cannot take a message");
                    failure.get_or_insert(reply::of(&error));
                }
            }
        }
        Err(failure.unwrap_or(smtp_proto::replies::LOCAL_ERROR))
    }

    /// Takes the next octets.
    pub(super) async fn take(&mut self, octets: &[u8]) {
        let Some(section) = &mut self.section else { return self.write(octets).await };
        let mut read = Vec::with_capacity(octets.len() + 2);
        if let Some(BodyStart { held, rest }) = section.read(octets, &mut read) {
            self.section = None;
            read.extend_from_slice(&held);
            read.extend_from_slice(rest);
        }
        self.write(&read).await;
    }

    /// Takes the end of the message.
    pub(super) async fn end(&mut self) {
        if let Some(section) = self.section.take() {
            let mut read = Vec::new();
            let body = section.finish(&mut read);
            read.extend_from_slice(&body);
            self.write(&read).await;
        }
    }

    async fn write(&mut self, octets: &[u8]) {
        if let Ok(incoming) = &mut self.written
            && let Err(error) = incoming.write(octets).await
        {
            // What was written is removed with it.
            self.written = Err(error);
        }
    }
}

/// Begins a recipient's copy, and says how long the fields on top are.
pub(super) async fn begin(
    store: &Store,
    envelope: &Envelope,
    recipient: &Recipient,
) -> Result<(Incoming, u64), StoreError> {
    let account = store.account(&recipient.user.address()).await?;
    let mut incoming = account.incoming(&MailboxName::inbox()).await?;
    incoming.write(fields(envelope, recipient).as_bytes()).await?;
    let length = incoming.size();
    Ok((incoming, length))
}

/// The trace fields of final delivery: `Return-Path` (RFC 5321 §4.4) on top, then `Delivered-To` (RFC 9228).
fn fields(envelope: &Envelope, recipient: &Recipient) -> String {
    let delivered_to = compose::field("Delivered-To", &recipient.address.to_string());
    compose::return_path_field(&envelope.sender) + &delivered_to
}
