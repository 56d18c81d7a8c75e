//! Processing of a complete message, up to the reply to the peer.

use smtp_proto::{Reply, Severity, replies};
use tracing::field::Empty;

use super::arrival::Arrival;
use super::client::Client;
use super::envelope::InboundEnvelope;
use super::policy::{Judgement, SessionPolicy, Verdict};
use super::trace::PeerTrace;
use super::{delivery, fields, forwarding, recipient, submission, trace, transcoding};
use crate::checks;
use crate::content::Content;
use crate::local::TargetMailbox;
use crate::queue::Origin;
use crate::site::{Settings, Site};

/// Checks and delivers a message. With a positive reply we take responsibility for it.
pub(super) async fn process(
    site: &Site,
    settings: &Settings,
    client: &Client,
    policy: Option<&mut SessionPolicy>,
    envelope: InboundEnvelope,
    arrival: Arrival,
) -> Reply {
    let id = envelope.id;
    let sender = envelope.sender.clone();
    let recipients = envelope.recipient_count();
    let is_heartbeat = is_heartbeat(site, client, &envelope);
    let mut message = Message { site, settings, client, envelope, judgement: None };
    let reply = match message.prepare_and_deliver(policy, arrival).await {
        Ok(reply) | Err(reply) => reply,
    };
    let (service, peer) = (client.service.name(), client.peer);
    let (verdict, checks) = (message.verdict_name(), message.judgement.as_ref().map(Judgement::summary));
    match reply.severity() {
        // A heartbeat every few minutes, for no user: when it fails, the steward reports where.
        Severity::Completion if is_heartbeat => tracing::debug!(%id, "heartbeat accepted"),
        Severity::Completion => {
            tracing::info!(%id, service, %peer, %sender, recipients, verdict, checks, "message accepted");
        }
        _ => {
            tracing::info!(
                %id, service, %peer, %sender, recipients, checks, %reply, suppressed = Empty, "message refused"
            );
        }
    }
    reply
}

/// True if the heartbeat's mailbox is the only recipient.
fn is_heartbeat(site: &Site, client: &Client, envelope: &InboundEnvelope) -> bool {
    let only = envelope.only_recipient();
    client.is_unauthenticated_local()
        && only.is_some_and(|address| site.directory.internal_mailbox_at(address).is_some())
}

/// A message that has arrived.
struct Message<'m> {
    site: &'m Site,
    settings: &'m Settings,
    client: &'m Client,
    envelope: InboundEnvelope,
    /// The judgement, if the policy applies to the peer.
    judgement: Option<Judgement>,
}

impl Message<'_> {
    async fn prepare_and_deliver(
        &mut self,
        policy: Option<&mut SessionPolicy>,
        arrival: Arrival,
    ) -> Result<Reply, Reply> {
        let (site, settings, client, id) = (self.site, self.settings, self.client, self.envelope.id);
        let has_long_lines = arrival.has_long_lines();
        let mut content = arrival.finish().await?;
        trace::refuse_loops_and_long_headers(&content)?;
        let hostname = &settings.config.hostname;
        let peer = match (&client.user, client.peer.ip()) {
            (Some(user), _) => {
                if has_long_lines || self.envelope.is_binary {
                    transcoding::transcode(site.queue.spool(), id, &mut content, true).await?;
                }
                // Before our signature, which covers the remaining fields.
                trace::remove_forged(&mut content, hostname);
                submission::complete(site, settings, user, id, &mut content).await?;
                PeerTrace::default()
            }
            (None, Some(_)) => self.check(policy, &mut content).await?,
            (None, None) => {
                if self.envelope.is_binary {
                    transcoding::transcode(site.queue.spool(), id, &mut content, false).await?;
                }
                trace::remove_forged(&mut content, hostname);
                PeerTrace::default()
            }
        };
        let envelope = &self.envelope;
        trace::add_trace_fields(&mut content, settings, client, envelope, &peer);
        delivery::deliver(site, settings, client.user.as_ref(), envelope, &content).await
    }

    /// Checks and judges a message of another host; returns what the trace fields tell about it.
    async fn check(
        &mut self,
        mut policy: Option<&mut SessionPolicy>,
        content: &mut Content,
    ) -> Result<PeerTrace, Reply> {
        let (settings, client) = (self.settings, self.client);
        let hostname = &settings.config.hostname;
        trace::refuse_several_authors(content)?;
        let peer = checks::PeerIdentity {
            ip: client.known_ip(&settings.config.login),
            helo: client.hello_name().to_owned(),
        };
        let earlier = match &mut policy {
            Some(policy) => policy.findings().await,
            None => Vec::new(),
        };
        let (id, sender) = (self.envelope.id, &self.envelope.sender);
        let results =
            checks::authenticate(&settings.resolver, hostname, id, &peer, sender, content, earlier).await;
        if results.authenticate(sender) {
            self.envelope.origin = Origin::Authenticated;
        }
        if let Some(policy) = &mut policy {
            let judgement = self.judgement.insert(policy.judge_message(&results, content.header()).await);
            let contact = self.envelope.first_recipient().map(recipient::postmaster_of).unwrap_or_default();
            self.site.metrics.judged(match self.envelope.is_exempt {
                true => (None, "accept"),
                false => judgement.decision(),
            });
            match judgement.verdict(&contact) {
                Verdict::Accept => {}
                _ if self.envelope.is_exempt => {}
                Verdict::Junk => self.make_junk()?,
                Verdict::Defer(reply) | Verdict::Reject(reply) => return Err(reply),
            }
        }
        if !self.envelope.remote().is_empty() {
            forwarding::check(&self.site.directory, hostname, content, &results)?;
        }
        // After the checks, which read the octets that were signed. What leaves again must keep the signature.
        if self.envelope.is_binary {
            let keeps_signature = !self.envelope.remote().is_empty();
            transcoding::transcode(self.site.queue.spool(), id, content, keeps_signature).await?;
        }
        // A signature of the sender may cover a field that is removed.
        trace::remove_forged(content, hostname);
        fields::remove_return_paths(content);
        let is_junk = self.envelope.mailbox == TargetMailbox::Junk;
        Ok(PeerTrace {
            name: match policy {
                Some(policy) => policy.confirmed_name().await.map(str::to_owned),
                None => None,
            },
            fields: results.to_field()
                + &self.judgement.as_ref().map(|judgement| judgement.field(is_junk)).unwrap_or_default(),
        })
    }

    fn make_junk(&mut self) -> Result<(), Reply> {
        let not_forwarded = self.envelope.make_junk().map_err(|_| replies::JUNK_NOT_FORWARDED)?;
        for recipient in not_forwarded {
            tracing::info!(id = %self.envelope.id, %recipient, "not forwarded: junk");
        }
        Ok(())
    }

    /// The verdict for the log, if there is a judgement.
    fn verdict_name(&self) -> Option<&'static str> {
        let is_junk = self.envelope.mailbox == TargetMailbox::Junk;
        self.judgement.as_ref().map(|_| if is_junk { "junk" } else { "accept" })
    }
}
