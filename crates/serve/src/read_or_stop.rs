use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use crate::{Expiry, StopSignal, Stream};

/// The time for which a peer may be silent when the daemon stops. A peer that has just connected, or is between two
/// commands, can finish; an idle connection is closed.
const DRAIN_SILENCE: Duration = Duration::from_secs(1);

/// The outcome of waiting for a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOutcome {
    /// This many octets.
    Octets(usize),
    /// The peer was silent for too long.
    Silence,
    /// The peer was silent and the daemon is stopping.
    Stop,
    /// The session has exceeded a time limit, or was evicted for another client.
    Expired(Expiry),
}

impl Stream {
    /// Waits for octets, at most for `silence`, and shorter once `stop` is requested; without a `stop`, a stopping
    /// daemon makes no difference. The end of the stream is an error, since sessions have a command to end. May be
    /// dropped and called again, as `select!` does.
    pub async fn read_or_stop(
        &mut self,
        space: &mut [u8],
        silence: Duration,
        stop: Option<&mut StopSignal>,
    ) -> io::Result<ReadOutcome> {
        let Some(stop) = stop else {
            return Ok(self.read_within(space, silence).await?.unwrap_or(ReadOutcome::Silence));
        };
        tokio::select! {
            biased;
            received = self.read_within(space, silence) => return Ok(received?.unwrap_or(ReadOutcome::Silence)),
            () = stop.requested() => {}
        }
        Ok(self.read_within(space, DRAIN_SILENCE.min(silence)).await?.unwrap_or(ReadOutcome::Stop))
    }

    async fn read_within(&mut self, space: &mut [u8], silence: Duration) -> io::Result<Option<ReadOutcome>> {
        let pace = self.pace().clone();
        tokio::select! {
            biased;
            expiry = pace.ended() => Ok(Some(ReadOutcome::Expired(expiry))),
            received = timeout(silence, self.read(space)) => match received {
                Ok(Ok(0)) => Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(Ok(count)) => Ok(Some(ReadOutcome::Octets(count))),
                Ok(Err(error)) => Err(error),
                Err(_) => Ok(None),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::UnixStream;

    use super::*;
    use crate::Drain;

    const LONG: Duration = Duration::from_secs(300);

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_wait_for_a_silent_peer_only() {
        let (mut peer, stream) = UnixStream::pair().unwrap();
        let mut stream = Stream::from(stream);
        let (drain, mut space) = (Drain::new(), [0; 8]);
        let mut stop = drain.stop();
        assert_eq!(
            stream.read_or_stop(&mut space, LONG, Some(&mut stop)).await.unwrap(),
            ReadOutcome::Silence
        );
        drain.begin();
        peer.write_all(b"NOOP").await.unwrap();
        assert_eq!(
            stream.read_or_stop(&mut space, LONG, Some(&mut stop)).await.unwrap(),
            ReadOutcome::Octets(4)
        );
        assert_eq!(stream.read_or_stop(&mut space, LONG, Some(&mut stop)).await.unwrap(), ReadOutcome::Stop);
        assert_eq!(stream.read_or_stop(&mut space, LONG, None).await.unwrap(), ReadOutcome::Silence);
        drop(peer);
        let error = stream.read_or_stop(&mut space, LONG, Some(&mut stop)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
