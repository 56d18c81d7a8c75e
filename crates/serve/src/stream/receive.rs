use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::ready;
use std::time::Duration;

use bytes::BufMut;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::timeout;

use super::Stream;
use crate::pace::Expiry;

/// The outcome of waiting for a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiveOutcome {
    /// This many octets were appended.
    Octets(usize),
    /// The peer has closed its side, or the connection is broken.
    End,
    /// Nothing arrived within the time.
    Idle,
    /// The session has exceeded a time limit, or was evicted for another client.
    Expired(Expiry),
}

/// The most that one TLS record holds. On the stack while octets are moved, and only then.
const MAX_RECORD: usize = 16 * 1024;

impl Stream {
    /// Waits for octets and appends them to `into`. 0 means that the peer has closed its side.
    ///
    /// While it waits no buffer is held: an idle session costs what its `into` has allocated. Nothing is lost when
    /// it is dropped and called again, as `select!` does.
    pub async fn receive(&mut self, into: &mut impl BufMut) -> io::Result<usize> {
        poll_fn(|cx| {
            let mut room = [MaybeUninit::uninit(); MAX_RECORD];
            let most = into.remaining_mut().min(MAX_RECORD);
            let mut read = ReadBuf::uninit(&mut room[..most]);
            ready!(Pin::new(&mut *self).poll_read(cx, &mut read))?;
            into.put_slice(read.filled());
            Ok(read.filled().len()).into()
        })
        .await
    }

    /// The same, at most for `limit`, and until the session is ended. A broken connection counts as closed.
    pub async fn receive_within(&mut self, limit: Duration, into: &mut impl BufMut) -> ReceiveOutcome {
        let pace = self.pace.clone();
        tokio::select! {
            biased;
            expiry = pace.ended() => ReceiveOutcome::Expired(expiry),
            received = timeout(limit, self.receive(into)) => match received {
                Ok(Ok(0) | Err(_)) => ReceiveOutcome::End,
                Ok(Ok(octets)) => ReceiveOutcome::Octets(octets),
                Err(_) => ReceiveOutcome::Idle,
            },
        }
    }
}
