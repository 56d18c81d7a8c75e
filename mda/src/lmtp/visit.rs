//! Answers the events of a session, and keeps the transaction between them.
//!
//! ```text
//!  Nothing ──MAIL──▶ Announced ──DATA──▶ Arriving ──message──▶ Nothing
//!     ▲                  │                   │
//!     └─ LHLO, RSET ─────┴── body refused ───┘
//! ```

use std::sync::Arc;

use address::ReversePath;
use serve::MailId;
use smtp_proto::command::MailCommand;
use smtp_proto::server::{Asked, Data, Delivery, Event, Rcpt};
use smtp_proto::{Reply, replies};
use tracing::field::Empty;

use super::arrival::Arrival;
use super::recipient::{self, Recipient};
use super::{Server, delivery, reply};
use crate::mailbox::{Store, StoreError};

/// More recipients than the MTA sends in one transaction (RFC 5321 §4.5.3.1.8 asks for 100).
const RECIPIENTS: usize = 1000;

/// The server's side of one connection.
pub(super) struct Visit {
    server: Arc<Server>,
    business: Business,
}

/// The state of a transaction.
enum Business {
    Nothing,
    /// The envelope is being received.
    Announced(Envelope),
    /// The message is being received.
    Arriving(Envelope, Arrival),
}

/// The sender and the recipients of a message.
pub(super) struct Envelope {
    /// The MTA's identifier of the message, or one of our own if it sent none.
    pub(super) id: String,
    pub(super) sender: ReversePath,
    /// Size of the message, as far as the MTA announced it.
    size: u64,
    pub(super) recipients: Vec<Recipient>,
}

impl Envelope {
    fn new(command: &MailCommand) -> Self {
        let named = command.envelope_id.as_ref().map(ToString::to_string);
        let id = named.unwrap_or_else(|| MailId::new().to_string());
        Self { id, sender: command.sender.clone(), size: command.size.unwrap_or(1), recipients: Vec::new() }
    }
}

impl Visit {
    pub(super) fn new(server: Arc<Server>) -> Self {
        Self { server, business: Business::Nothing }
    }

    /// Answers an event of the session. Events for the stream are ignored.
    pub(super) async fn answer(&mut self, event: Event<'_>) {
        match event {
            Event::Hello(asked) => {
                self.business = Business::Nothing;
                asked.accept();
            }
            Event::Mail(asked) => {
                self.business = Business::Announced(Envelope::new(&asked.command));
                asked.accept();
            }
            Event::Rcpt(asked) => self.rcpt(asked).await,
            Event::Data(asked) => self.data(asked).await,
            Event::Body(octets) => {
                if let Business::Arriving(_, arrival) = &mut self.business {
                    arrival.take(octets).await;
                }
            }
            Event::Delivery(asked) => self.deliver(asked).await,
            Event::BodyRefused(fault) => {
                if let Business::Arriving(envelope, _) = self.take_business() {
                    tracing::info!(id = %envelope.id, ?fault, suppressed = Empty, "message refused");
                }
            }
            Event::Reset => self.business = Business::Nothing,
            // LMTP has neither SMTP messages nor logins nor TLS; the rest is for the stream.
            Event::Message(_) | Event::Login(_) | Event::StartTls(_) => {}
            Event::Output | Event::Input | Event::Closed => {}
        }
    }

    async fn rcpt(&mut self, asked: Asked<'_, Rcpt>) {
        let Business::Announced(envelope) = &mut self.business else {
            return asked.refuse(&replies::LOCAL_ERROR);
        };
        if envelope.recipients.len() >= RECIPIENTS {
            return asked.refuse(&replies::TOO_MANY_RECIPIENTS);
        }
        let resolved = recipient::resolve(&self.server.directory, &asked.command.recipient);
        let resolved = match resolved {
            Ok(recipient) => has_room(&self.server.store, envelope, &recipient).await.map(|()| recipient),
            Err(reply) => Err(reply),
        };
        match resolved {
            Ok(recipient) => {
                envelope.recipients.push(recipient);
                asked.accept();
            }
            Err(reply) => {
                let (id, recipient) = (&envelope.id, &asked.command.recipient);
                tracing::info!(%id, %recipient, %reply, suppressed = Empty, "recipient refused");
                asked.refuse(&reply);
            }
        }
    }

    async fn data(&mut self, asked: Asked<'_, Data>) {
        let Business::Announced(envelope) = self.take_business() else {
            return asked.refuse(&replies::LOCAL_ERROR);
        };
        match Arrival::begin(&self.server.store, &envelope).await {
            Ok(arrival) => {
                self.business = Business::Arriving(envelope, arrival);
                asked.accept();
            }
            Err(reply) => {
                self.business = Business::Announced(envelope);
                asked.refuse(&reply);
            }
        }
    }

    async fn deliver(&mut self, asked: Asked<'_, Delivery>) {
        let Business::Arriving(envelope, arrival) = self.take_business() else {
            return asked.answer([]);
        };
        let answers = delivery::deliver(&self.server.store, &envelope, arrival).await;
        asked.answer(answers);
    }

    fn take_business(&mut self) -> Business {
        std::mem::replace(&mut self.business, Business::Nothing)
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
        Ok(account) => account.room(envelope.size.max(1)).await.map(drop),
        Err(error) => Err(error),
    };
    match room {
        Err(error @ StoreError::OverQuota { .. }) => Err(reply::of(&error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
