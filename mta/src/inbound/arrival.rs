//! The body while it comes in: into memory or a file, and never refused before its end.

use smtp_proto::{Reply, replies};

use crate::content::{Content, Incoming, Spool, SpoolError};

/// A message that arrives. Once something has gone wrong, the rest is let pass: the peer is told at its end.
#[derive(Debug)]
pub(super) struct Arrival(Result<Incoming, Reply>);

impl Arrival {
    pub(super) fn begin(spool: &Spool) -> Self {
        Self(Ok(spool.begin()))
    }

    /// Takes in more octets.
    pub(super) async fn take(&mut self, octets: &[u8]) {
        if let Ok(incoming) = &mut self.0
            && let Err(error) = incoming.write(octets).await
        {
            self.0 = Err(refusal(&error));
        }
    }

    /// The whole message, or what the peer is told instead.
    pub(super) async fn finish(self) -> Result<Content, Reply> {
        self.0?.finish().await.map_err(|error| refusal(&error))
    }
}

fn refusal(error: &SpoolError) -> Reply {
    match error {
        SpoolError::HeaderTooLong => replies::HEADER_TOO_BIG,
        SpoolError::Full(_) => {
            tracing::error!(%error, "message refused for now");
            replies::SYSTEM_FULL
        }
        SpoolError::Io(_) => {
            tracing::error!(%error, "message refused for now");
            replies::LOCAL_ERROR
        }
    }
}
