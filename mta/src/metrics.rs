//! The metrics of the MTA: replies of the services, deliveries, the queue.

use handover::config::PolicyCheck;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use smtp_proto::{Reply, Severity};

use crate::inbound::ServiceKind;
use crate::outcome::Outcome;
use crate::queue::{Lane, Queue, RecipientState, Recipients};
use crate::timestamp::Timestamp;

/// The MTA's metrics. All clones count together.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    messages: Family<MessageLabel, Counter>,
    refusals: Family<RefusalLabel, Counter>,
    policy: Family<PolicyLabel, Counter>,
    deliveries: Family<DeliveryLabel, Counter>,
    bounces: Counter,
    notes: Counter,
    set_aside: Counter,
    strays: Counter,
}

/// The step of a transaction at which a peer was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefusalStep {
    /// MAIL.
    Sender,
    /// RCPT.
    Recipient,
    /// The message itself.
    Message,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct MessageLabel {
    service: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RefusalLabel {
    service: &'static str,
    step: &'static str,
    reason: &'static str,
    lasting: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PolicyLabel {
    check: &'static str,
    verdict: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DeliveryLabel {
    destination: &'static str,
    outcome: &'static str,
}

impl Metrics {
    /// Registers everything, the queue's length and age included. Events that have not happened yet are exported as a
    /// zero, so that the first one is seen as a change.
    pub(crate) fn register(&self, registry: &mut Registry, queue: &Queue) {
        for destination in ["local", "remote"] {
            for outcome in ["delivered", "deferred", "failed"] {
                drop(self.deliveries.get_or_create(&DeliveryLabel { destination, outcome }));
            }
        }
        for service in [ServiceKind::Smtp, ServiceKind::Submission, ServiceKind::Submissions] {
            for outcome in ["accepted", "deferred", "refused"] {
                drop(self.messages.get_or_create(&MessageLabel { service: service.name(), outcome }));
            }
        }
        drop(self.policy.get_or_create(&PolicyLabel { check: "none", verdict: "accept" }));
        registry.register("messages", "Messages received, by the kind of the reply", self.messages.clone());
        registry.register(
            "refusals",
            "Senders, recipients and messages that were refused, by reason and permanence",
            self.refusals.clone(),
        );
        registry.register(
            "policy",
            "Recipients refused and messages accepted under the policy, by verdict and the check that decided",
            self.policy.clone(),
        );
        registry.register(
            "deliveries",
            "Delivery attempts, one for each recipient, by outcome",
            self.deliveries.clone(),
        );
        registry.register(
            "failure_notes",
            "Notes to users about failed mail whose sender gets no report",
            self.notes.clone(),
        );
        registry.register("bounces", "Reports of failed deliveries to their senders", self.bounces.clone());
        registry.register(
            "messages_set_aside",
            "Undeliverable messages about which no user can get a report",
            self.set_aside.clone(),
        );
        registry.register(
            "queue_strays",
            "Queued recipients that had no next attempt and were given one by the regular check",
            self.strays.clone(),
        );
        registry.register_collector(Box::new(QueueCollector(queue.clone())));
    }

    /// Counts the reply to a message.
    pub(crate) fn message(&self, service: ServiceKind, reply: &Reply) {
        let outcome = match reply.severity() {
            Severity::Completion | Severity::Intermediate => "accepted",
            Severity::Transient => "deferred",
            Severity::Permanent => "refused",
        };
        self.messages.get_or_create(&MessageLabel { service: service.name(), outcome }).inc();
        if outcome != "accepted" {
            self.refused(service, RefusalStep::Message, reply);
        }
    }

    /// Counts a message that was refused while it arrived.
    pub(crate) fn malformed(&self, service: ServiceKind) {
        self.messages.get_or_create(&MessageLabel { service: service.name(), outcome: "refused" }).inc();
        let label = RefusalLabel {
            service: service.name(),
            step: "message",
            reason: "malformed",
            lasting: "permanent",
        };
        self.refusals.get_or_create(&label).inc();
    }

    /// Counts a refusal.
    pub(crate) fn refused(&self, service: ServiceKind, step: RefusalStep, reply: &Reply) {
        // The subjects of RFC 3463 §3.2 to §3.8: few, and they name the cause.
        let reason = match reply.status().map(|status| status.subject()) {
            Some(1) => "address",
            Some(2) => "mailbox",
            Some(3) => "system",
            Some(4) => "network",
            Some(5) => "protocol",
            Some(6) => "content",
            Some(7) => "policy",
            _ => "other",
        };
        let step = match step {
            RefusalStep::Sender => "sender",
            RefusalStep::Recipient => "recipient",
            RefusalStep::Message => "message",
        };
        let lasting = match reply.severity() {
            Severity::Permanent => "permanent",
            _ => "temporary",
        };
        self.refusals.get_or_create(&RefusalLabel { service: service.name(), step, reason, lasting }).inc();
    }

    /// Counts a judgement: the check that decided, if any, and the verdict.
    pub(crate) fn judged(&self, (check, verdict): (Option<PolicyCheck>, &'static str)) {
        let check = check.map_or("none", PolicyCheck::name);
        self.policy.get_or_create(&PolicyLabel { check, verdict }).inc();
    }

    /// Counts a delivery to a local mailbox that was attempted while the peer waited.
    pub(crate) fn delivered_locally(&self, outcome: &Outcome) {
        let outcome = match outcome {
            Outcome::Delivered => "delivered",
            Outcome::Deferred(_) => "deferred",
            Outcome::Failed(_) => "failed",
        };
        self.deliveries.get_or_create(&DeliveryLabel { destination: "local", outcome }).inc();
    }

    /// Counts an attempt for a queued recipient, by the state that it led to.
    pub(crate) fn attempted(&self, lane: &Lane, state: RecipientState) {
        let destination = match lane {
            Lane::Local | Lane::Settlement => "local",
            Lane::Remote(_) => "remote",
        };
        let outcome = match state {
            RecipientState::Delivered => "delivered",
            RecipientState::Waiting => "deferred",
            RecipientState::Failed | RecipientState::Reported => "failed",
        };
        self.deliveries.get_or_create(&DeliveryLabel { destination, outcome }).inc();
    }

    /// Counts recipients that the regular check has found without a next attempt.
    pub(crate) fn strays(&self, recipients: usize) {
        self.strays.inc_by(u64::try_from(recipients).unwrap_or(u64::MAX));
    }

    /// Counts a bounce.
    pub(crate) fn bounced(&self) {
        self.bounces.inc();
    }

    /// Counts a note to a user about a failure.
    pub(crate) fn noted(&self) {
        self.notes.inc();
    }

    /// Counts a failed message about which no user can be informed.
    pub(crate) fn set_aside(&self) {
        self.set_aside.inc();
    }
}

/// The queue's numbers, read at each scrape.
#[derive(Debug)]
struct QueueCollector(Queue);

impl Collector for QueueCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let length = ConstGauge::new(i64::try_from(*self.0.length().borrow()).unwrap_or(i64::MAX));
        let help = "Messages that wait in the queue";
        length.encode(encoder.encode_descriptor("queue_messages", help, None, length.metric_type())?)?;

        let Recipients { scheduled, underway } = self.0.recipients();
        let dead = self.0.dead().borrow().messages;
        for (name, help, number) in [
            ("queue_recipients_scheduled", "Queued recipients that wait for their next attempt", scheduled),
            ("queue_recipients_underway", "Queued recipients with a delivery under way", underway),
            ("queue_given_up_messages", "Undeliverable messages in queue/dead", dead),
        ] {
            let number = ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX));
            number.encode(encoder.encode_descriptor(name, help, None, number.metric_type())?)?;
        }

        let age = self.0.oldest().map_or(0, |oldest| Timestamp::now().since(oldest).as_secs());
        let age = ConstGauge::new(i64::try_from(age).unwrap_or(i64::MAX));
        let help = "Age of the oldest message in the queue; 0 when the queue is empty";
        age.encode(encoder.encode_descriptor("queue_oldest_age_seconds", help, None, age.metric_type())?)
    }
}

