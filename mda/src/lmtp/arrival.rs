//! An incoming message: written once, into the first recipient's mailbox, with the trace fields of final delivery on
//! top.

use message::{BodyStart, HeaderSection, compose};
use smtp_proto::Reply;

use super::commands::Envelope;
use super::recipient::Recipient;
use super::reply;
use crate::mailbox::{Account, Incoming, Store, StoreError};
use crate::maildir::MailboxName;

/// A message that is being received.
pub(super) struct Arrival {
    /// The recipient whose copy is being written: an index in the envelope.
    pub(super) first: usize,
    /// The file so far, or the reason why it could not be written. The peer sends to the end in either case.
    pub(super) incoming: Result<Incoming, StoreError>,
    /// Length of the fields on top.
    pub(super) fields: u64,
    /// Reads the header section until its end: a sender's octets where no field can stand must not continue our fields.
    section: Option<HeaderSection>,
}

impl Arrival {
    /// Makes room for the message with the first recipient for whom that is possible. If it is possible for none, the
    /// message is refused before it is sent.
    pub(super) async fn begin(store: &Store, envelope: &Envelope) -> Result<Self, Reply> {
        let mut failure = None;
        for (first, recipient) in envelope.recipients.iter().enumerate() {
            match begin(store, envelope, recipient).await {
                Ok((incoming, fields)) => {
                    return Ok(Self {
                        first,
                        incoming: Ok(incoming),
                        fields,
                        section: Some(HeaderSection::default()),
                    });
                }
                Err(error) => {
                    tracing::error!(id = %envelope.id, user = %recipient.user, %error, "cannot store a message");
                    failure.get_or_insert(reply::for_store_error(&error));
                }
            }
        }
        Err(failure.unwrap_or(smtp_proto::replies::LOCAL_ERROR))
    }

    /// Writes the next octets.
    pub(super) async fn receive(&mut self, octets: &[u8]) {
        let Some(section) = &mut self.section else { return self.write(octets).await };
        let mut read = Vec::with_capacity(octets.len() + 2);
        if let Some(BodyStart { held, rest }) = section.read(octets, &mut read) {
            self.section = None;
            read.extend_from_slice(&held);
            read.extend_from_slice(rest);
        }
        self.write(&read).await;
    }

    /// Ends the message.
    pub(super) async fn finish(&mut self) {
        if let Some(section) = self.section.take() {
            let mut read = Vec::new();
            let body = section.finish(&mut read);
            read.extend_from_slice(&body);
            self.write(&read).await;
        }
    }

    async fn write(&mut self, octets: &[u8]) {
        if let Ok(incoming) = &mut self.incoming
            && let Err(error) = incoming.write(octets).await
        {
            // The partial file is removed with it.
            self.incoming = Err(error);
        }
    }
}

/// Begins a recipient's copy, and returns it with the length of the fields on top.
pub(super) async fn begin(
    store: &Store,
    envelope: &Envelope,
    recipient: &Recipient,
) -> Result<(Incoming, u64), StoreError> {
    let account = store.account(&recipient.user.address()).await?;
    let mut incoming = open(&account, &envelope.mailbox).await?;
    incoming.write(fields(envelope, recipient).as_bytes()).await?;
    let length = incoming.size();
    Ok((incoming, length))
}

/// A message for a mailbox, which is created if it is missing. The user may have removed it, or made it impossible: mail is
/// never refused for that, and goes to INBOX.
async fn open(account: &Account, mailbox: &MailboxName) -> Result<Incoming, StoreError> {
    match account.incoming(mailbox).await {
        Err(StoreError::NoSuchMailbox(_)) => {}
        opened => return opened,
    }
    // Another delivery may have created it meanwhile.
    if let Err(error) = account.create(mailbox).await
        && !matches!(error, StoreError::AlreadyExists(_))
    {
        tracing::warn!(%mailbox, %error, "cannot create a mailbox, delivering to INBOX");
        return account.incoming(&MailboxName::inbox()).await;
    }
    account.incoming(mailbox).await
}

/// The trace fields of final delivery: `Return-Path` (RFC 5321 §4.4) on top, then `Delivered-To` (RFC 9228).
fn fields(envelope: &Envelope, recipient: &Recipient) -> String {
    let delivered_to = compose::field("Delivered-To", &recipient.address.to_string());
    compose::return_path_field(&envelope.sender) + &delivered_to
}
