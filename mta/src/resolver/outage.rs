use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::sync::watch;
use tokio::time::timeout;

use super::Servers;

/// Detection of an outage of all name servers.
///
/// Unanswered queries for one sender's names prove nothing: the sender may cause them on purpose. So a task of its own
/// queries the root, which every server knows: at the start, whenever the queries for a message got no answer, and
/// repeatedly while no server answers.
#[derive(Clone, Debug)]
pub(super) struct Outage {
    is_detected: watch::Receiver<bool>,
    checks: Arc<watch::Sender<()>>,
}

/// A working server answers for the root from its cache.
const QUERY_TIMEOUT: Duration = Duration::from_secs(2);

/// The wait between two queries during an outage: mail that arrives meanwhile is not fully checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(3);

impl Outage {
    /// Starts the task, which ends when the last resolver is dropped.
    pub(super) fn watch(servers: Arc<Servers>) -> Self {
        let (detected, is_detected) = watch::channel(false);
        let (checks, check_requested) = watch::channel(());
        tokio::spawn(monitor(servers, detected, check_requested));
        Self { is_detected, checks: Arc::new(checks) }
    }

    pub(super) fn is_detected(&self) -> bool {
        *self.is_detected.borrow()
    }

    pub(super) fn request_check(&self) {
        self.checks.send_replace(());
    }
}

async fn monitor(
    servers: Arc<Servers>,
    detected: watch::Sender<bool>,
    mut check_requested: watch::Receiver<()>,
) {
    loop {
        check_requested.mark_unchanged();
        let is_silent = !any_server_answers(&servers.without_cache()).await;
        if *detected.borrow() != is_silent {
            if is_silent {
                tracing::error!(
                    "no name server answers: incoming mail is not authenticated, outgoing mail waits"
                );
            } else {
                tracing::info!("name servers answer again");
            }
            detected.send_replace(is_silent);
        }
        let is_closed = if is_silent {
            // The predicate is never met: this ends after the interval, or when the last resolver is dropped.
            timeout(CHECK_INTERVAL, check_requested.wait_for(|()| false)).await.is_ok()
        } else {
            check_requested.changed().await.is_err()
        };
        if is_closed {
            return;
        }
    }
}

/// True if a name server answers, whatever the answer is.
async fn any_server_answers(resolver: &TokioResolver) -> bool {
    let answer = timeout(QUERY_TIMEOUT, resolver.lookup(Name::root(), RecordType::NS)).await;
    matches!(answer, Ok(Ok(_) | Err(NetError::Dns(_))))
}

#[cfg(test)]
mod tests {
    use super::any_server_answers;
    use crate::doubles::name_server::NameServer;

    #[tokio::test]
    async fn during_an_outage_the_time_limit_for_queries_is_zero() {
        let mut resolver = NameServer::silent().resolver(8_000).await;
        resolver.outage.is_detected.wait_for(|is_detected| *is_detected).await.unwrap();
        assert!(resolver.budget().is_zero());
    }

    #[tokio::test]
    async fn a_server_with_negative_answers_is_not_silent() {
        let resolver = NameServer::new().resolver(8_000).await;
        assert!(any_server_answers(&resolver.inner()).await);
        assert_eq!(resolver.budget().as_secs(), 8);
    }
}
