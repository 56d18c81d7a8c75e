use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use crate::{Expiry, Stop, Stream};

/// The time for which a peer may be silent when the daemon stops. A peer that has just connected, or is between two
/// commands, can finish; an idle connection is closed.
const LAST_SILENCE: Duration = Duration::from_secs(1);

/// The outcome of waiting for a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
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
    pub async fn listen(
        &mut self,
        space: &mut [u8],
        silence: Duration,
        stop: Option<&mut Stop>,
    ) -> io::Result<Heard> {
        let Some(stop) = stop else {
            return Ok(self.hear(space, silence).await?.unwrap_or(Heard::Silence));
        };
        tokio::select! {
            biased;
            heard = self.hear(space, silence) => return Ok(heard?.unwrap_or(Heard::Silence)),
            () = stop.requested() => {}
        }
        Ok(self.hear(space, LAST_SILENCE.min(silence)).await?.unwrap_or(Heard::Stop))
    }

    async fn hear(&mut self, space: &mut [u8], silence: Duration) -> io::Result<Option<Heard>> {
        let pace = self.pace().clone();
        tokio::select! {
            biased;
            expiry = pace.ended() => Ok(Some(Heard::Expired(expiry))),
            heard = timeout(silence, self.read(space)) => match heard {
                Ok(Ok(0)) => Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(Ok(count)) => Ok(Some(Heard::Octets(count))),
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
        assert_eq!(stream.listen(&mut space, LONG, Some(&mut stop)).await.unwrap(), Heard::Silence);
        drain.begin();
        peer.write_all(b"NOOP").await.unwrap();
        assert_eq!(stream.listen(&mut space, LONG, Some(&mut stop)).await.unwrap(), Heard::Octets(4));
        assert_eq!(stream.listen(&mut space, LONG, Some(&mut stop)).await.unwrap(), Heard::Stop);
        assert_eq!(stream.listen(&mut space, LONG, None).await.unwrap(), Heard::Silence);
        drop(peer);
        let error = stream.listen(&mut space, LONG, Some(&mut stop)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