#[cfg(test)]
mod tests {
    use smtp_proto::replies;

    use super::*;

    fn exported(metrics: &Metrics) -> String {
        let folder = tempfile::tempdir().unwrap();
        let directory = std::sync::Arc::new(accounts::Directory::new(&accounts::Accounts::default()));
        let queue = Queue::open(folder.path(), crate::queue::Routes::new(directory, None)).unwrap();
        let mut all = serve::metrics::Metrics::new("mta");
        metrics.register(all.registry(), &queue);
        all.text()
    }

    #[test]
    fn replies_are_counted_by_service_step_and_reason() {
        let metrics = Metrics::default();
        metrics.message(ServiceKind::Smtp, &replies::DELIVERED);
        metrics.message(ServiceKind::Smtp, &replies::SYSTEM_FULL);
        metrics.message(ServiceKind::Submission, &replies::MESSAGE_TOO_BIG);
        metrics.malformed(ServiceKind::Smtp);
        metrics.refused(ServiceKind::Smtp, RefusalStep::Recipient, &replies::UNKNOWN_RECIPIENT);
        metrics.refused(ServiceKind::Submissions, RefusalStep::Sender, &replies::SENDER_NOT_OWNED);
        let text = exported(&metrics);
        for line in [
            r#"messages_total{service="smtp",outcome="accepted"} 1"#,
            r#"messages_total{service="smtp",outcome="deferred"} 1"#,
            r#"messages_total{service="smtp",outcome="refused"} 1"#,
            r#"messages_total{service="submission",outcome="refused"} 1"#,
            r#"messages_total{service="submissions",outcome="accepted"} 0"#,
            r#"refusals_total{service="smtp",step="message",reason="system",lasting="temporary"} 1"#,
            r#"refusals_total{service="smtp",step="message",reason="malformed",lasting="permanent"} 1"#,
            r#"refusals_total{service="smtp",step="recipient",reason="address",lasting="permanent"} 1"#,
            r#"refusals_total{service="submissions",step="sender",reason="policy",lasting="permanent"} 1"#,
            r#"refusals_total{service="submission",step="message",reason="system",lasting="permanent"} 1"#,
        ] {
            assert!(text.contains(&format!("mailstead_{line}\n")), "{line} is missing in {text}");
        }
    }

    #[test]
    fn deliveries_are_counted_by_outcome_and_an_empty_queue_has_no_age() {
        let metrics = Metrics::default();
        metrics.delivered_locally(&Outcome::Delivered);
        metrics.attempted(&Lane::Local, RecipientState::Waiting);
        metrics.attempted(
            &Lane::Remote(crate::outbound::Destination::Relay("x:25".into())),
            RecipientState::Failed,
        );
        metrics.bounced();
        let text = exported(&metrics);
        for line in [
            r#"deliveries_total{destination="local",outcome="delivered"} 1"#,
            r#"deliveries_total{destination="local",outcome="deferred"} 1"#,
            r#"deliveries_total{destination="remote",outcome="failed"} 1"#,
            r#"deliveries_total{destination="remote",outcome="delivered"} 0"#,
            "bounces_total 1",
            "failure_notes_total 0",
            "messages_set_aside_total 0",
            "queue_messages 0",
            "queue_recipients_scheduled 0",
            "queue_recipients_underway 0",
            "queue_strays_total 0",
            "queue_given_up_messages 0",
            "queue_oldest_age_seconds 0",
        ] {
            assert!(text.contains(&format!("mailstead_{line}\n")), "{line} is missing in {text}");
        }
    }
}
