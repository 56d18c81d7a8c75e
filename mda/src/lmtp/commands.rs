//! Answers the events of a session, and keeps the transaction between them.
//!
//! ```text
//!  None ──MAIL──▶ Envelope ──DATA──▶ Data ──message──▶ None
//!   ▲                │                │
//!   └─ LHLO, RSET ───┴─ body refused ─┘
//! ```

use std::sync::Arc;

use address::ReversePath;
use serve::MailId;
use smtp_proto::command::MailCommand;
use smtp_proto::server::{Data, Delivery, Event, Rcpt, Request};
use smtp_proto::{Reply, replies};
use tracing::field::Empty;

use super::arrival::Arrival;
use super::recipient::{self, Recipient};
use super::{Server, delivery, reply};
use crate::mailbox::{Store, StoreError};
use crate::maildir::MailboxName;

/// The mailbox for mail that the MTA calls junk (RFC 6154, `\Junk`).
const JUNK: &str = "Junk";

/// The server's side of one connection.
pub(super) struct Commands {
    server: Arc<Server>,
    transaction: Transaction,
}

/// The state of a transaction.
enum Transaction {
    None,
    /// The envelope is being received.
    Envelope(Envelope),
    /// The message is being received.
    Data(Envelope, Arrival),
}

/// The sender and the recipients of a message.
pub(super) struct Envelope {
    /// The MTA's identifier of the message, or one of our own if it sent none.
    pub(super) id: String,
    pub(super) sender: ReversePath,
    /// Size of the message, as far as the MTA announced it.
    size: u64,
    /// The mailbox of each recipient.
    pub(super) mailbox: MailboxName,
    pub(super) recipients: Vec<Recipient>,
}

impl Envelope {
    fn new(command: &MailCommand) -> Self {
        let named = command.envelope_id.as_ref().map(ToString::to_string);
        let id = named.unwrap_or_else(|| MailId::new().to_string());
        let junk = || MailboxName::parse(JUNK).expect("it is a name");
        Self {
            id,
            sender: command.sender.clone(),
            size: command.size.unwrap_or(1),
            mailbox: if command.is_junk { junk() } else { MailboxName::inbox() },
            recipients: Vec::new(),
        }
    }
}

impl Commands {
    pub(super) fn new(server: Arc<Server>) -> Self {
        Self { server, transaction: Transaction::None }
    }

    /// Answers an event of the session. Events for the stream are ignored.
    pub(super) async fn handle(&mut self, event: Event<'_>) {
        match event {
            Event::Hello(request) => {
                self.transaction = Transaction::None;
                request.accept();
            }
            Event::Mail(request) => {
                self.transaction = Transaction::Envelope(Envelope::new(&request.command));
                request.accept();
            }
            Event::Rcpt(request) => self.rcpt(request).await,
            Event::Data(request) => self.data(request).await,
            Event::Body(octets) => {
                if let Transaction::Data(_, arrival) = &mut self.transaction {
                    arrival.receive(octets).await;
                }
            }
            Event::Delivery(request) => self.deliver(request).await,
            Event::BodyRefused(fault) => {
                if let Transaction::Data(envelope, _) = self.take_transaction() {
                    tracing::info!(id = %envelope.id, ?fault, suppressed = Empty, "message refused");
                }
            }
            Event::Reset => self.transaction = Transaction::None,
            // LMTP has neither SMTP messages nor logins nor TLS; the rest is for the stream.
            Event::Message(_) | Event::Login(_) | Event::StartTls(_) => {}
            Event::Output | Event::Input | Event::Closed => {}
        }
    }

    async fn rcpt(&mut self, request: Request<'_, Rcpt>) {
        let Transaction::Envelope(envelope) = &mut self.transaction else {
            return request.refuse(&replies::LOCAL_ERROR);
        };
        let resolved = recipient::resolve(&self.server.directory, &request.command.recipient);
        let resolved = match resolved {
            Ok(recipient) => has_room(&self.server.store, envelope, &recipient).await.map(|()| recipient),
            Err(reply) => Err(reply),
        };
        match resolved {
            Ok(recipient) => {
                envelope.recipients.push(recipient);
                request.accept();
            }
            Err(reply) => {
                let (id, recipient) = (&envelope.id, &request.command.recipient);
                tracing::info!(%id, %recipient, %reply, suppressed = Empty, "recipient refused");
                request.refuse(&reply);
            }
        }
    }

    async fn data(&mut self, request: Request<'_, Data>) {
        let Transaction::Envelope(envelope) = self.take_transaction() else {
            return request.refuse(&replies::LOCAL_ERROR);
        };
        match Arrival::begin(&self.server.store, &envelope).await {
            Ok(arrival) => {
                self.transaction = Transaction::Data(envelope, arrival);
                request.accept();
            }
            Err(reply) => {
                self.transaction = Transaction::Envelope(envelope);
                request.refuse(&reply);
            }
        }
    }

    async fn deliver(&mut self, request: Request<'_, Delivery>) {
        let Transaction::Data(envelope, arrival) = self.take_transaction() else {
            return request.answer([]);
        };
        let answers = delivery::deliver(&self.server.store, &envelope, arrival).await;
        request.answer(answers);
    }

    fn take_transaction(&mut self) -> Transaction {
        std::mem::replace(&mut self.transaction, Transaction::None)
    }
}

/// Checks that a recipient's mailbox has room for the message. The room is not reserved: the peer may never send a
/// message, and when it does the room is checked again. An error of the store is handled when the message has arrived.
async fn has_room(store: &Store, envelope: &Envelope, recipient: &Recipient) -> Result<(), Reply> {
    let user = recipient.user.address();
    if !store.has_quota(&user) {
        return Ok(());
    }
    let room = match store.account(&user).await {
        Ok(account) => account.reserve(envelope.size.max(1)).await.map(drop),
        Err(error) => Err(error),
    };
    match room {
        Err(error @ StoreError::OverQuota { .. }) => Err(reply::for_store_error(&error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
