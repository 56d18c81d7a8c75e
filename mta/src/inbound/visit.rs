//! The answers to the events of a session, and the state between them.
//!
//! ```text
//!  Nothing ──MAIL──> Announced ──DATA──> Arriving ──message──> Nothing
//!     ▲                  │                   │
//!     └─ hello, RSET ────┴── body refused ───┘
//! ```

use std::sync::Arc;

use accounts::{AppName, Vigil};
use serve::{MailId, Stream, metrics};
use smtp_proto::server::{Asked, Event, Login, Mail, Message, Rcpt};
use smtp_proto::{Severity, replies};
use tracing::field::Empty;

use super::acceptance;
use super::arrival::Arrival;
use super::client::Client;
use super::transaction::Transaction;
use super::{login, recipient, room, sender};
use crate::metrics::Step;
use crate::site::{Settings, Site};

/// The state of one connection.
pub(super) struct Visit {
    site: Arc<Site>,
    settings: Arc<Settings>,
    client: Client,
    business: Business,
    /// The watch on the login, once the client has authenticated.
    vigil: Option<Vigil>,
}

/// The progress of a message.
enum Business {
    Nothing,
    /// The envelope is being built.
    Announced(Transaction),
    /// The octets arrive.
    Arriving(Transaction, Arrival),
}

impl Visit {
    pub(super) fn new(site: Arc<Site>, settings: Arc<Settings>, client: Client) -> Self {
        Self { site, settings, client, business: Business::Nothing, vigil: None }
    }

    /// Discards the envelope, since TLS has begun.
    pub(super) fn tls_started(&mut self, stream: &Stream) {
        self.client.tls_started(stream);
        self.business = Business::Nothing;
    }

    /// Completes when the login is revoked.
    pub(super) async fn expelled(&mut self) {
        match &mut self.vigil {
            Some(vigil) => vigil.expelled().await,
            None => std::future::pending().await,
        }
    }

    /// Answers an event of a session. Events that need the stream are handled elsewhere.
    pub(super) async fn answer(&mut self, event: Event<'_>) {
        match event {
            Event::Hello(asked) => {
                self.client.set_hello(&asked);
                self.business = Business::Nothing;
                asked.accept();
            }
            Event::Login(asked) => self.login(asked).await,
            Event::Mail(asked) => self.mail(asked),
            Event::Rcpt(asked) => self.rcpt(asked).await,
            Event::Data(asked) => match self.take_business() {
                Business::Announced(transaction) => {
                    let arrival = Arrival::begin(transaction.id, self.site.queue.spool());
                    self.business = Business::Arriving(transaction, arrival);
                    asked.accept();
                }
                Business::Nothing | Business::Arriving(..) => asked.refuse(&replies::LOCAL_ERROR),
            },
            Event::Body(octets) => {
                if let Business::Arriving(_, arrival) = &mut self.business {
                    arrival.take(octets).await;
                }
            }
            Event::BodyRefused(fault) => {
                if let Business::Arriving(transaction, _) = self.take_business() {
                    let (id, peer) = (transaction.id, self.client.peer);
                    tracing::info!(%id, %peer, ?fault, suppressed = Empty, "message refused");
                    self.site.metrics.malformed(self.client.service);
                }
            }
            Event::Message(asked) => self.message(asked).await,
            Event::Reset => self.business = Business::Nothing,
            // LMTP is not served here; the stream handles the rest.
            Event::Delivery(_) | Event::Output | Event::Input | Event::StartTls(_) | Event::Closed => {}
        }
    }

    async fn login(&mut self, asked: Asked<'_, Login>) {
        let peer = self.client.peer.address();
        match login::check(&self.site.directory, &asked.credentials, peer).await {
            Ok(login) => {
                let accounts::Login { user, device, .. } = &login;
                let device = device.as_ref().map(AppName::as_str);
                tracing::info!(peer = %self.client.peer, %user, device, "logged in");
                self.client.meter.login(metrics::Login::Accepted);
                self.client.pace.authenticated(&user.to_string());
                self.client.user = Some(user.clone());
                self.vigil = Some(self.site.directory.watch(login));
                asked.accept();
            }
            Err(reply) => {
                self.client.meter.login(match reply.severity() {
                    Severity::Permanent => metrics::Login::Refused,
                    _ => metrics::Login::PutOff,
                });
                asked.refuse(&reply);
            }
        }
    }

    fn mail(&mut self, asked: Asked<'_, Mail>) {
        let id = MailId::new();
        let user = self.client.user.as_ref();
        match sender::check(&self.site.directory, user, &asked.command.sender) {
            Ok(()) => {
                self.business = Business::Announced(Transaction::new(id, &asked.command));
                asked.accept();
            }
            Err(reply) => {
                let sender = &asked.command.sender;
                let peer = self.client.peer;
                tracing::info!(%id, %peer, %sender, %reply, suppressed = Empty, "sender refused");
                self.site.metrics.refused(self.client.service, Step::Sender, &reply);
                asked.refuse(&reply);
            }
        }
    }

    async fn rcpt(&mut self, asked: Asked<'_, Rcpt>) {
        let Business::Announced(transaction) = &mut self.business else {
            return asked.refuse(&replies::LOCAL_ERROR);
        };
        if transaction.count() >= self.settings.config.limits.recipients {
            return asked.refuse(&replies::TOO_MANY_RECIPIENTS);
        }
        let named = &asked.command.recipient;
        let directory = &self.site.directory;
        let hidden =
            if self.client.is_on_this_machine() { recipient::hidden(directory, named) } else { None };
        let mut resolved =
            hidden.map_or_else(|| recipient::resolve(directory, self.client.user.as_ref(), named), Ok);
        // A mail client would show the refusal to a user who cannot do anything about it: the queue retries instead.
        if let (Ok(destinations), None) = (&resolved, &self.client.user) {
            let (sender, size) = (&transaction.sender, transaction.declared_size);
            let room = room::check(&self.settings, transaction.id, sender, size, destinations).await;
            resolved = room.and(resolved);
        }
        match resolved {
            Ok(destinations) => {
                transaction.add(named.clone(), destinations);
                asked.accept();
            }
            Err(reply) => {
                let (id, peer) = (transaction.id, self.client.peer);
                tracing::info!(%id, %peer, recipient = %named, %reply, suppressed = Empty, "recipient refused");
                self.site.metrics.refused(self.client.service, Step::Recipient, &reply);
                asked.refuse(&reply);
            }
        }
    }

    async fn message(&mut self, asked: Asked<'_, Message>) {
        let Business::Arriving(transaction, arrival) = self.take_business() else {
            return asked.answer(&replies::LOCAL_ERROR);
        };
        // Revoked while the message arrived: it must not be sent in the name of a login that is not valid any more.
        if self.vigil.as_ref().is_some_and(|vigil| !vigil.stands()) {
            let (id, peer, user) = (transaction.id, self.client.peer, &self.client.user);
            tracing::warn!(%id, %peer, ?user, "message refused, the login has fallen");
            return asked.answer(&replies::LOGIN_FALLEN);
        }
        let reply =
            acceptance::conclude(&self.site, &self.settings, &self.client, transaction, arrival).await;
        self.site.metrics.message(self.client.service, &reply);
        if reply.severity() == Severity::Done {
            self.client.pace.accepted();
        }
        asked.answer(&reply);
    }

    fn take_business(&mut self) -> Business {
        std::mem::replace(&mut self.business, Business::Nothing)
    }
}
