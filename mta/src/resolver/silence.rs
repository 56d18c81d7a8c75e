use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::sync::watch;
use tokio::time::timeout;

use super::Servers;

/// Whether no name server answers at all.
///
/// That one stranger's names are not answered for says nothing: they may be made so on purpose. So a task of its own asks
/// for the root, which every server knows: at the start, whenever a message's questions found no answer, and again and
/// again while there is none.
#[derive(Clone, Debug)]
pub(super) struct Silence {
    is_on: watch::Receiver<bool>,
    doubts: Arc<watch::Sender<()>>,
}

/// A server that is there answers for the root from its cache.
const PATIENCE: Duration = Duration::from_secs(2);

/// The wait between two questions while nobody answers: mail that comes meanwhile is not checked as it should be.
const PAUSE: Duration = Duration::from_secs(3);

impl Silence {
    /// Starts the task; it ends with the last resolver that could ask.
    pub(super) fn watch(servers: Arc<Servers>) -> Self {
        let (reported, is_on) = watch::channel(false);
        let (doubts, doubted) = watch::channel(());
        tokio::spawn(listen(servers, reported, doubted));
        Self { is_on, doubts: Arc::new(doubts) }
    }

    pub(super) fn is_on(&self) -> bool {
        *self.is_on.borrow()
    }

    pub(super) fn doubt(&self) {
        self.doubts.send_replace(());
    }
}

async fn listen(servers: Arc<Servers>, reported: watch::Sender<bool>, mut doubted: watch::Receiver<()>) {
    loop {
        doubted.mark_unchanged();
        let is_silent = !is_answered(&servers.without_cache()).await;
        if *reported.borrow() != is_silent {
            if is_silent {
                tracing::error!("no name server answers: mail is not checked, and waits to be sent");
            } else {
                tracing::info!("a name server answers again");
            }
            reported.send_replace(is_silent);
        }
        let is_over = if is_silent {
            // The predicate is never met: this ends with the pause, or with those who ask.
            timeout(PAUSE, doubted.wait_for(|()| false)).await.is_ok()
        } else {
            doubted.changed().await.is_err()
        };
        if is_over {
            return;
        }
    }
}

/// Whatever the answer says, somebody gave it.
async fn is_answered(resolver: &TokioResolver) -> bool {
    let answer = timeout(PATIENCE, resolver.lookup(Name::root(), RecordType::NS)).await;
    matches!(answer, Ok(Ok(_) | Err(NetError::Dns(_))))
}

#[cfg(test)]
mod tests {
    use super::is_answered;
    use crate::doubles::names::Names;

    #[tokio::test]
    async fn where_nobody_answers_no_message_waits() {
        let mut resolver = Names::silent().resolver(8_000).await;
        resolver.silence.is_on.wait_for(|is_on| *is_on).await.unwrap();
        assert!(resolver.budget().is_zero());
    }

    #[tokio::test]
    async fn a_server_that_knows_nothing_is_not_silent() {
        let resolver = Names::new().resolver(8_000).await;
        assert!(is_answered(&resolver.inner()).await);
        assert_eq!(resolver.budget().as_secs(), 8);
    }
}
