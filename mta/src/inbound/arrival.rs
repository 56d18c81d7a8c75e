//! The body while it arrives: into memory or a file, and never refused before its end.

use message::transcode::LineWatch;
use serve::MailId;
use smtp_proto::{Reply, replies};

use crate::content::{Content, Incoming, Spool, SpoolError};

/// A message that arrives. After an error the rest is discarded, and the refusal is sent at its end.
#[derive(Debug)]
pub(super) struct Arrival {
    id: MailId,
    received: Result<Incoming, Reply>,
    /// Watches for long lines, which are put right in submissions only.
    lines: Option<LineWatch>,
}

impl Arrival {
    pub(super) fn begin(id: MailId, spool: &Spool, is_submission: bool) -> Self {
        Self { id, received: Ok(spool.begin()), lines: is_submission.then(LineWatch::default) }
    }

    /// Adds octets.
    pub(super) async fn receive(&mut self, octets: &[u8]) {
        if let Some(lines) = &mut self.lines {
            lines.push(octets);
        }
        if let Ok(incoming) = &mut self.received
            && let Err(error) = incoming.write(octets).await
        {
            self.received = Err(refusal(self.id, &error));
        }
    }

    /// True if a line of a submission is longer than a message may have (RFC 5322 §2.1.1).
    pub(super) fn has_long_lines(&self) -> bool {
        self.lines.as_ref().is_some_and(LineWatch::found)
    }

    /// The whole message, or the refusal for the peer.
    pub(super) async fn finish(self) -> Result<Content, Reply> {
        self.received?.finish().await.map_err(|error| refusal(self.id, &error))
    }
}

/// The reply to a message that cannot be stored.
pub(super) fn refusal(id: MailId, error: &SpoolError) -> Reply {
    match error {
        SpoolError::HeaderTooLong => replies::HEADER_TOO_BIG,
        SpoolError::Full(_) | SpoolError::NoMemory => {
            tracing::error!(%id, %error, "message refused temporarily");
            replies::SYSTEM_FULL
        }
        SpoolError::Io(_) => {
            tracing::error!(%id, %error, "message refused temporarily");
            replies::LOCAL_ERROR
        }
    }
}
