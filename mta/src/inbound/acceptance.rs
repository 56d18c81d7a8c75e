//! Processing of a complete message, up to the reply to the peer.

use smtp_proto::{Reply, Severity};
use tracing::field::Empty;

use super::arrival::Arrival;
use super::client::Client;
use super::envelope::InboundEnvelope;
use super::policy::SessionPolicy;
use super::{delivery, fields, forwarding, submission, trace};
use crate::checks;
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
    let reply = match prepare_and_deliver(site, settings, client, policy, envelope, arrival).await {
        Ok(reply) | Err(reply) => reply,
    };
    let (service, peer) = (client.service.name(), client.peer);
    match reply.severity() {
        // A heartbeat every few minutes, for no user: when it fails, the steward reports where.
        Severity::Completion if is_heartbeat => tracing::debug!(%id, "heartbeat accepted"),
        Severity::Completion => tracing::info!(%id, service, %peer, %sender, recipients, "message accepted"),
        _ => {
            tracing::info!(%id, service, %peer, %sender, recipients, %reply, suppressed = Empty, "message refused")
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

async fn prepare_and_deliver(
    site: &Site,
    settings: &Settings,
    client: &Client,
    mut policy: Option<&mut SessionPolicy>,
    envelope: InboundEnvelope,
    arrival: Arrival,
) -> Result<Reply, Reply> {
    let id = envelope.id;
    let mut content = arrival.finish().await?;
    trace::refuse_loops_and_long_headers(&content)?;
    let hostname = &settings.config.hostname;
    let results = match (&client.user, client.peer.ip()) {
        (Some(user), _) => {
            // Before our signature, which covers the remaining fields.
            trace::remove_forged(&mut content, hostname);
            submission::complete(site, settings, user, id, &mut content).await?;
            None
        }
        (None, Some(ip)) => {
            trace::refuse_several_authors(&content)?;
            // Connections through the gateway share its address, so DNS records of that address say nothing about the
            // peer.
            let ip = Some(ip).filter(|ip| !settings.config.login.is_gateway(*ip));
            let peer = checks::PeerIdentity { ip, helo: client.hello_name().to_owned() };
            let sender = &envelope.sender;
            let earlier = match &mut policy {
                Some(policy) => policy.findings().await,
                None => Vec::new(),
            };
            let resolver = &settings.resolver;
            let results =
                checks::authenticate(resolver, hostname, id, &peer, sender, &content, earlier).await;
            if !envelope.remote().is_empty() {
                forwarding::check(&site.directory, hostname, &content, &results)?;
            }
            // After the checks: a signature of the sender may cover a field that is removed.
            trace::remove_forged(&mut content, hostname);
            fields::remove_return_paths(&mut content);
            Some(results)
        }
        (None, None) => {
            trace::remove_forged(&mut content, hostname);
            None
        }
    };
    let confirmed_name = match policy {
        Some(policy) => policy.confirmed_name().await,
        None => None,
    };
    trace::add_trace_fields(&mut content, settings, client, &envelope, results.as_ref(), confirmed_name);
    delivery::deliver(site, settings, client.user.as_ref(), envelope, &content).await
}
