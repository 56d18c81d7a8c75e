//! The answers to the events of a session, and the state of the transaction between them.
//!
//! ```text
//!  None ──MAIL──> Envelope ──DATA──> Data ──message──> None
//!   ▲                │                │
//!   └─ hello, RSET ──┴─ body refused ─┘
//! ```

use std::sync::Arc;

use accounts::{AppName, LoginWatch};
use serve::{MailId, Stream, metrics};
use smtp_proto::server::{Event, Login, Mail, Message, Rcpt, Request};
use smtp_proto::{Severity, replies};
use tracing::field::Empty;

use super::ServiceKind;
use super::acceptance;
use super::arrival::Arrival;
use super::client::Client;
use super::envelope::InboundEnvelope;
use super::policy::{self, SessionPolicy, Verdict};
use super::{login, quota, recipient, sender};
use crate::metrics::RefusalStep;
use crate::site::{Settings, Site};

/// The state of one connection.
pub(super) struct Commands {
    site: Arc<Site>,
    settings: Arc<Settings>,
    client: Client,
    /// The policy for the peer; `None` if it is not judged.
    policy: Option<SessionPolicy>,
    transaction: Transaction,
    /// The watch on the login, once the client has authenticated.
    login_watch: Option<LoginWatch>,
}

/// The progress of a mail transaction (RFC 5321 §3.3).
enum Transaction {
    None,
    /// The envelope is being built.
    Envelope(InboundEnvelope),
    /// The octets arrive.
    Data(InboundEnvelope, Arrival),
}

impl Commands {
    pub(super) fn new(site: Arc<Site>, settings: Arc<Settings>, client: Client) -> Self {
        let ip = client.known_ip(&settings.config.login);
        let policy = match client.service {
            ServiceKind::Smtp => SessionPolicy::new(settings.clone(), ip),
            ServiceKind::Submission | ServiceKind::Submissions => None,
        };
        Self { site, settings, client, policy, transaction: Transaction::None, login_watch: None }
    }

    /// Discards the envelope, since TLS has begun.
    pub(super) fn tls_started(&mut self, stream: &Stream) {
        self.client.tls_started(stream);
        self.transaction = Transaction::None;
    }

    /// Completes when the login is revoked.
    pub(super) async fn revoked(&mut self) {
        match &mut self.login_watch {
            Some(login_watch) => login_watch.revoked().await,
            None => std::future::pending().await,
        }
    }

    /// Answers an event of a session. Events that need the stream are handled elsewhere.
    pub(super) async fn handle(&mut self, event: Event<'_>) {
        match event {
            Event::Hello(request) => {
                self.client.set_hello(&request);
                if let Some(policy) = &mut self.policy {
                    policy.hello(&self.site.directory, self.client.hello_name());
                }
                self.transaction = Transaction::None;
                request.accept();
            }
            Event::Login(request) => self.login(request).await,
            Event::Mail(request) => self.mail(request),
            Event::Rcpt(request) => self.rcpt(request).await,
            Event::Data(request) => match self.take_transaction() {
                Transaction::Envelope(envelope) => {
                    let arrival =
                        Arrival::begin(envelope.id, self.site.queue.spool(), self.client.user.is_some());
                    self.transaction = Transaction::Data(envelope, arrival);
                    request.accept();
                }
                Transaction::None | Transaction::Data(..) => request.refuse(&replies::LOCAL_ERROR),
            },
            Event::Body(octets) => {
                if let Transaction::Data(_, arrival) = &mut self.transaction {
                    arrival.receive(octets).await;
                }
            }
            Event::BodyRefused(fault) => {
                if let Transaction::Data(envelope, _) = self.take_transaction() {
                    let (id, peer) = (envelope.id, self.client.peer);
                    tracing::info!(%id, %peer, ?fault, suppressed = Empty, "message refused");
                    self.site.metrics.malformed(self.client.service);
                }
            }
            Event::Message(request) => self.message(request).await,
            Event::Reset => self.transaction = Transaction::None,
            // LMTP is not served here; the stream handles the rest.
            Event::Delivery(_) | Event::Output | Event::Input | Event::StartTls(_) | Event::Closed => {}
        }
    }

    async fn login(&mut self, request: Request<'_, Login>) {
        let peer = self.client.peer.address();
        match login::check(&self.site.directory, &request.credentials, peer).await {
            Ok(login) => {
                let accounts::Login { user, device, .. } = &login;
                let device = device.as_ref().map(AppName::as_str);
                tracing::info!(peer = %self.client.peer, %user, device, "logged in");
                self.client.meter.login(metrics::LoginOutcome::Accepted);
                self.client.pace.authenticated(&user.to_string());
                self.client.user = Some(user.clone());
                self.login_watch = Some(self.site.directory.watch(login));
                request.accept();
            }
            Err(reply) => {
                self.client.meter.login(match reply.severity() {
                    Severity::Permanent => metrics::LoginOutcome::Refused,
                    _ => metrics::LoginOutcome::Deferred,
                });
                request.refuse(&reply);
            }
        }
    }

