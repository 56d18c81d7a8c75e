//! The parts of a daemon's files that could not be read, reported to process 1 until they can be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::Arc;

use handover::Concern;
use handover::notice::Notifier;
use tokio::sync::watch;

use crate::{StopSignal, report_concerns};

const FIX: &str = "repair it, then send SIGHUP to the server (docker compose kill -s HUP mail)";

/// A part that a daemon reads at a start and at a reload. Each is independent: a refused one keeps its state, and
/// does not hold up the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReloadPart {
    /// The daemon's configuration file.
    Configuration,
    /// The accounts file.
    Accounts,
    /// The heartbeat's mailbox.
    Heartbeat,
    /// The DKIM keys.
    SigningKeys,
    /// The smarthost and the authority that vouches for it.
    Relay,
    /// The name servers.
    Resolver,
    /// The certificate and its key.
    Certificate,
}

impl ReloadPart {
    /// The topic in the notice, and the name for a person.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Configuration => ("RELOAD_CONFIGURATION", "the daemon's configuration"),
            Self::Accounts => ("RELOAD_ACCOUNTS", "the accounts"),
            Self::Heartbeat => ("RELOAD_HEARTBEAT", "the heartbeat's mailbox"),
            Self::SigningKeys => ("RELOAD_KEYS", "a signing key"),
            Self::Relay => ("RELOAD_RELAY", "the relay's settings"),
            Self::Resolver => ("RELOAD_RESOLVER", "the name servers"),
            Self::Certificate => ("RELOAD_CERTIFICATE", "the certificate"),
        }
    }

    #[cfg(test)]
    const ALL: [Self; 7] = [
        Self::Configuration,
        Self::Accounts,
        Self::Heartbeat,
        Self::SigningKeys,
        Self::Relay,
        Self::Resolver,
        Self::Certificate,
    ];
}

/// The parts that are refused at the moment, each with its reason.
#[derive(Debug, Clone, Default)]
pub struct Refusals(Arc<watch::Sender<BTreeMap<ReloadPart, Concern>>>);

impl Refusals {
    /// Returns the value of a part that was read; `None` for a refused one, which is logged and among health's reasons
    /// until the part is read.
    pub fn accept_or_record<T, E: Display>(&self, part: ReloadPart, read: Result<T, E>) -> Option<T> {
        match read {
            Ok(value) => {
                self.record(part, None::<&str>);
                Some(value)
            }
            Err(error) => {
                self.record(part, Some(error));
                None
            }
        }
    }

    /// Records the reason for which a part is refused, wholly or in parts; `None` when all of it was read.
    pub fn record(&self, part: ReloadPart, refused: Option<impl Display>) {
        let concern = refused.map(|error| {
            let (_, name) = part.names();
            tracing::error!(part = name, %error, "refused, keeping the current state");
            Concern::new(
                format!("{name} cannot be used, and the previous state stays in force: {error}"),
                FIX,
            )
        });
        self.0.send_if_modified(|refused| match concern {
            Some(concern) => refused.insert(part, concern.clone()) != Some(concern),
            None => refused.remove(&part).is_some(),
        });
    }

    /// True if any part is refused.
    pub fn any(&self) -> bool {
        !self.0.borrow().is_empty()
    }

    /// Reports the state of each part that has been refused to process 1: now, at each change, and at intervals.
    pub async fn report(self, notifier: Arc<Notifier>, stop: StopSignal) {
        // The socket holds few notices, so a part that was never refused is not reported.
        let mut reported = BTreeSet::new();
        let concerns = move |refused: &BTreeMap<ReloadPart, Concern>| {
            reported.extend(refused.keys().copied());
            reported.iter().map(|part| (part.names().0, refused.get(part).cloned())).collect()
        };
        report_concerns(notifier, self.0.subscribe(), concerns, stop).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_refused_until_it_is_read() {
        let refusals = Refusals::default();
        assert_eq!(refusals.accept_or_record(ReloadPart::Relay, Err::<u8, _>("no such file")), None);
        assert_eq!(
            refusals.accept_or_record(ReloadPart::Accounts, Ok::<_, &str>(7)),
            Some(7),
            "another part is not affected"
        );
        assert!(refusals.any());
        assert!(refusals.0.borrow()[&ReloadPart::Relay].problem.ends_with("no such file"));
        assert_eq!(refusals.accept_or_record(ReloadPart::Relay, Ok::<_, &str>(8)), Some(8));
        assert!(!refusals.any());
    }

    #[test]
    fn each_part_has_a_topic_of_its_own() {
        let topics: std::collections::BTreeSet<_> =
            ReloadPart::ALL.iter().map(|part| part.names().0).collect();
        assert_eq!(topics.len(), ReloadPart::ALL.len());
    }
}