    fn mail(&mut self, request: Request<'_, Mail>) {
        let id = MailId::new();
        let user = self.client.user.as_ref();
        match sender::check(&self.site.directory, user, &request.command.sender) {
            Ok(()) => {
                if let Some(policy) = &mut self.policy {
                    policy.mail(&request.command.sender);
                }
                self.transaction = Transaction::Envelope(InboundEnvelope::new(id, &request.command));
                request.accept();
            }
            Err(reply) => {
                let sender = &request.command.sender;
                let peer = self.client.peer;
                tracing::info!(%id, %peer, %sender, %reply, suppressed = Empty, "sender refused");
                self.site.metrics.refused(self.client.service, RefusalStep::Sender, &reply);
                request.refuse(&reply);
            }
        }
    }

    async fn rcpt(&mut self, request: Request<'_, Rcpt>) {
        let Transaction::Envelope(envelope) = &mut self.transaction else {
            return request.refuse(&replies::LOCAL_ERROR);
        };
        let named = &request.command.recipient;
        let directory = &self.site.directory;
        let internal_mailbox = if self.client.is_unauthenticated_local() {
            recipient::internal_mailbox(directory, named)
        } else {
            None
        };
        let mut resolved = internal_mailbox
            .map(Ok)
            .or_else(|| recipient::return_path(&self.site, &self.settings, &envelope.sender, named))
            .unwrap_or_else(|| recipient::resolve(directory, self.client.user.is_some(), named));
        if let (Ok(_), Some(policy)) = (&resolved, &mut self.policy)
            && !policy::is_exempt(directory, named)
        {
            let judgement = policy.judge_envelope().await;
            match judgement.verdict(&recipient::postmaster_of(named)) {
                Verdict::Defer(reply) | Verdict::Reject(reply) => {
                    let (id, peer, sender) = (envelope.id, self.client.peer, &envelope.sender);
                    let checks = judgement.summary();
                    self.site.metrics.judged(judgement.decision());
                    tracing::info!(%id, %peer, %sender, checks, "refused by the policy");
                    resolved = Err(reply);
                }
                // Decided at the end of the message.
                Verdict::Junk | Verdict::Accept => {}
            }
        }
        // The sender learns it at once: a report goes to an authenticated sender only.
        if let Ok(destinations) = &resolved
            && envelope.requires_tls
            && !destinations.remote.is_empty()
            && !self.settings.outbound.verifies_hosts()
        {
            resolved = Err(replies::REQUIRETLS_REFUSED);
        }
        // A mail client would show the refusal to a user who cannot do anything about it: the queue retries instead.
        if let (Ok(destinations), None) = (&resolved, &self.client.user) {
            let (sender, size) = (&envelope.sender, envelope.declared_size);
            let quota = quota::check(&self.settings, envelope.id, sender, size, destinations).await;
            resolved = quota.and(resolved);
        }
        match resolved {
            Ok(destinations) => {
                envelope.is_exempt &= policy::is_exempt(directory, named);
                envelope.add(named.clone(), destinations);
                request.accept();
            }
            Err(reply) => {
                let (id, peer) = (envelope.id, self.client.peer);
                tracing::info!(%id, %peer, recipient = %named, %reply, suppressed = Empty, "recipient refused");
                self.site.metrics.refused(self.client.service, RefusalStep::Recipient, &reply);
                request.refuse(&reply);
            }
        }
    }

    async fn message(&mut self, request: Request<'_, Message>) {
        let Transaction::Data(envelope, arrival) = self.take_transaction() else {
            return request.answer(&replies::LOCAL_ERROR);
        };
        // Revoked while the message arrived: it must not be sent in the name of a login that is not valid any more.
        if self.login_watch.as_ref().is_some_and(|login_watch| !login_watch.is_valid()) {
            let (id, peer, user) = (envelope.id, self.client.peer, &self.client.user);
            tracing::warn!(%id, %peer, ?user, "message refused: login revoked");
            return request.answer(&replies::LOGIN_REVOKED);
        }
        let reply = acceptance::process(
            &self.site,
            &self.settings,
            &self.client,
            self.policy.as_mut(),
            envelope,
            arrival,
        )
        .await;
        self.site.metrics.message(self.client.service, &reply);
        if reply.severity() == Severity::Completion {
            self.client.pace.accepted();
        }
        request.answer(&reply);
    }

    fn take_transaction(&mut self) -> Transaction {
        std::mem::replace(&mut self.transaction, Transaction::None)
    }
}
